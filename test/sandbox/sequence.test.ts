/** One world that lives through two releases, one after the other, on hosts with real files. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { unzipSync } from 'fflate';
import type { SimulatedRelease, SimulatedVersion } from '../../src/contract/simulation';
import { setupCommandLine } from '../../src/sandbox/hosts/setup-command';
import { packageFile } from '../../src/sandbox/package-file';
import { startSandbox, type Sandbox } from '../../src/sandbox/server';
import { simulation, version1841 } from '../../workflows/releases/18.4.1/simulation';
import { operations, sim, succeed, until } from './clients';

/** A release that no vendor has published. */
const later: SimulatedVersion = {
  version: '18.4.2',
  packageVersion: '18.4.2-3',
  assemblyVersion: '18.4.2.3',
  signIn: 'refreshToken',
  parameters: ['LegacyTokenMode'],
  build: 'oa-8.2-1216',
};
/** It runs on an endpoint that was not upgraded. */
const gentle: SimulatedVersion = {
  version: '18.6',
  packageVersion: '18.6-2',
  assemblyVersion: '18.6.0.2',
  signIn: 'refreshToken',
  parameters: [],
  servedBy: ['18.4.2'],
};
const afterNext: SimulatedRelease = {
  version: '18.6',
  sources: [{ ...version1841, build: 'oa-8.2-1216' }, later],
  target: gentle,
  package: {
    fileName: 'Office_365-18.6-2.app.zip',
    packagedAt: '2019-09-01T12:00:00Z',
    upgradesFrom: '18.4.1',
    webArchive: 'O365-Web.zip',
  },
};
const next: SimulatedRelease = {
  version: '18.5',
  sources: [version1841, later],
  target: {
    version: '18.5',
    packageVersion: '18.5-31',
    assemblyVersion: '18.5.0.31',
    signIn: 'refreshToken',
    parameters: [],
  },
  package: {
    fileName: 'Office_365-18.5-31.app.zip',
    packagedAt: '2019-06-01T12:00:00Z',
    upgradesFrom: '18.4.1',
    webArchive: 'O365-Web.zip',
  },
  companions: [{ application: 'http://www.odin.com/Domains', name: 'Domains', packageVersion: '2.1-4' }],
};

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox({
    releases: [simulation, next, afterNext],
    providers: [
      { id: 'contoso', instances: 2 },
      { id: 'fabrikam', sourceVersion: '18.4.2', instances: 1 },
    ],
  });
});
afterEach(() => sandbox.close());

const files = (provider: string) =>
  sandbox.state(provider).then(({ gateways }) => gateways.map(({ state }) => (state as { served: string[] }).served));
const ids = (provider: string) => sandbox.world.provider(provider).instances.map(({ instanceId }) => instanceId);

