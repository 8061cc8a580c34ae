/** The fault matrix: every fault at every call of every story. */
import type { FaultRule } from '../../src/sandbox/faults';
import type { StoryCall } from './stories';

/** How a call fails. */
export interface Failure {
  name: string;
  kind: FaultRule['kind'];
  delayMs?: number;
  /** Until the upgrade holds, comes back or ends: somebody repairs it then. */
  lasts: boolean;
  /** The system is gone: after this call every connection is refused. */
  stops?: true;
}

export interface Cell {
  /** Says all of it, and is what `--only` looks into. */
  name: string;
  call: StoryCall;
  failure: Failure;
}

/** Below every deadline, and beyond them all (stories.ts, PATIENCE). */
const IN_TIME_MS = 300;
const TOO_LATE_MS = 30_000;

const once = (kind: string): Failure => ({ name: kind, kind, lasts: false });
const lasting = (kind: string): Failure => ({ name: `${kind} that lasts`, kind, lasts: true });
const SLOW: Failure[] = [
  { name: 'slow, but in time', kind: 'slow', delayMs: IN_TIME_MS, lasts: false },
  { name: 'slow beyond its deadline', kind: 'slow', delayMs: TOO_LATE_MS, lasts: false },
  { name: 'slow beyond its deadline that lasts', kind: 'slow', delayMs: TOO_LATE_MS, lasts: true },
];

const ON_THE_WIRE: Failure[] = [
  ...['refuse', 'reset', 'error500', 'malformed', 'fault', 'effectThenNoAnswer', 'stuckTask', 'failedUpgradeTask'].map(
    once,
  ),
  ...['reset', 'error500', 'malformed', 'effectThenNoAnswer'].map(lasting),
  ...SLOW,
  { name: 'stopped for a moment', kind: 'refuse', lasts: false, stops: true },
  { name: 'stopped', kind: 'refuse', lasts: true, stops: true },
];
/** What the other faults of the wire mean to a script is one of these. */
const ON_A_HOST: Failure[] = [
  ...['refuse', 'fault', 'effectThenNoAnswer'].map(once),
  ...['refuse', 'effectThenNoAnswer'].map(lasting),
  ...SLOW,
];

export function matrixOf(calls: StoryCall[]): Cell[] {
  return calls.flatMap((call) =>
    (call.system === 'host' ? ON_A_HOST : ON_THE_WIRE).map((failure) => ({
      name: `${call.story.name}: ${call.system} ${call.name} #${call.nth + 1} (${call.step}): ${failure.name}`,
      call,
      failure,
    })),
  );
}

/** So many cells, chosen by the seed: the same for the same seed and matrix. */
export function sampleOf(cells: Cell[], size: number, seed: number): Cell[] {
  const random = mulberry32(seed);
  const left = [...cells];
  return Array.from({ length: Math.min(size, left.length) }, () =>
    left.splice(Math.floor(random() * left.length), 1),
  ).flat();
}

/** A small generator with a 32-bit state; every seed gives another sequence. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
