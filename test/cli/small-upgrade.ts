/** The least that a client of an upgrade can see of one: queries, answers, an activity, and three ways to end. */
import {
  ApplicationFailure,
  condition,
  defineQuery,
  defineSignal,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow';
import type { InventoryActivities, NetworkActivities } from '../../src/contract/activities';
import { messages, type Decision } from '../../src/contract/messages';
import type { UpgradeInput } from '../../src/contract/upgrade-input';
import { pageOf, type AuditEntry } from '../../src/contract/status';
import { handleMessages } from '../../workflows/kit/messages';

const { loadProvider } = proxyActivities<InventoryActivities>({
  startToCloseTimeout: '5m',
  summary: 'read the entry',
});
const { hashPackage } = proxyActivities<NetworkActivities>({
  startToCloseTimeout: '5m',
  summary: 'hash the package',
});

export async function upgradeProvider({ provider, startedBy }: UpgradeInput): Promise<{ provider: string }> {
  if (provider === 'broken') throw ApplicationFailure.nonRetryable('plans: is missing', 'InvalidInput');
  let said: Decision | undefined;
  const state = (): string => (said === undefined ? 'waiting' : 'completed');
  setHandler(defineQuery('status'), () => ({ provider, startedBy, state: state() }));
  const audit: AuditEntry[] = [];
  setHandler(defineQuery<AuditEntry[], [number?]>('audit'), (skip) => pageOf(audit, skip));
  const { abort, pause } = messages;
  handleMessages(
    { abort, pause },
    ({ name, payload }) => {
      if (name === 'abort') return { refused: 'The point of no return is passed.' };
      return payload.reason === 'none' ? { refused: 'That is no reason.' } : { accepted: 'Paused.' };
    },
    (entry) => audit.push({ at: new Date().toISOString(), ...entry }),
    () => audit,
  );
  setHandler(defineSignal<[Decision]>('resume'), (decision) => {
    said = decision;
  });
  await loadProvider({ provider });
  await hashPackage({ entry: { provider }, version: '18.4.1' });
  await condition(() => said !== undefined);
  if (said?.reason === 'fail') throw ApplicationFailure.nonRetryable('The step failed.', 'StepFailed');
  return { provider };
}
