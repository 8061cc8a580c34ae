import { FAILURE } from '../../src/contract/activities';
import { operationsConnection } from '../../src/contract/provider';
import { closeConnections } from '../../src/systems/http';
import { OperationsClient } from '../../src/systems/operations';
import { XmlRpcFault, decodeCall, encodeFault, type XmlRpcValue } from '../../src/systems/xmlrpc';
import { failureOf } from './support/failure-of';
import {
  RawAnswer,
  SILENCE,
  answeringCalls,
  scriptedServer,
  type Asked,
  type ScriptedServer,
} from './support/scripted-server';

type Methods = (method: string, args: XmlRpcValue, asked: Asked) => XmlRpcValue | RawAnswer | typeof SILENCE;

let server: ScriptedServer | undefined;
afterEach(async () => {
  closeConnections();
  await server?.close();
});

async function clientOf(methods: Methods, more: object = {}): Promise<OperationsClient> {
  server = await scriptedServer(answeringCalls(methods));
  const connection = operationsConnection.parse({ url: `${server.url}RPC2`, ...more });
  return new OperationsClient(connection, async (reference) => `value of ${reference}`);
}

const lastCall = () => decodeCall(server?.asked.at(-1)?.body ?? '');
const ok = (result?: XmlRpcValue): XmlRpcValue => ({ status: 0, ...(result === undefined ? {} : { result }) });

describe('every method sends one struct of named arguments and reads its answer', () => {
  const uuid = 'eb1a5b99-cc59-4773-8d25-d583b2c9a60c';
  const cases: [string, (client: OperationsClient) => Promise<unknown>, XmlRpcValue, XmlRpcValue, unknown][] = [
    [
      'pem.APS.getApplications',
      (client) => client.applicationId('http://www.parallels.com/Office365'),
      { aps_application_id: 'http://www.parallels.com/Office365' },
      ok([{ application_id: 17, unknown_member: 'ignored' }]),
      17,
    ],
    [
      'pem.APS.getApplications',
      (client) => client.applicationId('http://other'),
      { aps_application_id: 'http://other' },
      ok([]),
      undefined,
    ],
    [
      'pem.APS.getApplicationInstances',
      (client) => client.applicationInstances(17),
      { app_id: 17 },
      ok([{ application_instance_id: 31, application_resource_id: uuid }]),
      [{ id: 31, resourceId: uuid }],
    ],
    [
      'pem.APS.getApplicationInstance',
      (client) => client.applicationInstance(31),
      { application_instance_id: 31 },
      ok({
        application_instance_id: 31,
        application_id: 17,
        package_version: '18.3-9',
        url: 'https://gw/app/aps/',
        status: 'Ready',
        rt_id: 5,
      }),
      { id: 31, packageVersion: '18.3-9', status: 'Ready', url: 'https://gw/app/aps/' },
    ],
    [
      'pem.APS.getApplicationInstanceSettings',
      (client) => client.applicationInstanceSettings(31),
      { application_instance_id: 31 },
      ok([
        { name: 'instanceName', value: 'CSP EMEA' },
        { name: 'limit', value: 5 },
        { name: 'empty', value: null },
      ]),
      { instanceName: 'CSP EMEA', limit: '5', empty: '' },
    ],
    [
      'pem.APS.upgradeApplicationInstance',
      (client) => client.upgradeApplicationInstance(31, '18.4.1-12'),
      { application_instance_id: 31, package_version: '18.4.1-12' },
      ok(),
      undefined,
    ],
    [
      'pem.getServiceTemplateList',
      (client) => client.serviceTemplateIds(),
      { owner_id: 1, active: false },
      ok([{ st_id: 16, active: 1 }, { st_id: 17 }]),
      [16, 17],
    ],
    [
      'pem.getServiceTemplate',
      (client) => client.serviceTemplate(16),
      { st_id: 16, get_resources: false },
      ok({ st_id: 16, name: 'E3', is_active: 1 }),
      { id: 16, name: 'E3', active: true, resources: [] },
    ],
    [
      'pem.getServiceTemplate',
      (client) => client.serviceTemplate(16, 'resources'),
      { st_id: 16, get_resources: true, get_full_info: true },
      ok({
        st_id: 16,
        name: 'E3',
        is_active: false,
        resource_types: [
          { name: 'Tenant', resclass_name: 'rc.saas.service', act_params: [{ var_name: 'app_id', var_value: '17' }] },
          { name: 'Disk space' },
        ],
      }),
      {
        id: 16,
        name: 'E3',
        active: false,
        resources: [
          { name: 'Tenant', resourceClass: 'rc.saas.service', parameters: { app_id: '17' } },
          { name: 'Disk space', resourceClass: '', parameters: {} },
        ],
      },
    ],
    ['pem.activateST', (client) => client.activateServiceTemplate(16), { st_id: 16 }, ok(), undefined],
    ['pem.deactivateST', (client) => client.deactivateServiceTemplate(16), { st_id: 16 }, ok(), undefined],
    ['txn.Begin', (client) => client.begin('r-1'), { request_id: 'r-1' }, ok({ txn_id: 84211 }), 84211],
    ['txn.Begin', (client) => client.begin('r-1'), { request_id: 'r-1' }, ok('84211'), '84211'],
    ['txn.Commit', (client) => client.commit(84211), { txn_id: 84211 }, ok(), undefined],
    ['txn.Rollback', (client) => client.rollback(84211), { txn_id: 84211 }, ok(), undefined],
    [
      'pem.APS.importPackage',
      (client) => client.importPackage('http://files/o365.zip', 84211),
      { package_url: 'http://files/o365.zip', disable_package: false, txn_id: 84211 },
      ok({ application_id: 17, package_version: '18.4.1-12' }),
      { applicationId: 17, packageVersion: '18.4.1-12' },
    ],
    [
      'pem.getRequestStatus',
      (client) => client.requestStatus('r-1'),
      { request_id: 'r-1' },
      ok({ request_status: 0 }),
      { state: 'done', messages: [] },
    ],
    [
      'pem.getRequestStatus',
      (client) => client.requestStatus('r-1'),
      { request_id: 'r-1' },
      ok({ request_status: 2, status_messages: ['no space left'] }),
      { state: 'failed', messages: ['no space left'] },
    ],
    [
      'pem.APS.getUserToken',
      (client) => client.userToken(1),
      { user_id: 1 },
      ok({ aps_token: 'JEFFUy0', controller_uri: 'https://c/' }),
      'JEFFUy0',
    ],
    [
      'pem.statistics.getStatisticsReport',
      (client) => client.platformBuild(),
      { reports: [{ name: 'BuildHistory', value: '' }] },
      ok([
        {
          name: 'BuildHistory',
          value:
            '<BuildHistory><Build><Build>oa-8.0-1216</Build><Date>2018-11-02</Date></Build><Build><Build>oa-7.4-1</Build></Build></BuildHistory>',
        },
      ]),
      'oa-8.0-1216',
    ],
  ];
  test.each(cases)('%s', async (method, call, args, answer, expected) => {
    const client = await clientOf(() => answer);
    expect(await call(client)).toEqual(expected);
    expect(lastCall()).toEqual({ method, params: [args] });
  });
});

