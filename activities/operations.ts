/**
 * Activities on Operations and the APS controller. By which signs Office 365 templates, national clouds, Azure CSP, DNS
 * Hosting and trials on CCP v1 are recognised stands in src/systems/office365.ts.
 */
import { FAILURE, type OperationsActivities } from '../src/contract/activities';
import type { ApsConnection, OperationsConnection } from '../src/contract/provider';
import type { Adapters } from '../src/systems/adapters';
import { ApsClient } from '../src/systems/aps';
import { Office365Application } from '../src/systems/office365-application';
import { OperationsClient } from '../src/systems/operations';
import { SystemError } from '../src/systems/system-error';
import type { ResolveSecret } from '../src/systems/xmlrpc-endpoint';
import { awaitImport, importPackage } from './import-package';
import { POLLING, heartbeating, poll, type Polling, type Wait } from './polling';
import { upgradeInstance } from './upgrade-instance';

export interface OperationsDependencies {
  resolveSecret: ResolveSecret;
  /** Those of this worker. */
  adapters: Pick<Adapters, 'monitorTasks'>;
  polling?: Polling;
}

export function createOperationsActivities({
  resolveSecret,
  adapters,
  polling = POLLING,
}: OperationsDependencies): OperationsActivities {
  const applications = new Map<string, Systems>();
  /** One client per connection for the life of the worker: it keeps the token of the APS controller. */
  const systemsOf = ({ operations, aps }: Connections): Systems => {
    const key = JSON.stringify([operations, aps]);
    const existing = applications.get(key);
    if (existing) return existing;
    const client = new OperationsClient(operations, resolveSecret);
    const systems = { operations: client, application: new Office365Application(client, new ApsClient(aps, client)) };
    applications.set(key, systems);
    return systems;
  };

  return {
    readOperations: (input) =>
      heartbeating(async () => {
        const { operations, application } = systemsOf(input);
        const [build, applicationId, packageList] = await Promise.all([
          operations.platformBuild(),
          application.id(),
          application.packageList(),
        ]);
        const instances = await application.instances();
        const templates = await application.templates();
        return { build, applicationId, instances, templates, ...packageList };
      }),

    readTemplates: (input) => heartbeating(() => systemsOf(input).application.templates()),

    activateTemplate: ({ operations, templateId }) =>
      heartbeating(() => setTemplate(new OperationsClient(operations, resolveSecret), templateId, 'active')),

    deactivateTemplate: ({ operations, templateId }) =>
      heartbeating(() => setTemplate(new OperationsClient(operations, resolveSecret), templateId, 'inactive')),

    readActiveTemplates: (input) => heartbeating(() => systemsOf(input).application.activeTemplates()),

    lookAgain: (input) =>
      heartbeating(async () => {
        const { application } = systemsOf(input);
        const { enabledVersions } = await application.packageList();
        return { ...(await application.news(input)), enabledVersions };
      }),

    importPackage: (input) =>
      heartbeating((report) => {
        const { operations, application } = systemsOf(input);
        return importPackage(operations, application, input, polling, report);
      }),

    awaitImport: (input) =>
      heartbeating((report) => {
        const { operations, application } = systemsOf(input);
        return awaitImport(operations, application, input, polling, report);
      }),

    upgradeInstance: (input) =>
      heartbeating(async (report) => {
        const { operations, application } = systemsOf(input);
        await upgradeInstance(operations, application, input, polling, report);
        return application.instance(input.instanceId);
      }),

    awaitTasksProcessed: ({ monitor }) =>
      heartbeating((report) => {
        const screen = adapters.monitorTasks(monitor);
        let waited = false;
        return poll<{ waited: true } | undefined>(polling, TASKS_PROCESSED, async () => {
          const open = await screen.openTasks();
          report({ open: open.length });
          const failed = open.filter(({ status }) => status === 'Failed');
          if (failed.length > 0) throw tasksFailed(failed);
          if (open.length === 0) return { found: waited ? { waited } : undefined };
          waited = true;
          return { open: named(open) };
        });
      }),
  };
}

interface Connections {
  operations: OperationsConnection;
  aps: ApsConnection;
}

interface Systems {
  operations: OperationsClient;
  application: Office365Application;
}

async function setTemplate(client: OperationsClient, templateId: number, wanted: 'active' | 'inactive'): Promise<void> {
  const { active } = await client.serviceTemplate(templateId);
  if (active === (wanted === 'active')) return;
  await (active ? client.deactivateServiceTemplate(templateId) : client.activateServiceTemplate(templateId));
}

const TASKS_PROCESSED: Wait = {
  system: 'task monitor',
  call: 'waiting for Office 365 tasks',
  next: 'Look at them under Operations > Tasks.',
};

const named = (tasks: { id: number; name: string }[]): string =>
  tasks.map(({ id, name }) => `#${id} ${name}`).join(', ');

function tasksFailed(failed: { id: number; name: string }[]): SystemError {
  return new SystemError({
    ...TASKS_PROCESSED,
    type: FAILURE.rejected,
    problem: `found failed ones, which wait for a person: ${named(failed)}`,
    next: 'Resubmit or cancel them under Operations > Tasks.',
  });
}
