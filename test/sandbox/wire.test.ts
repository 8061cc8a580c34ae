/** The sandbox as clients meet it that know nothing of a sandbox: host, port, and what the vendor documents (systems.md 1.1, 1.3, 2.2, 3.1). */
import { createConnection } from 'node:net';
import { startSandbox, type Sandbox } from '../../src/sandbox/server';
import { decodeResponse, encodeCall, type XmlRpcValue } from '../../src/systems/xmlrpc';
import { SIMULATED_RELEASES } from '../../workflows/releases';
import { aps, apsToken, billing, operations, post, succeed, type Envelope } from './clients';
import { standInHosts } from './stand-in-hosts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({
    releases: SIMULATED_RELEASES,
    hosts: standInHosts().register,
    root: 'contoso',
    providers: [
      { id: 'contoso', instances: 1, operationsLogin: { user: 'api', password: 'swordfish' } },
      { id: 'fabrikam', instances: 1 },
    ],
  });
});
afterAll(() => sandbox.close());

const at = (system: 'operations' | 'billing', path: string) => `http://127.0.0.1:${sandbox.ports[system]}${path}`;
const login = (scheme: string) => ({
  authorization: `${scheme} ${Buffer.from('api:swordfish').toString('base64')}`,
});
const call = <T = Record<string, XmlRpcValue>>(method: string, args: Record<string, XmlRpcValue>) =>
  succeed<T>(sandbox, 'fabrikam', method, args);
const refused = (method: string, args: Record<string, XmlRpcValue>): Promise<Envelope> =>
  operations(sandbox, 'fabrikam', method, args);
const begin = (args: Record<string, XmlRpcValue>) => call<{ txn_id: XmlRpcValue }>('txn.Begin', args);

describe('one provider is at the root of the ports', () => {
  const list = encodeCall('pem.getServiceTemplateList', [{ owner_id: 1, active: true }]);

  test.each(['/', '/RPC2', '/RPC2/', '/contoso', '/contoso/', '/contoso/RPC2'])('Operations: %s', async (path) => {
    const { text } = await post(at('operations', path), list, login('Basic'));
    expect(decodeResponse(text)).toMatchObject({ status: 0 });
    expect(sandbox.journal.entries({ name: 'pem.getServiceTemplateList' }).at(-1)).toMatchObject({
      provider: 'contoso',
    });
  });

  test('Billing, and the APS controller', async () => {
    const account = encodeCall('Execute', [{ Server: 'BM', Method: 'AccountDetailsGet_API', Params: ['1'] }]);
    expect(decodeResponse((await post(at('billing', '/'), account)).text)).toHaveProperty('Result');
    const { aps_token } = (
      decodeResponse(
        (await post(at('operations', '/RPC2'), encodeCall('pem.APS.getUserToken', [{ user_id: 1 }]), login('Basic')))
          .text,
      ) as unknown as { result: { aps_token: string } }
    ).result;
    for (const path of ['aps/2/packages', 'aps/2/packages/', '/aps//2/applications/', 'aps/2/resources/?limit(0,1)']) {
      expect((await aps<unknown[]>(sandbox, '..', path, aps_token)).status).toBe(200);
    }
  });

  test('needs a name that there is', async () => {
    const starting = startSandbox({ releases: SIMULATED_RELEASES, hosts: standInHosts().register, root: 'nobody' });
    await expect(starting).rejects.toThrow("no provider 'nobody'");
  });
});

describe('a request as real clients write it is read', () => {
  const methods = encodeCall('system.listMethods', [{}]);

  test.each(['application/x-www-form-urlencoded', 'text/plain', 'text/xml; charset=latin1'])('as %s', async (type) => {
    const { text } = await post(sandbox.urls.operations('fabrikam'), methods, { 'content-type': type });
    expect(decodeResponse(text)).toMatchObject({ status: 0 });
  });

  test.each(['basic', 'BASIC', 'Basic'])('with the scheme word %s', async (scheme) => {
    expect((await post(sandbox.urls.operations('contoso'), methods, login(scheme))).status).toBe(200);
  });

  test('in UTF-16, and in the encoding that it declares', async () => {
    const utf16 = Buffer.from(`\uFEFF${methods.replace('UTF-8', 'UTF-16')}`, 'utf16le');
    const declared = encodeCall('pem.APS.getApplications', [{ aps_application_id: 'Bürö' }]).replace(
      'UTF-8',
      'ISO-8859-1',
    );
    for (const body of [utf16, Buffer.from(declared, 'latin1')]) {
      const answer = await fetch(sandbox.urls.operations('fabrikam'), { method: 'POST', body: new Uint8Array(body) });
      expect(decodeResponse(await answer.text())).toMatchObject({ status: 0 });
    }
  });

  test('with 64 MiB in base64', async () => {
    const package_body = Buffer.alloc(64 * 1024 * 1024, 'x');
    expect((await refused('pem.APS.importPackage', { package_body })).error_message).toContain('not a zip archive');
  });

  test('with ids of Billing as text', async () => {
    const plan = sandbox.world.provider('fabrikam').plans[0]?.planId ?? 0;
    const fields = await billing(sandbox, 'fabrikam', 'PlanDetailsGet_API', String(plan));
    expect(fields).toEqual(await billing(sandbox, 'fabrikam', 'PlanDetailsGet_API', plan));
  });
});

