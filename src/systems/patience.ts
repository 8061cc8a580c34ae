/** The end of whatever calls systems, for every exchange in it: who waits for longer is not waited for any more. */
import { AsyncLocalStorage } from 'node:async_hooks';

const ends = new AsyncLocalStorage<number>();

/** @param endsAt milliseconds since 1970. */
export function untilEnd<T>(endsAt: number, run: () => Promise<T>): Promise<T> {
  return ends.run(endsAt, run);
}

/** Milliseconds that an exchange with this deadline may take: at least one, so that it fails with its own words. */
export function timeLeft(deadlineMs: number): number {
  const endsAt = ends.getStore() ?? Infinity;
  return Math.max(1, Math.min(deadlineMs, endsAt - Date.now()));
}
