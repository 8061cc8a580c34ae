/** The arithmetic of fleets: who is in which wave, who gets a slot, when the budget is spent. */
import { fleetInput, type Amount, type WaveReport } from '../../src/contract/fleet';
import { advance } from '../../workflows/fleet/advance';
import { newFleet, noCounts, type FleetProgress } from '../../workflows/fleet/fleet-state';
import { count, partition, type Target } from '../../workflows/fleet/partition';
import { distribute, type PartNeeds } from '../../workflows/fleet/slots';
import { newWave, reportOf, takeIn } from '../../workflows/fleet/wave-state';

const targets = (number: number, bytes = 1000): Target[] =>
  Array.from({ length: number }, (_, index) => ({ provider: `p${index}`, from: '18.3', to: '18.4.1', bytes }));
const sizes = (waves: Target[][][]): number[] => waves.map((parts) => parts.flat().length);

test.each<[Amount, number, number]>([
  [3, 10, 3],
  ['5%', 50, 3],
  ['5%', 100, 5],
  ['7%', 100, 7],
  ['0.1%', 50, 1],
  ['0%', 50, 0],
  ['100%', 7, 7],
])('%s of %i is %i: percentages are rounded up', (amount, of, expected) => {
  expect(count(amount, of)).toBe(expected);
});

test('waves take their share of all targets in the order of the targets, and the rest is whoever is left', () => {
  const { waves, left } = partition(targets(100), [1, '5%', '25%', 'rest']);
  expect(sizes(waves)).toEqual([1, 5, 25, 69]);
  expect(waves.flat(2).map(({ provider }) => provider)).toEqual(targets(100).map(({ provider }) => provider));
  expect(left).toEqual([]);
});

test('waves that nobody is left for do not exist, and whoever no wave is left for is named', () => {
  expect(sizes(partition(targets(3), [1, '50%', 'rest']).waves)).toEqual([1, 2]);
  const { waves, left } = partition(targets(10), [1, 2]);
  expect(sizes(waves)).toEqual([1, 2]);
  expect(left).toHaveLength(7);
});

test('a part holds at most 40 providers, and less where their entries are large', () => {
  expect(partition(targets(100), ['rest']).waves[0]?.map((part) => part.length)).toEqual([40, 40, 20]);
  expect(partition(targets(5, 100 * 1024), ['rest']).waves[0]?.map((part) => part.length)).toEqual([2, 2, 1]);
  expect(partition(targets(2, 400 * 1024), ['rest']).waves[0]?.map((part) => part.length)).toEqual([1, 1]);
});

const part = (needs: Partial<PartNeeds>): PartNeeds => ({ floor: 0, using: 0, ready: 0, pending: 0, ...needs });

test('slots go to those at work, then to parked ones that can go on, then to new starts', () => {
  expect(distribute([part({ pending: 9 }), part({ ready: 2 }), part({ floor: 3, using: 3 })], 6)).toEqual([1, 2, 3]);
});

test('a slot goes to another part only when nobody can use it any more', () => {
  // The first has 4, of which it needs 1; it is told so, and the second gets them when it has heard.
  expect(distribute([part({ floor: 4, using: 1 }), part({ pending: 5 })], 4)).toEqual([1, 0]);
  expect(distribute([part({ floor: 1, using: 1 }), part({ pending: 5 })], 4)).toEqual([1, 3]);
});

test('what nobody else needs is not taken back', () => {
  expect(distribute([part({ floor: 4, using: 1 }), part({})], 4)).toEqual([4, 0]);
});

test('with a lower maxParallel nobody is started until so many have ended', () => {
  expect(distribute([part({ floor: 4, using: 4, pending: 9 }), part({ floor: 2, using: 2 })], 3)).toEqual([3, 0]);
});

test('whatever is needed, parts never may occupy more than maxParallel together, and no slot stays idle that one needs', () => {
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48_271) % 0x7fffffff) % below;
  for (let round = 0; round < 2000; round++) {
    const maxParallel = 1 + random(12);
    let left = maxParallel;
    const parts = Array.from({ length: 1 + random(5) }, () => {
      const floor = random(left + 1);
      left -= floor;
      return part({ floor, using: random(floor + 1), ready: random(3), pending: random(10) });
    });
    const slots = distribute(parts, maxParallel);
    const occupied = parts.reduce((sum, { floor }, index) => sum + Math.max(floor, slots[index] ?? 0), 0);
    expect(occupied).toBeLessThanOrEqual(maxParallel);
    // As if everybody had heard: then all slots that are needed are given.
    const heard = distribute(
      parts.map((needs, index) => ({ ...needs, floor: Math.max(needs.using, slots[index] ?? 0) })),
      maxParallel,
    );
    const needed = parts.reduce((sum, { using, ready, pending }) => sum + using + ready + pending, 0);
    expect(heard.reduce((sum, each) => sum + each, 0)).toBeGreaterThanOrEqual(Math.min(needed, maxParallel));
  }
});

test.each([
  ['waiting', 'waiting', false, 0],
  ['held', 'held', false, 0],
  ['paused', 'paused', false, 0],
  ['running', 'waitingForHost', false, 1],
  ['waitingForWindow', 'waitingForWindow', false, 1],
  ['waiting', 'waiting', true, 1],
] as const)(
  'a wave is done without parked ones that wait for people, and not without the others: %s, %s, ready %s',
  (state, cause, ready, busy) => {
    const providers = [{ provider: 'contoso', from: '18.3', to: '18.4.1' }];
    const wave = newWave({ fleet: 'autumn', wave: 1, part: 1, startedBy: 'ana', parkAfter: 60, providers });
    for (const member of wave.members) member.state = 'running';
    takeIn(wave, { provider: 'contoso', state, parked: 1, ready, cause });
    expect(reportOf(wave)).toMatchObject({ counts: { parked: 1 }, busy });
  },
);

test('a halted fleet counts whoever breaks while it waits for the decision', () => {
  const request = fleetInput.parse({ name: 'autumn', startedBy: 'ana', providers: { notYetOn: '18.4.1' } });
  const orders = { slots: 2, mayBreak: 1, looks: 0 };
  const report = (failed: number): WaveReport => ({
    wave: 1,
    part: 1,
    frozen: true,
    counts: { ...noCounts(), failed, running: 2 - failed, pending: 2 },
    broken: failed,
    slots: 2,
    using: 2 - failed,
    ready: 0,
    busy: 4 - failed,
    measured: { upgrades: 0, seconds: 0, stepSeconds: {} },
    ended: false,
  });
  const part = { workflowId: 'fleet/autumn/wave-1/1', firstRun: '', wave: 1, providers: 4, orders };
  const fleet: FleetProgress = {
    ...newFleet(request, '2027-01-12T21:00:00.000Z'),
    waves: [{ state: 'running', approved: true }],
    parts: [{ ...part, report: report(1) }],
  };
  const halted = (): FleetProgress['halted'] => {
    advance(fleet, `2027-01-12T21:0${fleet.parts[0]?.report?.broken}:00.000Z`);
    return fleet.halted;
  };
  const since = '2027-01-12T21:01:00.000Z';
  expect(halted()).toEqual({ since, problem: '1 provider of wave 1 is broken, and the budget is 1.' });
  fleet.parts = [{ ...part, report: report(2) }];
  expect(halted()).toEqual({ since, problem: '2 providers of wave 1 are broken, and the budget is 1.' });
});