test('the answers of the reference are read as they stand there', async () => {
  const client = await clientOf(
    () =>
      new RawAnswer({
        body: `<?xml version="1.0" encoding="UTF-8"?>
<methodResponse><params><param><value><struct>
  <member><name>status</name><value><i4>0</i4></value></member>
  <member><name>result</name><value><array><data><value><struct>
    <member><name>application_id</name><value><i4>17</i4></value></member>
  </struct></value></data></array></value></member>
</struct></value></param></params></methodResponse>`,
      }),
  );
  expect(await client.applicationId('http://www.parallels.com/Office365')).toBe(17);
});

test('user and password go out as Basic authentication, resolved from their reference', async () => {
  const client = await clientOf(() => ok(), { user: 'api', password: 'env:OPERATIONS_PASSWORD' });
  await client.activateServiceTemplate(16);
  expect(server?.asked[0]?.headers).toMatchObject({
    'content-type': 'text/xml; charset=utf-8',
    authorization: `Basic ${Buffer.from('api:value of env:OPERATIONS_PASSWORD').toString('base64')}`,
  });
});

describe('the id of a transaction goes back as it came', () => {
  test.each([
    '<string>84226</string>',
    '<string>T-84226</string>',
    '<string>5000000000</string>',
    '<i4>84226</i4>',
    '<i4>5000000000</i4>',
    '<i8>84226</i8>',
    '<i8>9223372036854775807</i8>',
  ])('%s', async (id) => {
    const begun = `<methodResponse><params><param><value><struct><member><name>status</name><value><i4>0</i4></value></member><member><name>result</name><value><struct><member><name>txn_id</name><value>${id}</value></member></struct></value></member></struct></value></param></params></methodResponse>`;
    const client = await clientOf((method) =>
      method === 'txn.Begin'
        ? new RawAnswer({ body: begun })
        : ok({ application_id: 17, package_version: '18.4.1-12' }),
    );
    const transaction = await client.begin('r-1');
    await client.importPackage('http://files/o365.zip', transaction);
    await client.commit(transaction);
    const sent = server?.asked.slice(1).map(({ body }) => /<name>txn_id<\/name><value>(.*?)<\/value>/.exec(body)?.[1]);
    expect(sent).toEqual([id, id]);
  });

  test('a request id that is in use is no refusal: it is begun again under another one', async () => {
    const client = await clientOf(() => ({
      status: -1,
      module_id: 'OpenAPI',
      extype_id: 3001,
      error_message: 'Request r-1 is in use.',
    }));
    expect(await failureOf(client.begin('r-1'))).toMatchObject({
      type: FAILURE.unreachable,
      message: expect.stringContaining('begin under another request id') as string,
    });
  });
});

