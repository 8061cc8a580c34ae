/**
 * What others do to a provider while its upgrade waits: what is new is taken in where the procedure says "all", and what contradicts
 * holds before anything rests on it.
 *
 * @needs temporal
 */
import {
  addInstance,
  addPackage,
  addTemplate,
  reopenTemplate,
  setPackageEnabled,
} from '../../src/sandbox/world/growth';
import { createTask, processTask } from '../../src/sandbox/world/manual-acts';
import { completeGateway, gatewaySpec } from '../../src/sandbox/world/spec';
import type { Provider } from '../../src/sandbox/world/state';
import { aMoment } from '../kit/deadlines';
import { testInFull } from '../kit/extent';
import { Guard } from '../kit/handles/guard';
import { Rehearsal, type Settings, type Upgrade } from '../kit/rehearsal/rehearsal';

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await Rehearsal.start();
});
afterAll(async () => {
  await rehearsal?.close();
});

const isCrossing = ({ step }: { step: string }): boolean => step === 'approveCrossing';

/** An upgrade that stands before its crossing, with everybody at work but the approver. */
async function standing(
  id: string,
  settings: (provider: Provider) => Settings = () => ({}),
): Promise<{ upgrade: Upgrade; provider: Provider; operated: Promise<unknown> }> {
  const upgrade = await rehearsal.provider({ id, instances: 1, openTasks: 0 }, (provider) => ({
    approval: { beforeCrossing: true },
    ...settings(provider),
  }));
  await upgrade.start({ startedBy: 'ana' });
  const operated = upgrade.operate({ leaves: isCrossing });
  await upgrade.statusWhen(({ gates }) => gates.some(isCrossing));
  return { upgrade, provider: rehearsal.sandbox.world.provider(id), operated };
}

const approve = (upgrade: Upgrade) => upgrade.workflow.signal('approveCrossing', { by: 'anton', reason: 'agreed' });
const imported = (upgrade: Upgrade): boolean => upgrade.effects('packageImported').length > 0;
const holdOf = async (upgrade: Upgrade): Promise<string> =>
  (await upgrade.statusWhen(({ holds }) => holds.length > 0)).holds[0]?.problem ?? '';
const resolve = (upgrade: Upgrade, step: string, action: string) =>
  upgrade.workflow.signal('resolveHold', { step, action, by: 'bo', reason: 'seen to' });

test('what is added during the approval is upgraded, consented to, tested and guarded like the rest, and sold again at the end', async () => {
  const { upgrade, provider, operated } = await standing('grown');
  const { world } = rehearsal.sandbox;
  const added = addInstance(world, provider, { name: 'CSP late' });
  const offer = addTemplate(world, provider, 'Office 365 new offer');
  const [sold] = provider.templates;
  reopenTemplate(world, provider, sold?.templateId ?? 0);
  const task = createTask(world, provider, { name: 'Office 365: provision', status: 'Running', periodic: false });
  await approve(upgrade);

  await upgrade.statusWhen(() => !offer.active && sold?.active === false);
  expect(imported(upgrade)).toBe(false);
  processTask(world, provider, task.id);
  await operated;
  expect(await upgrade.result()).toMatchObject({ instances: 2, sites: 1 });
  expect(added).toMatchObject({ packageVersion: '18.4.1-12', status: 'Ready' });
  expect(offer.active && sold?.active).toBe(true);
  const guard = await Guard.of(rehearsal.client, 'grown', added.instanceId).status();
  expect(guard).toMatchObject({ state: 'valid', assumed: false });
});

