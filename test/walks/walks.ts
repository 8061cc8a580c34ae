/** Runs many walks, several at once, and shrinks those that fail. */
import type { UpgradeState } from '../../src/contract/status';
import { Rehearsal } from '../e2e/rehearsal';
import { runWalk, WalkFailed } from './run-walk';
import { shrink } from './shrink';
import type { Walk } from './walk';

/** What a rehearsal keeps of each walk - workers of its hosts, the journal, histories - goes with it. */
const WALKS_PER_REHEARSAL = 40;
/** Each is a whole upgrade. */
const MOST_ATTEMPTS = 24;

export interface WalkOutcome {
  walk: Walk;
  seconds: number;
  /** How the upgrade ended; undefined where the walk failed. */
  end?: UpgradeState;
  failure?: WalkFailed;
}

/** @param atOnce how many walks share a rehearsal at any time. */
export async function runWalks(
  walks: Walk[],
  atOnce: number,
  onOutcome: (outcome: WalkOutcome) => void = () => undefined,
): Promise<WalkOutcome[]> {
  const outcomes: WalkOutcome[] = [];
  for (let from = 0; from < walks.length; from += WALKS_PER_REHEARSAL) {
    const left = walks.slice(from, from + WALKS_PER_REHEARSAL).values();
    await rehearsed(async (rehearsal) => {
      const lane = async (): Promise<void> => {
        for (const walk of left) {
          const outcome = await outcomeOf(rehearsal, walk, `walk-${walk.seed}`);
          outcomes.push(outcome);
          onOutcome(outcome);
        }
      };
      await Promise.all(Array.from({ length: atOnce }, lane));
    });
  }
  return outcomes;
}

/** The events, by their place in the walk, without which it no longer fails in this way, as far as some attempts tell. */
export async function neededEvents(walk: Walk, { broken }: WalkFailed): Promise<readonly number[]> {
  let attempts = 0;
  return await rehearsed((rehearsal) =>
    shrink(
      walk.events.map((_, index) => index),
      async (kept) => {
        const { failure } = await outcomeOf(rehearsal, only(walk, kept), `walk-${walk.seed}-${++attempts}`);
        return failure?.broken === broken;
      },
      MOST_ATTEMPTS,
    ),
  );
}

/** The walk with only these of its events. */
export function only(walk: Walk, kept: readonly number[]): Walk {
  return { ...walk, events: walk.events.filter((_, index) => kept.includes(index)) };
}

async function outcomeOf(rehearsal: Rehearsal, walk: Walk, id: string): Promise<WalkOutcome> {
  const began = performance.now();
  const seconds = (): number => (performance.now() - began) / 1000;
  try {
    return { walk, end: await runWalk(rehearsal, walk, id), seconds: seconds() };
  } catch (error) {
    if (!(error instanceof WalkFailed)) throw error;
    return { walk, failure: error, seconds: seconds() };
  }
}

/** Every walk is judged by itself, so nothing is left to judge at the end. */
async function rehearsed<T>(act: (rehearsal: Rehearsal) => Promise<T>): Promise<T> {
  const rehearsal = await Rehearsal.start();
  try {
    return await act(rehearsal);
  } finally {
    await rehearsal.end();
  }
}
