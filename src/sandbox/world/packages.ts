/** Import of application packages (systems.md 1.4.1). */
import { strFromU8, unzipSync } from 'fflate';
import { seededUuid } from './seeded';
import { OFFICE_365, type Provider } from './state';
import { Impossible, type World } from './world';

export interface PackageMeta {
  apsId: string;
  name: string;
  version: string;
  release: string;
  /** The oldest version that its upgrade rule accepts. */
  upgradesFrom?: string;
}

/** What the task scheduler makes of a task that a call schedules. */
export type TaskFate = 'done' | 'stuck' | 'failed';

/** Reads APP-META.xml out of an application package; throws {@link Impossible} where the bytes are none. */
export function readPackage(body: Uint8Array): PackageMeta {
  const meta = metaOf(body);
  const [apsId, name, version, release] = ['id', 'name', 'version', 'release'].map(
    (element) => new RegExp(`<${element}>([^<]+)</${element}>`).exec(meta)?.[1],
  );
  if (!apsId || !name || !version || !release) throw new Impossible('APP-META.xml lacks id, name, version or release.');
  // Assumption: `=gt=` takes the version itself as well, as the rule of the first package has it (systems.md 1.4.2).
  const upgradesFrom = /<upgrade match="version =gt= ([\d.]+)"/.exec(meta)?.[1];
  return { apsId, name, version, release, ...(upgradesFrom !== undefined && { upgradesFrom }) };
}

function metaOf(body: Uint8Array): string {
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(body, { filter: (entry) => entry.name === 'APP-META.xml' });
  } catch (error) {
    throw new Impossible(`The file is not a zip archive: ${error instanceof Error ? error.message : 'unreadable'}.`);
  }
  const meta = entries['APP-META.xml'];
  if (!meta) throw new Impossible('The archive has no APP-META.xml: it is not an application package.');
  return strFromU8(meta);
}

/** Id of the application that the package belongs to; throws {@link Impossible} for a version that is there already. */
export function applicationForImport(provider: Provider, meta: PackageMeta): number {
  const application = provider.applications.find((other) => other.apsId === meta.apsId);
  // Assumption: only new versions of known applications are imported in this sandbox.
  if (!application) throw new Impossible(`Application '${meta.apsId}' is not known to this sandbox.`);
  const same = provider.packages.find(
    (other) =>
      other.applicationId === application.applicationId &&
      other.version === meta.version &&
      other.release === meta.release,
  );
  // Assumption: the second import of one version is an error (systems.md 1.4.1).
  if (same) throw new Impossible(`Package '${meta.name}' ${meta.version}-${meta.release} is already imported.`);
  return application.applicationId;
}

/**
 * The package joins the application, and two tasks follow: the import and, after it, the upgrade relations.
 * `fate` is what becomes of the second one.
 */
export function importPackage(
  world: World,
  provider: Provider,
  meta: PackageMeta,
  options: { enabled: boolean; requestId?: string; fate: TaskFate },
): void {
  const applicationId = applicationForImport(provider, meta);
  const packageVersion = `${meta.version}-${meta.release}`;
  const own = meta.apsId === OFFICE_365 ? [] : [meta.apsId];
  const packageId = seededUuid(provider.seed, provider.id, 'package', ...own, packageVersion);
  provider.packages.push({
    id: packageId,
    applicationId,
    version: meta.version,
    release: meta.release,
    enabled: options.enabled,
    upgradeRelations: false,
    ...(meta.upgradesFrom !== undefined && { upgradesFrom: meta.upgradesFrom }),
  });
  const request = options.requestId === undefined ? {} : { requestId: options.requestId };
  const imported = world.now() + world.timings.importMs;
  world.addTask(provider, {
    name: `Importing APS package ${meta.name} ${packageVersion}`,
    status: 'Running',
    periodic: false,
    drains: false,
    dueAt: imported,
    ...request,
  });
  world.addTask(provider, {
    name: 'Updating upgrade relations for APS packages of application',
    status: options.fate === 'stuck' ? 'Rescheduled' : 'Unprocessed',
    periodic: false,
    drains: false,
    ...(options.fate !== 'stuck' && { dueAt: imported + world.timings.relationsMs }),
    ...(options.fate === 'failed' && { failure: 'Updating upgrade relations failed: database lock timeout.' }),
    completes: { kind: 'upgradeRelations', packageId },
    ...request,
  });
  world.effect(provider, {
    system: 'operations',
    name: 'packageImported',
    object: packageVersion,
    ...(options.requestId !== undefined && { detail: { requestId: options.requestId } }),
  });
}
