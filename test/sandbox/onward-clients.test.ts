/** Onward's own activities, from the inventory that the sandbox writes to the upgraded instance. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { Entries } from '../../activities/entries';
import { createBillingActivities } from '../../activities/billing';
import { createMicrosoftActivities } from '../../activities/microsoft';
import { createOperationsActivities } from '../../activities/operations';
import { FAILURE } from '../../src/contract/activities';
import { providerProfile, type ProviderProfile } from '../../src/contract/provider';
import { resolveSecret } from '../../src/inventory/secrets';
import { SANDBOX_ADAPTERS } from '../../src/sandbox/adapters';
import { CPV_APPLICATION } from '../../src/sandbox/servers/microsoft';
import { startSandbox, type Sandbox } from '../../src/sandbox/server';
import { Adapters } from '../../src/systems/adapters';
import { closeConnections } from '../../src/systems/http';
import { activityEnvironment } from '../kit/activity-environment';
import { standInHosts } from './stand-in-hosts';
import { patience } from '../kit/deadlines';
import { SIMULATED_RELEASES } from '../../workflows/releases';

const hosts = standInHosts();
const adapters = new Adapters({ resolveSecret }, SANDBOX_ADAPTERS);
const entry = { provider: 'contoso' };
let profile: ProviderProfile;
const entries = new Entries({ find: async () => ({ profile, digests: {} }) });
const activities = {
  ...createOperationsActivities({
    entries,
    resolveSecret,
    adapters,
    polling: { firstGapMs: 5, longestGapMs: 20, absenceMs: patience(250) },
  }),
  ...createBillingActivities({ entries, resolveSecret }),
  ...createMicrosoftActivities({ entries, adapters }),
};
// Failures are expected here; what they say is asserted, not printed.
const environment = activityEnvironment();
const run = <I, O>(activity: (input: I) => Promise<O>, input: I): Promise<O> => environment.run(activity, input);

let sandbox: Sandbox;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'onward-clients-'));
  sandbox = await startSandbox({
    releases: SIMULATED_RELEASES,
    hosts: hosts.register,
    providers: [
      {
        id: 'contoso',
        instances: [{ name: 'CSP EMEA' }, { name: 'CSP DE', cloud: 'germany' }],
        gateways: 2,
        companions: [{ application: 'http://www.odin.com/Domains', name: 'Domains', packageVersion: '2.1-4' }],
        templateFlaws: ['azureCsp', 'dnsHosting', 'trialOnCcpV1'],
        operationsLogin: { user: 'api', password: 'swordfish' },
        billingLogin: { user: 'api', password: 'marlin' },
      },
    ],
  });
  const [file = ''] = sandbox.writeInventory(directory);
  profile = providerProfile.parse(parse(readFileSync(file, 'utf8')));
});
afterAll(async () => {
  closeConnections();
  await sandbox.close();
  rmSync(directory, { recursive: true });
});

test('shows Onward what the preflight asks for, with every flaw in its place', async () => {
  const facts = await run(activities.readOperations, { entry });
  expect(facts).toMatchObject({ build: 'oa-8.0-1216', applicationId: 17, enabledVersions: ['18.3-9'] });
  expect(facts.companions).toEqual([{ application: 'http://www.odin.com/Domains', version: '2.1-4' }]);
  expect(facts.instances.map(({ name, cloud, status }) => [name, cloud, status])).toEqual([
    ['CSP EMEA', 'global', 'Ready'],
    ['CSP DE', 'germany', 'Ready'],
  ]);
  expect(facts.instances[1]?.endpointUrl).toContain('https://office365gateway02.contoso.hosting.local/');
  const [flawed, ...others] = facts.templates;
  expect(flawed).toMatchObject({ active: true, azureCsp: true, dnsHosting: true, trialOnCcpV1: true });
  expect(
    others.map(({ active, azureCsp, dnsHosting, trialOnCcpV1 }) => [active, azureCsp, dnsHosting, trialOnCcpV1]),
  ).toEqual([
    [true, false, false, false],
    [false, false, false, false],
  ]);
  const { templates } = await run(activities.readBilling, { entry, plans: profile.plans });
  const both = expect.arrayContaining(['o365_based_on_email', 'aps_defaults_o365']) as unknown;
  expect(templates.map(({ parameters }) => parameters)).toEqual([both, both]);
});

test('lets Onward begin an import anew when the answer to txn.Begin is lost: only another request id gets through', async () => {
  sandbox.faults.add({ system: 'operations', call: 'txn.Begin', kind: 'effectThenNoAnswer' });
  const input = { entry, version: '18.4.1', requestId: 'lost' };
  await expect(run(activities.importPackage, input)).rejects.toMatchObject({ type: FAILURE.unreachable });
  await expect(run(activities.importPackage, input)).rejects.toMatchObject({
    type: FAILURE.unreachable,
    message: expect.stringContaining('begin under another request id') as string,
  });
  expect(sandbox.journal.entries({ name: 'pem.APS.importPackage' })).toEqual([]);
});

test('lets Onward import and upgrade, also when the answer to the commit is lost', async () => {
  sandbox.faults.add({ call: 'txn.Commit', kind: 'effectThenNoAnswer' });
  const wanted = { entry, version: '18.4.1', requestId: 'import' };
  await expect(run(activities.importPackage, wanted)).rejects.toThrow('lost the connection');
  const back = { ...wanted, requestIds: [wanted.requestId], purpose: 'readBack' as const };
  expect(await run(activities.awaitImport, back)).toEqual({ applicationId: 17, packageVersion: '18.4.1-12' });
  expect(sandbox.journal.entries({ kind: 'effect', name: 'packageImported' })).toHaveLength(1);

  hosts.upgradeAll('18.4.1');
  const instanceId = sandbox.world.provider('contoso').instances[0]?.instanceId ?? 0;
  await run(activities.upgradeInstance, { entry, instanceId, version: '18.4.1-12' });
  expect(sandbox.world.provider('contoso').instances[0]).toMatchObject({
    status: 'Ready',
    packageVersion: '18.4.1-12',
  });
});

test('tests a connection in the same way by its own screen and by the APIs of Microsoft', async () => {
  const instance = sandbox.world.provider('contoso').instances[0];
  if (!instance) throw new Error('contoso has no instance');
  const about = { id: instance.instanceId, name: instance.name, resourceId: instance.resourceId };
  const bySandbox = () => run(activities.testConnection, { entry, instance: about });
  const secret = path.join(directory, 'secret');
  const token = path.join(directory, 'token');
  writeFileSync(secret, CPV_APPLICATION.clientSecret);
  const ofSandbox = profile;
  const byMicrosoft = async () => {
    writeFileSync(token, instance.refreshToken?.value ?? 'none');
    const account = { tenant: instance.tenant, refreshToken: `file:${token}` };
    profile = {
      ...ofSandbox,
      connectionTest: {
        adapter: 'microsoft',
        loginUrl: sandbox.urls.login,
        partnerCenterUrl: sandbox.urls.partnerCenter,
        graphUrl: sandbox.urls.graph,
        clientId: CPV_APPLICATION.clientId,
        clientSecret: `file:${secret}`,
        accounts: { [instance.name]: account },
      },
    };
    try {
      return await run(activities.testConnection, { entry, instance: about });
    } finally {
      profile = ofSandbox;
    }
  };
  const consent = async (body: object) => {
    const response = await fetch(`${sandbox.urls.control('contoso')}instances/${instance.instanceId}/consent`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
    expect(response.status).toBe(200);
  };
  const verdicts = async () => [await bySandbox(), await byMicrosoft()].map(({ checks }) => checks.map(({ ok }) => ok));

  expect(await verdicts()).toEqual([
    [false, false],
    [false, false],
  ]);
  await consent({ tenant: 'stranger.onmicrosoft.com' });
  expect((await verdicts())[0]).toEqual([false, false]);
  expect((await verdicts())[1]).toContain(false);
  await consent({ mfa: false });
  expect(await verdicts()).toEqual([
    [false, true],
    [false, true],
  ]);
  await consent({});
  expect(await verdicts()).toEqual([
    [true, true],
    [true, true],
  ]);
  for (const code of [50078, 70043, 53003]) {
    await consent({ ends: { afterDays: 13, code } });
    expect((await verdicts()).flat()).not.toContain(false);
    sandbox.world.advanceClock(13 * 24 * 3600 * 1000);
    for (const { checks } of [await bySandbox(), await byMicrosoft()])
      for (const { message } of checks) expect(message).toContain(`AADSTS${code}`);
  }
});
