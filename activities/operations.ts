/**
 * Activities on Operations and the APS controller. By which signs Office 365 templates, national clouds, Azure CSP, DNS
 * Hosting and trials on CCP v1 are recognised stands in src/systems/office365.ts.
 */
import { FAILURE, type OperationsActivities } from '../src/contract/activities';
import { packageOf, type EntryRef } from '../src/contract/entry';
import type { Adapters } from '../src/systems/adapters';
import { ApsClient } from '../src/systems/aps';
import { Office365Application } from '../src/systems/office365-application';
import { OperationsClient } from '../src/systems/operations';
import { SystemError } from '../src/systems/system-error';
import type { ResolveSecret } from '../src/systems/xmlrpc-endpoint';
import type { Entries } from './entries';
import { awaitImport, importPackage } from './import-package';
import { POLLING, heartbeating, poll, type Polling, type Wait } from './polling';
import { upgradeInstance } from './upgrade-instance';

export interface OperationsDependencies {
  entries: Entries;
  resolveSecret: ResolveSecret;
  /** Those of this worker. */
  adapters: Pick<Adapters, 'monitorTasks'>;
  polling?: Polling;
}

export function createOperationsActivities({
  entries,
  resolveSecret,
  adapters,
  polling = POLLING,
}: OperationsDependencies): OperationsActivities {
  const applications = new Map<string, Systems>();
  /** One client per connection for the life of the worker: it keeps the token of the APS controller. */
  const systemsOf = async ({ entry }: { entry: EntryRef }): Promise<Systems> => {
    const { operations, aps } = await entries.resolve(entry, 'operations', 'aps');
    const key = JSON.stringify([operations, aps]);
    const existing = applications.get(key);
    if (existing) return existing;
    const client = new OperationsClient(operations, resolveSecret);
    const systems = { operations: client, application: new Office365Application(client, new ApsClient(aps, client)) };
    applications.set(key, systems);
    return systems;
  };

  const setTemplate = async (
    { entry, templateId }: { entry: EntryRef; templateId: number },
    wanted: 'active' | 'inactive',
  ): Promise<void> => {
    const client = new OperationsClient((await entries.resolve(entry, 'operations')).operations, resolveSecret);
    const { active } = await client.serviceTemplate(templateId);
    if (active === (wanted === 'active')) return;
    await (active ? client.deactivateServiceTemplate(templateId) : client.activateServiceTemplate(templateId));
  };

  return {
    readOperations: (input) =>
      heartbeating(async () => {
        const { operations, application } = await systemsOf(input);
        const [build, applicationId, packageList] = await Promise.all([
          operations.platformBuild(),
          application.id(),
          application.packageList(),
        ]);
        const instances = await application.instances();
        const templates = await application.templates();
        return { build, applicationId, instances, templates, ...packageList };
      }),

    readTemplates: (input) => heartbeating(async () => (await systemsOf(input)).application.templates()),

    activateTemplate: (input) => heartbeating(() => setTemplate(input, 'active')),

    deactivateTemplate: (input) => heartbeating(() => setTemplate(input, 'inactive')),

    readInstances: (input) => heartbeating(async () => (await systemsOf(input)).application.instances()),

    importPackage: (input) =>
      heartbeating(async (report) => {
        const { entry, version } = input;
        const { operations, application } = await systemsOf(input);
        const { url } = packageOf(await entries.resolve(entry, `packages.${version}`), version);
        return await importPackage(operations, application, { ...input, url }, polling, report);
      }),

    awaitImport: (input) =>
      heartbeating(async (report) => {
        const { operations, application } = await systemsOf(input);
        return await awaitImport(operations, application, input, polling, report);
      }),

    upgradeInstance: (input) =>
      heartbeating(async (report) => {
        const { operations, application } = await systemsOf(input);
        await upgradeInstance(operations, input, polling, report);
        return application.instance(input.instanceId);
      }),

    awaitTasksProcessed: ({ entry }) =>
      heartbeating(async (report) => {
        const { taskMonitor } = await entries.resolve(entry, 'taskMonitor');
        const screen = adapters.monitorTasks(taskMonitor);
        return await poll(polling, TASKS_PROCESSED, async () => {
          const open = await screen.openTasks();
          report({ open: open.length });
          const failed = open.filter(({ status }) => status === 'Failed');
          if (failed.length > 0) throw tasksFailed(failed);
          return open.length === 0 ? { found: undefined } : { open: named(open) };
        });
      }),
  };
}

interface Systems {
  operations: OperationsClient;
  application: Office365Application;
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
