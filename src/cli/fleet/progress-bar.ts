import type { Colors } from 'picocolors/types';
import type { FleetCounts, FleetProviderState } from '../../contract/fleet';
import { SHOWN_STATES, STATE_LOOKS, totalOf } from './provider-states';

/** One line of `width` characters, in which every state that somebody is in has at least one. */
export function progressBar(counts: FleetCounts, width: number, paint: Colors): string {
  return cellsOf(counts, width)
    .map(([state, cells]) => paint[STATE_LOOKS[state].colour](STATE_LOOKS[state].block.repeat(cells)))
    .join('');
}

/** How many of `width` cells each state gets: in proportion, at least one, all of them together. */
export function cellsOf(counts: FleetCounts, width: number): [state: FleetProviderState, cells: number][] {
  const total = totalOf(counts);
  const present = SHOWN_STATES.filter((state) => counts[state] > 0);
  const cells = present.map((state): [FleetProviderState, number] => [
    state,
    Math.max(1, Math.floor((counts[state] / total) * width)),
  ]);
  // What rounding has left over, or taken too much, falls on the largest: there it shows least.
  let rest = width - cells.reduce((sum, [, count]) => sum + count, 0);
  while (rest !== 0 && cells.length > 0) {
    const largest = cells.reduce((best, each) => (each[1] > best[1] ? each : best));
    const step = Math.sign(rest);
    if (step < 0 && largest[1] === 1) break;
    largest[1] += step;
    rest -= step;
  }
  return cells;
}
