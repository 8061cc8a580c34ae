/**
 * Members of a fleet that meet on one endpoint host, or that a pause meets at different places: the sandbox judges.
 *
 * @needs temporal
 */
import type { FleetInput } from '../../src/contract/fleet';
import type { FaultRule } from '../../src/sandbox/faults';
import type { JournalEntry } from '../../src/sandbox/journal';
import { CHANGING_CALLS } from '../kit/judge/invariants';
import { Rehearsal, type Settings, type Upgrade } from '../kit/rehearsal/rehearsal';
import { Fleet } from '../kit/handles/fleet';
import { evidenceOfFleet } from '../kit/judge/fleet-evidence';
import { expectFleetRules } from '../kit/judge/fleet-rules';
import { patience } from '../kit/deadlines';

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await Rehearsal.start();
});
afterAll(async () => {
  await rehearsal?.close();
});

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

/** Resolves when a call of this provider is hit by the fault. */
function hit({ provider: whose }: Upgrade, rule: Omit<FaultRule, 'id' | 'provider'>): Promise<void> {
  const { faults } = rehearsal.sandbox;
  const { id } = faults.add({ ...rule, provider: whose });
  return new Promise((resolve) => {
    const listen = (taken: FaultRule): void => {
      if (taken.id !== id) return;
      faults.off('hit', listen);
      resolve();
    };
    faults.on('hit', listen);
  });
}

const changesOf = ({ provider: whose }: Upgrade): JournalEntry[] =>
  rehearsal.sandbox.journal
    .entries({ kind: 'call', provider: whose })
    .filter(({ name }) => CHANGING_CALLS.includes(name));

/** A wave shows whom it starts a moment before there is an upgrade; the fleet hears of it after that. */
const hasStartedAll = (fleet: Fleet) =>
  fleet.statusWhen(({ waves, counts }) => waves.length > 0 && counts.pending === 0);

async function expectRules(fleet: Fleet, maxParallel: number): Promise<void> {
  expectFleetRules(await evidenceOfFleet(rehearsal.client, rehearsal.sandbox, fleet, { maxParallel, budget: BUDGET }));
}

test('one that waits for an endpoint host gives its slot to the one that the host belongs to', async () => {
  const owner = await provider('owner', 'shared', APPROVED);
  const other = await provider('other', 'shared');
  const fleet = await start('meeting', [owner, other], { maxParallel: 1, parkAfter: 1 });
  await fleet.providerWhen('owner', ({ state, cause }) => state === 'parked' && cause === 'waiting');
  await hasStartedAll(fleet);
  other.startedByWorkflow();
  await other.statusWhen(({ steps }) => steps.some(({ note }) => note?.startsWith('waits for shared') === true));

  await Promise.all([owner.operate(), other.operate()]);
  expect(await fleet.result()).toMatchObject({ state: 'completed', counts: { completed: 2 } });
  await expectRules(fleet, 1);
});

test('a pause stops one before its crossing and lets one past it finish; after a resume the first finishes', async () => {
  const before = await provider('before', 'before', APPROVED);
  const past = await provider('past', 'past');
  const crossing = hit(past, { system: 'operations', call: 'txn.Commit', kind: 'slow', delayMs: patience(1_000) });
  const fleet = await start('paused', [before, past], { maxParallel: 2 });
  await hasStartedAll(fleet);
  before.startedByWorkflow();
  past.startedByWorkflow();
  await before.statusWhen(({ gates }) => gates.some(({ step }) => step === 'approveCrossing'));
  await crossing;

  await fleet.say('pause');
  await before.statusWhen(({ fleet: member }) => member?.paused?.by === 'ana');
  const changed = changesOf(before);
  await before.workflow.executeUpdate('approveCrossing', { args: [{ by: 'bo', reason: 'agreed' }] });
  await before.statusWhen(({ state, crossed }) => state === 'paused' && !crossed);
  await past.operate();
  expect(await past.result()).toMatchObject({ to: '18.4.1' });
  expect(changesOf(before)).toEqual(changed);
  const one = await fleet.statusWhen(({ counts }) => counts.completed === 1);
  expect(one).toMatchObject({ state: 'paused', counts: { completed: 1, running: 1 } });

  await fleet.say('resume');
  await before.operate();
  expect(await fleet.result()).toMatchObject({ state: 'completed', counts: { completed: 2 } });
  expect(before.effects('packageImported')).toHaveLength(1);
  await expectRules(fleet, 2);
});
