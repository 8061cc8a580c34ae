/**
 * What a fleet does when providers break, when somebody aborts it, and when an upgrade dies without a word.
 *
 * @needs temporal
 */
import { ApplicationFailure } from '@temporalio/common';
import { FAILURE } from '../../src/contract/activities';
import type { FleetInput } from '../../src/contract/fleet';
import { barrier } from './barrier';
import type { Fleet } from '../kit/handles/fleet';
import { testInFull } from '../kit/extent';
import { FleetWorld, upgradeWhen, type StubProvider } from './fleet-world';

let world: FleetWorld;
beforeAll(async () => {
  world = await FleetWorld.start();
});
afterAll(async () => {
  await world?.close();
});

const fails = (type: string) => async (): Promise<never> => {
  throw ApplicationFailure.nonRetryable('it says no', type);
};
const FAILED: StubProvider = { from: '18.4', change: { deactivateTemplates: fails(FAILURE.rejected) } };
const SILENT: StubProvider = { from: '18.4', change: { readBilling: fails(FAILURE.unreachable) } };
const HELD: StubProvider = { ...FAILED, settings: { onFailureBeforeCrossing: 'hold' } };

const start = (name: string, ids: string[], input: Partial<FleetInput> = {}): Promise<Fleet> =>
  world.fleet({ name, startedBy: 'ana', providers: { ids }, waves: ['rest'], ...input });
const halts = (fleet: Fleet) => fleet.statusWhen(({ state }) => state === 'halted');

test.each([
  ['failed', FAILED, { failed: 2 }],
  ['unreachable', SILENT, { unreachable: 2 }],
  ['held', HELD, { held: 2 }],
])(
  'a budget that is spent by providers that are %s starts nobody else and waits for a decision',
  async (what, broken, counts) => {
    const ids = world.add(`spent-${what}`, 8, (index) => (index <= 2 ? broken : { from: '18.4' }));
    const fleet = await start(`spent-${what}`, ids, { maxParallel: 1, budget: { wave: 2, run: 5 }, parkAfter: 1 });
    const status = await halts(fleet);
    expect(status.asks).toMatchObject({ what: 'budget', answer: { name: 'decideBudget' } });
    // A held provider keeps its slot until it parks, and stays broken.
    const { counts: now, waves } = await fleet.statusWhen(({ counts: { running } }) => running === 0);
    expect(waves[0]?.budget).toEqual({ allowed: 2, broken: 2 });
    expect(now.pending).toBeGreaterThanOrEqual(5);
    expect({ ...now, held: now.held + now.parked }).toMatchObject(counts);
    expect(await fleet.refusal('decideBudget', { action: 'continue', wave: 2 })).toContain('would halt again');
    expect(await fleet.refusal('decideBudget', { action: 'continue' })).toContain('needs a new budget');
    await fleet.say('decideBudget', { action: 'stop' });
    for (const id of what === 'held' ? ids.slice(0, 2) : [])
      await world
        .upgrade(id)
        .signal('resolveHold', { step: 'stopProvisioning', action: 'rollback', by: 'olga', reason: 'no' });
    const end = await fleet.result();
    expect(end).toMatchObject({ state: 'stopped' });
    expect(end.counts.completed + end.counts.skipped).toBe(6);
    expect(end.counts.skipped).toBeGreaterThanOrEqual(5);
  },
);

testInFull(
  'with a new budget the fleet goes on, the rest of a wave can be skipped, and every answer is in the audit trail once',
  async () => {
    const gate = barrier();
    const NEXT: StubProvider = { from: '18.4', change: { awaitTasksProcessed: () => gate.pass() } };
    const ids = world.add('decided', 7, (index) =>
      index === 4 ? NEXT : [1, 3].includes(index) ? FAILED : { from: '18.4' },
    );
    const fleet = await start('decided', ids, {
      waves: [1, 3, 'rest'],
      maxParallel: 1,
      budget: { wave: 1, run: '100%' },
    });
    await halts(fleet);
    await fleet.say('decideBudget', { action: 'continue', wave: 2 });
    // The third of all is the second of the second wave.
    await fleet.statusWhen(({ waves }) => waves[1]?.state !== 'pending');
    const second = fleet.statusWhen(({ counts }) => counts.failed === 2);
    await second;
    expect(await fleet.refusal('decideBudget', { action: 'skipRest' })).toContain('not spent');
    gate.open();
    const end = await fleet.result();
    expect(end).toMatchObject({ state: 'completed', counts: { completed: 5, failed: 2 } });
    const answers = (await fleet.audit()).filter(({ what }) => what.startsWith('update:'));
    expect(answers.map(({ verdict }) => verdict)).toEqual(['accepted', 'refused']);

    const others = world.add('skipped', 6, (index) => (index === 1 ? FAILED : { from: '18.4' }));
    const skipping = await start('skipping', others, {
      waves: [3, 'rest'],
      maxParallel: 1,
      budget: { wave: 1, run: 4 },
    });
    await halts(skipping);
    await skipping.say('decideBudget', { action: 'skipRest' });
    expect(await skipping.result()).toMatchObject({
      state: 'completed',
      counts: { failed: 1, skipped: 2, completed: 3 },
      waves: [{ counts: { failed: 1, skipped: 2 } }, { counts: { completed: 3 } }],
    });
  },
);

