/** What people say of a consent, and what becomes of it: a renewal counts once a connection test has confirmed it. */
import { TemporalFailure, isCancellation } from '@temporalio/workflow';
import {
  TOKEN_LIFETIME_DAYS,
  type ConnectionTested,
  type GuardMessages,
  type GuardSettings,
  type guardMessages,
} from '../../src/contract/consent';
import { provesConnection } from '../../src/contract/provider';
import { activitiesFor } from '../kit/activities';
import type { MessageOf, Verdict } from '../kit/messages';
import { problemOf } from '../kit/problem';
import { connectionProblem, contradiction } from '../steps/test-connection';
import { expiryOf } from './token-clock';
import type { GuardRecord } from './guard-record';

/** Milliseconds: who renews now may have another clock than the server, and the workflow's own may be behind. */
const CLOCKS_DIFFER = 5 * 60 * 1000;

export function judge(record: GuardRecord, message: MessageOf<typeof guardMessages>): Verdict {
  switch (message.name) {
    case 'consentRenewed':
      return reported(record, message.payload);
    case 'confirmRenewal':
      return confirmed(record, message.payload);
  }
}

function reported({ state }: GuardRecord, { by, at }: GuardMessages['consentRenewed']): Verdict {
  const { renewal } = state;
  const consentedAt = at === undefined ? Date.now() : Date.parse(at);
  const time = new Date(consentedAt).toISOString();
  if (consentedAt > Date.now() + CLOCKS_DIFFER)
    return { refused: `${time} lies in the future; times without a zone are UTC.` };
  if (expiryOf(consentedAt) <= Date.now())
    return { refused: `A token of ${time} has expired: it lives for ${TOKEN_LIFETIME_DAYS} days.` };
  if (!state.assumed && consentedAt <= Date.parse(state.consentedAt))
    return { refused: `A consent of ${state.consentedAt} is known already, which is not older than ${time}.` };
  if (renewal && (renewal.askedAt === undefined || renewal.confirmedBy !== undefined))
    return { refused: `${renewal.by} has said so already; it is being verified.` };
  // Who renews again because Test Connection failed must not wait for the first renewal.
  state.renewal = { by, consentedAt: time, ...(renewal?.askedAt ? { askedAt: renewal.askedAt } : {}) };
  return {
    accepted: testsByHand(state.settings)
      ? `Thank you. It counts once somebody has confirmed, by confirmRenewal, that Test Connection succeeds.`
      : 'Thank you. The connection is being tested; the renewal counts once the test succeeds.',
  };
}

function confirmed({ state }: GuardRecord, { by }: GuardMessages['confirmRenewal']): Verdict {
  const { renewal } = state;
  if (!renewal) return { refused: 'No renewal waits for a confirmation: send consentRenewed first.' };
  if (renewal.askedAt === undefined && !testsByHand(state.settings))
    return { refused: 'Onward tests the connection itself; nobody has to confirm it.' };
  if (renewal.confirmedBy !== undefined) return { refused: `${renewal.confirmedBy} has confirmed it already.` };
  renewal.confirmedBy = by;
  return { accepted: `${by} confirms that Test Connection succeeds: the renewal counts.` };
}

/** Whether a person has to press the button. */
export const testsByHand = ({ connectionTest }: GuardSettings): boolean => !provesConnection(connectionTest);

/** What there is against a renewal that a person has to confirm. */
export const evidenceAgainst = ({
  state: { provider, instance, settings },
}: GuardRecord): Promise<string | undefined> =>
  contradiction(activitiesFor(settings.timings), { provider }, settings.connectionTest.adapter, instance);

/**
 * What *Test Connection* says against the renewal; undefined when it succeeds.
 *
 * Assumption: nobody can ask Microsoft how old the token is (systems.md 5.2), so a token that still lives passes for one that was
 * renewed. What the test does refuse is a renewal that did not work, or that went to the wrong tenant.
 */
export async function problemWith(record: GuardRecord): Promise<string | undefined> {
  const { result, problem } = await testConnection(record);
  return result === 'notMade'
    ? `It could not be verified: ${problem} Send consentRenewed again once this is repaired.`
    : problem;
}

/** By the adapter of the provider's entry, as that is now: a guard lives for years. Only where there is one. */
export async function testConnection({
  state: { provider, instance, settings },
}: GuardRecord): Promise<Pick<ConnectionTested, 'result' | 'problem'>> {
  try {
    const problem = await connectionProblem(activitiesFor(settings.timings), { provider }, instance);
    if (problem === undefined) return { result: 'succeeds' };
    const { adapter } = settings.connectionTest;
    return {
      result: 'fails',
      problem: testsByHand(settings)
        ? `The adapter ${adapter} asks with the token of the inventory. ${problem} If Test Connection of the application succeeds all the same, give the inventory a new token.`
        : problem,
    };
  } catch (error) {
    if (isCancellation(error) || !(error instanceof TemporalFailure)) throw error;
    return { result: 'notMade', problem: problemOf(error) };
  }
}