test('what nobody reads of an answer is not judged, and what is read is', async () => {
  const member = (name: string, value: string) => `<member><name>${name}</name><value>${value}</value></member>`;
  const template = (id: string) =>
    [
      member('st_id', id),
      member('name', 'Office 365 E3'),
      member('is_active', '<boolean>1</boolean>'),
      member('limit', '<i8>9223372036854775807</i8>'),
      member('price', '<double>NaN</double>'),
      member('m_time', '<dateTime.iso8601/>'),
      member('hosts', '<array/>'),
    ].join('');
  const client = await clientOf((_, args) => {
    const id = (args as { st_id: number }).st_id === 16 ? '<i4>16</i4>' : '<i4>sixteen</i4>';
    const result = `${member('status', '<i4>0</i4>')}${member('result', `<struct>${template(id)}</struct>`)}`;
    return new RawAnswer({
      body: `<methodResponse><params><param><value><struct>${result}</struct></value></param></params></methodResponse>`,
    });
  });
  expect(await client.serviceTemplate(16)).toMatchObject({ id: 16, active: true });
  expect((await failureOf(client.serviceTemplate(17))).message).toContain("st_id: <i4> cannot hold 'sixteen'");
});

test('a setting that nobody looks at spoils none of the others', async () => {
  const row = (name: string, value: string) =>
    `<value><struct><member><name>name</name><value>${name}</value></member><member><name>value</name><value>${value}</value></member></struct></value>`;
  const rows = [
    row('quota', '<i8>9223372036854775807</i8>'),
    row('rate', '<double>NaN</double>'),
    row('home', 'https://a'),
  ];
  const body = `<methodResponse><params><param><value><struct><member><name>status</name><value><i4>0</i4></value></member><member><name>result</name><value><array><data>${rows.join('')}</data></array></value></member></struct></value></param></params></methodResponse>`;
  const client = await clientOf(() => new RawAnswer({ body }));
  expect(await client.applicationInstanceSettings(31)).toEqual({
    quota: '9223372036854775807',
    rate: 'NaN',
    home: 'https://a',
  });
});

