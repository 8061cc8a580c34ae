import type { Rehearsal } from '../e2e/rehearsal';
import type { Cell } from './matrix';
import { runCell, type CellResult } from './run-cell';

let upgrades = 0;

/** Runs so many cells at once, each with a provider of its own; those whose fault would hit every upgrade run alone. */
export async function runCells(
  rehearsal: Rehearsal,
  cells: Cell[],
  atOnce: number,
  onResult: (result: CellResult, done: number) => void = () => undefined,
): Promise<CellResult[]> {
  const results: CellResult[] = [];
  const work = async (left: Iterable<Cell>): Promise<void> => {
    for (const cell of left) {
      const result = await runCell(rehearsal, cell, `cell-${++upgrades}`);
      results.push(result);
      onResult(result, results.length);
    }
  };
  await work(cells.filter(({ call }) => call.anonymous));
  const others = cells.filter(({ call }) => !call.anonymous).values();
  await Promise.all(Array.from({ length: atOnce }, () => work(others)));
  return results;
}
