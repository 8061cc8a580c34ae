/** What an upgrade passes before its next call: a pause, and whatever else may stand in the way. */
import { condition } from '@temporalio/workflow';
import type { Blocker, NextCall } from './blocker';

export class Checkpoint {
  private readonly blockers: Blocker[] = [];

  /** From here on this stands between the upgrade and its next call. */
  add(blocker: Blocker): void {
    this.blockers.push(blocker);
  }

  /** Returns at once unless something stands against the next call, else when nothing does any more; true where it waited. */
  async pass(next: NextCall): Promise<boolean> {
    let everWaited = false;
    // While one was waited for, another may have come up.
    for (let waited = true; waited;) {
      waited = false;
      for (const blocker of this.blockers) waited = (await blocker.pass(next)) || waited;
      everWaited ||= waited;
    }
    return everWaited;
  }
}

/** A pause that people have asked for; whoever runs shows it once it has come to rest. */
export class Pause implements Blocker {
  constructor(
    private readonly record: {
      readonly isPaused: boolean;
      apply(event: { type: 'idle'; as: 'paused' | undefined }): void;
    },
  ) {}

  async pass(): Promise<boolean> {
    if (!this.record.isPaused) return false;
    this.record.apply({ type: 'idle', as: 'paused' });
    try {
      await condition(() => !this.record.isPaused);
    } finally {
      this.record.apply({ type: 'idle', as: undefined });
    }
    return true;
  }
}
