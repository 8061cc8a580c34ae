import { setTimeout as delay } from 'node:timers/promises';
import type { Cell } from './matrix';
import { runCell, type CellResult } from './run-cell';
import type { FaultsRehearsal } from './stories';
import { patience } from '../kit/deadlines';

const STAGGER_MS = patience(1_000);
let upgrades = 0;

/** Runs so many cells at once, each with a provider of its own. */
export async function runCells(
  faults: FaultsRehearsal,
  cells: Cell[],
  lanes: number,
  onResult: (result: CellResult, done: number) => void = () => undefined,
): Promise<CellResult[]> {
  const results: CellResult[] = [];
  const left = cells.values();
  const lane = async (): Promise<void> => {
    for (const cell of left) {
      const result = await resultOf(faults, cell);
      results.push(result);
      onResult(result, results.length);
    }
  };
  // All preflights at once would keep a small machine from answering any of them in time.
  await Promise.all(Array.from({ length: lanes }, (_, index) => delay(index * STAGGER_MS).then(lane)));
  return results;
}

async function resultOf(faults: FaultsRehearsal, cell: Cell): Promise<CellResult> {
  try {
    return await runCell(faults, cell, `cell-${++upgrades}`);
  } catch (error) {
    return { cell, outcome: 'not judged', messages: [], problems: [String(error)], tookMs: 0 };
  }
}
