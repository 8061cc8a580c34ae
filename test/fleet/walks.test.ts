/** Fleets that go as they please. `ONWARD_WALKS=4711` walks one seed again, `ONWARD_WALKS=1-500` as many as wanted. */
import { FleetWorld } from './fleet-world';
import { walk } from './walk';

const [first = 1, last = first] = (process.env['ONWARD_WALKS'] ?? '1-30').split('-').map(Number);
const SEEDS = Array.from({ length: last - first + 1 }, (_, index) => first + index);
const SIDE_BY_SIDE = 5;

let world: FleetWorld;
beforeAll(async () => {
  world = await FleetWorld.start();
}, 600_000);
afterAll(async () => {
  await world?.close();
});

test(`whatever happens, a fleet keeps its rules: seeds ${first} to ${last}`, async () => {
  const broken: string[] = [];
  const left = [...SEEDS];
  const walker = async (): Promise<void> => {
    for (let seed = left.shift(); seed !== undefined; seed = left.shift())
      for (const problem of await walk(world, seed))
        broken.push(`seed ${seed}: ${problem}. Again: ONWARD_WALKS=${seed} npx jest test/fleet/walks`);
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, walker));
  expect(broken).toEqual([]);
}, 600_000);
