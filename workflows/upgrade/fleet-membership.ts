/**
 * An upgrade as part of a fleet. It tells its wave how it gets on and obeys the fleet's pause before the crossing. While it
 * waits long for people, for its maintenance window, or for an endpoint host whose owner may itself wait for a slot, it parks:
 * it gives its slot to another, and asks for one when it can go on.
 */
import { condition, defineSignal, setHandler } from '@temporalio/workflow';
import {
  FLEET_SIGNAL,
  NOT_FOR_PEOPLE,
  type FleetMembership,
  type MemberOrders,
  type MemberReport,
} from '../../src/contract/fleet';
import type { UpgradeStatus } from '../../src/contract/status';
import { causeOf, type Outcome } from './outcome';
import type { Blocker, NextCall } from '../people/blocker';
import { problemOf } from '../kit/problem';
import { signalWorkflow } from '../kit/signal-workflow';
import type { UpgradeRecord } from './upgrade-record';

const MAX_PROBLEM = 500;
/** Who has no slot, and nothing new to say, finds by this whether there is still a wave that gives it one. */
const TELL_AGAIN = '4 hours';

export class Membership implements Blocker {
  private orders: MemberOrders = { slots: 0 };
  private parked = 0;
  /** It stands before a call because of the fleet. */
  private stands = false;
  /** Its wave is gone, and nobody gives it a slot any more. A pause stands: whoever has ended the wave may have meant it. */
  private isAlone = false;
  private end: Pick<MemberReport, 'state' | 'endedAt' | 'cause' | 'problem' | 'stepSeconds'> | undefined;
  private sent: string;

  constructor(
    private readonly membership: FleetMembership,
    private readonly record: UpgradeRecord,
  ) {
    this.sent = JSON.stringify(this.report());
  }

  /** Call before the first await of the workflow. */
  handleOrders(): void {
    const takeOrders = (orders: MemberOrders): void => {
      this.orders = orders;
      this.show();
    };
    setHandler(defineSignal<[MemberOrders]>(FLEET_SIGNAL.memberOrders), takeOrders, NOT_FOR_PEOPLE);
  }

  /** Never ends; run it where no cancellation reaches it. */
  async run(): Promise<never> {
    void this.park();
    for (;;) {
      await condition(() => !this.isAlone && this.hasNews());
      await this.tell();
    }
  }

  async pass(next: NextCall): Promise<boolean> {
    const free = (): boolean => this.hasSlot && (next === 'look' || !this.obeysPause);
    if (free()) return false;
    this.stands = true;
    this.record.apply({ type: 'idle', as: 'paused' });
    try {
      await this.until(free);
    } finally {
      this.stands = false;
      this.record.apply({ type: 'idle', as: undefined });
    }
    return true;
  }

  private async until(free: () => boolean): Promise<void> {
    const summary = `${this.record.provider} asks its fleet for a slot again`;
    while (!(await condition(() => this.isAlone || free(), TELL_AGAIN, { summary }))) await this.tell();
    await condition(free);
  }

  /** The last report, which says more than the status may yet; the wave has it when this returns. */
  async reportEnd({ state, endedAt, failure }: Outcome): Promise<void> {
    const { status } = this.record;
    this.end = { state, endedAt, stepSeconds: stepSeconds(status), ...causeOf(status, failure) };
    while (!this.isAlone && this.hasNews()) await this.tell();
  }

  private get hasSlot(): boolean {
    return this.isAlone || this.orders.slots >= this.parked;
  }

  private get obeysPause(): boolean {
    if (this.orders.paused === undefined || this.record.crossed) return false;
    // Nobody could end it: its fleet reaches it no more, and there is no way back to abort to.
    return !this.isAlone || this.record.forwardOnly === undefined;
  }

  /** One timer for each wait that may become long. */
  private async park(): Promise<never> {
    for (;;) {
      await condition(() => !this.isAlone && this.hasSlot && this.waits());
      const goesOn =
        !this.waitsLongForWindow() &&
        (await condition(() => !this.waits() || this.waitsLongForWindow(), `${this.membership.parkAfter} s`, {
          summary: `${this.record.provider} gives its slot in the fleet to another`,
        }));
      if (goesOn && !this.waitsLongForWindow()) continue;
      this.parked += 1;
      this.show();
    }
  }

  /** It does nothing but wait, and not for the fleet. */
  private waits(): boolean {
    const { gates, holds, window, awaitedHost, state } = this.record.status;
    const asks = gates.length + holds.length > 0;
    const rests = window?.opensAt !== undefined || (state === 'paused' && !this.stands);
    return asks || rests || awaitedHost !== undefined;
  }

  private waitsLongForWindow(): boolean {
    return (this.record.status.window?.waitSeconds ?? 0) > this.membership.parkAfter;
  }

  private hasNews(): boolean {
    return JSON.stringify(this.report()) !== this.sent;
  }

  private async tell(): Promise<void> {
    const report = this.report();
    this.sent = JSON.stringify(report);
    await signalWorkflow(this.membership.reportTo, FLEET_SIGNAL.memberReport, report, (problem) => {
      const detail = `The wave ${this.membership.reportTo} could not be told: ${problemOf(problem)}`;
      this.record.apply({ type: 'noted', entry: { by: 'upgrade', what: 'fleet', verdict: 'done', detail } });
      if (this.end === undefined) this.goOnAlone();
    });
  }

  private goOnAlone(): void {
    this.isAlone = true;
    const detail =
      'The wave is not there any more: the upgrade waits for no slot of the fleet. A pause of the fleet stands until an abort, where there is a way back.';
    this.record.apply({ type: 'noted', entry: { by: 'upgrade', what: 'fleet', verdict: 'done', detail } });
    this.show();
  }

  private report(): MemberReport {
    const { provider, crossedAt } = this.record.status;
    return {
      provider,
      parked: this.parked,
      ready: !this.hasSlot && !this.waits(),
      ...(crossedAt === undefined ? {} : { crossedAt }),
      ...(this.end ?? this.progress()),
    };
  }

  /** What it waits for matters to the fleet only where it holds or has no slot: every report costs both sides history. */
  private progress(): Pick<MemberReport, 'state' | 'cause' | 'problem'> {
    const { state, holds, awaitedHost } = this.record.status;
    if (this.hasSlot && holds.length === 0) return { state: 'running' };
    return { state, cause: awaitedHost ? 'waitingForHost' : state, problem: this.whatItWaitsFor() };
  }

  private whatItWaitsFor(): string {
    const { gates, holds, window, awaitedHost, paused } = this.record.status;
    const [hold] = holds;
    const [gate] = gates;
    const problem = hold
      ? `${hold.step} holds: ${hold.problem}`
      : gate
        ? gate.title
        : window?.opensAt !== undefined
          ? `waits for its maintenance window, which opens at ${window.opensAt}`
          : awaitedHost
            ? `waits for ${awaitedHost.host}, which belongs to ${awaitedHost.upgrade}`
            : paused
              ? `paused by ${paused.by}: ${paused.reason}`
              : 'waits for a slot';
    return problem.slice(0, MAX_PROBLEM);
  }

  private show(): void {
    this.record.apply({ type: 'fleetSaid', paused: this.orders.paused, parked: !this.hasSlot });
  }
}

function stepSeconds({ steps }: UpgradeStatus): Record<string, number> {
  return Object.fromEntries(
    steps.flatMap(({ name, startedAt, endedAt }) =>
      startedAt === undefined || endedAt === undefined
        ? []
        : [[name, Math.round((Date.parse(endedAt) - Date.parse(startedAt)) / 100) / 10]],
    ),
  );
}
