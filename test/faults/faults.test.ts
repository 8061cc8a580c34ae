/**
 * A few cells of the fault matrix: those of the crossing, and a sample that another seed makes another one.
 *
 * @needs temporal
 */
import { samples } from '../kit/extent';
import { Rehearsal } from '../kit/rehearsal/rehearsal';
import { matrixOf, sampleOf, type Cell } from './matrix';
import { reproduction } from './report';
import type { CellResult } from './run-cell';
import { runCells } from './run-cells';
import { callsOf, STORIES, type Story } from './stories';

const SEED = Number(process.env['ONWARD_FAULTS_SEED'] ?? 1);
const SAMPLE = samples({ usually: 2, inFull: 6 });
const LANES = 10;

/** What the import may suffer while its outcome cannot be known. */
const CROSSING = ['effectThenNoAnswer', 'stuckTask', 'failedUpgradeTask'];

let results: CellResult[];
beforeAll(async () => {
  const rehearsal = await Rehearsal.start();
  try {
    const cells = matrixOf(await callsOf(rehearsal, STORIES[0] as Story));
    const others = cells.filter((cell) => !isCrossing(cell));
    results = await runCells(rehearsal, [...cells.filter(isCrossing), ...sampleOf(others, SAMPLE, SEED)], LANES);
  } finally {
    await rehearsal.end();
  }
});

const isCrossing = ({ call, failure }: Cell): boolean =>
  CROSSING.includes(failure.name) && ['pem.APS.importPackage', 'txn.Commit'].includes(call.name);

const problemsOf = (judged: CellResult[]): string[] =>
  judged.flatMap(({ cell, problems }) => problems.map((problem) => `${reproduction(cell)}: ${problem}`));

test('a crossing whose import answers nothing, stays half done, or goes on is read back, and never imported twice', () => {
  const crossing = results.filter(({ cell }) => isCrossing(cell));
  expect(problemsOf(crossing)).toEqual([]);
  expect(crossing.map(({ cell: { call, failure } }) => `${call.name}: ${failure.name}`).sort()).toEqual([
    'pem.APS.importPackage: effectThenNoAnswer',
    'pem.APS.importPackage: failedUpgradeTask',
    'pem.APS.importPackage: stuckTask',
    'txn.Commit: effectThenNoAnswer',
  ]);
});

test(`with any fault an upgrade completes, or says what is wrong and comes back (seed ${SEED})`, () => {
  const sample = results.filter(({ cell }) => !isCrossing(cell));
  expect(problemsOf(sample)).toEqual([]);
  expect(sample).toHaveLength(SAMPLE);
});
