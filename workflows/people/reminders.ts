/**
 * Tells people what is waited for: once when gates open or a step holds, then by the provider's reminder schedule for as
 * long as something is open. A reminder names everything that is, and one timer serves all of it, so waiting costs next to no history.
 */
import { condition } from '@temporalio/workflow';
import type { Notice } from '../../src/contract/activities';
import type { ProviderProfile } from '../../src/contract/provider';
import type { Gate, Hold, UpgradeStatus } from '../../src/contract/status';
import { nextReminder } from '../kit/reminder-schedule';
import { notifyByWorkflow, notifyInPassing } from '../kit/notices';
import type { UpgradeRecord } from '../upgrade/upgrade-record';

type Waiting = Gate | Hold;

export class Reminders {
  private readonly announced = new Set<Waiting>();
  /** Those that a reminder has named. */
  private readonly reminded = new Set<Waiting>();
  /** Those on the ladder, and when they are reminded next. */
  private readonly members = new Set<Waiting>();
  private next = 0;
  /** From when the next one is counted. */
  private last = 0;

  constructor(
    private readonly record: UpgradeRecord,
    private readonly profile: ProviderProfile,
  ) {}

  /** Never ends; the end of the workflow ends it. Run it where no cancellation reaches it. */
  async run(): Promise<never> {
    void this.remindForEver();
    for (;;) {
      await condition(() => this.unannounced().length > 0);
      this.announce(this.unannounced());
    }
  }

  private async remindForEver(): Promise<never> {
    for (;;) {
      await condition(() => this.waiting().length > 0);
      await this.climb();
    }
  }

  /**
   * One ladder of reminders, counted from the oldest of those that no reminder has named. What opens before its first reminder joins
   * it, what opens later begins it anew, unless it has closed in the same moment. A workflow's clock may stand elsewhere when its history is replayed, so the clock says how
   * long a timer is, and never whether there is one.
   */
  private async climb(): Promise<void> {
    const fresh = this.fresh();
    const counted = fresh.length > 0 ? fresh : this.waiting();
    if (fresh.length > 0) this.last = earliest(fresh);
    this.members.clear();
    for (let rung = 0; ; rung++) {
      this.next = this.reminderOf(counted, this.last);
      this.joins(this.waiting());
      const overtaken = await condition(
        () => rung > 0 && this.fresh().length > 0,
        Math.max(this.next - Date.now(), 1),
        {
          summary: `next reminder of what ${this.profile.provider} waits for`,
        },
      );
      if (overtaken || !this.waitsForMembers()) return;
      // Where nobody was at work for weeks, the reminders that were missed are one.
      this.last = Math.max(this.next, Date.now());
      this.remind(this.waiting());
    }
  }

  private joins(items: Waiting[]): void {
    for (const item of items) this.members.add(item);
    this.showsReminder(items, this.next);
  }

  private waitsForMembers(): boolean {
    return this.waiting().some((item) => this.members.has(item));
  }

  private reminderOf(items: Waiting[], after: number): number {
    return nextReminder(this.profile.reminders, earliest(items), after);
  }

  /** One notice to everybody. */
  tell(kind: Notice['kind'], subject: string, body: string): void {
    notifyInPassing(this.profile.notify, this.notice(kind, subject, body), this.undelivered);
  }

  /** The last one; it goes out although the upgrade has ended meanwhile. */
  async tellTheEnd(kind: Notice['kind'], subject: string, body: string): Promise<void> {
    await notifyByWorkflow(this.profile.notify, this.notice(kind, subject, body), this.undelivered);
  }

  private notice(kind: Notice['kind'], subject: string, body: string): Omit<Notice, 'id'> {
    const { provider, workflowId } = this.record.status;
    return { provider, workflowId, kind, subject, body };
  }

  private readonly undelivered = (detail: string): void =>
    this.record.write({ by: 'upgrade', what: 'notice', verdict: 'done', detail });

  private announce(items: Waiting[]): void {
    for (const item of items) this.announced.add(item);
    if (this.waitsForMembers()) this.joins(items);
    else this.showsReminder(items, this.reminderOf(items, earliest(items)));
    const holds = items.filter((item) => 'problem' in item);
    this.tell(holds.length > 0 ? 'held' : 'gatesOpened', subjectOf(items), describe(items));
  }

  private remind(items: Waiting[]): void {
    for (const item of items) this.reminded.add(item);
    this.tell('reminder', subjectOf(items), `${describe(items)}${costOfWait(this.record.status)}`);
  }

  private showsReminder(items: Waiting[], next: number): void {
    for (const item of items) item.nextReminderAt = new Date(next).toISOString();
    this.record.show();
  }

  private fresh(): Waiting[] {
    return this.waiting().filter((item) => !this.reminded.has(item));
  }

  private unannounced(): Waiting[] {
    return this.waiting().filter((item) => !this.announced.has(item));
  }

  private waiting(): Waiting[] {
    const { gates, holds } = this.record.status;
    return [...gates, ...holds];
  }
}

/** Milliseconds since 1970. */
const earliest = (items: Waiting[]): number =>
  Math.min(...items.map((item) => Date.parse('openedAt' in item ? item.openedAt : item.since)));

function subjectOf(items: Waiting[]): string {
  const [first] = items;
  if (!first) return 'nothing';
  const name = 'title' in first ? first.title : `${first.step} holds: ${first.problem}`;
  return items.length > 1 ? `${name} (and ${items.length - 1} more)` : name;
}

function describe(items: Waiting[]): string {
  return items
    .map((item) =>
      'title' in item
        ? `- **${item.title}** (since ${item.openedAt}, asked: ${item.asked})\n${item.instructions}\nAnswer with ${item.answer.name}: \`${JSON.stringify(item.answer.payload)}\``
        : `- **${item.step} holds** (since ${item.since}): ${item.problem}\nAnswer with resolveHold: ${item.actions.join(', ')}`,
    )
    .join('\n\n');
}

function costOfWait({ provisioningOffSince }: UpgradeStatus): string {
  if (provisioningOffSince === undefined) return '';
  const hours = Math.round((Date.now() - Date.parse(provisioningOffSince)) / 3_600_000);
  return `\n\nProvisioning has been off for ${hours} h, since ${provisioningOffSince}.`;
}
