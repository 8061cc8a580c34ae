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
import { FaultsRehearsal, live, STORIES, type Lived } from './stories';

const SEED = Number(process.env['ONWARD_FAULTS_SEED'] ?? 1);
const SAMPLE = samples({ usually: 0, inFull: 6 });
const LANES = 10;

/** What the import may suffer while its outcome cannot be known. */
const CROSSING = ['effectThenNoAnswer', ...(everything ? ['stuckTask', 'failedUpgradeTask'] : [])];

/** It runs in the stories, and makes no call there that could fail. */
const OF_EVERY_STORY = 'notify';
/**
 * Activities that no story of the matrix has, with where else their failures are shown.
 */
const ELSEWHERE: Readonly<Record<string, string>> = {
  awaitClaimEnd: 'waits for another upgrade: test/hosts/one-upgrade-per-host.test.ts',
  explainRefusedStart: 'of fleets: test/fleet',
  findEnded: 'of fleets: test/fleet',
  freezeEntries: 'reads files of its own machine, for fleets: test/inventory',
  lookAtWindow: 'asks nobody: test/clock',
  notify: 'asks whom people name, who has no twin: test/inventory/activities.test.ts',
  readOpenTasks: 'of the look before an upgrade, which only reads: test/workflows/preflight-provider.test.ts',
  resolveHostnames: 'asks a name service, which has no twin: test/systems/other-activities.test.ts',
  selectProviders: 'reads files of its own machine, for fleets: test/inventory',
  surveyProviders: 'of fleets: test/fleet',
};

let results: CellResult[];
/** Of a rehearsal's workers, and of all stories. */
let activities: { known: string[]; lived: ReadonlySet<string> };
beforeAll(async () => {
  const faults = await FaultsRehearsal.start();
  try {
    const lived: Lived[] = [];
    for (const story of everything ? STORIES : STORIES.slice(0, 1)) lived.push(await live(faults, story));
    activities = {
      known: faults.rehearsal.activities,
      lived: new Set(lived.flatMap((each) => [...each.activities])),
    };
    const all = matrixOf(lived.flatMap(({ calls }) => calls));
    const cells = all.filter(({ call }) => call.story === STORIES[0]);
    const others = cells.filter((cell) => !isCrossing(cell) && !isOnClone(cell));
    const sample = [
      ...cells.filter(isCrossing),
      ...sampleOf(others, SAMPLE, SEED),
      ...sampleOf(all.filter(isOnClone), SAMPLE, SEED),
      ...sampleOf(all.filter(isOfNext), SAMPLE, SEED),
      ...sampleOf(all.filter(isOfButtons), SAMPLE, SEED),
    ];
    results = await runCells(faults, sample, LANES);
  } finally {
    await faults.rehearsal.end();
  }
});

const isOnClone = ({ failure }: Cell): boolean => failure.clones === true;
/** Of the release that only tests know: what it does on hosts, and on the way back. */
const isOfNext = (cell: Cell): boolean => {
  const { story, step } = cell.call;
  return story.from === '18.4.1' && (story.comesBack || step.startsWith('installRuntime')) && !isOnClone(cell);
};
/** Temporal's Terminate and Reset, and what activities ask of Temporal. */
const isOfButtons = ({ call: { story, system } }: Cell): boolean =>
  story.interrupted !== undefined || (story !== STORIES[0] && story.from !== '18.4.1' && system === 'temporal');

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

testInFull.each<[what: string, isOne: (cell: Cell) => boolean]>([
  ['an upgrade', (cell) => cell.call.story === STORIES[0] && !isCrossing(cell) && !isOnClone(cell)],
  ['one whose host gives way to a clone of it', isOnClone],
  ['one that restarts its hosts, whose people switch something off and on', isOfNext],
  ['one that was terminated or reset', isOfButtons],
])(`with any fault %s completes, or says what is wrong and comes back (seed ${SEED})`, (_, isOne) => {
  const sample = results.filter(({ cell }) => isOne(cell));
  expect(problemsOf(sample)).toEqual([]);
  expect(sample).toHaveLength(SAMPLE);
});

testInFull('every activity is in the matrix, or it is said where else its failures are shown', () => {
  const { known, lived } = activities;
  expect(known.filter((name) => !lived.has(name) || name === OF_EVERY_STORY).sort()).toEqual(
    Object.keys(ELSEWHERE).sort(),
  );
});
