/**
 * A release that only this test's catalogue knows (test/kit/releases/18.5): alone, after 18.4.1, beside it in a fleet, and
 * undone. The sandbox judges.
 *
 * @needs temporal
 */
import { once } from 'node:events';
import { Fleet } from '../kit/handles/fleet';
import { timings } from '../kit/deadlines';
import { NEXT_RELEASE } from '../kit/releases';
import { Rehearsal, type Settings, type Upgrade } from '../kit/rehearsal/rehearsal';

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await Rehearsal.start({ knows: NEXT_RELEASE });
});
afterAll(async () => {
  await rehearsal?.close();
});

const APPROVED: Settings = { approval: { beforeCrossing: true } };

async function provider(id: string, sourceVersion: string, settings: Settings = {}): Promise<Upgrade> {
  const host = `${id}-host`;
  return await rehearsal.provider({ id, sourceVersion, instances: 2, gateways: [{ host }, { host }] }, settings);
}

/** What setup.cmd has left on each gateway site. */
const versionsOf = async (upgrade: Upgrade): Promise<unknown[]> =>
  (await upgrade.state()).gateways.map(({ state }) => (state as { versions: string[] }).versions.join(', '));

test('a provider goes from 18.3 to 18.4.1 and on to 18.5; a second upgrade that is undone restores the files of the first', async () => {
  const first = await provider('chain', '18.3', APPROVED);
  await first.start({ startedBy: 'ana' });
  await first.operate();
  expect(await first.result()).toMatchObject({ from: '18.3', to: '18.4.1' });
  const between = await first.state();
  expect(await versionsOf(first)).toEqual(['18.4.1.12', '18.4.1.12']);

  const second = await rehearsal.nextUpgrade(first);
  await second.start({ to: '18.5', startedBy: 'ana' });
  const operating = second.operate({ leaves: ({ step }) => step === 'approveCrossing' });
  await second.statusWhen(({ gates }) => gates.some(({ step }) => step === 'approveCrossing'));
  expect(await versionsOf(second)).toEqual(['18.5.0.2', '18.5.0.2']);
  await second.workflow.signal('abort', { by: 'bo', reason: 'not today' });
  await operating;
  await expect(second.result()).rejects.toMatchObject({
    cause: {
      type: 'Aborted',
      message: expect.stringContaining('What stays, as far as it was done: installRuntime') as string,
    },
  });
  expect(await versionsOf(second)).toEqual(['18.4.1.12', '18.4.1.12']);
  expect(await second.state()).toMatchObject({ templates: between.templates, synchronisation: 'on' });
  expect(await second.status()).toMatchObject({ state: 'rolledBack', notUndone: [], switchedOff: [] });

  const third = await rehearsal.nextUpgrade(second);
  await third.start({ to: '18.5', startedBy: 'ana' });
  await third.operate({ decides: () => 'decline' });
  expect(await third.result()).toMatchObject({ from: '18.4.1', to: '18.5', packageVersion: '18.5-2', instances: 2 });
  expect(await versionsOf(third)).toEqual(['18.5.0.2', '18.5.0.2']);
  const { steps } = await third.status();
  expect(steps.find(({ name }) => name === 'clearPanelCache')).toMatchObject({ state: 'skipped' });
  expect(steps.find(({ name }) => name === 'announceNewPlans')).toMatchObject({ state: 'declined' });
  // Once is enough: the script has found what the second upgrade left.
  expect(third.effectCounts()).not.toHaveProperty('hostRestarted');
  expect(third.effectCounts()).not.toHaveProperty('templateDeactivated');
});

test('a host is restarted in mid-step, and its worker is away for longer than it may take to answer', async () => {
  const { hostAnswer } = timings({ hostAnswer: 5 });
  await rehearsal.close();
  rehearsal = await Rehearsal.start({ knows: NEXT_RELEASE, hostRestartMs: (hostAnswer + 1) * 1000 });
  const upgrade = await provider('away', '18.4.1', { timings: { hostAnswer } });
  const down = once(rehearsal.sandbox.hosts.restarts, 'down');
  await upgrade.start();
  const operating = upgrade.operate();
  await down;
  await operating;
  expect(await upgrade.result()).toMatchObject({ from: '18.4.1', to: '18.5' });
  expect(upgrade.effectCounts()).toMatchObject({
    prerequisiteInstalled: 1,
    hostRestarted: 1,
    synchronisationStopped: 1,
    synchronisationStarted: 1,
    setupRan: 2,
    packageImported: 1,
    instanceUpgraded: 2,
  });
});

test('below platform 8.0 there is one step more, and the plan says so', async () => {
  const host = 'old-platform-host';
  const upgrade = await rehearsal.provider({
    id: 'old-platform',
    sourceVersion: '18.4.1',
    build: 'oa-7.4-2210',
    instances: 1,
    gateways: [{ host }],
  });
  await upgrade.start();
  await upgrade.operate();
  await upgrade.result();
  const { steps } = await upgrade.status();
  expect(steps.find(({ name }) => name === 'clearPanelCache')).toMatchObject({ state: 'done' });
  const plan = await upgrade.workflow.query<{ steps: { name: string; requirement: string; applies?: boolean }[] }>(
    'plan',
  );
  expect(plan.steps.find(({ name }) => name === 'clearPanelCache')).toMatchObject({
    requirement: 'conditional',
    applies: true,
  });
  expect(plan.steps.find(({ name }) => name === 'announceNewPlans')).toMatchObject({ requirement: 'optional' });
});

test('in one fleet each provider goes to its own next release', async () => {
  const older = await provider('older', '18.3');
  const newer = await provider('newer', '18.4.1');
  const fleet = await Fleet.start(rehearsal.client, {
    name: 'mixed',
    startedBy: 'ana',
    providers: { ids: ['older', 'newer'] },
    waves: ['rest'],
  });
  for (const [upgrade, id] of [
    [older, 'older'],
    [newer, 'newer'],
  ] as const) {
    await fleet.providerWhen(id, ({ startedAt }) => startedAt !== undefined);
    upgrade.startedByWorkflow();
  }
  await Promise.all([older.operate(), newer.operate()]);
  expect(await fleet.result()).toMatchObject({ state: 'completed', counts: { completed: 2 } });
  expect(await older.result()).toMatchObject({ from: '18.3', to: '18.4.1' });
  expect(await newer.result()).toMatchObject({ from: '18.4.1', to: '18.5' });
});
