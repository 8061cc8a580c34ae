/**
 * How a fleet goes through its waves: order, approvals, soak, slots, parking, what is frozen.
 *
 * @needs temporal
 */
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { FAILURE } from '../../src/contract/activities';
import { fleetWorkflowId, waveWorkflowId, type FleetInput, type FleetStatus } from '../../src/contract/fleet';
import { QUERY, type UpgradeStatus } from '../../src/contract/status';
import { statesSaid } from '../kit/handles/last-task';
import { barrier } from './barrier';
import type { Fleet } from '../kit/handles/fleet';
import { evidenceOfParts } from '../kit/judge/fleet-evidence';
import { testInFull } from '../kit/extent';
import { FleetWorld, upgradeWhen } from './fleet-world';
import { aMoment } from '../kit/deadlines';

let world: FleetWorld;
beforeAll(async () => {
  world = await FleetWorld.start();
});
afterAll(async () => {
  await world?.close();
});

const start = (name: string, ids: string[], input: Partial<FleetInput> = {}): Promise<Fleet> =>
  world.fleet({ name, startedBy: 'ana', providers: { ids }, ...input });
const stateOf = async (fleet: Fleet, id: string): Promise<string | undefined> =>
  (await fleet.providers()).find(({ provider }) => provider === id)?.state;

test('the plan, each wave and each soak have their turn, and nobody is started before', async () => {
  const ids = world.add('turn', 3, { from: '18.4' });
  const left = world.add('left', 1, { from: '18.4.1' });
  const silent = world.add('silent', 1, { survey: { unreachable: 'nobody answers' } });
  const fleet = await start('turns', [...ids, ...left, ...silent], {
    waves: [1, 'rest'],
    approval: { plan: true, waves: true },
    soak: 1,
  });
  expect(await fleet.statusWhen(({ state }) => state === 'planned')).toMatchObject({
    counts: { pending: 3 },
    leftOut: 2,
    asks: { what: 'plan', answer: { name: 'proceed' } },
  });
  expect(await fleet.plan()).toMatchObject({
    waves: [
      { wave: 1, providers: 1, parts: [waveWorkflowId('turns', 1, 1)] },
      { wave: 2, providers: 2 },
    ],
    leftOut: [
      { reason: 'it runs 18.4.1 already', providers: left },
      { reason: 'it cannot be reached: nobody answers', providers: silent },
    ],
  });
  expect(world.called('readOperations').filter((id) => ids.includes(id))).toEqual([]);

  await fleet.say('proceed');
  const { waves } = await fleet.statusWhen(({ state }) => state === 'waiting');
  expect(waves).toMatchObject([
    { state: 'done', counts: { completed: 1 } },
    { state: 'waiting', counts: { pending: 2 } },
  ]);
  const soaked = Date.now() - Date.parse(waves[0]?.endedAt ?? '');
  expect(soaked).toBeGreaterThanOrEqual(1000);
  expect(world.called('readOperations').filter((id) => ids.includes(id))).toEqual([ids[0]]);
  await fleet.say('proceed');
  expect(await fleet.refusal('proceed')).toMatch(/approved already|Nothing waits/);
  expect(await fleet.result()).toMatchObject({
    state: 'completed',
    counts: { completed: 3 },
    measured: { upgrades: 3, stepSeconds: { preflight: expect.any(Number) } },
  });
});

