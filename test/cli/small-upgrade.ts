/** The least that a client of an upgrade can see of one: queries, answers, an activity, and three ways to end. */
import {
  ApplicationFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
} from '@temporalio/workflow';
import type { InventoryActivities, NetworkActivities } from '../../src/contract/activities';
import type { Decision, Recorded, UpgradeInput } from '../../src/contract/messages';

const { loadProvider } = proxyLocalActivities<InventoryActivities>({
  startToCloseTimeout: '10s',
  summary: 'read the entry',
});
const { hashPackage } = proxyActivities<NetworkActivities>({
  startToCloseTimeout: '10s',
  summary: 'hash the package',
});

export async function upgradeProvider({ provider, startedBy }: UpgradeInput): Promise<{ provider: string }> {
  if (provider === 'broken') throw ApplicationFailure.nonRetryable('plans: is missing', 'InvalidInput');
  let said: Decision | undefined;
  const state = (): string => (said === undefined ? 'waiting' : 'completed');
  setHandler(defineQuery('status'), () => ({ provider, startedBy, state: state() }));
  setHandler(defineQuery('audit'), () => []);
  setHandler(defineUpdate<Recorded, [Decision]>('abort'), () => {
    throw ApplicationFailure.nonRetryable('The point of no return is passed.', 'AnswerRefused');
  });
  setHandler(defineUpdate<Recorded, [Decision]>('pause'), (): Recorded => ({ recorded: true, message: 'Paused.' }), {
    validator: ({ reason }: Decision) => {
      if (reason === 'none') throw ApplicationFailure.nonRetryable('That is no reason.', 'InvalidInput');
    },
  });
  setHandler(defineSignal<[Decision]>('resume'), (decision) => {
    said = decision;
  });
  await loadProvider({ provider });
  await hashPackage({ url: 'https://packages.example/office365.zip' });
  await condition(() => said !== undefined);
  if (said?.reason === 'fail') throw ApplicationFailure.nonRetryable('The step failed.', 'StepFailed');
  return { provider };
}
