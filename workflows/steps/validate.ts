import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import type { PreflightFacts } from '../engine/preflight-facts';
import { byInstance, type InstancesUpgraded, type Validated } from './facts';
import { listed } from '../kit/listed';
import { settleAll } from '../kit/settle-all';
import { forwardStep, type StepContext } from '../engine/step';
import { asksForTasks, tasksProcessed } from './drain-tasks';
import { asksForConnections, confirmConnections } from './test-connection';

/** No open Office 365 task, and every instance reaches Partner Center and Graph. */
export const validate = forwardStep<PreflightFacts & InstancesUpgraded & Partial<Validated>, Validated>({
  ofInstances: true,
  name: 'validate',
  title: 'Validate the upgrade',
  asks: (foreseen) => [...asksForTasks(foreseen), ...asksForConnections(foreseen)],
  waitsFor: 'the task manager and Test Connection of every instance; an operator, where no adapter does it',
  run: async (context, facts) => {
    const drained = tasksProcessed(context, 'after the upgrade', facts.operations);
    const tested = connectionsWork(context, facts);
    await settleAll<unknown>([drained, tested]);
    return await tested;
  },
});

/** Every instance reaches Partner Center and Graph: for a release that lets provisioning go on, so that tasks are always open. */
export const testConnections = forwardStep<PreflightFacts & InstancesUpgraded & Partial<Validated>, Validated>({
  ofInstances: true,
  name: 'testConnections',
  title: 'Test the connections',
  asks: asksForConnections,
  waitsFor: 'Test Connection of every instance; an operator, where no adapter does it',
  run: connectionsWork,
});

/** Of the instances whose connection was not seen to work yet. */
async function connectionsWork(
  context: StepContext,
  { operations, connectionTestedAt = {} }: PreflightFacts & Partial<Validated>,
): Promise<Validated> {
  const instances = operations.instances.filter(({ id }) => connectionTestedAt[id] === undefined);
  const tested = await confirmConnections(context, instances);
  const found = tested.flatMap(({ problem }) => problem ?? []);
  if (found.length > 0)
    throw ApplicationFailure.nonRetryable(`${listed(found)} Repair this and retry.`, FAILURE.rejected);
  context.note(`${operations.instances.length} connections tested`);
  const times = tested.flatMap((each) => ('at' in each ? each.at : []));
  return { connectionTestedAt: { ...connectionTestedAt, ...byInstance(instances, times) } };
}
