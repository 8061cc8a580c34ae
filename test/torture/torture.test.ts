/**
 * A sample of the crash matrix, `npm run torture`; other cases of it by ONWARD_SEED.
 *
 * @needs temporal
 */
import { samples } from '../kit/extent';
import { Rehearsal } from '../kit/rehearsal/rehearsal';
import { allCases } from './cases';
import { sampleOf } from './sample';
import { TORTURE_REHEARSAL, torment } from './torment';

const SEED = Number(process.env['ONWARD_SEED'] ?? 1);

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await Rehearsal.start({ ...TORTURE_REHEARSAL, seed: `ONWARD_SEED=${SEED}` });
});
afterAll(async () => {
  await rehearsal?.close();
});

const KINDS = samples({ usually: 1, inFull: Infinity });
test.each(
  sampleOf(allCases(), SEED)
    .slice(0, KINDS)
    .map((torture) => [torture.name, torture] as const),
)(`seed ${SEED}, %s: the upgrade comes to its end, and nothing happens twice`, async (_, torture) => {
  await expect(torment(rehearsal, torture)).resolves.toBeUndefined();
});

test('every changing activity is killed at each of its moments, on every path', () => {
  const names = allCases().map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(sampleOf(allCases(), 4711)).toEqual(sampleOf(allCases(), 4711));
});
