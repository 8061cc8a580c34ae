import { entryOf } from '../../src/contract/entry';
import { ownApplication, type OperationsFacts } from '../../src/contract/facts';
import { listed } from '../kit/listed';
import type { Question } from '../../src/contract/status';
import type { Foreseen } from '../engine/effects';
import type { PreflightFacts } from '../engine/preflight-facts';
import type { TasksDrained } from './facts';
import { readingStep, type StepContext } from '../engine/step';

/**
 * `tasksProcessed`: no Office 365 task is open. There is no vendor API for it (systems.md 1.6). Existing subscriptions open tasks at any
 * time, so it is looked at again; a person is asked again where the upgrade has waited since.
 */
export const drainTasks = readingStep<PreflightFacts & Partial<TasksDrained>, TasksDrained>({
  name: 'drainTasks',
  title: 'Wait until all Office 365 tasks are processed',
  waitsFor: 'the task manager; an operator, where the provider has no adapter for it',
  keepsQuiet: true,
  asks: asksForTasks,
  run: async (context, { operations }) => {
    await tasksProcessed(context, 'before the endpoint is upgraded', operations);
    return { tasksDrained: { waits: context.waits() } };
  },
  again: async (context, { operations }, { tasksDrained }) => {
    const byHand = context.profile.taskMonitor.adapter === 'gate';
    if (byHand && tasksDrained?.waits === context.waits()) return undefined;
    const waited = await tasksProcessed(context, 'before the next change', operations);
    return byHand || waited ? { tasksDrained: { waits: context.waits() } } : undefined;
  },
});

const queuesOf = ({ instances }: OperationsFacts): string =>
  listed(instances.map(({ id }) => `aps_application_instance${id}`));

/** A person, where no adapter reads the tasks; before the next change once more, where the upgrade has waited since. */
export function asksForTasks({ profile }: Foreseen): Question[] {
  if (profile.taskMonitor.adapter !== 'gate') return [];
  return [{ asked: 'operator', what: 'Say when all Office 365 tasks are processed', times: 1 }];
}

/** @returns whether there were any. */
export async function tasksProcessed(
  context: StepContext,
  when: string,
  operations: OperationsFacts,
): Promise<boolean> {
  const { activities, profile } = context;
  if (profile.taskMonitor.adapter === 'gate') {
    await context.ask({
      item: 'tasks',
      asked: 'operator',
      title: `All Office 365 tasks are processed, ${when}`,
      instructions: `In Operations open Operations > Tasks and filter the names by *office*. Then look for those of the application that have no such word in their name: *APS application with id ${operations.applicationId ?? '?'}*, such as tasks that execute a configuration script, and the queues ${queuesOf(operations)}. They may take two days. Leave the periodic tasks aside: they are always rescheduled. Wait until nothing is left; repair or cancel tasks that failed.`,
      evidence: 'When the list was empty.',
    });
    return true;
  }
  const found = await activities.operations.awaitTasksProcessed(`wait until no Office 365 task is open, ${when}`, {
    entry: entryOf(profile, 'taskMonitor'),
    application: ownApplication(operations),
  });
  return found !== undefined;
}
