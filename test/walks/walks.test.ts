/**
 * Random walks, and proof that a walk judges: a product that breaks a rule fails it. Many more are walked by
 * `npm run walks -- --count 1000`; other seeds here by ONWARD_SEED.
 *
 * @needs temporal
 */
import { samples, testInFull } from '../kit/extent';
import { Rehearsal, Upgrade } from '../kit/rehearsal/rehearsal';
import { drawWalk } from './draw-walk';
import { runWalk } from './run-walk';
import type { Walk } from './walk';
import { BUTTON_WALKS, UPGRADE_WALKS, WALKS_REHEARSAL, only, runWalks, type WalkKind } from './walks';

const FIRST_SEED = Number(process.env['ONWARD_SEED'] ?? 1);
const AT_ONCE = 6;
/** So many have the time of one test. */
const IN_A_ROW = 10;
/** First and last seed of each row. */
const rows = (walks: number): [number, number][] =>
  Array.from({ length: Math.ceil(walks / IN_A_ROW) }, (_, row) => [
    FIRST_SEED + row * IN_A_ROW,
    FIRST_SEED + Math.min((row + 1) * IN_A_ROW, walks) - 1,
  ]);

/** @param command that walks one of them by its seed. */
async function failuresOf(kind: WalkKind<Walk>, [first, last]: [number, number], command: string): Promise<string[]> {
  const walks = Array.from({ length: last - first + 1 }, (_, index) => kind.draw(first + index));
  return (await runWalks(kind, walks, AT_ONCE)).flatMap(({ walk, failure }) =>
    failure ? [`${command} --seed ${walk.seed}\n${failure.message}`] : [],
  );
}

test.each(rows(samples({ usually: 1, inFull: 30 })))(
  'walks %i to %i come to their ends, and every invariant holds',
  async (...row) => {
    expect(await failuresOf(UPGRADE_WALKS, row, 'npm run walks --')).toEqual([]);
  },
);

testInFull.each(rows(10))(
  "walks %i to %i with Temporal's buttons, second entries and clones of hosts come to their ends, and every invariant holds",
  async (...row) => {
    expect(await failuresOf(BUTTON_WALKS, row, 'npm run walks -- --buttons')).toEqual([]);
  },
);

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

testInFull('a product that puts a site back past its import, once it was reset, does not pass', async () => {
  const rehearsal = await Rehearsal.start(WALKS_REHEARSAL);
  const { journal } = rehearsal.sandbox;
  const reset = jest.spyOn(Upgrade.prototype, 'reset');
  journal.on('recorded', () => {
    const [imported] = journal.entries({ kind: 'effect', name: 'packageImported' });
    const [setUp] = journal.entries({ kind: 'effect', name: 'setupRan' });
    const isUndone = journal.entries({ name: 'siteRestored' }).length > 0;
    if (!imported || !setUp || isUndone || reset.mock.calls.length === 0) return;
    const { kind, system, provider = '', host = '', object = '' } = setUp;
    journal.record({ kind, system, provider, host, object, name: 'siteRestored' });
  });
  const walk: Walk = { ...drawWalk(1), events: [{ afterCalls: 40, act: { kind: 'reset', nth: 0 } }] };
  await expect(runWalk(rehearsal, walk, 'reset-and-undone')).rejects.toMatchObject({
    broken: 'I2',
    message: expect.stringContaining('siteRestored') as string,
  });
  reset.mockRestore();
  await rehearsal.end();
});
