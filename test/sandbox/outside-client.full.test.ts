/** @needs osaapi */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { startSandbox, type Sandbox } from '../../src/sandbox/server';
import { SIMULATED_RELEASES } from '../../workflows/releases';
import { osaapiFolder } from '../kit/osaapi';
import { standInHosts } from './stand-in-hosts';

const hosts = standInHosts();
let sandbox: Sandbox;
beforeAll(async () => {
  hosts.upgradeAll('18.4.1');
  sandbox = await startSandbox({
    releases: SIMULATED_RELEASES,
    hosts: hosts.register,
    providers: [{ id: 'contoso', instances: 1, operationsLogin: { user: 'api', password: 'swordfish' } }],
  });
});
afterAll(() => sandbox.close());

test('cannot be told from Odin Automation by osaapi, which knows only host and port', async () => {
  const provider = sandbox.world.provider('contoso');
  const [instance] = provider.instances;
  const { stdout } = await promisify(execFile)(
    'python3',
    [
      path.join(__dirname, 'drive_osaapi.py'),
      '127.0.0.1',
      String(sandbox.ports.operations),
      String(sandbox.ports.billing),
      sandbox.urls.package('18.4.1'),
      String(provider.plans[0]?.planId),
      String(instance?.instanceId),
    ],
    { env: { ...process.env, PYTHONPATH: osaapiFolder() } },
  );
  expect(JSON.parse(stdout)).toEqual({
    build: true,
    stranger: 401,
    active: false,
    refused: -1,
    transaction: 'str',
    imported: { application_id: 17, package_version: '18.4.1-12' },
    package: 'Ready',
    resource: instance?.resourceId,
    instance: '18.4.1-12',
    again: 3001,
    token: true,
    fields: 20,
    billing_fault: 'Table Plan does not contain row with ID 999.',
  });
  const effects = sandbox.journal.entries({ kind: 'effect', provider: 'contoso' }).map(({ name }) => name);
  const own = effects.filter((name) => name !== 'taskProcessed');
  expect(own).toEqual(['templateDeactivated', 'packageImported', 'instanceUpgradeStarted', 'instanceUpgraded']);
});
