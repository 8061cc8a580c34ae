/**
 * Where a fleet leads its providers: to the release that it names, or each to its next one; and who is there already.
 *
 * @needs temporal
 */
import { WorkflowFailedError } from '@temporalio/client';
import { FAILURE, type Surveyed } from '../../src/contract/activities';
import type { FleetInput, FleetRequest } from '../../src/contract/fleet';
import { Catalogue } from '../../workflows/engine/catalogue';
import { below, exactly, type Versions } from '../../workflows/engine/versions';
import { judgeSurveyed } from '../../workflows/fleet/judge-survey';
import { newFleet } from '../../workflows/fleet/fleet-state';
import { planOf } from '../../workflows/fleet/view';
import { release1841 } from '../../workflows/releases/18.4.1';
import type { Fleet } from '../kit/handles/fleet';
import { operationsFacts } from '../kit/stub-world/stub-activities';
import { FleetWorld } from './fleet-world';
import { simulatedAs } from '../kit/releases/simulated';

let world: FleetWorld;
beforeAll(async () => {
  world = await FleetWorld.start();
});
afterAll(async () => {
  await world?.close();
});

const start = (name: string, input: Partial<FleetInput>): Promise<Fleet> =>
  world.fleet({ name, startedBy: 'ana', providers: { all: true }, waves: ['rest'], ...input });

async function refusalOf(fleet: Fleet): Promise<{ type: string | undefined; message: string }> {
  const error: unknown = await fleet.result().catch((failure: unknown) => failure);
  if (!(error instanceof WorkflowFailedError)) throw new Error('The fleet was not refused.', { cause: error });
  const { type, message } = error.cause as { type?: string; message: string };
  return { type, message };
}

test('a fleet of the whole inventory leads everybody who can to the release that it names', async () => {
  const old = world.add('old', 1, { from: '18.3' });
  const newer = world.add('newer', 1, { from: '18.4' });
  const there = world.add('there', 1, { from: '18.4.1' });
  const ancient = world.add('ancient', 1, { from: '17.0' });
  const fleet = await start('whole', { to: '18.4.1', approval: { plan: true } });
  await fleet.statusWhen(({ state }) => state === 'planned');
  const plan = await fleet.plan();
  expect(plan.leftOut).toEqual(
    expect.arrayContaining([
      { reason: 'it runs 18.4.1 already', providers: there },
      { reason: expect.stringContaining('only 18.3 and 18.4 can be upgraded to 18.4.1'), providers: ancient },
    ]),
  );
  expect(plan.leftOut).toHaveLength(2);
  expect(plan.paths.map(({ from, to, starts }) => ({ from, to, starts }))).toEqual([
    { from: '18.3', to: '18.4.1', starts: ['18.3'] },
    { from: '18.4', to: '18.4.1', starts: ['18.4'] },
  ]);
  await fleet.say('proceed');
  expect(await fleet.result()).toMatchObject({ state: 'completed', counts: { completed: 2 } });
  expect(await fleet.providers()).toMatchObject([
    { provider: newer[0], from: '18.4', to: '18.4.1' },
    { provider: old[0], from: '18.3', to: '18.4.1' },
  ]);
});

test.each<[string, Partial<FleetInput>, string]>([
  ['its target', { to: '19.0' }, 'to: there is no release 19.0; Onward knows 18.4.1'],
  [
    'the release that nobody may run yet',
    { providers: { notYetOn: '18.4' } },
    'providers.notYetOn: there is no release 18.4; Onward knows 18.4.1',
  ],
])(
  'a fleet that names a release that nobody knows is refused, and nobody is looked at: %s',
  async (what, input, said) => {
    const looks = world.calls.length;
    const fleet = await start(what.replaceAll(' ', '-'), input);
    const { type, message } = await refusalOf(fleet);
    expect(type).toBe(FAILURE.invalidInput);
    expect(message).toContain(said);
    expect(world.calls).toHaveLength(looks);
  },
);

