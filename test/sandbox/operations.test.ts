import { startSandbox, type Sandbox } from '../../src/sandbox/server';
import { decodeResponse, encodeCall, XmlRpcFault } from '../../src/systems/xmlrpc';
import { operations, post, sim, succeed } from './clients';
import { standInHosts } from './stand-in-hosts';
import { SIMULATED_RELEASES } from '../../workflows/releases';

const hosts = standInHosts();
let sandbox: Sandbox;

interface Listed {
  st_id: number;
  name: string;
  active: boolean;
}
interface Installed {
  package_version: string;
  status: string;
  url: string;
}
interface RequestStatus {
  request_status: number;
  status_messages: string[];
}

beforeAll(async () => {
  sandbox = await startSandbox({
    releases: SIMULATED_RELEASES,
    hosts: hosts.register,
    // Nothing ends by itself here: the clock is advanced.
    timings: { relationsMs: 60_000, upgradeMs: 60_000 },
    providers: [
      { id: 'contoso', instances: 2 },
      { id: 'fabrikam', sourceVersion: '18.4', instances: 1, operationsLogin: { user: 'api', password: 'swordfish' } },
      { id: 'northwind', sourceVersion: '18.4', instances: 2 },
    ],
  });
});
afterAll(() => sandbox.close());

const call = <T>(method: string, args: Parameters<typeof succeed>[3], provider = 'contoso') =>
  succeed<T>(sandbox, provider, method, args);
const passTime = () => sim(sandbox, 'POST', 'clock', { advanceMs: 120_000 });
const firstInstance = (provider: string) => sandbox.world.provider(provider).instances[0]?.instanceId ?? 0;
const requestStatus = (request_id: string, provider = 'contoso') =>
  call<RequestStatus>('pem.getRequestStatus', { request_id }, provider);

async function importIn(
  provider: string,
  requestId: string,
): Promise<{ application_id: number; package_version: string }> {
  const { txn_id } = await call<{ txn_id: number }>('txn.Begin', { request_id: requestId }, provider);
  const package_url = sandbox.urls.package('18.4.1');
  const imported = await call<{ application_id: number; package_version: string }>(
    'pem.APS.importPackage',
    { txn_id, package_url },
    provider,
  );
  await call('txn.Commit', { txn_id }, provider);
  return imported;
}

describe('the protocol of Operations', () => {
  test('answers an unknown method, a missing struct and broken XML with a fault, and nothing else', async () => {
    const url = sandbox.urls.operations('contoso');
    for (const body of [
      encodeCall('pem.noSuchMethod', [{}]),
      encodeCall('pem.activateST', [16]),
      '<methodCall><oops',
    ]) {
      const { status, text } = await post(url, body);
      expect(status).toBe(200);
      expect(() => decodeResponse(text)).toThrow(XmlRpcFault);
    }
  });

  test('answers wrong arguments with an error envelope that names every problem', async () => {
    const envelope = await operations(sandbox, 'contoso', 'pem.getServiceTemplate', { st_id: '16', extra: 1 });
    expect(envelope).toMatchObject({ status: -1, module_id: 'OpenAPI', extype_id: 21 });
    expect(envelope.error_message).toContain("'st_id' must be of type int");
    expect(envelope.error_message).toContain("'get_resources' is required");
    expect(envelope.error_message).toContain("'extra' is unknown");
  });

  test('takes the path / as well as /RPC2', async () => {
    const url = sandbox.urls.operations('contoso').replace('RPC2', '');
    const { text } = await post(url, encodeCall('system.listMethods', [{}]));
    expect(decodeResponse(text)).toMatchObject({ status: 0, result: expect.arrayContaining(['pem.activateST']) });
  });

  test('asks a caller with a wrong password for credentials by HTTP, and lets the right one in', async () => {
    const url = sandbox.urls.operations('fabrikam');
    const body = encodeCall('system.listMethods', [{}]);
    const basic = (password: string) => ({
      authorization: `Basic ${Buffer.from(`api:${password}`).toString('base64')}`,
    });
    expect((await post(url, body)).status).toBe(401);
    expect((await post(url, body, basic('guess'))).status).toBe(401);
    expect((await post(url, body, basic('swordfish'))).status).toBe(200);
  });

  test('tells the build of the platform inside an XML text', async () => {
    const [report] = await call<{ value: string }[]>('pem.statistics.getStatisticsReport', {
      reports: [{ name: 'BuildHistory', value: '' }],
    });
    expect(report?.value).toContain('<Build><Build>oa-8.0-1216</Build>');
  });
});