test('never more than maxParallel are at work, it can be changed meanwhile, and a pause starts nobody', async () => {
  const gates = new Map<string, ReturnType<typeof barrier>>();
  const ids = world.add('slots', 7, (index) => {
    const gate = barrier();
    gates.set(`slots-${index}`, gate);
    return { from: '18.4', change: { readBilling: async () => gate.pass().then(() => ({ templates: [] })) } };
  });
  const begun = (): string[] => world.called('readBilling').filter((id) => ids.includes(id));
  const fleet = await start('slots', ids, { waves: ['rest'], maxParallel: 2 });
  await world.until(() => begun().length === 2);
  // Upgrades are at work a moment before the fleet has heard of it.
  const two = await fleet.statusWhen(({ counts }) => counts.running === 2);
  expect(two).toMatchObject({ counts: { running: 2, pending: 5 } });

  await fleet.say('setMaxParallel', { maxParallel: 4 });
  await world.until(() => begun().length === 4);
  await fleet.say('pause');
  // A pause goes its way through the wave.
  await upgradeWhen(world, 'slots-1', ({ fleet: member }) => member?.paused?.by === 'ana');
  gates.get('slots-1')?.open();
  await fleet.statusWhen(({ counts }) => counts.running === 4 || counts.completed === 1);
  // Whoever is before the crossing comes to rest; who has not begun does not begin.
  await upgradeWhen(world, 'slots-1', ({ state, fleet: member }) => state === 'paused' && member?.paused?.by === 'ana');
  expect(begun()).toHaveLength(4);
  expect(await fleet.status()).toMatchObject({ state: 'paused', counts: { running: 4, pending: 3 } });
  expect(await fleet.refusal('pause')).toContain('Paused already');

  await fleet.say('setMaxParallel', { maxParallel: 1 });
  await fleet.say('resume');
  for (const id of ['slots-2', 'slots-3', 'slots-4']) gates.get(id)?.open();
  await fleet.statusWhen(({ counts }) => counts.completed === 4);
  await world.until(() => begun().length === 5);
  const last = await fleet.statusWhen(({ counts }) => counts.running === 1);
  expect(last).toMatchObject({ counts: { running: 1, pending: 2 } });
  for (const gate of gates.values()) gate.open();
  expect(await fleet.result()).toMatchObject({ counts: { completed: 7 } });
});

test('a provider that waits for people is parked, the fleet goes on without it, and it comes back with a slot', async () => {
  const gate = barrier();
  world.set('parks-1', { from: '18.4', unanswered: true });
  world.set('parks-2', {
    from: '18.4',
    change: { readBilling: async () => gate.pass().then(() => ({ templates: [] })) },
  });
  const fleet = await start('parks', ['parks-1', 'parks-2'], { waves: [1, 'rest'], maxParallel: 1, parkAfter: 1 });
  await fleet.statusWhen(({ counts }) => counts.parked === 1 && counts.running === 1);
  expect((await fleet.providers())[0]).toMatchObject({ state: 'parked', cause: 'waiting' });
  const { gates } = await upgradeWhen(world, 'parks-1', ({ gates: open }) => open.length > 0);
  await world.upgrade('parks-1').signal('confirmStep', { ...gates[0]?.answer.payload, by: 'olga', evidence: 'done' });
  // There is no slot until the other one has ended.
  await upgradeWhen(
    world,
    'parks-1',
    ({ state, fleet: member }) => state === 'paused' && member?.parkedSince !== undefined,
  );
  expect(await stateOf(fleet, 'parks-1')).toBe('parked');
  gate.open();
  expect(await fleet.result()).toMatchObject({ state: 'completed', counts: { completed: 2 } });
});

test('an upgrade whose wave somebody has ended by force goes on without it: nobody else would give it a slot', async () => {
  world.set('orphan-1', { from: '18.4', unanswered: true });
  const fleet = await start('orphans', ['orphan-1'], { waves: [1], parkAfter: 1 });
  const { gates } = await upgradeWhen(
    world,
    'orphan-1',
    ({ crossed, gates: open, fleet: member }) => crossed && open.length > 0 && member?.parkedSince !== undefined,
  );
  await fleet.statusWhen(({ counts }) => counts.parked === 1);
  await world.client.workflow.getHandle(waveWorkflowId('orphans', 1, 1)).terminate();
  await world.upgrade('orphan-1').signal('confirmStep', { ...gates[0]?.answer.payload, by: 'olga', evidence: 'done' });
  expect(await world.upgrade('orphan-1').result()).toMatchObject({ to: '18.4.1' });
  // Who has lost its wave finds that when it looks.
  await fleet.say('pause');
  await fleet.say('resume');
  expect(await fleet.result()).toMatchObject({ state: 'completed', counts: { failed: 1 } });
});