test('a member that somebody else has upgraded since it was planned is skipped, and breaks no budget', async () => {
  const upgraded = operationsFacts('18.4.1');
  const [early = '', ...others] = world.add('early', 2, (index) =>
    index === 1 ? { from: '18.4', change: { readOperations: async () => upgraded } } : { from: '18.4' },
  );
  const fleet = await start('early', { providers: { ids: [early, ...others] }, maxParallel: 1 });
  expect(await fleet.result()).toMatchObject({
    state: 'completed',
    counts: { completed: 1, skipped: 1, failed: 0 },
    budget: { broken: 0 },
  });
  const [member] = await fleet.providers();
  expect(member).toMatchObject({ provider: early, state: 'skipped', cause: FAILURE.alreadyUpgraded });
  expect(member?.problem).toContain('All instances run 18.4.1 already');
});

test('a fleet may take a provider that another has upgraded, and leaves it out', async () => {
  const ids = world.add('again', 1, { from: '18.4' });
  const first = await start('first', { providers: { ids } });
  expect(await first.result()).toMatchObject({ counts: { completed: 1 } });
  world.set('again-1', { from: '18.4.1' });
  const second = await start('second', { providers: { ids } });
  expect(await second.result()).toMatchObject({ state: 'completed', leftOut: 1, counts: { completed: 0, skipped: 0 } });
});

describe('with several releases', () => {
  const known = release1841;
  const following = (version: string, ...sources: [Versions, ...Versions[]]) => ({
    ...known,
    version,
    simulation: simulatedAs(version),
    paths: sources.flatMap((from) => known.paths.slice(0, 1).map((path) => ({ ...path, from, to: version }))),
  });
  const catalogue = new Catalogue([
    known,
    following('18.5', exactly('18.4.1')),
    following('18.6', exactly('18.4.1', '18.5')),
  ]);
  const judge = (from: string, request: Partial<Pick<FleetRequest, 'to' | 'providers'>> = {}) => {
    const surveyed: Surveyed = {
      provider: 'contoso',
      bytes: 1000,
      build: 'oa-8.0-1216',
      packageVersions: [`${from}-9`],
      clouds: ['global'],
    };
    return judgeSurveyed(surveyed, { providers: { all: true }, ...request }, catalogue);
  };

  test('without a target each provider is led to its next release, and left out where several fit', () => {
    expect(judge('18.3')).toMatchObject({ target: { from: '18.3', to: '18.4.1' } });
    expect(judge('18.5')).toMatchObject({ target: { from: '18.5', to: '18.6' } });
    expect(judge('18.4.1')).toEqual({ reason: '18.5 and 18.6 can follow 18.4.1; say which, by "to".' });
  });

  test('the target is what the fleet names, or what nobody may run yet', () => {
    expect(judge('18.4.1', { to: '18.6' })).toMatchObject({ target: { from: '18.4.1', to: '18.6' } });
    expect(judge('18.4.1', { providers: { notYetOn: '18.5' } })).toMatchObject({ target: { to: '18.5' } });
    expect(judge('18.5', { providers: { notYetOn: '18.5' } })).toEqual({ reason: 'it runs 18.5 already' });
    expect(judge('18.5', { to: '18.6', providers: { notYetOn: '18.5' } })).toEqual({ reason: 'it runs 18.5 already' });
  });

  test('who needs several upgrades is left out, and told with which to begin', () => {
    const judged = judge('18.3', { to: '18.5' });
    expect(judged).toMatchObject({ reason: expect.stringContaining('18.3 -> 18.4.1 -> 18.5. Begin with 18.4.1.') });
  });

  test('the plan shows the paths that its providers are on, also one that several versions share', () => {
    const ranged = new Catalogue([following('19.0', below('19.0'))]);
    const request = { name: 'autumn', startedBy: 'ana', providers: { all: true as const } } as FleetRequest;
    const planning = newFleet(request, '2027-01-12T21:00:00.000Z');
    const paths = (ways: { from: string; to: string }[] | undefined, of = ranged) =>
      planOf(ways ? { ...planning, waves: [], ways } : planning, of).paths.map(({ to, starts }) => ({ to, starts }));
    expect(
      paths([
        { from: '18.3', to: '19.0' },
        { from: '18.4', to: '19.0' },
      ]),
    ).toEqual([{ to: '19.0', starts: ['18.3', '18.4'] }]);
    expect(paths([{ from: '18.5', to: '18.6' }], catalogue)).toEqual([{ to: '18.6', starts: ['18.5'] }]);
    expect(paths(undefined, catalogue)).toHaveLength(4);
  });
});
