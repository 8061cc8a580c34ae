import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { providerProfile } from '../../src/contract/provider';
import { startSandbox, type Sandbox } from '../../src/sandbox/server';
import { sim, succeed } from './clients';
import { standInHosts } from './stand-in-hosts';
import { SIMULATED_RELEASES } from '../../workflows/releases';

const hosts = standInHosts();
let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox({ releases: SIMULATED_RELEASES, hosts: hosts.register, timings: { drainMs: 600_000 } });
});
afterEach(() => sandbox.close());

interface Shown {
  id: number;
  name: string;
  status: string;
  periodic: boolean;
}
interface Tested {
  success: boolean;
  checks: { name: string; ok: boolean; message?: string }[];
}
const tasks = async (provider: string) => (await sim<Shown[]>(sandbox, 'GET', `providers/${provider}/tasks`)).body;
const officeTasks = async (provider: string) =>
  (await tasks(provider)).filter(({ name, periodic }) => name.includes('Office') && !periodic);
const advance = (body: object) => sim(sandbox, 'POST', 'clock', body);

test('drains Office 365 tasks one after another, but only when provisioning has stopped', async () => {
  await advance({ advanceMs: 60_000 });
  expect(await officeTasks('contoso')).toHaveLength(3);
  for (const { templateId, active, appIds } of sandbox.world.provider('contoso').templates) {
    if (active && appIds.length > 0) await succeed(sandbox, 'contoso', 'pem.deactivateST', { st_id: templateId });
  }
  await advance({ advanceMs: 900_000 });
  expect(await officeTasks('contoso')).toHaveLength(2);
  await advance({ advanceMs: 1_200_000 });
  expect(await officeTasks('contoso')).toHaveLength(0);
  expect((await tasks('contoso')).filter(({ periodic }) => periodic)).toHaveLength(1);
  expect(await officeTasks('fabrikam')).toHaveLength(3);
  expect(sandbox.journal.entries({ name: 'taskProcessed', provider: 'contoso' })).toHaveLength(3);
});

test('keeps a late or failed task open until somebody processes it', async () => {
  const { body } = await sim<{ id: number }>(sandbox, 'POST', 'providers/contoso/tasks', {
    name: 'Office 365: assign license',
    status: 'Failed',
  });
  await advance({ advanceDays: 2 });
  expect((await officeTasks('contoso')).map(({ id }) => id)).toContain(body.id);
  await sim(sandbox, 'POST', `providers/contoso/tasks/${body.id}/process`);
  expect((await officeTasks('contoso')).map(({ id }) => id)).not.toContain(body.id);
  expect((await sim(sandbox, 'POST', `providers/contoso/tasks/${body.id}/process`)).status).toBe(404);
});

test('does not let two providers see or change each other', async () => {
  const before = await sandbox.state('fabrikam');
  const own = sandbox.world.provider('contoso').templates[0]?.templateId ?? 0;
  await succeed(sandbox, 'contoso', 'pem.deactivateST', { st_id: own });
  await expect(succeed(sandbox, 'fabrikam', 'pem.deactivateST', { st_id: own })).rejects.toThrow('does not exist');
  expect(await sandbox.state('fabrikam')).toEqual(before);
  expect((await sim(sandbox, 'GET', 'providers/tailspin/tasks')).status).toBe(404);
});

test('fails the connection test of an upgraded 18.3 instance until the right tenant has consented', async () => {
  const [instance] = sandbox.world.provider('contoso').instances;
  if (!instance) throw new Error('contoso has no instance');
  const at = `providers/contoso/instances/${instance.resourceId}`;
  const test = async () => (await sim<Tested>(sandbox, 'GET', `${at}/testConnection`)).body;
  const consent = (body: object) => sim(sandbox, 'POST', `${at}/consent`, body);
  expect((await test()).success).toBe(true);
  expect((await consent({})).status).toBe(409);

  // What the upgrade does to it (release notes: all user credentials are erased).
  Object.assign(instance, { packageVersion: '18.4.1-12', storedUser: false });
  expect((await test()).checks.map(({ ok }) => ok)).toEqual([false, false]);
  await consent({ denied: true });
  expect((await test()).success).toBe(false);
  await consent({ tenant: 'stranger.onmicrosoft.com' });
  expect((await test()).checks[0]?.message).toContain('stranger.onmicrosoft.com');
  await consent({ mfa: false });
  expect((await test()).checks.map(({ ok }) => ok)).toEqual([false, true]);
  await consent({});
  expect((await test()).success).toBe(true);
  await advance({ advanceDays: 90 });
  expect((await test()).checks[0]?.message).toContain('expired');
});

test('has refresh tokens already where it starts from 18.4', async () => {
  const [instance] = sandbox.world.provider('fabrikam').instances;
  const { body } = await sim<Tested>(
    sandbox,
    'GET',
    `providers/fabrikam/instances/${instance?.instanceId}/testConnection`,
  );
  expect(body.success).toBe(true);
});

