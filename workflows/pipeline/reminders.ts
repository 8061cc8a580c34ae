/**
 * Tells people what is waited for: once when gates open or a step holds, then by the provider's reminder schedule for as
 * long as it stays open. One timer serves all gates and holds, so waiting costs next to no history.
 */
import { condition } from '@temporalio/workflow';
import type { Notice } from '../../src/contract/activities';
import type { ProviderProfile } from '../../src/contract/provider';
import type { Gate, Hold, UpgradeStatus } from '../../src/contract/status';
import { nextReminder } from './reminder-schedule';
import { tell } from './tell';
import type { UpgradeRecord } from './upgrade-record';

type Waiting = Gate | Hold;

export class Reminders {
  private readonly announced = new Set<Waiting>();

  constructor(
    private readonly record: UpgradeRecord,
    private readonly profile: ProviderProfile,
  ) {}

  /** Never ends; the end of the workflow ends it. Run it where no cancellation reaches it. */
  async run(): Promise<never> {
    void this.runLadder();
    for (;;) {
      await condition(() => this.unannounced().length > 0);
      await this.announce(this.unannounced());
    }
  }

  /**
   * The timer is set anew only when something has to be said earlier than it would fire. What is due when it fires is what it was set
   * for: a workflow's clock may stand elsewhere when its history is replayed, so no command may hang on what the clock says.
   */
  private async runLadder(): Promise<never> {
    for (;;) {
      await condition(() => this.nextDue() < Infinity);
      const armed = this.nextDue();
      const overtaken = await condition(() => this.nextDue() < armed, Math.max(armed - Date.now(), 1), {
        summary: `next reminder of what ${this.profile.provider} waits for`,
      });
      if (!overtaken) await this.remind(armed);
    }
  }

  /** One notice to everybody; a failure to deliver it is recorded and changes nothing else. */
  async tell(kind: Notice['kind'], subject: string, body: string): Promise<void> {
    const { provider, workflowId } = this.record.status;
    await tell(this.profile.notify, { provider, workflowId, kind, subject, body }, (detail) =>
      this.record.write({ by: 'upgrade', what: 'notice', verdict: 'done', detail }),
    );
  }

  private async announce(items: Waiting[]): Promise<void> {
    for (const item of items) {
      this.announced.add(item);
      item.nextReminderAt = this.reminderAfter(item, Date.parse(sinceOf(item)));
    }
    this.record.show();
    const holds = items.filter((item) => 'problem' in item);
    await this.tell(holds.length > 0 ? 'held' : 'gatesOpened', subjectOf(items), describe(items));
  }

  private async remind(moment: number): Promise<void> {
    const due = this.waiting().filter(
      ({ nextReminderAt }) => nextReminderAt !== undefined && Date.parse(nextReminderAt) <= moment,
    );
    if (due.length === 0) return;
    // Where nobody was at work for weeks, the reminders that were missed are one.
    for (const item of due) item.nextReminderAt = this.reminderAfter(item, Math.max(moment, Date.now()));
    this.record.show();
    await this.tell('reminder', subjectOf(due), `${describe(due)}${costOfWait(this.record.status)}`);
  }

  private reminderAfter(item: Waiting, time: number): string {
    return new Date(nextReminder(this.profile.reminders, Date.parse(sinceOf(item)), time)).toISOString();
  }

  private nextDue(): number {
    return Math.min(
      ...this.waiting().map(({ nextReminderAt }) =>
        nextReminderAt === undefined ? Infinity : Date.parse(nextReminderAt),
      ),
    );
  }

  private unannounced(): Waiting[] {
    return this.waiting().filter((item) => !this.announced.has(item));
  }

  private waiting(): Waiting[] {
    const { gates, holds } = this.record.status;
    return [...gates, ...holds];
  }
}

const sinceOf = (item: Waiting): string => ('openedAt' in item ? item.openedAt : item.since);

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