describe('service templates', () => {
  test('needs the flag active, lists all without it, and spells it is_active for one template', async () => {
    expect((await operations(sandbox, 'contoso', 'pem.getServiceTemplateList', { owner_id: 1 })).status).toBe(-1);
    const all = await call<Listed[]>('pem.getServiceTemplateList', { owner_id: 1, active: false });
    const active = await call<Listed[]>('pem.getServiceTemplateList', { owner_id: 1, active: true });
    const inactive = all.filter((item) => !item.active);
    expect(inactive).toHaveLength(1);
    expect(active).toHaveLength(all.length - 1);
    const one = await call('pem.getServiceTemplate', { st_id: inactive[0]?.st_id ?? 0, get_resources: false });
    expect(one).toMatchObject({ is_active: false });
    expect(one).not.toHaveProperty('active');
    expect(one).not.toHaveProperty('resource_types');
  });

  test('journals a deactivation once, however often it is asked for', async () => {
    const [item] = await call<Listed[]>('pem.getServiceTemplateList', { owner_id: 1, active: true });
    const st_id = item?.st_id ?? 0;
    await call('pem.deactivateST', { st_id });
    await call('pem.deactivateST', { st_id });
    expect(sandbox.journal.entries({ kind: 'effect', object: String(st_id) })).toHaveLength(1);
    await call('pem.activateST', { st_id });
    const names = sandbox.journal.entries({ kind: 'effect', object: String(st_id) }).map(({ name }) => name);
    expect(names).toEqual(['templateDeactivated', 'templateActivated']);
  });

  test('does nothing before the commit, and nothing at all after a rollback', async () => {
    const [item] = await call<Listed[]>('pem.getServiceTemplateList', { owner_id: 1, active: true });
    const st_id = item?.st_id ?? 0;
    const read = async () =>
      (await call<{ is_active: boolean }>('pem.getServiceTemplate', { st_id, get_resources: false })).is_active;
    const { txn_id } = await call<{ txn_id: number }>('txn.Begin', { request_id: 'rolled back' });
    await call('pem.deactivateST', { st_id, txn_id });
    expect(await read()).toBe(true);
    await call('txn.Rollback', { txn_id });
    expect(await read()).toBe(true);
    expect(await operations(sandbox, 'contoso', 'txn.Commit', { txn_id })).toMatchObject({ status: -1 });
  });
});

describe('import and upgrade', () => {
  test('goes from import to upgraded instance as the procedure says, and refuses every short cut', async () => {
    const application_instance_id = firstInstance('contoso');
    const upgrade = () =>
      operations(sandbox, 'contoso', 'pem.APS.upgradeApplicationInstance', { application_instance_id });
    const read = () => call<Installed>('pem.APS.getApplicationInstance', { application_instance_id });
    expect(await read()).toMatchObject({ status: 'Ready', package_version: '18.3-9' });
    expect((await upgrade()).error_message).toContain('No upgrade is available');

    expect(await importIn('contoso', 'import-1')).toMatchObject({ package_version: '18.4.1-12' });
    // The upgrade relations lag behind the import.
    expect((await upgrade()).error_message).toContain('No upgrade is available');
    expect((await requestStatus('import-1')).request_status).toBe(1);
    await passTime();
    expect((await requestStatus('import-1')).request_status).toBe(0);

    const again = await operations(sandbox, 'contoso', 'pem.APS.importPackage', {
      package_url: sandbox.urls.package('18.4.1'),
    });
    expect(again).toMatchObject({ status: -1, module_id: 'APS' });
    expect(sandbox.journal.entries({ provider: 'contoso', name: 'packageImported' })).toHaveLength(1);

    hosts.upgradeAll('18.4.1');
    expect((await upgrade()).status).toBe(0);
    expect((await upgrade()).error_message).toContain('is Upgrading');
    await passTime();
    expect(await read()).toMatchObject({ status: 'Ready', package_version: '18.4.1-12' });
    expect((await upgrade()).error_message).toContain('No upgrade is available');
    expect(sandbox.journal.entries({ provider: 'contoso', name: 'instanceUpgraded' })).toHaveLength(1);
  });

  test('leaves an instance Upgrading with a failed task when its endpoint is old, until the task runs again', async () => {
    const application_instance_id = firstInstance('northwind');
    hosts.upgradeAll('18.4');
    await importIn('northwind', 'import-2');
    await passTime();
    await call('pem.APS.upgradeApplicationInstance', { application_instance_id }, 'northwind');
    await passTime();
    const { body: open } = await sim<{ id: number; status: string }[]>(sandbox, 'GET', 'providers/northwind/tasks');
    const read = () => call<Installed>('pem.APS.getApplicationInstance', { application_instance_id }, 'northwind');
    expect((await read()).status).toBe('Upgrading');

    hosts.upgradeAll('18.4.1');
    const task_id = open.find(({ status }) => status === 'Failed')?.id ?? 0;
    await call('pem.tasks.rescheduleTask', { task_id }, 'northwind');
    await passTime();
    expect(await read()).toMatchObject({ status: 'Ready', package_version: '18.4.1-12' });
  });

  test('says of a request without tasks that it succeeded', async () => {
    expect(await requestStatus('never heard of')).toMatchObject({ request_status: 0, status_messages: [] });
  });

  test('refuses a package that the management node cannot fetch, or that is none', async () => {
    for (const package_url of [
      `${sandbox.urls.package('18.4.1')}.missing`,
      'http://127.0.0.1:9/none.zip',
      `${sandbox.urls.sim}journal`,
    ]) {
      const envelope = await operations(sandbox, 'northwind', 'pem.APS.importPackage', {
        package_url,
      });
      expect(envelope.status).toBe(-1);
    }
  });

  test('forgets an import whose transaction was never committed', async () => {
    await sandbox.addProvider({ id: 'forgetful', instances: 1 });
    const { txn_id } = await call<{ txn_id: number }>('txn.Begin', { request_id: 'lost' }, 'forgetful');
    await call('pem.APS.importPackage', { txn_id, package_url: sandbox.urls.package('18.4.1') }, 'forgetful');
    expect((await sandbox.state('forgetful')).packages).toEqual(['18.3-9']);
  });
});
