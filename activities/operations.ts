/**
 * Activities on Operations and the APS controller. By which signs Office 365 templates, national clouds, Azure CSP, DNS
 * Hosting and trials on CCP v1 are recognised stands in src/systems/office365.ts.
 */
import { Context } from '@temporalio/activity';
import {
  FAILURE,
  type OperationsActivities,
  type TemplateCandidates,
  type TemplatePage,
} from '../src/contract/activities';
import { packageOf, type EntryRef } from '../src/contract/entry';
import { TEMPLATE_PAGE } from '../src/contract/limits';
import type { Adapters } from '../src/systems/adapters';
import { ApsClient } from '../src/systems/aps';
import { Office365Application } from '../src/systems/office365-application';
import { OperationsClient } from '../src/systems/operations';
import { SystemError } from '../src/systems/system-error';
import type { ResolveSecret } from '../src/systems/xmlrpc-endpoint';
import type { Entries } from './entries';
import { awaitImport, importPackage } from './import-package';
import { POLLING, heartbeating, poll, type Polling, type Report, type Wait } from './polling';
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

  const switchTemplates = async (
    { entry, templateIds }: { entry: EntryRef; templateIds: number[] },
    active: boolean,
    report: Report,
  ): Promise<void> => {
    const { operations } = await entries.resolve(entry, 'operations');
    await setTemplates(new OperationsClient(operations, resolveSecret), templateIds, active, report);
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
        const page = await templatePage(application);
        return { build, applicationId, instances, ...page, ...packageList };
      }),

    readTemplates: (input) =>
      heartbeating(async () => {
        const { application } = await systemsOf(input);
        return templatePage(application, input.candidates);
      }),

    activateTemplates: (input) => heartbeating((report) => switchTemplates(input, true, report)),

    deactivateTemplates: (input) => heartbeating((report) => switchTemplates(input, false, report)),

    readActiveTemplates: (input) =>
      heartbeating(async () => {
        const { application } = await systemsOf(input);
        const page = await application.activeTemplates(input.candidates);
        return page.left ? page : page.templates;
      }),

    lookAgain: (input) =>
      heartbeating(async () => {
        const { application } = await systemsOf(input);
        const { enabledVersions } = await application.packageList();
        return { ...(await application.news(input)), enabledVersions };
      }),

    importPackage: (input) =>
      heartbeating(async (report) => {
        const { entry, version } = input;
        const { operations, application } = await systemsOf(input);
        const source = packageOf(await entries.resolve(entry, `packages.${version}`), version);
        return await importPackage(operations, application, { ...input, source }, polling, report);
      }),

    awaitImport: (input) =>
      heartbeating(async (report) => {
        const { operations, application } = await systemsOf(input);
        return await awaitImport(operations, application, input, polling, report);
      }),

    findImported: (input) => heartbeating(async () => (await systemsOf(input)).application.imported(input.version)),

    upgradeInstance: (input) =>
      heartbeating(async (report) => {
        const { operations, application } = await systemsOf(input);
        await upgradeInstance(operations, application, input, polling, report);
      }),

    readOpenTasks: ({ entry, application }) =>
      heartbeating(async () => {
        const { taskMonitor } = await entries.resolve(entry, 'taskMonitor');
        return { open: await adapters.monitorTasks(taskMonitor).openTasks(application) };
      }),

    awaitTasksProcessed: ({ entry, application }) =>
      heartbeating(async (report) => {
        const { taskMonitor } = await entries.resolve(entry, 'taskMonitor');
        const screen = adapters.monitorTasks(taskMonitor);
        let waited = false;
        return await poll<{ waited: true } | undefined>(polling, TASKS_PROCESSED, async () => {
          const open = await screen.openTasks(application);
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

interface Systems {
  operations: OperationsClient;
  application: Office365Application;
}

async function templatePage(application: Office365Application, candidates?: TemplateCandidates): Promise<TemplatePage> {
  const { ids, ...how } = candidates ?? (await application.templateCandidates());
  const templates = await application.templates({ ids: ids.slice(0, TEMPLATE_PAGE), ...how });
  return { templates, ...(ids.length > TEMPLATE_PAGE ? { left: { ids: ids.slice(TEMPLATE_PAGE), ...how } } : {}) };
}

/** One after the other. Whoever cancels it waits for its end, so that nothing is switched after that. */
async function setTemplates(
  client: OperationsClient,
  templateIds: readonly number[],
  active: boolean,
  report: Report,
): Promise<void> {
  const { cancellationSignal } = Context.current();
  const failed: SystemError[] = [];
  for (const [index, templateId] of templateIds.entries()) {
    cancellationSignal.throwIfAborted();
    report({ done: index, of: templateIds.length });
    try {
      await setTemplate(client, templateId, active, cancellationSignal);
    } catch (error) {
      // What is against one template is not against the next; what may pass is tried again from the start.
      if (!(error instanceof SystemError) || error.retryable || error.type === FAILURE.accessDenied) throw error;
      failed.push(error);
    }
  }
  const [first, ...others] = failed;
  if (first && others.length > 0)
    throw new SystemError({ ...first, problem: `${first.problem} (and ${others.length} more like it)` });
  if (first) throw first;
}

async function setTemplate(
  client: OperationsClient,
  templateId: number,
  wanted: boolean,
  cancellationSignal: AbortSignal,
): Promise<void> {
  const { active } = await client.serviceTemplate(templateId);
  if (active === wanted) return;
  // Given up meanwhile: whoever came next may have switched it back.
  cancellationSignal.throwIfAborted();
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
