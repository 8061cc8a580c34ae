import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import type { ApplicationInstance } from '../../src/contract/facts';
import type { PreflightFacts } from '../engine/preflight-facts';
import { byInstance, type InstancesUpgraded, type Validated } from './facts';
import { settleAll } from '../kit/settle-all';
import { forwardStep, type StepContext } from '../engine/step';
import { tasksProcessed } from './drain-tasks';
import { confirmConnection } from './test-connection';

/** No open Office 365 task, and every instance reaches Partner Center and Graph. */
export const validate = forwardStep<PreflightFacts & InstancesUpgraded, Validated>({
  name: 'validate',
  title: 'Validate the upgrade',
  waitsFor: 'the task manager and Test Connection of every instance; an operator, where no adapter does it',
  run: async (context, { operations: { instances } }) => {
    const drained = tasksProcessed(context, 'after the upgrade');
    const tested = connectionsWork(context, instances);
    await settleAll<unknown>([drained, tested]);
    context.note(`${instances.length} connections tested`);
    return { connectionTestedAt: byInstance(instances, await tested) };
  },
});

/** Every instance reaches Partner Center and Graph: for a release that lets provisioning go on, so that tasks are always open. */
export const testConnections = forwardStep<PreflightFacts & InstancesUpgraded, Validated>({
  name: 'testConnections',
  title: 'Test the connections',
  waitsFor: 'Test Connection of every instance; an operator, where no adapter does it',
  run: async (context, { operations: { instances } }) => {
    const tested = await connectionsWork(context, instances);
    context.note(`${instances.length} connections tested`);
    return { connectionTestedAt: byInstance(instances, tested) };
  },
});

/** @returns when each connection was seen to work, in the order of the instances. */
async function connectionsWork(context: StepContext, instances: ApplicationInstance[]): Promise<string[]> {
  const tested = await settleAll(instances.map((instance) => confirmConnection(context, instance)));
  const found = tested.flatMap(({ problem }) => problem ?? []);
  if (found.length > 0)
    throw ApplicationFailure.nonRetryable(`${found.join(' ')} Repair this and retry.`, FAILURE.rejected);
  return tested.flatMap((each) => ('at' in each ? each.at : []));
}