describe('every request is in the journal, and none is answered by the web framework', () => {
  const newest = () => sandbox.journal.entries({ kind: 'call' }).at(-1);
  const noJson = (answer: Response) => expect(answer.headers.get('content-type')).not.toContain('json');

  test.each(['operations', 'billing'] as const)('%s', async (system) => {
    for (const [method, path, status] of [
      ['GET', '/RPC2', 405],
      ['PUT', '/fabrikam/RPC2', 405],
      ['POST', '/nobody/RPC2', 404],
      ['POST', '/fabrikam/RPC2/more', 404],
      ['POST', '/%E0%A4%A', 400],
    ] as const) {
      const answer = await fetch(at(system, path), { method });
      expect(answer.status).toBe(status);
      noJson(answer);
      expect(newest()).toMatchObject({ system, name: `${method} ${path}`, outcome: String(status) });
    }
    const empty = await fetch(at(system, '/fabrikam/RPC2'), { method: 'POST' });
    noJson(empty);
    expect(await empty.text()).toContain('<fault>');
    expect(newest()).toMatchObject({ system, name: 'unreadable', provider: 'fabrikam' });
  });

  const answerTo = (request: string) =>
    new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = createConnection(sandbox.ports.operations, '127.0.0.1', () => socket.write(request));
      socket.on('data', (piece) => (text += piece.toString()));
      socket.on('close', () => resolve(text));
      socket.on('error', reject);
    });

  test('a request that names the whole address is one for its path', async () => {
    const body = '<methodCall><methodName>pem.getBuild</methodName></methodCall>';
    const head = [
      'POST http://localhost:8440/fabrikam/RPC2 HTTP/1.1',
      'Host: localhost:8440',
      'Connection: close',
      `Content-Length: ${body.length}`,
    ];
    expect(await answerTo(`${head.join('\r\n')}\r\n\r\n${body}`)).toMatch(/^HTTP\/1\.1 200 .*<methodResponse>/s);
    expect(newest()).toMatchObject({ system: 'operations', provider: 'fabrikam' });
  });

  test('also where it is no HTTP', async () => {
    const answer = await answerTo('<methodCall/>\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*text\/html/s);
    expect(newest()).toMatchObject({ system: 'operations', name: 'unreadable', outcome: '400' });
  });

  test('and the APS controller answers in its own words', async () => {
    const { status, body } = await aps<{ error: string }>(sandbox, 'fabrikam', 'aps/3/nothing');
    expect([status, body.error]).toEqual([404, 'APS::Util::ResourceNotFound']);
    expect(newest()).toMatchObject({ system: 'aps', name: 'GET /fabrikam/aps/3/nothing' });
  });
});

describe('transactions', () => {
  test('have an id that is text, and take no number for it', async () => {
    const { txn_id } = await begin({});
    expect(txn_id).toEqual(expect.any(String));
    const asNumber = await refused('pem.activateST', { st_id: 1, txn_id: Number(txn_id) });
    expect(asNumber).toMatchObject({ status: -1, extype_id: 21 });
  });

  test('may have an id of the caller and an end of their own', async () => {
    expect(await begin({ request_id: 'own', txn_id: 'T-84226', timeout: 60 })).toEqual({ txn_id: 'T-84226' });
    sandbox.world.advanceClock(61_000);
    expect(await refused('txn.Commit', { txn_id: 'T-84226' })).toMatchObject({ status: -1 });
  });

  test('refuse a request id that is in use with 3001, whatever became of the first', async () => {
    const { txn_id } = await begin({ request_id: 'twice' });
    const again = () => refused('txn.Begin', { request_id: 'twice' });
    expect(await again()).toMatchObject({ status: -1, module_id: 'OpenAPI', extype_id: 3001 });
    await call('txn.Rollback', { txn_id });
    expect(await again()).toMatchObject({ extype_id: 3001 });
  });

  test('are closed by a method that fails in them', async () => {
    const { txn_id } = await begin({ request_id: 'closed' });
    const [template] = await call<{ st_id: number }[]>('pem.getServiceTemplateList', { owner_id: 1, active: true });
    await call('pem.deactivateST', { st_id: template?.st_id ?? 0, txn_id });
    expect(await refused('pem.deactivateST', { st_id: 999_999, txn_id })).toMatchObject({ status: -1 });
    for (const method of ['txn.Rollback', 'txn.Commit']) {
      expect((await refused(method, { txn_id })).error_message).toContain('does not exist');
    }
    expect(sandbox.journal.entries({ provider: 'fabrikam', name: 'templateDeactivated' })).toEqual([]);
  });
});

test('an instance names its resource and its package, and a package its state', async () => {
  const { instanceId, resourceId } = sandbox.world.provider('fabrikam').instances[0] ?? {
    instanceId: 0,
    resourceId: '',
  };
  const found = await call('pem.APS.getApplicationInstance', { application_instance_id: instanceId });
  expect(found).toMatchObject({ application_resource_id: resourceId, package_version: '18.3-9' });
  const { body } = await aps<{ aps: { package: unknown } }>(
    sandbox,
    'fabrikam',
    `aps/2/resources/${resourceId}/`,
    await apsToken(sandbox, 'fabrikam'),
  );
  expect(body.aps.package).toMatchObject({
    version: '18.3',
    release: '9',
    href: expect.stringContaining('/aps/2/packages/') as string,
  });
  const reference = (application_version: string) => ({
    package_reference: { application_id: found.application_id ?? 0, application_version },
  });
  expect(await call('pem.APS.getPackage', reference('18.3-9'))).toEqual({ status: 'Ready' });
  expect(await refused('pem.APS.getPackage', reference('19.0-1'))).toMatchObject({ status: -1 });
});
