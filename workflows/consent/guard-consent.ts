/**
 * The guard of one application instance's consent. A refresh token lives for 90 days ("you must acquire a new refresh token
 * before the current refresh token expires"), unless a policy of the tenant ends it earlier; the guard warns before they end, tests
 * the connection once a day where an adapter can, takes renewals, and goes on for ever.
 */
import {
  TemporalFailure,
  condition,
  continueAsNew,
  defineQuery,
  isCancellation,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Notice } from '../../src/contract/activities';
import {
  consentWorkflowId,
  guardInput,
  guardMessages,
  type ConsentStatus,
  type GuardInput,
  type GuardState,
  type PendingRenewal,
} from '../../src/contract/consent';
import { shortened } from '../../src/contract/fields';
import { QUERY, type AuditEntry } from '../../src/contract/status';
import { connectionWords, noticeOf, tokenOf } from './current-details';
import { GuardRecord } from './guard-record';
import { evidenceAgainst, judge, problemWith, testConnection, testsByHand } from './answers';
import { inventory } from '../kit/activities';
import { handleMessages } from '../kit/messages';
import { problemOf } from '../kit/problem';
import { otherIdThan, readInput } from '../kit/read-input';
import { notifyAndWait } from '../kit/notices';
import { isLong, lookRegularly } from '../kit/long-lived';
import { now } from '../kit/now';
import { DAY } from './token-clock';

/** Started by an upgrade that succeeds; cancel it when the instance is gone. */
export async function guardConsent(input: GuardInput): Promise<never> {
  const record = new GuardRecord(read(input));
  setHandler(defineQuery<ConsentStatus>(QUERY.status), () => record.status());
  setHandler(defineQuery<AuditEntry[]>(QUERY.audit), () => record.state.audit);
  handleMessages(
    guardMessages,
    (message) => judge(record, message),
    (entry) => record.write(entry),
    () => record.state.audit,
  );

  void lookRegularly(record.state, {
    every: DAY,
    summary: shortened(`test the connection of "${record.state.instance.name}" of ${record.state.provider}`),
    isNeeded: () => canTest(record),
  });
  for (;;) {
    record.publish();
    const renewal = toVerify(record);
    if (renewal) await verify(record, renewal);
    else if (record.state.lookIsDue) await test(record);
    // Handlers only record, so whatever was received is part of the state that is handed on.
    else if (isLong(record.state.historyLimit)) await continueAsNew<typeof guardConsent>(record.state);
    else if ((await awaitNews(record)) === 'due') await remind(record);
  }
}

/**
 * One timer to the next notice, however far that is, unless somebody says something. That it fired is what makes the notice due: a
 * workflow's clock may stand elsewhere when its history is replayed, so no command may hang on what the clock says.
 */
async function awaitNews(record: GuardRecord): Promise<'due' | 'news'> {
  const { provider, instance } = record.state;
  const news = await condition(
    () =>
      toVerify(record) !== undefined ||
      record.state.lookIsDue === true ||
      record.hasNews ||
      isLong(record.state.historyLimit),
    Math.max(record.nextNoticeAt - Date.now(), 1),
    { summary: shortened(`next notice about the consent of "${instance.name}" of ${provider}`) },
  );
  return news ? 'news' : 'due';
}

/** The renewal that nobody has verified yet and that waits for nobody. */
function toVerify({ state: { renewal } }: GuardRecord): PendingRenewal | undefined {
  return renewal?.askedAt === undefined || renewal.confirmedBy !== undefined ? renewal : undefined;
}

/** A renewal is not believed: it counts when the connection test succeeds, or when an operator has seen it succeed. */
async function verify(record: GuardRecord, renewal: PendingRenewal): Promise<void> {
  const { state } = record;
  await readSettings(record);
  if (testsByHand(state.settings) && renewal.confirmedBy === undefined) {
    const against = await evidenceAgainst(record);
    if (against !== undefined) renewal.contradiction = against;
    renewal.askedAt = now();
    await tellPeople(record, { kind: 'gatesOpened', subject: `${tokenOf(state)}: press Test Connection` });
    return;
  }
  const problem = renewal.confirmedBy === undefined ? await problemWith(record) : undefined;
  if (problem === undefined) {
    record.renewed(renewal);
    await tellPeople(record, { kind: 'consentRenewed', subject: `${tokenOf(state)} was renewed` });
  } else {
    record.notRenewed(renewal, problem);
    await tellPeople(record, { kind: 'renewalRefused', subject: `${tokenOf(state)}: the renewal does not count` });
  }
}

const canTest = ({ state }: GuardRecord): boolean => state.settings.connectionTest.adapter !== 'gate';

/** Microsoft may refuse a token long before its 90 days are over. People hear of it at once, and then by the reminder schedule. */
async function test(record: GuardRecord): Promise<void> {
  const { state } = record;
  await readSettings(record);
  if (canTest(record)) {
    const isNews = record.tested(await testConnection(record));
    if (isNews) await tellPeople(record, connectionWords(record.status()));
  } else {
    // Nobody would ever take back what the last test said.
    delete state.test;
  }
  delete state.looksAt;
  delete state.lookIsDue;
}

async function remind(record: GuardRecord): Promise<void> {
  record.told();
  await readSettings(record);
  await tellPeople(record);
}

/** @param news what is to be told; by default how the token stands. */
async function tellPeople(record: GuardRecord, news?: Pick<Notice, 'kind' | 'subject'>): Promise<void> {
  record.publish();
  const { provider, settings } = record.state;
  const { workflowId } = workflowInfo();
  await notifyAndWait(
    settings.notify,
    { provider, workflowId, ...noticeOf(record.status(), Date.now()), ...news },
    (detail) => record.write({ by: 'guard', what: 'notice', verdict: 'done', detail }),
  );
}

/** A guard lives for years, so it reads the inventory whenever it acts. It goes on by what it knew when that fails. */
async function readSettings(record: GuardRecord): Promise<void> {
  const { state } = record;
  const { provider } = state;
  try {
    const entry = await inventory.loadProvider(`read ${provider} from the inventory`, { provider });
    const { connectionTest, reminders, notify, timings } = entry;
    state.settings = { connectionTest, reminders, notify, timings };
  } catch (error) {
    if (isCancellation(error) || !(error instanceof TemporalFailure)) throw error;
    const detail = `The settings that were known last still hold: ${problemOf(error)}`;
    // Read every day: what nobody mends for months must not push out of the trail what people were refused.
    if (state.audit.at(-1)?.detail !== detail)
      record.write({ by: 'guard', what: 'inventory', verdict: 'refused', detail });
  }
}

const read = (input: unknown): GuardState =>
  readInput(
    guardInput,
    input,
    ({ provider, instance }) => otherIdThan(consentWorkflowId(provider, instance.id)),
    (problems) => `The input of guardConsent is not usable: ${problems}. An upgrade that succeeds gives it.`,
  );
