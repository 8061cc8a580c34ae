/** Runs many walks, several at once, and shrinks those that fail. */
import { NEXT_RELEASE } from '../kit/releases';
import { Rehearsal, type RehearsalOptions } from '../kit/rehearsal/rehearsal';
import { drawWalk } from './draw-walk';
import { runWalk } from './run-walk';
import { shrink } from './shrink';
import type { Drawn, Walk } from './walk';
import { WalkFailed } from './walk-failed';

/** What a rehearsal keeps of each walk - workers of its hosts, the journal, histories - goes with it. */
const WALKS_PER_REHEARSAL = 40;
/** Each is a whole upgrade. */
const MOST_ATTEMPTS = 24;

/** What a rehearsal has to be for walks: they may also begin where only the release of tests leads on. */
export const WALKS_REHEARSAL: RehearsalOptions = { knows: NEXT_RELEASE };

/** What is walked. */
export interface WalkKind<W extends Drawn> {
  /** A pure function of the seed. */
  draw: (seed: number) => W;
  /**
   * @param id nobody else in the rehearsal has it.
   * @returns how it ended.
   * @throws WalkFailed
   */
  run: (rehearsal: Rehearsal, walk: W, id: string) => Promise<string>;
}

/** Walks of one upgrade. */
export const UPGRADE_WALKS: WalkKind<Walk> = { draw: (seed) => drawWalk(seed), run: runWalk };
/** The same, with what drawWalk calls buttons. */
export const BUTTON_WALKS: WalkKind<Walk> = { draw: (seed) => drawWalk(seed, true), run: runWalk };

export interface WalkOutcome<W extends Drawn> {
  walk: W;
  seconds: number;
  /** How it ended; undefined where the walk failed. */
  end?: string;
  failure?: WalkFailed;
}

/** @param atOnce how many walks share a rehearsal at any time. */
export async function runWalks<W extends Drawn>(
  kind: WalkKind<W>,
  walks: W[],
  atOnce: number,
  onOutcome: (outcome: WalkOutcome<W>) => void = () => undefined,
): Promise<WalkOutcome<W>[]> {
  const outcomes: WalkOutcome<W>[] = [];
  for (let from = 0; from < walks.length; from += WALKS_PER_REHEARSAL) {
    const left = walks.slice(from, from + WALKS_PER_REHEARSAL).values();
    await rehearsed(async (rehearsal) => {
      const lane = async (): Promise<void> => {
        for (const walk of left) {
          const outcome = await outcomeOf(kind, rehearsal, walk, `walk-${walk.seed}`);
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
export async function neededEvents<W extends Drawn>(
  kind: WalkKind<W>,
  walk: W,
  { broken }: WalkFailed,
): Promise<readonly number[]> {
  let attempts = 0;
  return await rehearsed((rehearsal) =>
    shrink(
      walk.events.map((_, index) => index),
      async (kept) => {
        const { failure } = await outcomeOf(kind, rehearsal, only(walk, kept), `walk-${walk.seed}-${++attempts}`);
        return failure?.broken === broken;
      },
      MOST_ATTEMPTS,
    ),
  );
}

/** The walk with only these of its events. */
export function only<W extends Drawn>(walk: W, kept: readonly number[]): W {
  return { ...walk, events: walk.events.filter((_, index) => kept.includes(index)) };
}

async function outcomeOf<W extends Drawn>(
  kind: WalkKind<W>,
  rehearsal: Rehearsal,
  walk: W,
  id: string,
): Promise<WalkOutcome<W>> {
  const began = performance.now();
  const seconds = (): number => (performance.now() - began) / 1000;
  try {
    return { walk, end: await kind.run(rehearsal, walk, id), seconds: seconds() };
  } catch (error) {
    if (!(error instanceof WalkFailed)) throw error;
    return { walk, failure: error, seconds: seconds() };
  }
}

/** Every walk is judged by itself, so nothing is left to judge at the end. */
async function rehearsed<T>(act: (rehearsal: Rehearsal) => Promise<T>): Promise<T> {
  const rehearsal = await Rehearsal.start(WALKS_REHEARSAL);
  try {
    return await act(rehearsal);
  } finally {
    await rehearsal.end();
  }
}