test('a provider whose entry is written anew after planning is refused, and nothing of it is looked at', async () => {
  const change = { notify: async () => undefined };
  world.set('rewritten-1', { settings: { plans: [101] }, change });
  const fleet = await start('rewritten', ['rewritten-1'], {
    waves: [1],
    approval: { plan: true },
    budget: { wave: 2, run: 2 },
  });
  await fleet.statusWhen(({ state }) => state === 'planned');
  world.set('rewritten-1', { settings: { plans: [102] }, change });
  await fleet.say('proceed');
  const member = await fleet.providerWhen('rewritten-1', ({ endedAt }) => endedAt !== undefined);
  expect(member).toMatchObject({
    state: 'failed',
    cause: FAILURE.entryChanged,
    problem: expect.stringContaining('changed since: plans') as string,
  });
  expect(world.called('readOperations')).not.toContain('rewritten-1');
  expect(await fleet.result()).toMatchObject({ counts: { failed: 1 } });
});

testInFull('runs that hand over to the next lose nothing of what arrives meanwhile', async () => {
  const ids = world.add('long', 12, { from: '18.4' });
  const fleet = await start('long', ids, { waves: [2, 'rest'], maxParallel: 3, historyLimit: 60 });
  const { runId } = await fleet.handle.describe();
  const senders = Array.from({ length: 30 }, (_, index) => `sender-${index}`);
  await Promise.all(
    senders.map((by) => fleet.handle.signal('setMaxParallel', { by, reason: 'a test', maxParallel: 4 })),
  );
  expect(await fleet.result()).toMatchObject({ state: 'completed', counts: { completed: 12 } });
  const heard = (await fleet.audit()).filter(({ what }) => what === 'signal:setMaxParallel').map(({ by }) => by);
  expect(heard.sort()).toEqual(senders.sort());
  const last = await fleet.handle.describe();
  expect(last.runId).not.toBe(runId);
  expect(last.historyLength).toBeLessThan(300);
});

testInFull('a paused fleet starts nobody, although slots become free, until somebody resumes', async () => {
  const gate = barrier();
  const importPackage = async () => gate.pass().then(() => ({ applicationId: 17, packageVersion: '18.4.1-12' }));
  const ids = world.add('free', 6, (index) => ({ from: '18.4', change: index <= 2 ? { importPackage } : {} }));
  const fleet = await start('free', ids, { waves: ['rest'], maxParallel: 2 });
  await world.until(() => world.called('importPackage').filter((id) => ids.includes(id)).length === 2);
  const toldTo = async (status: FleetStatus): Promise<string[]> => {
    const [part] = await evidenceOfParts(world.client, status);
    return (part?.events ?? []).flatMap((event) =>
      event.kind === 'report' ? [] : event.kind === 'start' ? ['start'] : [event.orders.paused ? 'pause' : 'go on'],
    );
  };
  await fleet.say('pause');
  // The wave hears of it a moment later, and may start somebody until then.
  while (!(await toldTo(await fleet.status())).includes('pause')) await aMoment();
  gate.open();
  await fleet.statusWhen(({ counts }) => counts.completed === 2);
  expect(await fleet.status()).toMatchObject({ state: 'paused', counts: { pending: 4 } });
  await fleet.say('resume');
  const told = await toldTo(await fleet.result());
  const paused = told.indexOf('pause');
  const resumed = told.indexOf('go on', paused);
  expect(told.slice(0, paused).filter((what) => what === 'start')).toHaveLength(2);
  expect(told.slice(paused, resumed)).not.toContain('start');
  expect(told.slice(resumed).filter((what) => what === 'start')).toHaveLength(4);
});

/** So large that a part of a wave holds but one. */
const LARGE = { labels: { note: 'x'.repeat(132 * 1024) } };

