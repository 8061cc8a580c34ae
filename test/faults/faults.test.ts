/**
 * A few cells of the fault matrix: those of the crossing, and a sample that another seed makes another one.
 *
 * @needs temporal
 */
import { everything, samples, testInFull } from '../kit/extent';
import { matrixOf, sampleOf, type Cell } from './matrix';
import { reproduction } from './report';
import type { CellResult } from './run-cell';
import { runCells } from './run-cells';
import { FaultsRehearsal, live, STORIES, type Story, type StoryCall } from './stories';

const SEED = Number(process.env['ONWARD_FAULTS_SEED'] ?? 1);
const SAMPLE = samples({ usually: 0, inFull: 6 });
/** Of the release that only tests know: what it does on hosts, and on the way back. */
const NEXT_SAMPLE = samples({ usually: 0, inFull: 6 });
const LANES = 10;

/** What the import may suffer while its outcome cannot be known. */
const CROSSING = ['effectThenNoAnswer', ...(everything ? ['stuckTask', 'failedUpgradeTask'] : [])];

let results: CellResult[];
beforeAll(async () => {
  const faults = await FaultsRehearsal.start();
  try {
    const cells = matrixOf((await live(faults, STORIES[0] as Story)).calls);
    const others = cells.filter((cell) => !isCrossing(cell));
    const sample = [...cells.filter(isCrossing), ...sampleOf(others, SAMPLE, SEED), ...(await nextSample(faults))];
    results = await runCells(faults, sample, LANES);
  } finally {
    await faults.rehearsal.end();
  }
});

async function nextSample(faults: FaultsRehearsal): Promise<Cell[]> {
  if (NEXT_SAMPLE === 0) return [];
  const calls: StoryCall[] = [];
  for (const story of STORIES.filter(isNext)) calls.push(...(await live(faults, story)).calls);
  return sampleOf(
    matrixOf(calls).filter(({ call: { story, step } }) => story.comesBack || step.startsWith('installRuntime')),
    NEXT_SAMPLE,
    SEED,
  );
}

const isNext = ({ from }: Story): boolean => from === '18.4.1';

const isCrossing = ({ call, failure }: Cell): boolean =>
  CROSSING.includes(failure.name) && ['pem.APS.importPackage', 'txn.Commit'].includes(call.name);

const problemsOf = (judged: CellResult[]): string[] =>
  judged.flatMap(({ cell, problems }) => problems.map((problem) => `${reproduction(cell)}: ${problem}`));

test('a crossing whose import answers nothing, stays half done, or goes on is read back, and never imported twice', () => {
  const crossing = results.filter(({ cell }) => isCrossing(cell));
  expect(problemsOf(crossing)).toEqual([]);
  expect(crossing.map(({ cell: { call, failure } }) => `${call.name}: ${failure.name}`).sort()).toEqual([
    'pem.APS.importPackage: effectThenNoAnswer',
    ...(everything ? ['pem.APS.importPackage: failedUpgradeTask', 'pem.APS.importPackage: stuckTask'] : []),
    'txn.Commit: effectThenNoAnswer',
  ]);
});

testInFull(`with any fault an upgrade completes, or says what is wrong and comes back (seed ${SEED})`, () => {
  const sample = results.filter(({ cell }) => !isCrossing(cell) && !isNext(cell.call.story));
  expect(problemsOf(sample)).toEqual([]);
  expect(sample).toHaveLength(SAMPLE);
});

testInFull(`so does one that restarts its hosts, whose people switch something off and on (seed ${SEED})`, () => {
  const sample = results.filter(({ cell }) => isNext(cell.call.story));
  expect(problemsOf(sample)).toEqual([]);
  expect(sample).toHaveLength(NEXT_SAMPLE);
});
