import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startSandbox, type SandboxOptions } from '../../src/sandbox/server';
import { apsToken, aps, sim, succeed, until } from './clients';
import { standInHosts } from './stand-in-hosts';
import { SIMULATED_RELEASES } from '../../workflows/releases';

let dataDirectory: string;
beforeEach(() => {
  dataDirectory = mkdtempSync(path.join(os.tmpdir(), 'sandbox-test-'));
});
afterEach(() => rmSync(dataDirectory, { recursive: true }));

test('goes on after a restart where it was: state, open tasks, clock, journal and authority', async () => {
  const hosts = standInHosts();
  hosts.upgradeAll('18.4.1');
  const options: SandboxOptions = {
    releases: SIMULATED_RELEASES,
    dataDirectory,
    hosts: hosts.register,
    timings: { importMs: 0, relationsMs: 300 },
  };
  const first = await startSandbox(options);
  const template = first.world.provider('contoso').templates[0]?.templateId ?? 0;
  await succeed(first, 'contoso', 'pem.deactivateST', { st_id: template });
  const { txn_id } = await succeed<{ txn_id: number }>(first, 'contoso', 'txn.Begin', { request_id: 'import' });
  await succeed(first, 'contoso', 'pem.APS.importPackage', { txn_id, package_url: first.urls.package('18.4.1') });
  await succeed(first, 'contoso', 'txn.Commit', { txn_id });
  await sim(first, 'POST', 'clock', { advanceDays: 1 });
  const before = await first.state('contoso');
  const now = first.world.now();
  await first.close();

  const second = await startSandbox(options);
  try {
    expect(await second.state('contoso')).toEqual(before);
    expect(second.world.now()).toBeGreaterThanOrEqual(now);
    expect(second.journal.entries({ name: 'packageImported' })).toHaveLength(1);
    const sequence = second.journal.entries().map(({ seq }) => seq);
    expect(sequence).toEqual(sequence.map((_, index) => index + 1));
    const [instance] = second.world.provider('contoso').instances;
    const application_instance_id = instance?.instanceId ?? 0;
    await until(
      () => succeed<{ request_status: number }>(second, 'contoso', 'pem.getRequestStatus', { request_id: 'import' }),
      ({ request_status }) => request_status === 0,
    );
    await succeed(second, 'contoso', 'pem.APS.upgradeApplicationInstance', { application_instance_id });
    expect((await aps(second, 'contoso', 'aps', await apsToken(second, 'contoso'))).status).toBe(200);
  } finally {
    await second.close();
  }
});

test('has forgotten open transactions and tokens, as a restarted management node has', async () => {
  const options = { releases: SIMULATED_RELEASES, dataDirectory, hosts: standInHosts().register };
  const first = await startSandbox(options);
  const { txn_id } = await succeed<{ txn_id: number }>(first, 'contoso', 'txn.Begin', { request_id: 'open' });
  const token = await apsToken(first, 'contoso');
  await first.close();
  const second = await startSandbox(options);
  try {
    await expect(succeed(second, 'contoso', 'txn.Commit', { txn_id })).rejects.toThrow('does not exist');
    expect((await aps(second, 'contoso', 'aps/2/packages', token)).status).toBe(403);
  } finally {
    await second.close();
  }
});

test('is built the same again from the same seed, and differently from another', async () => {
  const build = async (seed: string) => {
    const sandbox = await startSandbox({ releases: SIMULATED_RELEASES, seed, hosts: standInHosts().register });
    try {
      return {
        state: await sandbox.state('contoso'),
        ids: sandbox.world.provider('contoso').instances.map((i) => i.resourceId),
      };
    } finally {
      await sandbox.close();
    }
  };
  const [one, same, other] = [await build('a'), await build('a'), await build('b')];
  expect(same).toEqual(one);
  expect(other.ids).not.toEqual(one.ids);
});
