/**
 * The maintenance windows of one provider. Before the crossing nothing is changed outside of them, and the crossing begins
 * only if what follows it is expected to fit. Past the crossing there is no way back, so a closing window is told, not obeyed.
 */
import { CancellationScope, condition } from '@temporalio/workflow';
import type { Notice } from '../../src/contract/activities';
import type { LookedAtWindow, Maintenance } from '../../src/contract/maintenance';
import type { WindowStatus } from '../../src/contract/status';
import { calendar } from '../kit/activities';
import type { NextCall, Blocker } from '../people/blocker';
import type { UpgradeRecord } from './upgrade-record';

const SECOND = 1000;

type Closing = Extract<LookedAtWindow, { open: true }>;
type Opening = Extract<LookedAtWindow, { open: false }>;

export class WindowBlocker implements Blocker {
  private readonly status: WindowStatus;
  private isOver = false;

  constructor(
    private readonly record: UpgradeRecord,
    private readonly maintenance: Maintenance,
    private readonly tell: (kind: Notice['kind'], subject: string, body: string) => void,
  ) {
    this.status = record.status.window ??= {};
  }

  /** Nothing is left to be done in it: how it closes is told to nobody any more. */
  ends(): void {
    this.isOver = true;
  }

  async pass(next: NextCall): Promise<boolean> {
    if (next === 'look' || this.record.status.crossed) return false;
    const needed = next === 'crossing' ? this.maintenance.afterCrossing : 0;
    for (let waited = false; ; waited = true) {
      const isOpen = needed === 0 && this.status.closesAt !== undefined;
      if (isOpen || this.status.overridden) return waited;
      const verdict = await calendar.lookAtWindow(`look whether ${this.record.status.provider} may be changed now`, {
        maintenance: this.maintenance,
        needed,
      });
      if (verdict.open) {
        this.opens(verdict);
        return waited;
      }
      await this.awaitOpening(verdict, needed);
    }
  }

  private opens(closing: Closing): void {
    if (this.status.closesAt === closing.closesAt) return;
    this.status.closesAt = closing.closesAt;
    void CancellationScope.nonCancellable(() => this.awaitClosing(closing));
  }

  /** Before the crossing whoever comes next looks again; past it people are told. */
  private async awaitClosing({ closesAt, seconds }: Closing): Promise<void> {
    const { status } = this.record;
    const isOver = await condition(
      () => this.isOver || this.status.closesAt !== closesAt,
      Math.max(seconds * SECOND, 1),
      { summary: `the maintenance window of ${status.provider} closes` },
    );
    if (isOver) return;
    delete this.status.closesAt;
    if (!status.crossed || this.status.overridden) return;
    const detail = `The maintenance window closed at ${closesAt}. Past the point of no return the upgrade goes on.`;
    this.record.write({ by: 'upgrade', what: 'window', verdict: 'done', detail });
    this.record.show();
    this.tell('windowClosed', `The maintenance window of ${status.provider} has closed over its upgrade`, detail);
  }

  private async awaitOpening({ opensAt, seconds }: Opening, needed: number): Promise<void> {
    const { provider } = this.record.status;
    delete this.status.closesAt;
    Object.assign(this.status, { opensAt, waitSeconds: seconds });
    const why = needed > 0 ? ` for the ${needed} s that the crossing and what follows it may take` : '';
    const detail = `The next changing call waits for the maintenance window, which opens${why} at ${opensAt}.`;
    this.record.write({ by: 'upgrade', what: 'window', verdict: 'done', detail });
    this.record.rests('waitingForWindow');
    if (this.record.status.provisioningOffSince !== undefined) this.tellOfInterruption(detail);
    try {
      await condition(() => this.status.overridden !== undefined, Math.max(seconds * SECOND, 1), {
        summary: `the maintenance window of ${provider} opens`,
      });
    } finally {
      delete this.status.opensAt;
      delete this.status.waitSeconds;
      this.record.rests(undefined);
    }
  }

  /** Until the window opens nobody can buy anything: whoever can open it has to know. */
  private tellOfInterruption(detail: string): void {
    const { provider, provisioningOffSince = '' } = this.record.status;
    const subject = `${provider} waits for its maintenance window, and its provisioning is off`;
    const choice = 'Open the window with overrideWindow, or undo everything with abort.';
    this.tell('waitingForWindow', subject, `${detail} Provisioning is off since ${provisioningOffSince}. ${choice}`);
  }
}
