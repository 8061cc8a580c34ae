/** Members of a fleet that meet on one endpoint host, or that a pause meets at different places: the sandbox judges. */
import type { FleetInput } from '../../src/contract/fleet';
import { Rehearsal, type Settings, type Upgrade } from '../e2e/rehearsal';
import { Fleet } from './fleet';
import { evidenceOfFleet } from './fleet-evidence';
import { expectFleetRules } from './fleet-rules';

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await Rehearsal.start();
}, 600_000);
afterAll(async () => {
  await rehearsal?.close();
});
jest.setTimeout(60_000);

const BUDGET = { wave: 2, run: 2 };
const APPROVED: Settings = { approval: { beforeCrossing: true } };

const provider = (id: string, host: string, settings: Settings = {}): Promise<Upgrade> =>
  rehearsal.provider({ id, sourceVersion: '18.4', instances: 1, openTasks: 0, gateways: [{ host }] }, settings);

const start = (name: string, members: Upgrade[], input: Partial<FleetInput>): Promise<Fleet> =>
  Fleet.start(rehearsal.client, {
    name,
    startedBy: 'ana',
    providers: { ids: members.map((member) => member.provider) },
    waves: ['rest'],
    budget: BUDGET,
    ...input,
  });

async function expectRules(fleet: Fleet, maxParallel: number): Promise<void> {
  expectFleetRules(await evidenceOfFleet(rehearsal.client, rehearsal.sandbox, fleet, { maxParallel, budget: BUDGET }));
}

test('one that waits for an endpoint host gives its slot to the one that the host belongs to', async () => {
  const owner = await provider('owner', 'shared', APPROVED);
  const other = await provider('other', 'shared');
  const fleet = await start('meeting', [owner, other], { maxParallel: 1, parkAfter: 1 });
  await fleet.providerWhen('owner', ({ state, cause }) => state === 'parked' && cause === 'waiting');
  await fleet.providerWhen('other', ({ startedAt }) => startedAt !== undefined);
  other.startedByFleet();
  await other.statusWhen(({ steps }) => steps.some(({ note }) => note?.startsWith('waits for shared') === true));

  await Promise.all([owner.operate(), other.operate()]);
  expect(await fleet.result()).toMatchObject({ state: 'completed', counts: { completed: 2 } });
  await expectRules(fleet, 1);
});
