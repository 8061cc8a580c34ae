/**
 * Tells people what is waited for: once when gates open or a step holds, then by the provider's reminder schedule for as
 * long as something is open. A reminder names everything that is, and one timer serves all of it, so waiting costs next to no history.
 */
import { condition } from '@temporalio/workflow';
import { ONWARD } from '../../src/contract/onward';
import type { Notice } from '../../src/contract/activities';
import type { ReminderSchedule } from '../../src/contract/provider';
import type { Gate, Hold, SwitchedOff } from '../../src/contract/status';
import { capitalised } from '../kit/plain-text';
import { nextReminder } from '../kit/reminder-schedule';
import type { PeopleEvent } from './events';

/** Something that waits for a person. */
export interface Waiting {
  readonly key: number;
  readonly what: Gate | Hold;
}

interface Record {
  readonly provider: string;
  readonly waiting: readonly Waiting[];
  readonly switchedOff: readonly SwitchedOff[];
  apply(event: PeopleEvent): void;
}

export class Reminders {
  private readonly announced = new Set<number>();
  /** Those that a reminder has named. */
  private readonly reminded = new Set<number>();
  /** Those on the ladder, and when they are reminded next. */
  private readonly members = new Set<number>();
  private next = 0;
  /** From when the next one is counted. */
  private last = 0;

  constructor(
    private readonly record: Record,
    private readonly schedule: ReminderSchedule,
    private readonly notify: (kind: Notice['kind'], subject: string, body: string) => void,
  ) {}

  /** Never ends; the end of the workflow ends it. Run it where no cancellation reaches it. */
  async run(): Promise<never> {
    void this.remindForEver();
    for (;;) {
      await condition(() => this.record.waiting.some(({ key }) => !this.announced.has(key)));
      this.announce(this.record.waiting.filter(({ key }) => !this.announced.has(key)));
    }
  }

  private async remindForEver(): Promise<never> {
    for (;;) {
      await condition(() => this.record.waiting.length > 0);
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
    const counted = fresh.length > 0 ? fresh : this.record.waiting;
    if (fresh.length > 0) this.last = earliest(fresh);
    this.members.clear();
    for (let rung = 0; ; rung++) {
      this.next = this.reminderOf(counted, this.last);
      this.join(this.record.waiting);
      const overtaken = await condition(
        () => rung > 0 && this.fresh().length > 0,
        Math.max(this.next - Date.now(), 1),
        {
          summary: `next reminder of what ${this.record.provider} waits for`,
        },
      );
      if (overtaken || !this.waitsForMembers()) return;
      // Where nobody was at work for weeks, the reminders that were missed are one.
      this.last = Math.max(this.next, Date.now());
      this.remind(this.record.waiting);
    }
  }

  private join(items: readonly Waiting[]): void {
    for (const { key } of items) this.members.add(key);
    this.setReminder(items, this.next);
  }

  private waitsForMembers(): boolean {
    return this.record.waiting.some(({ key }) => this.members.has(key));
  }

  private reminderOf(items: readonly Waiting[], after: number): number {
    return nextReminder(this.schedule, earliest(items), after);
  }

  private announce(items: readonly Waiting[]): void {
    for (const { key } of items) this.announced.add(key);
    if (this.waitsForMembers()) this.join(items);
    else this.setReminder(items, this.reminderOf(items, earliest(items)));
    const holds = items.some(({ what }) => 'problem' in what);
    this.notify(holds ? 'held' : 'gatesOpened', subjectOf(items), describe(items));
  }

  private remind(items: readonly Waiting[]): void {
    for (const { key } of items) this.reminded.add(key);
    this.notify('reminder', subjectOf(items), `${describe(items)}${this.record.switchedOff.map(costOfWait).join('')}`);
  }

  private setReminder(items: readonly Waiting[], next: number): void {
    this.record.apply({
      type: 'reminderSet',
      keys: items.map(({ key }) => key),
      next: new Date(next).toISOString(),
    });
  }

  private fresh(): Waiting[] {
    return this.record.waiting.filter(({ key }) => !this.reminded.has(key));
  }
}

/** Milliseconds since 1970. */
const earliest = (items: readonly Waiting[]): number =>
  Math.min(...items.map(({ what }) => Date.parse('openedAt' in what ? what.openedAt : what.since)));

function subjectOf(items: readonly Waiting[]): string {
  const [first] = items;
  if (!first) return 'nothing';
  const { what } = first;
  const name = 'title' in what ? what.title : `${what.step} holds: ${what.problem}`;
  return items.length > 1 ? `${name} (and ${items.length - 1} more)` : name;
}

/** A notice names so many; `onward gates` names them all. */
const MOST_DESCRIBED = 10;
const LONGEST_INSTRUCTIONS = 2_000;

function describe(items: readonly Waiting[]): string {
  const beyond = items.length - MOST_DESCRIBED;
  return items
    .slice(0, MOST_DESCRIBED)
    .map(({ what }) =>
      'title' in what
        ? `- **${what.title}** (since ${what.openedAt}, asked: ${what.asked})\n${what.instructions.slice(0, LONGEST_INSTRUCTIONS)}\nAnswer with ${what.answer.name}: \`${JSON.stringify(what.answer.payload)}\``
        : `- **${what.step} holds** (since ${what.since}): ${what.problem}\nAnswer with resolveHold: ${what.actions.join(', ')}`,
    )
    .concat(beyond > 0 ? [`And ${beyond} more: \`${ONWARD} gates\` shows them all.`] : [])
    .join('\n\n');
}

function costOfWait({ what, since }: SwitchedOff): string {
  const hours = Math.round((Date.now() - Date.parse(since)) / 3_600_000);
  return `\n\n${capitalised(what)} has been off for ${hours} h, since ${since}.`;
}
