/** Does other things, in another order, depending on whether it hears of the activity or of the message first. */
import {
  allHandlersFinished,
  condition,
  defineQuery,
  defineSignal,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow';
import type { EarlyActivities } from './asked-too-early-activities';

const { fail, afterFailure, afterMessage } = proxyActivities<EarlyActivities>({
  startToCloseTimeout: '1 minute',
  retry: { maximumAttempts: 1 },
  taskQueue: 'activities',
});

export async function listener(): Promise<string> {
  const heard: string[] = [];
  setHandler(defineQuery<string>('heard'), () => heard.join(', '));
  setHandler(defineSignal('message'), async () => {
    heard.push('message');
    await afterMessage();
  });
  try {
    await fail();
  } catch {
    heard.push('failure');
    await afterFailure();
  }
  await condition(() => heard.length === 2 && allHandlersFinished());
  return heard.join(', ');
}