testInFull.each([
  ['a wave', 'one-part', {}, 12, waveWorkflowId('one-part', 1, 1)],
  ['a fleet', 'many-parts', LARGE, 8, fleetWorkflowId('many-parts')],
])('no end that is told while %s continues as new is lost', async (_, name, settings, count, hears) => {
  const gate = barrier();
  const importPackage = async () => gate.pass().then(() => ({ applicationId: 17, packageVersion: '18.4.1-12' }));
  const ids = world.add(name, count, { from: '18.4', settings, change: { importPackage } });
  const fleet = await start(name, ids, { waves: ['rest'], maxParallel: count, historyLimit: 20 });
  await world.until(() => world.called('importPackage').filter((id) => ids.includes(id)).length === count);
  // From here on all of them end at once, and are heard by runs that are about to hand over to the next.
  gate.open();
  expect(await fleet.result()).toMatchObject({ state: 'completed', counts: { completed: count } });
  const { runId, raw } = await world.client.workflow.getHandle(hears).describe();
  expect(runId).not.toBe(raw.workflowExecutionInfo?.firstRunId);
  expect((await fleet.status()).waves[0]?.parts).toHaveLength(settings === LARGE ? count : 1);
  // Only an upgrade itself can say this of its end; a look finds no more than that it has ended.
  for (const provider of await fleet.providers())
    expect(provider).toMatchObject({ state: 'completed', stepSeconds: { preflight: expect.any(Number) } });
});

testInFull('a fleet, its wave and its upgrades say that they are over when they close, and not before', async () => {
  const refuses = async () => {
    throw ApplicationFailure.nonRetryable('no room', FAILURE.rejected);
  };
  const ids = world.add('over', 2, (index) => ({ from: '18.4', change: index === 2 ? { stagePackage: refuses } : {} }));
  const fleet = await start('over', ids, { waves: ['rest'], budget: { wave: 2, run: 2 } });
  await fleet.result();
  const members = await fleet.providers();
  const [well, badly] = ids.map((id) => world.upgrade(id));
  const wave = world.client.workflow.getHandle(waveWorkflowId('over', 1, 1));
  // The fleet has heard that they are over a moment before they close.
  await Promise.allSettled([wave.result(), well?.result(), badly?.result()]);
  for (const [workflow, state] of [
    [fleet.handle, 'completed'],
    [wave, 'done'],
    [well, 'completed'],
    [badly, 'rolledBack'],
  ] as const) {
    const { before, whenItClosed } = statesSaid((await workflow?.fetchHistory()) ?? {});
    expect(whenItClosed).toEqual([state]);
    expect(before).not.toContain(state);
  }
  // The wave hears of the end before it is over, and hears the same.
  for (const [index, state] of ['completed', 'failed'].entries()) {
    const { endedAt } = (await world.upgrade(ids[index] ?? '').query<UpgradeStatus>(QUERY.status)) ?? {};
    expect(members[index]).toMatchObject({ state, endedAt });
  }
});

testInFull('two fleets, or a fleet and a single start, never upgrade one provider at once', async () => {
  const gate = barrier();
  const change = { readBilling: async () => gate.pass().then(() => ({ templates: [] })) };
  const ids = world.add('shared', 2, { from: '18.4', change });
  await world.startAlone('shared-1');
  await world.until(() => world.called('readBilling').includes('shared-1'));
  const one = await start('one', ids, { waves: ['rest'] });
  await world.until(() => world.called('readBilling').includes('shared-2'));
  const other = await start('other', ids, { waves: ['rest'] });
  expect(await other.result()).toMatchObject({ state: 'completed', counts: { skipped: 2 } });
  expect((await other.providers()).map(({ problem }) => problem)).toEqual([
    expect.stringContaining('Another upgrade of it is running'),
    expect.stringContaining('Another upgrade of it is running'),
  ]);
  gate.open();
  expect(await one.result()).toMatchObject({ counts: { completed: 1, skipped: 1 } });
});

test('input that is not usable is refused with every problem, before anything is looked at', async () => {
  const fleet = await start('bad', [], {
    startedBy: '',
    waves: ['rest', 1] as never,
    maxParallel: 0,
    budget: { wave: '110%' },
  });
  const error: unknown = await fleet.result().catch((failure: unknown) => failure);
  const cause = error instanceof WorkflowFailedError ? error.cause : undefined;
  expect(cause).toMatchObject({ type: FAILURE.invalidInput });
  for (const problem of [/startedBy: /, /providers\.ids: /, /waves: rest may only/, /maxParallel: /, /budget\.wave: /])
    expect(cause?.message).toMatch(problem);
  const { events } = await fleet.handle.fetchHistory();
  const looks = events?.flatMap(({ activityTaskScheduledEventAttributes: look }) => look?.activityType?.name ?? []);
  expect(looks).toEqual([]);
});
