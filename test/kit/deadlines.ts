/**
 * How long tests wait. A deadline is there to end what hangs, and never to judge how fast something is: that is for `bench/`. So
 * all of them are here or made here, and grow with the slowness of the machine. A test or hook as a whole has that of jest.config.cjs.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { slowness } from './slowness.cjs';

/** For waits inside of a test whose end explains more than that of the whole test would: so many milliseconds on a quiet machine. */
export const patience = (milliseconds: number): number => Math.ceil(milliseconds * slowness());

/**
 * Times that a test gives the product to work with, in seconds: short enough that it sees them pass, and as long as the machine is slow, so that
 * only what is to be late is late.
 */
export function timings<Names extends string>(seconds: Record<Names, number>): Record<Names, number> {
  return Object.fromEntries(
    Object.entries<number>(seconds).map(([name, value]) => [name, value * slowness()]),
  ) as Record<Names, number>;
}

/** Between two looks for what nobody tells: short enough for a state that passes, and others come to their work. */
export const aMoment = (): Promise<void> => delay(5);