/** What an endpoint worker does: the package's files beside setup.cmd, setup.cmd, and one iisreset. */
async function setUp(provider: string, version: string): Promise<void> {
  const { body } = packageFile(sandbox.packages, version);
  const web = unzipSync(unzipSync(body)['O365-Web.zip'] ?? new Uint8Array());
  for (const { host, site, application, ip, hostname } of sandbox.world.provider(provider).gateways) {
    const folder = path.join(sandbox.dataDirectory, `staged-${version}`);
    for (const [name, content] of Object.entries(web)) {
      const file = path.join(folder, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
    const command = setupCommandLine({ site, application, ip, hostname }, path.join(folder, 'setup.log'));
    const windows = (name: string, parameters: object) =>
      sim<{ ok: boolean; value: { id: number } }>(
        sandbox,
        'POST',
        `hosts/${host}/windows/${encodeURIComponent(name)}`,
        parameters,
      );
    const { body: started } = await windows('Start-Process', { arguments: command, directory: folder });
    await windows('Wait-Process', { id: started.value.id, milliseconds: 10_000 });
    await windows('iisreset', {});
  }
}

async function importAndUpgrade(provider: string, version: string): Promise<void> {
  const request_id = `import-${version}`;
  const { txn_id } = await succeed<{ txn_id: number }>(sandbox, provider, 'txn.Begin', { request_id });
  const package_url = sandbox.urls.package(version);
  await succeed(sandbox, provider, 'pem.APS.importPackage', { txn_id, package_url });
  await succeed(sandbox, provider, 'txn.Commit', { txn_id });
  await until(
    () => succeed<{ request_status: number }>(sandbox, provider, 'pem.getRequestStatus', { request_id }),
    ({ request_status }) => request_status === 0,
  );
  for (const application_instance_id of ids(provider)) {
    await succeed(sandbox, provider, 'pem.APS.upgradeApplicationInstance', { application_instance_id });
  }
  await until(
    () => sandbox.state(provider),
    ({ instances }) => instances.every(({ packageVersion }) => packageVersion.startsWith(`${version}-`)),
  );
}

const connectionOf = async (provider: string, instance: number) =>
  (await sim<{ success: boolean }>(sandbox, 'GET', `providers/${provider}/instances/${instance}/testConnection`)).body
    .success;

test('goes from the oldest version through one release to the next, with everything that each leaves behind', async () => {
  const [first = 0] = ids('contoso');
  expect(await files('contoso')).toEqual([['18.3.0.9']]);
  await setUp('contoso', '18.4.1');
  expect(await files('contoso')).toEqual([['18.4.1.12']]);
  await importAndUpgrade('contoso', '18.4.1');
  expect(await connectionOf('contoso', first)).toBe(false);
  for (const id of ids('contoso')) await sim(sandbox, 'POST', `providers/contoso/instances/${id}/consent`);
  await sim(sandbox, 'POST', 'providers/contoso/customizations/controlPanel/update');

  await setUp('contoso', '18.5');
  expect(await files('contoso')).toEqual([['18.5.0.31']]);
  await importAndUpgrade('contoso', '18.5');
  // The consent of before goes on.
  expect(await connectionOf('contoso', first)).toBe(true);
  await sim(sandbox, 'POST', 'providers/contoso/customizations/controlPanel/update');
  const state = await sandbox.state('contoso');
  expect(state.packages).toEqual(['18.3-9', '18.4.1-12', '18.5-31']);
  expect(state.customizations).toMatchObject({ controlPanel: '18.5', main: '18.3' });
  const effects = (name: string) => sandbox.journal.entries({ kind: 'effect', provider: 'contoso', name });
  expect(effects('packageImported').map(({ object }) => object)).toEqual(['18.4.1-12', '18.5-31']);
  expect(effects('instanceUpgraded')).toHaveLength(4);
});

test('an older endpoint serves the version that says so', async () => {
  await importAndUpgrade('fabrikam', '18.6');
  expect(await files('fabrikam')).toEqual([['18.4.2.3']]);
  const { billingTemplates } = await sandbox.state('fabrikam');
  expect(billingTemplates.flatMap(({ parameters }) => parameters)).toContain('LegacyTokenMode');
});

test('a version that is the target of one release has the build that another one says of it', () => {
  expect(sandbox.world.versions.of('18.4.1')).toMatchObject({ packageVersion: '18.4.1-12', build: 'oa-8.2-1216' });
});

test('offers no upgrade past a release, since the rule of the next package does not accept what came before', async () => {
  const [application_instance_id = 0] = ids('contoso');
  const { txn_id } = await succeed<{ txn_id: number }>(sandbox, 'contoso', 'txn.Begin', { request_id: 'early' });
  await succeed(sandbox, 'contoso', 'pem.APS.importPackage', { txn_id, package_url: sandbox.urls.package('18.5') });
  await succeed(sandbox, 'contoso', 'txn.Commit', { txn_id });
  await sim(sandbox, 'POST', 'clock', { advanceMs: 60_000 });
  const upgrade = await operations(sandbox, 'contoso', 'pem.APS.upgradeApplicationInstance', {
    application_instance_id,
  });
  expect(upgrade.error_message).toContain('No upgrade is available');
});

test('upgrades to the version that is asked for, not past it', async () => {
  const [application_instance_id = 0] = ids('fabrikam');
  const asking = (package_version: string) =>
    operations(sandbox, 'fabrikam', 'pem.APS.upgradeApplicationInstance', { application_instance_id, package_version });
  await setUp('fabrikam', '18.5');
  const { txn_id } = await succeed<{ txn_id: number }>(sandbox, 'fabrikam', 'txn.Begin', { request_id: 'asked' });
  await succeed(sandbox, 'fabrikam', 'pem.APS.importPackage', { txn_id, package_url: sandbox.urls.package('18.5') });
  await succeed(sandbox, 'fabrikam', 'txn.Commit', { txn_id });
  await sim(sandbox, 'POST', 'clock', { advanceMs: 60_000 });
  expect((await asking('18.6-1')).error_message).toContain('No upgrade is available');
  expect((await asking('18.5-31')).status).toBe(0);
});

test('starts on any version that a release starts from, with the companions that the release tells of', async () => {
  expect(await sandbox.state('fabrikam')).toMatchObject({
    packages: ['18.4.2-3'],
    companions: ['Domains 2.1-4'],
    instances: [{ packageVersion: '18.4.2-3', storedUser: false }],
  });
  expect((await sandbox.state('contoso')).companions).toEqual([]);
  expect(await files('fabrikam')).toEqual([['18.4.2.3']]);
  await sandbox.addProvider({
    id: 'adatum',
    companions: [{ application: 'urn:backup', name: 'Backup', packageVersion: '1.0-1' }],
  });
  expect((await sandbox.state('adatum')).companions).toEqual(['Backup 1.0-1']);
});

test('serves one package for each release, each with its own address and hash', async () => {
  const urls = sandbox.packages.map(({ version }) => sandbox.urls.package(version));
  const bodies = await Promise.all(urls.map(async (url) => Buffer.from(await (await fetch(url)).arrayBuffer())));
  expect(bodies).toEqual(sandbox.packages.map(({ body }) => body));
  expect(new Set(sandbox.packages.map(({ sha256 }) => sha256)).size).toBe(3);
});

test('lets a person switch the synchronisation off and on, and shows how it is', async () => {
  const shown = async () =>
    (await sim<{ synchronisation: string }>(sandbox, 'GET', 'providers/contoso')).body.synchronisation;
  const act = async (path: string) => (await sim(sandbox, 'POST', `providers/contoso/synchronisation/${path}`)).status;
  expect(await shown()).toBe('on');
  expect(await act('start')).toBe(409);
  expect(await act('stop')).toBe(200);
  expect(await act('stop')).toBe(409);
  expect(await shown()).toBe('off');
  expect((await sandbox.state('contoso')).synchronisation).toBe('off');
  expect((await sandbox.state('fabrikam')).synchronisation).toBe('on');
  expect(await act('start')).toBe(200);
  const names = sandbox.journal.entries({ kind: 'effect', provider: 'contoso' }).map(({ name }) => name);
  expect(names).toEqual(['synchronisationStopped', 'synchronisationStarted']);
});

test('a provider runs the platform that its version needs', () => {
  expect(sandbox.world.provider('fabrikam').build).toBe('oa-8.2-1216');
  expect(sandbox.world.provider('contoso').build).toBe('oa-8.0-1216');
});
