/** How far a walk has come: by the calls that its systems have taken, or because nothing happens by itself any more. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Journal, JournalEntry } from '../../src/sandbox/journal';
import { patience } from '../kit/deadlines';

/** When no system is called for so long, nothing happens by itself any more. */
const RESTS_AFTER_MS = patience(400);
const LOOKS_EVERY_MS = 25;

export class Pace {
  private calls = 0;
  private lastNewsAt = performance.now();

  constructor(
    private readonly journal: Journal,
    private readonly isOurs: (entry: JournalEntry) => boolean,
  ) {
    journal.on('recorded', this.onRecorded);
  }

  /** Returns after so many calls, or when nothing happens any more. */
  async comesTo(calls: number, isOver: () => boolean): Promise<void> {
    while (!isOver() && this.calls < calls && performance.now() - this.lastNewsAt < RESTS_AFTER_MS)
      await delay(LOOKS_EVERY_MS);
    this.lastNewsAt = performance.now();
  }

  end(): void {
    this.journal.off('recorded', this.onRecorded);
  }

  private readonly onRecorded = (entry: JournalEntry): void => {
    if (entry.kind !== 'call' || entry.system === 'sim' || !this.isOurs(entry)) return;
    this.calls += 1;
    this.lastNewsAt = performance.now();
  };
}
