/**
 * The maintenance windows of one provider. Before the crossing nothing is changed outside of them, and the crossing begins
 * only if what follows it is expected to fit. Past the crossing there is no way back, so a closing window is told, not obeyed.
 */
import { CancellationScope, condition } from '@temporalio/workflow';
import type { Notice } from '../../src/contract/activities';
import type { LookedAtWindow, Maintenance } from '../../src/contract/maintenance';
import type { WindowStatus } from '../../src/contract/status';
import { calendar } from '../kit/activities';
import { capitalised } from '../kit/plain-text';
import type { Blocker, NextCall } from '../people/blocker';
import type { UpgradeRecord } from './upgrade-record';

const SECOND = 1000;

type Closing = Extract<LookedAtWindow, { open: true }>;
type Opening = Extract<LookedAtWindow, { open: false }>;

export class WindowBlocker implements Blocker {
  private isOver = false;

  constructor(
    private readonly record: UpgradeRecord,
    private readonly maintenance: Maintenance,
    private readonly notify: (kind: Notice['kind'], subject: string, body: string) => void,
  ) {
    // It has windows, and nobody has looked yet.
    record.apply({ type: 'windowReached' });
  }

  /** Nothing is left to be done in it: how it closes is told to nobody any more. */
  end(): void {
    this.isOver = true;
  }

  async pass(next: NextCall): Promise<boolean> {
    if (next === 'look' || this.record.crossed) return false;
    const needed = next === 'crossing' ? this.maintenance.afterCrossing : 0;
    for (let waited = false; ; waited = true) {
      const { closesAt, overridden } = this.window;
      if ((needed === 0 && closesAt !== undefined) || overridden) return waited;
      const verdict = await calendar.lookAtWindow(`look whether ${this.record.provider} may be changed now`, {
        maintenance: this.maintenance,
        needed,
      });
      if (verdict.open) {
        this.open(verdict);
        return waited;
      }
      await this.awaitOpening(verdict, needed);
    }
  }

  private get window(): WindowStatus {
    return this.record.status.window ?? {};
  }

  private open(closing: Closing): void {
    if (this.window.closesAt === closing.closesAt) return;
    this.record.apply({ type: 'windowOpen', closesAt: closing.closesAt });
    void CancellationScope.nonCancellable(() => this.awaitClosing(closing));
  }

  /** Before the crossing whoever comes next looks again; past it people are told. */
  private async awaitClosing({ closesAt, seconds }: Closing): Promise<void> {
    const { provider } = this.record;
    const isOver = await condition(
      () => this.isOver || this.window.closesAt !== closesAt,
      Math.max(seconds * SECOND, 1),
      { summary: `the maintenance window of ${provider} closes` },
    );
    if (isOver) return;
    const isTold = this.record.crossed && !this.window.overridden;
    const detail = `The maintenance window closed at ${closesAt}. Past the point of no return the upgrade goes on.`;
    this.record.apply({ type: 'windowClosed', ...(isTold ? { detail } : {}) });
    if (isTold)
      this.notify('windowClosed', `The maintenance window of ${provider} has closed over its upgrade`, detail);
  }

  private async awaitOpening({ opensAt, seconds }: Opening, needed: number): Promise<void> {
    const { record } = this;
    const why = needed > 0 ? ` for the ${needed} s that the crossing and what follows it may take` : '';
    const detail = `The next changing call waits for the maintenance window, which opens${why} at ${opensAt}.`;
    record.apply({ type: 'windowAwaited', opensAt, waitSeconds: seconds, detail });
    record.apply({ type: 'idle', as: 'waitingForWindow' });
    if (record.switchedOff.length > 0) this.tellOfInterruption(detail);
    try {
      await condition(() => this.window.overridden !== undefined, Math.max(seconds * SECOND, 1), {
        summary: `the maintenance window of ${record.provider} opens`,
      });
    } finally {
      record.apply({ type: 'windowReached' });
      record.apply({ type: 'idle', as: undefined });
    }
  }

  /** Until the window opens customers miss what is off: whoever can open it has to know. */
  private tellOfInterruption(detail: string): void {
    const { provider, switchedOff } = this.record;
    const what = switchedOff.map((each) => each.what).join(' and ');
    const since = switchedOff.map((each) => `${capitalised(each.what)} is off since ${each.since}`).join('; ');
    const choice = 'Open the window with overrideWindow, or undo everything with abort.';
    this.notify(
      'waitingForWindow',
      `${provider} waits for its maintenance window, and its ${what} is off`,
      `${detail} ${since}. ${choice}`,
    );
  }
}
