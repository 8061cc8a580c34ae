/**
 * Random walks, and proof that a walk judges: a product that breaks a rule fails it. Many more are walked by
 * `npm run walks -- --count 1000`; other seeds here by ONWARD_SEED.
 *
 * @needs temporal
 */
import { samples, testInFull } from '../kit/extent';
import { Rehearsal } from '../kit/rehearsal/rehearsal';
import { drawWalk } from './draw-walk';
import { runWalk } from './run-walk';
import { UPGRADE_WALKS, WALKS_REHEARSAL, only, runWalks } from './walks';

const FIRST_SEED = Number(process.env['ONWARD_SEED'] ?? 1);
const WALKS = samples({ usually: 1, inFull: 30 });
const AT_ONCE = 6;
/** So many have the time of one test. */
const IN_A_ROW = 10;
/** First and last seed of each row. */
const ROWS = Array.from({ length: Math.ceil(WALKS / IN_A_ROW) }, (_, row): [number, number] => [
  FIRST_SEED + row * IN_A_ROW,
  FIRST_SEED + Math.min((row + 1) * IN_A_ROW, WALKS) - 1,
]);

test.each(ROWS)('walks %i to %i come to their ends, and every invariant holds', async (first, last) => {
  const walks = Array.from({ length: last - first + 1 }, (_, index) => drawWalk(first + index));
  const failures = (await runWalks(UPGRADE_WALKS, walks, AT_ONCE)).flatMap(({ walk, failure }) =>
    failure ? [`npm run walks -- --seed ${walk.seed}\n${failure.message}`] : [],
  );
  expect(failures).toEqual([]);
});

testInFull('a product that imports a package twice does not pass', async () => {
  const rehearsal = await Rehearsal.start(WALKS_REHEARSAL);
  const { journal } = rehearsal.sandbox;
  journal.on('recorded', ({ kind, name, system, provider, object }) => {
    const twice = journal.entries({ kind, name }).length > 1;
    if (kind === 'effect' && name === 'packageImported' && provider && object && !twice)
      journal.record({ kind, name, system, provider, object });
  });
  const walk = only(drawWalk(1), []);
  await expect(runWalk(rehearsal, walk, 'imported-twice')).rejects.toMatchObject({
    broken: 'I1',
    message: expect.stringContaining('packageImported') as string,
  });
  await rehearsal.end();
});