describe('what goes wrong is told apart', () => {
  test('a status other than 0 is a refusal, with the reason and the object', async () => {
    const client = await clientOf(() => ({
      status: -1,
      extype_id: 21,
      module_id: 'OpenAPI',
      error_message: 'Operation failed.',
      properties: { reason: 'Application instance #9999 does not exist.' },
    }));
    const failure = await failureOf(client.applicationInstance(9999));
    expect(failure.type).toBe(FAILURE.rejected);
    expect(failure.retryable).toBe(false);
    expect(failure.message).toMatch(
      /^Operations: pem\.APS\.getApplicationInstance of application instance 9999 was refused: Application instance #9999 does not exist; Operation failed \(module OpenAPI, type 21\)\. /,
    );
  });

  test.each<[string, string]>([
    ['no properties', ''],
    ['empty properties', '<member><name>properties</name><value><struct/></value></member>'],
    ['properties that are nil', '<member><name>properties</name><value><nil/></value></member>'],
    ['properties that are a list', '<member><name>properties</name><value><array/></value></member>'],
    ['properties that are a text', '<member><name>properties</name><value/></member>'],
    [
      'an empty reason',
      '<member><name>properties</name><value><struct><member><name>reason</name><value/></member></struct></value></member>',
    ],
    ['an odd member', '<member><name>extype_id</name><value><i4>x</i4></value></member>'],
    ['an odd result', '<member><name>result</name><value><double>NaN</double></value></member>'],
  ])('a refusal with %s keeps its words', async (_, members) => {
    const said = '<member><name>error_message</name><value>No active licence.</value></member>';
    const status = '<member><name>status</name><value><i4>-1</i4></value></member>';
    const body = `<methodResponse><params><param><value><struct>${status}${said}${members}</struct></value></param></params></methodResponse>`;
    for (const httpStatus of [200, 500]) {
      const client = await clientOf(() => new RawAnswer({ status: httpStatus, body }));
      expect(await failureOf(client.deactivateServiceTemplate(16))).toMatchObject({
        type: FAILURE.rejected,
        message: expect.stringContaining('was refused: No active licence. ') as string,
      });
      await server?.close();
    }
  });

  test.each([
    ['text', '<string>failed</string>'],
    ['nil', '<nil/>'],
    ['empty', '<i4/>'],
    ['nowhere', ''],
  ])('a refusal whose status is %s keeps its words', async (_, status) => {
    const said = '<member><name>error_message</name><value>No active licence.</value></member>';
    const odd = status && `<member><name>status</name><value>${status}</value></member>`;
    const body = `<methodResponse><params><param><value><struct>${said}${odd}</struct></value></param></params></methodResponse>`;
    const client = await clientOf(() => new RawAnswer({ status: 200, body }));
    expect(await failureOf(client.deactivateServiceTemplate(16))).toMatchObject({
      type: FAILURE.rejected,
      message: expect.stringContaining('was refused: No active licence. ') as string,
    });
  });

  test('a refusal whose reason stands in a list of properties gives it', async () => {
    const client = await clientOf(() => ({
      status: -1,
      error_message: Buffer.from('Operation failed.'),
      properties: [{ name: 'reason', value: 'No active licence.' }],
    }));
    const failure = await failureOf(client.deactivateServiceTemplate(16));
    expect(failure.message).toContain('was refused: No active licence; Operation failed. ');
  });

  test.each([
    [500, FAILURE.rejected],
    [401, FAILURE.accessDenied],
    [503, FAILURE.malformedAnswer],
  ])('a fault under HTTP %i keeps its words', async (status, type) => {
    const client = await clientOf(() => new RawAnswer({ status, body: encodeFault('Server.Busy', 'come back later') }));
    const failure = await failureOf(client.commit('84226'));
    expect(failure.type).toBe(type);
    expect(failure.message).toContain('come back later');
  });

  test('a redirect is named with where it leads', async () => {
    const location = 'https://mn.contoso.example:8443/RPC2?session=1';
    const client = await clientOf(() => new RawAnswer({ status: 302, headers: { location } }));
    const failure = await failureOf(client.activateServiceTemplate(16));
    expect(failure.type).toBe(FAILURE.rejected);
    expect(failure.message).toMatch(/redirect to https:\/\/mn\.contoso\.example:8443\/RPC2 \(HTTP 302\).*inventory/);
  });

  test('a refusal without properties gives its error_message', async () => {
    const client = await clientOf(() => ({ status: -1, error_message: 'No active licence.' }));
    expect((await failureOf(client.deactivateServiceTemplate(16))).message).toContain('No active licence. ');
  });

  test('a fault is a refusal', async () => {
    const client = await clientOf(() => {
      throw new XmlRpcFault(-32601, 'method not found');
    });
    expect(await failureOf(client.commit(1))).toMatchObject({ type: FAILURE.rejected, retryable: false });
  });

  test('wrong credentials are HTTP 401', async () => {
    const client = await clientOf(() => new RawAnswer({ status: 401, body: 'Unauthorized' }));
    expect(await failureOf(client.serviceTemplateIds())).toMatchObject({
      type: FAILURE.accessDenied,
      retryable: false,
    });
  });

  test.each([
    ['a page instead of an answer', '<html><body>Bad gateway</body></html>'],
    ['an answer that was cut', '<methodResponse><params><param><value><struct><member><name>status</name>'],
    [
      'an answer without an envelope',
      '<methodResponse><params><param><value>hello</value></param></params></methodResponse>',
    ],
  ])('%s is malformed and worth repeating', async (_, body) => {
    const client = await clientOf(() => new RawAnswer({ body }));
    expect(await failureOf(client.applicationInstance(31))).toMatchObject({
      type: FAILURE.malformedAnswer,
      retryable: true,
    });
  });

  test('missing and wrong members are all named', async () => {
    const client = await clientOf(() => ok({ application_instance_id: 'x', application_id: 17, status: 'Ready' }));
    const failure = await failureOf(client.applicationInstance(31));
    expect(failure.type).toBe(FAILURE.malformedAnswer);
    expect(failure.message).toMatch(/application_instance_id: .*package_version: /);
  });

  test('a build report without a build is not taken for one', async () => {
    const client = await clientOf(() => ok([{ value: '<BuildHistory><Build/></BuildHistory>' }]));
    expect((await failureOf(client.platformBuild())).message).toContain('without an element Build/Build');
  });

  test('a broken connection after the request leaves the outcome unknown', async () => {
    const client = await clientOf((_method, _args, asked) => {
      asked.reset();
      return SILENCE;
    });
    expect((await failureOf(client.activateServiceTemplate(16))).type).toBe(FAILURE.outcomeUnknown);
  });
});
