/** One activity after the other. */
import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';

interface Waiting {
  comesFirst: boolean;
  begin: () => void;
}

export interface Turn {
  /** Whether it goes before what only reads: for the work of who holds the host. */
  comesFirst: boolean;
  /** How long it is waited for, in milliseconds. */
  waits: number;
  /** The error of one that has waited in vain. */
  inVain: (why: string) => Error;
}

export class Turns {
  private readonly waiting: Waiting[] = [];
  private isTaken = false;

  /** @param isEnding whether nothing more is begun that had to wait: the worker is being ended. */
  constructor(private readonly isEnding: () => boolean) {}

  /** @throws CancelledFailure of one that is cancelled while it waits, and what `inVain` makes. */
  async take<T>(turn: Turn, act: () => Promise<T>): Promise<T> {
    if (this.isTaken) await this.wait(turn);
    this.isTaken = true;
    try {
      return await act();
    } finally {
      this.pass();
    }
  }

  private async wait({ comesFirst, waits, inVain }: Turn): Promise<void> {
    const over = new AbortController();
    const tooLong = delay(waits, undefined, { signal: over.signal }).then(() =>
      Promise.reject(inVain('is at work on something else, such as a setup.cmd of another upgrade')),
    );
    tooLong.catch(() => undefined);
    const { turn, waiting } = this.queue(comesFirst);
    try {
      await Promise.race([turn, Context.current().cancelled, tooLong]);
      if (this.isEnding()) throw inVain('is being ended');
    } catch (error) {
      const place = this.waiting.indexOf(waiting);
      if (place >= 0) this.waiting.splice(place, 1);
      // It has been given its turn, and does not take it.
      else this.pass();
      throw error;
    } finally {
      over.abort();
    }
  }

  private queue(comesFirst: boolean): { turn: Promise<void>; waiting: Waiting } {
    const waiting: Waiting = { comesFirst, begin: () => undefined };
    const turn = new Promise<void>((begin) => (waiting.begin = begin));
    const behind = comesFirst ? this.waiting.findIndex((other) => !other.comesFirst) : -1;
    this.waiting.splice(behind < 0 ? this.waiting.length : behind, 0, waiting);
    return { turn, waiting };
  }

  private pass(): void {
    const next = this.waiting.shift();
    if (next) next.begin();
    else this.isTaken = false;
  }
}
