/**
 * Random walks of fleets, and proof that a walk judges: a product that breaks a rule fails it. Many more are walked by
 * `npm run walks -- --fleet --count 200`; other seeds here by ONWARD_SEED.
 *
 * @needs temporal
 */
import { Rehearsal } from '../../kit/rehearsal/rehearsal';
import { FLEET_WALKS } from './run-fleet-walk';
import { WALKS_REHEARSAL, only, runWalks } from '../walks';

const FIRST_SEED = Number(process.env['ONWARD_SEED'] ?? 1);
const WALKS = 30;
const AT_ONCE = 6;
/** So many have the time of one test. */
const IN_A_ROW = 10;
/** First and last seed of each row. */
const ROWS = Array.from({ length: Math.ceil(WALKS / IN_A_ROW) }, (_, row): [number, number] => [
  FIRST_SEED + row * IN_A_ROW,
  FIRST_SEED + Math.min((row + 1) * IN_A_ROW, WALKS) - 1,
]);

test.each(ROWS)('walks %i to %i of fleets come to their ends, and every rule holds', async (first, last) => {
  const walks = Array.from({ length: last - first + 1 }, (_, index) => FLEET_WALKS.draw(first + index));
  const failures = (await runWalks(FLEET_WALKS, walks, AT_ONCE)).flatMap(({ walk, failure }) =>
    failure ? [`npm run walks -- --fleet --seed ${walk.seed}\n${failure.message}`] : [],
  );
  expect(failures).toEqual([]);
});

test('a product that imports a package twice does not pass', async () => {
  const rehearsal = await Rehearsal.start(WALKS_REHEARSAL);
  const { journal } = rehearsal.sandbox;
  const drawn = only(FLEET_WALKS.draw(1), []);
  const [member] = drawn.world.members;
  if (!member) throw new Error('The walk has nobody.');
  const alone = { ...member, provider: { ...member.provider, sourceVersion: '18.4' } };
  const fleet = { waves: ['rest' as const], maxParallel: 2, budget: { wave: 2, run: 2 }, parkAfter: 60 };
  const walk = { ...drawn, world: { ...drawn.world, members: [alone], fleet } };

  journal.on('recorded', ({ kind, name, system, provider: whose, object }) => {
    const twice = journal.entries({ kind, name }).length > 1;
    if (kind === 'effect' && name === 'packageImported' && whose?.startsWith('twice') && object && !twice)
      journal.record({ kind, name, system, provider: whose, object });
  });
  await expect(FLEET_WALKS.run(rehearsal, walk, 'twice')).rejects.toMatchObject({ broken: 'I1' });
  await rehearsal.end();
});
