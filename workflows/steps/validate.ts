import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import type { ApplicationInstance } from '../../src/contract/facts';
import type { PreflightFacts } from '../engine/preflight-facts';
import { byInstance, type InstancesUpgraded, type Validated } from './facts';
import { listed } from '../kit/listed';
import { AT_ONCE, settleAll, settleEach } from '../kit/settle-all';
import { forwardStep, type StepContext } from '../engine/step';
import { now } from '../kit/now';
import { tasksProcessed } from './drain-tasks';
import { askForConnectionTest, problemOfConnection, testsByHand } from './test-connection';

/** No open Office 365 task, and every instance reaches Partner Center and Graph. */
export const validate = forwardStep<PreflightFacts & InstancesUpgraded, Validated>({
  name: 'validate',
  title: 'Validate the upgrade',
  waitsFor: 'the task manager and a connection test of every instance; an operator, where there is no adapter',
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
  waitsFor: 'a connection test of every instance; an operator, where there is no adapter',
  run: async (context, { operations: { instances } }) => {
    const tested = await connectionsWork(context, instances);
    context.note(`${instances.length} connections tested`);
    return { connectionTestedAt: byInstance(instances, tested) };
  },
});

/** @returns when each connection was seen to work, in the order of the instances. */
async function connectionsWork(context: StepContext, instances: ApplicationInstance[]): Promise<string[]> {
  if (testsByHand(context)) {
    const answers = await settleAll(instances.map((instance) => askForConnectionTest(context, instance)));
    return answers.map(({ at }) => at);
  }
  const tested = await settleEach(instances, AT_ONCE, async (instance) => ({
    problem: await problemOfConnection(context, instance),
    at: now(),
  }));
  const found = tested.flatMap(({ problem }) => problem ?? []);
  if (found.length > 0)
    throw ApplicationFailure.nonRetryable(`${listed(found)} Repair this and retry.`, FAILURE.rejected);
  return tested.map(({ at }) => at);
}
