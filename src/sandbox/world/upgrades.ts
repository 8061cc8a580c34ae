/** Upgrade of application instances, and the tasks that it runs in (systems.md 1.4.2, 2.4). */
import { withoutRelease } from '../../contract/versions';
import type { SimulatedHosts } from '../hosts-port';
import type { TaskFate } from './packages';
import { OFFICE_365, type ImportedPackage, type Instance, type Provider, type Task } from './state';
import { Impossible, UnknownObject, type World } from './world';

/** Finds an instance by its Operations id; throws {@link UnknownObject}. */
export function instance(provider: Provider, instanceId: number): Instance {
  const found = provider.instances.find((other) => other.instanceId === instanceId);
  if (!found) throw new UnknownObject(`Application instance #${instanceId} does not exist.`);
  return found;
}

/** Application API end-point URI of an instance (systems.md 4.1). */
export function endpointUrl(provider: Provider, { gateway }: Instance): string {
  const { hostname, application } = gatewayOf(provider, gateway);
  return `https://${hostname}/${application}/aps/`;
}

/**
 * Starts the upgrade to the version that was asked for, or to the newest enabled one (systems.md 1.4); throws {@link Impossible}
 * where there is nothing to upgrade to.
 */
export async function startUpgrade(
  world: World,
  hosts: SimulatedHosts,
  provider: Provider,
  instanceId: number,
  options: { packageVersion?: string; requestId?: string; fate: TaskFate },
): Promise<void> {
  const upgraded = instance(provider, instanceId);
  if (upgraded.status !== 'Ready') {
    throw new Impossible(`Application instance #${instanceId} is ${upgraded.status}, not Ready.`);
  }
  const target = newestUpgrade(provider, upgraded, options.packageVersion);
  // Assumption: this is an error, also where the upgrade relations are not updated yet (systems.md 1.4.1, 1.4.2).
  if (!target) throw new Impossible(`No upgrade is available for application instance #${instanceId}.`);
  const to = `${target.version}-${target.release}`;
  upgraded.status = 'Upgrading';
  const task = world.addTask(provider, {
    name: `Upgrading application instance 'Office 365' #${instanceId} to ${to}`,
    status: 'Running',
    periodic: false,
    drains: false,
    completes: { kind: 'upgrade', instanceId, to },
    ...(options.requestId !== undefined && { requestId: options.requestId }),
  });
  world.effect(provider, {
    system: 'operations',
    name: 'instanceUpgradeStarted',
    object: String(instanceId),
    detail: { packageVersion: to },
  });
  await runUpgradeTask(world, hosts, provider, task, options.fate);
}

/**
 * Runs a task again that failed or is stuck; an upgrade asks the endpoint again.
 * Throws {@link UnknownObject} and {@link Impossible}.
 */
export async function rescheduleTask(
  world: World,
  hosts: SimulatedHosts,
  provider: Provider,
  taskId: number,
): Promise<void> {
  const task = openTask(provider, taskId);
  if (task.dueAt !== undefined) throw new Impossible(`Task #${taskId} is running already.`);
  if (task.completes?.kind === 'upgrade') {
    await runUpgradeTask(world, hosts, provider, task, 'done');
    return;
  }
  delete task.failure;
  task.status = 'Unprocessed';
  task.dueAt = world.now() + world.timings.drainMs;
  world.save(provider);
}

/** Throws {@link UnknownObject}. */
export function openTask(provider: Provider, taskId: number): Task {
  const task = provider.tasks.find((other) => other.id === taskId);
  if (!task || task.status === 'Processed' || task.status === 'Canceled') {
    throw new UnknownObject(`Task #${taskId} does not exist.`);
  }
  return task;
}

/**
 * The controller calls the endpoint's upgrade operation, so the endpoint's version decides at this moment.
 *
 * Assumption: an endpoint of the old version answers with an error, the task fails, and the instance stays `Upgrading`
 * (systems.md 1.4: there is no failed value).
 */
async function runUpgradeTask(
  world: World,
  hosts: SimulatedHosts,
  provider: Provider,
  task: Task,
  fate: TaskFate,
): Promise<void> {
  if (task.completes?.kind !== 'upgrade') throw new Error(`task #${task.id} is no upgrade`);
  const { instanceId, to } = task.completes;
  const gateway = gatewayOf(provider, instance(provider, instanceId).gateway);
  const served = await hosts.servedVersion(gateway.host, gateway.site, gateway.application);
  delete task.failure;
  delete task.dueAt;
  task.status = fate === 'stuck' ? 'Rescheduled' : 'Running';
  if (fate !== 'stuck') task.dueAt = world.now() + world.timings.upgradeMs;
  if (fate === 'failed') task.failure = 'The application endpoint answered 500 Internal Server Error.';
  const serving = [withoutRelease(to), ...(world.versions.of(to).servedBy ?? [])];
  if (!serving.includes(withoutRelease(served))) {
    task.failure = `The application endpoint answered 500 Internal Server Error: it is of version ${served}, not ${withoutRelease(to)}.`;
  }
  world.save(provider);
}

function newestUpgrade(
  provider: Provider,
  { packageVersion }: Instance,
  wanted: string | undefined,
): ImportedPackage | undefined {
  const [newest] = office365Packages(provider)
    .filter((candidate) => candidate.enabled && candidate.upgradeRelations)
    .filter((candidate) => accepts(candidate, packageVersion))
    .filter((candidate) => compareVersions(printed(candidate), packageVersion) > 0)
    .filter((candidate) => wanted === undefined || wanted === printed(candidate))
    .sort((left, right) => compareVersions(printed(right), printed(left)));
  return newest;
}

/** The newest version of the application that this provider has imported: the one that a customization has to fit. */
export function newestVersion(provider: Provider): string {
  const [newest] = office365Packages(provider).sort((a, b) => compareVersions(printed(b), printed(a)));
  return newest?.version ?? provider.sourceVersion;
}

const office365Packages = ({ applications, packages }: Provider): ImportedPackage[] =>
  packages.filter(({ applicationId }) =>
    applications.some((application) => application.applicationId === applicationId && application.apsId === OFFICE_365),
  );

const printed = ({ version, release }: ImportedPackage): string => `${version}-${release}`;

/** The package's upgrade rule has to accept the installed version (systems.md 1.4.2). */
const accepts = ({ upgradesFrom }: ImportedPackage, installed: string): boolean =>
  upgradesFrom === undefined || compareVersions(`${withoutRelease(installed)}-0`, `${upgradesFrom}-0`) >= 0;

/** Number by number; the release comes last. */
function compareVersions(left: string, right: string): number {
  const parts = (text: string) => {
    const version = withoutRelease(text);
    const numbers = version.split('.').map(Number);
    while (numbers.length < 4) numbers.push(0);
    return [...numbers, Number(text.slice(version.length + 1))];
  };
  const [first, second] = [parts(left), parts(right)];
  const differing = first.findIndex((number, index) => number !== second[index]);
  return differing < 0 ? 0 : (first[differing] ?? 0) - (second[differing] ?? 0);
}

function gatewayOf(provider: Provider, index: number): Provider['gateways'][number] {
  const gateway = provider.gateways[index];
  if (!gateway) throw new Error(`provider '${provider.id}' has no gateway ${index}`);
  return gateway;
}