test('an abort rolls back who has not crossed, lets others finish, and starts nobody else', async () => {
  const before = barrier();
  const after = barrier();
  world.set('aborted-1', {
    from: '18.4',
    change: { awaitTasksProcessed: () => before.pass() },
  });
  world.set('aborted-2', {
    from: '18.4',
    change: {
      importPackage: async () => after.pass().then(() => ({ applicationId: 17, packageVersion: '18.4.1-12' })),
    },
  });
  world.set('aborted-3', { from: '18.4' });
  const fleet = await start('aborted', ['aborted-1', 'aborted-2', 'aborted-3'], { maxParallel: 2 });
  await world.until(() => world.called('awaitTasksProcessed').includes('aborted-1'));
  await world.until(() => world.called('importPackage').includes('aborted-2'));
  await fleet.say('abort');
  await fleet.statusWhen(({ counts }) => counts.failed === 1 && counts.skipped === 1);
  after.open();
  expect(await fleet.result()).toMatchObject({ state: 'aborted', counts: { completed: 1, failed: 1, skipped: 1 } });
  expect((await fleet.providers())[0]).toMatchObject({ cause: FAILURE.aborted });
  expect(world.calls.filter(({ provider }) => provider === 'aborted-1').map(({ name }) => name)).toContain(
    'activateTemplates',
  );
  before.open();
});

testInFull('a cancelled fleet aborts', async () => {
  const gate = barrier();
  world.set('cancelled-1', { from: '18.4', change: { awaitTasksProcessed: () => gate.pass() } });
  const fleet = await start('cancelled', ['cancelled-1']);
  await world.until(() => world.called('awaitTasksProcessed').includes('cancelled-1'));
  await fleet.handle.cancel();
  expect(await fleet.result()).toMatchObject({ state: 'aborted', counts: { failed: 1 } });
  gate.open();
});

testInFull('an upgrade that somebody has terminated is found when the fleet is resumed, and so is a wave', async () => {
  const gate = barrier();
  const ids = world.add('terminated', 2, {
    from: '18.4',
    change: { awaitTasksProcessed: () => gate.pass() },
  });
  const fleet = await start('terminated', ids, { budget: { wave: '100%', run: '100%' } });
  await world.until(() => world.called('awaitTasksProcessed').filter((id) => ids.includes(id)).length === 2);
  await world.upgrade('terminated-1').terminate();
  await fleet.say('pause');
  await fleet.say('resume');
  await fleet.statusWhen(({ counts }) => counts.failed === 1);
  expect((await fleet.providers())[0]).toMatchObject({ state: 'failed', cause: 'Terminated' });

  // Once the pause has gone through the wave: a fleet that cannot tell its wave of it looks at once, and ends before it is resumed.
  await fleet.say('pause', { by: 'bo' });
  await upgradeWhen(world, 'terminated-2', ({ fleet: member }) => member?.paused?.by === 'bo');
  const { waves } = await fleet.status();
  await world.client.workflow.getHandle(waves[0]?.parts[0] ?? '').terminate();
  await fleet.say('resume');
  expect(await fleet.result()).toMatchObject({ state: 'completed', counts: { failed: 2 } });
  await world.upgrade('terminated-2').terminate();
  gate.open();
});

describe('a maintenance window of a member', () => {
  const hours = (from: number, to: number): object => {
    const at = (hour: number): string => new Date(Date.now() + hour * 3_600_000).toISOString().slice(11, 16);
    return {
      timeZone: 'UTC',
      windows: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: at(from), to: at(to) }],
      afterCrossing: 1,
    };
  };

  test('that is closed keeps every change back and gives the slot away, until somebody opens it', async () => {
    world.set('closed-1', { from: '18.4', settings: { maintenance: hours(3, 5) } });
    world.set('closed-2', { from: '18.4', settings: { maintenance: hours(-2, 2) } });
    const fleet = await start('closed', ['closed-1', 'closed-2'], { maxParallel: 1 });
    await fleet.statusWhen(({ counts }) => counts.parked === 1 && counts.completed === 1);
    expect((await fleet.providers())[0]).toMatchObject({ state: 'parked', cause: 'waitingForWindow' });
    const { window } = await upgradeWhen(world, 'closed-1', ({ state }) => state === 'waitingForWindow');
    expect(Date.parse(window?.opensAt ?? '')).toBeGreaterThan(Date.now() + 2 * 3_600_000);
    expect(world.called('deactivateTemplates')).not.toContain('closed-1');
    // The wave is not done: who waits for its window is not done either.
    expect((await fleet.status()).waves[0]?.state).toBe('running');
    await world.upgrade('closed-1').signal('overrideWindow', { by: 'olga', reason: 'agreed with the provider' });
    expect(await fleet.result()).toMatchObject({ counts: { completed: 2 } });
  });

  test('is that of the fleet where the entry has none', async () => {
    world.set('default-1', { from: '18.4' });
    const fleet = await start('default-window', ['default-1'], { maintenance: hours(3, 5) as never });
    await fleet.statusWhen(({ counts }) => counts.parked === 1);
    await fleet.say('abort');
    expect(await fleet.result()).toMatchObject({ state: 'aborted', counts: { failed: 1 } });
  });
});