test('shows the removed parameter in a store only after the store was synchronised', async () => {
  const { billingTemplates } = sandbox.world.provider('contoso');
  for (const { serviceTemplateId, parameters } of billingTemplates) {
    if (parameters.length === 0) continue;
    await sim(
      sandbox,
      'DELETE',
      `providers/contoso/serviceTemplates/${serviceTemplateId}/parameters/o365_based_on_email`,
    );
  }
  const asking = async () =>
    (await sandbox.state('contoso')).stores
      .filter(({ asksFor }) => asksFor.includes('o365_based_on_email'))
      .map(({ id }) => id);
  expect(await asking()).toEqual(['main', 'partner']);
  await sim(sandbox, 'POST', 'providers/contoso/stores/main/synchronise');
  expect(await asking()).toEqual(['partner']);
  expect((await sim(sandbox, 'POST', 'providers/contoso/stores/old/synchronise')).status).toBe(409);
});

test('updates a customization once', async () => {
  const update = () => sim(sandbox, 'POST', 'providers/contoso/customizations/controlPanel/update');
  // Only a new version brings a new customization.
  expect((await update()).status).toBe(409);
  const { txn_id } = await succeed<{ txn_id: number }>(sandbox, 'contoso', 'txn.Begin', { request_id: 'import' });
  const package_url = sandbox.urls.package('18.4.1');
  await succeed(sandbox, 'contoso', 'pem.APS.importPackage', { txn_id, package_url });
  await succeed(sandbox, 'contoso', 'txn.Commit', { txn_id });
  expect((await update()).status).toBe(200);
  expect((await update()).status).toBe(409);
  expect((await sandbox.state('contoso')).customizations.controlPanel).toBe('18.4.1');
  expect(sandbox.journal.entries({ name: 'customizationUpdated' })).toHaveLength(1);
});

test('puts sites of two providers on one host, and refuses two sites of one name there', async () => {
  await sandbox.addProvider({ id: 'guest', gateways: [{ host: 'gw-host-01' }] });
  const shared = sandbox.world.hosts().find(({ name }) => name === 'gw-host-01');
  expect(shared?.sites.flatMap(({ applications }) => applications.map(({ provider }) => provider))).toEqual([
    'contoso',
    'contoso',
    'guest',
  ]);
  const taken = { id: 'rude', gateways: [{ host: 'gw-host-01', site: 'Contoso Office365 Gateway 01' }] };
  const { status, body } = await sim<{ message: string }>(sandbox, 'POST', 'providers', taken);
  expect(status).toBe(409);
  expect(body.message).toContain("belongs to 'contoso'");
});

test('builds large providers without using an id twice', async () => {
  await sandbox.addProvider({ id: 'large', instances: 60, gateways: 4, openTasks: 150, otherTemplates: 5 });
  const { instances, templates, billingTemplates, plans, tasks: open } = sandbox.world.provider('large');
  const ids: (number | string)[][] = [
    instances.map(({ instanceId }) => instanceId),
    instances.map(({ name }) => name),
    templates.map(({ templateId }) => templateId),
    billingTemplates.map(({ serviceTemplateId }) => serviceTemplateId),
    plans.map(({ planId }) => planId),
    open.map(({ id }) => id),
  ];
  expect(ids.map((list) => new Set<number | string>(list).size)).toEqual([60, 60, 66, 61, 61, 152]);
});

test('has imported 18.4.1 already for a provider some of whose instances run it', async () => {
  const upgraded = { name: 'CSP North', packageVersion: '18.4.1-12', gateway: 1 };
  await sandbox.addProvider({ id: 'mixed', gateways: 2, instances: [{ name: 'CSP South', gateway: 0 }, upgraded] });
  const { packages, instances, gateways } = await sandbox.state('mixed');
  expect(packages).toEqual(['18.3-9', '18.4.1-12']);
  expect(instances.map(({ packageVersion }) => packageVersion)).toEqual(['18.3-9', '18.4.1-12']);
  expect(gateways.map(({ state }) => state)).toEqual([{ version: '18.3' }, { version: '18.4.1' }]);
});

test('names every problem of a provider that cannot be built', async () => {
  const { status, body } = await sim<{ message: string }>(sandbox, 'POST', 'providers', {
    id: 'Not Plain',
    instances: -1,
  });
  expect(status).toBe(400);
  expect(body.message).toContain('id:');
  expect(body.message).toContain('instances');
});

test('writes inventory entries that fit the contract and hold no password', async () => {
  await sandbox.addProvider({ id: 'guarded', operationsLogin: { user: 'api', password: 'swordfish' } });
  const directory = mkdtempSync(path.join(os.tmpdir(), 'inventory-'));
  try {
    const files = sandbox.writeInventory(directory, { approval: { beforeCrossing: true } });
    expect(files.map((file) => path.basename(file))).toEqual(['contoso.yaml', 'fabrikam.yaml', 'guarded.yaml']);
    expect(sandbox.writeInventory(path.join(directory, 'one'), {}, ['fabrikam'])).toHaveLength(1);
    const profiles = files.map((file) => providerProfile.parse(parse(readFileSync(file, 'utf8'))));
    expect(profiles[0]).toMatchObject({ provider: 'contoso', approval: { beforeCrossing: true } });
    expect(profiles[0]?.endpointHosts).toHaveLength(1);
    expect(profiles[0]?.stores.map(({ id }) => id)).toEqual(['main', 'partner']);
    expect(Object.keys(profiles[0]?.gatewayAddresses ?? {})).toHaveLength(2);
    const guarded = readFileSync(files[2] ?? '', 'utf8');
    expect(guarded).not.toContain('swordfish');
    const reference = profiles[2]?.operations.password?.replace('file:', '') ?? '';
    expect(readFileSync(reference, 'utf8')).toBe('swordfish');
  } finally {
    rmSync(directory, { recursive: true });
  }
});
