/**
 * The maintenance windows of one provider. Before the crossing nothing is changed outside of them, and the crossing begins
 * only if what follows it is expected to fit. Past the crossing there is no way back, so a closing window is told, not obeyed.
 */
import { condition } from '@temporalio/workflow';
import type { Notice } from '../../src/contract/activities';
import type { Maintenance } from '../../src/contract/maintenance';
import type { WindowStatus } from '../../src/contract/status';
import { calendar } from './activities';
import type { NextCall, Obstacle } from './obstacle';
import { now, type UpgradeRecord } from './upgrade-record';

export class MaintenanceWindow implements Obstacle {
  private readonly status: WindowStatus;

  constructor(
    private readonly record: UpgradeRecord,
    private readonly maintenance: Maintenance,
    private readonly tell: (kind: Notice['kind'], subject: string, body: string) => Promise<void>,
  ) {
    this.status = record.status.window ??= {};
  }

  async pass(next: NextCall): Promise<boolean> {
    if (next === 'look' || this.record.status.crossed) return false;
    const needed = next === 'crossing' ? this.maintenance.afterCrossing : 0;
    let waited = false;
    while (!this.isKnownOpen(needed)) {
      const { provider } = this.record.status;
      const verdict = await calendar.lookAtWindow(`look whether ${provider} may be changed now`, {
        maintenance: this.maintenance,
        at: now(),
        needed,
      });
      if (verdict.open) this.status.closesAt = verdict.closesAt;
      else {
        await this.awaitOpening(verdict.opensAt, needed);
        waited = true;
      }
    }
    return waited;
  }

  /** Says when the window closes over an upgrade that has crossed. Run it where no cancellation reaches it. */
  async watch(): Promise<void> {
    const { status } = this.record;
    await condition(() => status.crossed);
    const { closesAt, overridden } = this.status;
    if (closesAt === undefined || overridden) return;
    const over = await condition(() => status.endedAt !== undefined, Math.max(Date.parse(closesAt) - Date.now(), 1), {
      summary: `the maintenance window of ${status.provider} closes`,
    });
    if (over) return;
    const detail = `The maintenance window closed at ${closesAt}. Past the point of no return the upgrade goes on.`;
    this.record.write({ by: 'upgrade', what: 'window', verdict: 'done', detail });
    this.record.show();
    await this.tell('windowClosed', `The maintenance window of ${status.provider} has closed over its upgrade`, detail);
  }

  private isKnownOpen(needed: number): boolean {
    const { closesAt, overridden } = this.status;
    if (overridden) return true;
    if (closesAt === undefined) return false;
    const left = Date.parse(closesAt) - Date.now();
    return left > 0 && left >= needed * 1000;
  }

  private async awaitOpening(opensAt: string, needed: number): Promise<void> {
    const { provider } = this.record.status;
    delete this.status.closesAt;
    this.status.opensAt = opensAt;
    const why = needed > 0 ? ` for the ${needed} s that the crossing and what follows it may take` : '';
    const detail = `The next changing call waits for the maintenance window, which opens${why} at ${opensAt}.`;
    this.record.write({ by: 'upgrade', what: 'window', verdict: 'done', detail });
    this.record.rests('waitingForWindow');
    if (this.record.status.provisioningOffSince !== undefined) void this.tellOfInterruption(detail);
    try {
      await condition(() => this.status.overridden !== undefined, Math.max(Date.parse(opensAt) - Date.now(), 1), {
        summary: `the maintenance window of ${provider} opens`,
      });
    } finally {
      delete this.status.opensAt;
      this.record.rests(undefined);
    }
  }

  /** Until the window opens nobody can buy anything: whoever can open it has to know. */
  private async tellOfInterruption(detail: string): Promise<void> {
    const { provider, provisioningOffSince = '' } = this.record.status;
    const subject = `${provider} waits for its maintenance window, and its provisioning is off`;
    const choice = 'Open the window with overrideWindow, or undo everything with abort.';
    await this.tell(
      'waitingForWindow',
      subject,
      `${detail} Provisioning is off since ${provisioningOffSince}. ${choice}`,
    );
  }
}
