/** What one guard knows of its consent: the answer of its queries, and what a list of guards and the Temporal UI show. */
import { setCurrentDetails, upsertMemo, workflowInfo } from '@temporalio/workflow';
import {
  CONSENT_MEMO,
  type ConnectionTested,
  type ConsentStatus,
  type GuardState,
  type PendingRenewal,
} from '../../src/contract/consent';
import { valueOf } from '../../src/contract/doubtful';
import type { AuditEntry } from '../../src/contract/status';
import { stateAttribute } from '../../src/temporal/search-attributes';
import { trailWith, type Limits } from '../kit/audit-trail';
import { SentAttributes } from '../kit/search-attributes';
import { nextReminder } from '../kit/reminder-schedule';
import { now } from '../kit/now';
import { expiryOf, nextNotice, stateAt } from './token-clock';
import { consentDetails } from './current-details';

/** A guard lives for years. Of what was refused, and of all else, the newest so many entries stay. */
const LIMITS: Limits = { refused: { entries: 100 }, others: { entries: 100 } };

export class GuardRecord {
  /** As the server has them: the run before may have sent them. */
  private shownMemo = JSON.stringify(valueOf(workflowInfo().memo?.[CONSENT_MEMO]));
  private readonly attributes = new SentAttributes();

  /** @param state one serializable object, so that it can be handed on as it is. */
  constructor(readonly state: GuardState) {}

  get expiresAt(): number {
    return expiryOf(Date.parse(this.state.consentedAt));
  }

  /**
   * When people have to hear of the token, of a renewal that waits for an operator, or of a connection that does not work; in the
   * past when it is due.
   */
  get nextNoticeAt(): number {
    const { settings, toldAt, consentedAt, renewal, test } = this.state;
    const told = Date.parse(toldAt ?? consentedAt);
    const open = [renewal?.askedAt, test?.problem === undefined ? undefined : test.since];
    return Math.min(
      nextNotice(this.expiresAt, settings.reminders, told),
      ...open
        .filter((since) => since !== undefined)
        .map((since) => nextReminder(settings.reminders, Date.parse(since), Math.max(told, Date.parse(since)))),
    );
  }

  /** Everything that was due when the timer fired is being told; what was missed before is part of it. */
  told(): void {
    this.state.toldAt = new Date(Math.max(this.nextNoticeAt, Date.now())).toISOString();
  }

  /** @param time at which the token is looked at. */
  status(time = Date.now()): ConsentStatus {
    const { provider, instance, consentedAt, assumed, test, renewal, lastProblem, renewals } = this.state;
    const byCalendar = stateAt(this.expiresAt, time);
    return {
      provider,
      instance: { id: instance.id, name: instance.name },
      workflowId: workflowInfo().workflowId,
      state: test?.result === 'fails' && byCalendar !== 'expired' ? 'failing' : byCalendar,
      consentedAt,
      assumed,
      expiresAt: new Date(this.expiresAt).toISOString(),
      nextNoticeAt: new Date(this.nextNoticeAt).toISOString(),
      ...(test === undefined ? {} : { test: { ...test } }),
      ...(renewal === undefined ? {} : { renewal: { ...renewal } }),
      ...(lastProblem === undefined ? {} : { lastProblem }),
      renewals,
    };
  }

  /** The clock starts anew. */
  renewed({ by, consentedAt, contradiction }: PendingRenewal): void {
    const { state } = this;
    delete state.test;
    delete state.renewal;
    delete state.lastProblem;
    Object.assign(state, { consentedAt, toldAt: consentedAt, assumed: false, renewals: state.renewals + 1 });
    const against = contradiction === undefined ? '' : ` ${contradiction}`;
    this.write({ by, what: 'renewal', verdict: 'done', detail: `The 90 days began anew at ${consentedAt}.${against}` });
  }

  /** @returns whether it ended otherwise than the test before. */
  tested({ result, problem }: Pick<ConnectionTested, 'result' | 'problem'>): boolean {
    const { test } = this.state;
    // Whom nobody could ask has taken nothing back.
    if (result === 'notMade' && test?.result === 'fails') {
      this.state.test = { ...test, ...(problem === undefined ? {} : { unanswered: problem }) };
      return false;
    }
    const before = test ?? { result: 'succeeds', since: now() };
    const isNews = before.result !== result;
    const at = now();
    this.state.test = { result, ...(problem === undefined ? {} : { problem }), at, since: isNews ? at : before.since };
    if (isNews)
      this.write({
        by: 'guard',
        what: 'connectionTest',
        verdict: problem === undefined ? 'done' : 'refused',
        detail: problem ?? 'Test Connection succeeds again.',
      });
    return isNews;
  }

  /** Nothing changes but what is known of the attempt. */
  notRenewed({ by }: PendingRenewal, problem: string): void {
    delete this.state.renewal;
    this.state.lastProblem = problem;
    this.write({ by, what: 'renewal', verdict: 'refused', detail: problem });
  }

  write(entry: Omit<AuditEntry, 'at'>): void {
    this.state.audit = trailWith(this.state.audit, { at: now(), ...entry }, LIMITS);
  }

  /** As of the last notice: what is sent must not hang on the clock, and every change of state has its notice. */
  private known(): ConsentStatus {
    return this.status(Date.parse(this.state.toldAt ?? this.state.consentedAt));
  }

  /** Something is known that lists do not show yet. */
  get hasNews(): boolean {
    const status = this.known();
    return status.state !== this.attributes.valueOf(stateAttribute) || JSON.stringify(status) !== this.shownMemo;
  }

  /** Sends what has changed: each is an event of history. */
  publish(): void {
    const status = this.known();
    setCurrentDetails(consentDetails(status));
    this.attributes.send([{ key: stateAttribute, value: status.state }]);
    if (JSON.stringify(status) !== this.shownMemo) upsertMemo({ [CONSENT_MEMO]: status });
    this.shownMemo = JSON.stringify(status);
  }
}
