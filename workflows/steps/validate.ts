import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import type { ApplicationInstance } from '../../src/contract/facts';
import type { CustomizationsUpdated, PreflightFacts, Validated } from '../facts';
import { everyOne } from '../pipeline/every-one';
import { forwardStep, type StepContext } from '../pipeline/step';
import { tasksProcessed } from './drain-tasks';
import { askForConnectionTest, connectionProblem, testsByHand } from './test-connection';

/** No open Office 365 task, and every instance reaches Partner Center and Graph (procedure step 8). */
export const validate = forwardStep<PreflightFacts & CustomizationsUpdated, Validated>({
  name: 'validate',
  title: 'Validate the upgrade',
  procedure: '8. Post-upgrade validation',
  waitsFor: 'the task manager and a connection test of every instance; an operator, where there is no adapter',
  run: async (context, { operations: { instances } }) => {
    await everyOne([tasksProcessed(context, 'after the upgrade'), connectionsWork(context, instances)]);
    context.note(`${instances.length} connections tested`);
    return { validated: true };
  },
});

async function connectionsWork(context: StepContext, instances: ApplicationInstance[]): Promise<void> {
  if (testsByHand(context)) {
    await everyOne(instances.map((instance) => askForConnectionTest(context, instance)));
    return;
  }
  const problems = await everyOne(instances.map((instance) => connectionProblem(context, instance)));
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length > 0)
    throw ApplicationFailure.nonRetryable(`${found.join(' ')} Repair this and retry.`, FAILURE.rejected);
}