testInFull(
  'what contradicts holds before the crossing, says what it is, and lets a person retry or go back',
  async () => {
    const { upgrade, provider, operated } = await standing('contradicted');
    const { world } = rehearsal.sandbox;
    addPackage(world, provider, '19.0-1');
    await approve(upgrade);
    expect(await holdOf(upgrade)).toMatch(/newerPackage: 19\.0-1 is enabled/);
    setPackageEnabled(world, provider, '19.0-1', false);
    addInstance(world, provider, { name: 'CSP DE', cloud: 'germany' });
    await resolve(upgrade, 'approveCrossing', 'retry');
    await upgrade.statusWhen(({ holds }) => holds.some(({ problem }) => /microsoftCloudGermany/.test(problem)));
    expect(imported(upgrade)).toBe(false);
    await resolve(upgrade, 'approveCrossing', 'rollback');
    await operated;
    expect((await upgrade.status()).state).toBe('rolledBack');
  },
);

testInFull('a gateway site that is added during the approval is set up before the import', async () => {
  const host = 'site-grown-gw-host-01';
  const parsed = { ...gatewaySpec.parse({ host }), packageVersion: '18.3-9' };
  const { hostname, ip } = completeGateway('site-grown', 'onward', 'Site-grown', parsed, 1);
  const { upgrade, provider, operated } = await standing('site-grown', ({ gateways }) => ({
    gatewayAddresses: Object.fromEntries([...gateways, { hostname, ip }].map((each) => [each.hostname, each.ip])),
  }));
  addInstance(rehearsal.sandbox.world, provider, { name: 'CSP late', gateway: { host } });
  await rehearsal.sandbox.hosts.refresh();
  await approve(upgrade);
  await operated;
  expect(await upgrade.result()).toMatchObject({ instances: 2, sites: 2 });
  expect(upgrade.effectCounts()).toMatchObject({ setupRan: 2, iisReset: 2, packageImported: 1 });
});

testInFull('an instance that is added after the crossing is brought along before the upgrade is over', async () => {
  const upgrade = await rehearsal.provider({ id: 'late', instances: 1, openTasks: 0 });
  await upgrade.start();
  const operated = upgrade.operate({ leaves: ({ item }) => item === 'controlPanel' });
  const { gates } = await upgrade.statusWhen((status) => status.gates.some(({ item }) => item === 'controlPanel'));
  const added = addInstance(rehearsal.sandbox.world, rehearsal.sandbox.world.provider('late'), { name: 'CSP late' });
  const gate = gates.find(({ item }) => item === 'controlPanel');
  await fetch(`${rehearsal.sandbox.urls.control('late')}customizations/controlPanel/update`, { method: 'POST' });
  await upgrade.workflow.signal('confirmStep', { ...gate?.answer.payload, by: 'bo', evidence: 'ticket 4711' });
  await operated;
  expect(await upgrade.result()).toMatchObject({ instances: 2 });
  expect(added).toMatchObject({ packageVersion: '18.4.1-12', status: 'Ready' });
});

testInFull('a task that is opened while it waits for a host is processed before setup.cmd', async () => {
  const host = 'awaited-host';
  const on = (id: string, settings: Settings = {}) =>
    rehearsal.provider({ id, instances: 1, openTasks: 0, gateways: [{ host }] }, settings);
  const first = await on('owner', { approval: { beforeCrossing: true } });
  const second = await on('waiter');
  await first.start({ startedBy: 'ana' });
  const operated = first.operate({ leaves: isCrossing });
  await first.statusWhen(({ gates }) => gates.some(isCrossing));
  await second.start();
  await second.statusWhen(({ awaitedHost }) => awaitedHost !== undefined);
  const { world } = rehearsal.sandbox;
  const waiter = world.provider('waiter');
  const task = createTask(world, waiter, { name: 'Office 365: provision', status: 'Running', periodic: false });
  await approve(first);
  await operated;
  const finished = second.operate();
  const looks = () => rehearsal.sandbox.journal.entries({ name: 'GET tasks', provider: 'waiter' }).length;
  for (const before = looks(); looks() < before + 2;) await aMoment();
  expect(second.effects('setupRan').filter((effect) => effect.includes('Waiter'))).toEqual([]);
  processTask(world, waiter, task.id);
  await finished;
  expect(await second.result()).toMatchObject({ to: '18.4.1' });
});
