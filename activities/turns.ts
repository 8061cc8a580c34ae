/** One activity after the other, in the order in which they came. */
import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';

export class Turns {
  /** Ends when nobody is at work who came before. */
  private free: Promise<unknown> = Promise.resolve();

  /**
   * @param waits for its turn so long at most, in milliseconds.
   * @param late makes the error of one that has waited in vain.
   * @throws CancelledFailure of one that is cancelled while it waits.
   */
  async take<T>(waits: number, late: () => Error, act: () => Promise<T>): Promise<T> {
    const before = this.free;
    const turn = this.next(before, waits, late).then(act);
    this.free = Promise.allSettled([before, turn]);
    return await turn;
  }

  private async next(before: Promise<unknown>, waits: number, late: () => Error): Promise<void> {
    const over = new AbortController();
    try {
      const { signal } = over;
      const tooLong = delay(waits, undefined, { signal }).then(() => Promise.reject(late()));
      tooLong.catch(() => undefined);
      await Promise.race([before, Context.current().cancelled, tooLong]);
    } finally {
      over.abort();
    }
  }
}
