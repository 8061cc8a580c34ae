import { FAILURE } from '../../src/contract/activities';
import { apsConnection, operationsConnection } from '../../src/contract/provider';
import { ApsClient } from '../../src/systems/aps';
import { closeConnections } from '../../src/systems/http';
import { OperationsClient } from '../../src/systems/operations';
import { failureOf } from './support/failure-of';
import {
  answeringCalls,
  scriptedServer,
  type Answer,
  type Asked,
  type ScriptedServer,
} from './support/scripted-server';

const OFFICE_365 = 'http://www.parallels.com/Office365';
const RESOURCE = 'eb1a5b99-cc59-4773-8d25-d583b2c9a60c';

const open: ScriptedServer[] = [];
afterEach(async () => {
  closeConnections();
  await Promise.all(open.splice(0).map((server) => server.close()));
});

/** Tokens are `token-1`, `token-2`, ... in the order in which they were asked for. */
async function controller(answering: (asked: Asked) => Answer) {
  let tokens = 0;
  const operations = await scriptedServer(
    answeringCalls(() => ({ status: 0, result: { aps_token: `token-${++tokens}`, controller_uri: 'https://c/' } })),
  );
  const aps = await scriptedServer(answering);
  open.push(operations, aps);
  const client = new ApsClient(
    apsConnection.parse({ url: `${aps.url}contoso/` }),
    new OperationsClient(operationsConnection.parse({ url: operations.url }), async () => ''),
  );
  return { client, asked: aps.asked, tokens: () => tokens };
}

const json = (value: unknown, more: Answer = {}): Answer => ({ body: JSON.stringify(value), ...more });
const expired = json({ error: 'APS::Util::AuthenticationFailed', message: 'Token expired' }, { status: 403 });

describe('token', () => {
  test('is asked for once and used for every request', async () => {
    const { client, asked, tokens } = await controller(() => json([]));
    await client.packageVersions(OFFICE_365);
    await client.applicationEndpoints();
    expect(asked.map(({ headers }) => headers['aps-token'])).toEqual(['token-1', 'token-1']);
    expect(tokens()).toBe(1);
  });

  test('is renewed once when the controller finds it expired', async () => {
    const { client, asked } = await controller(({ headers }) =>
      headers['aps-token'] === 'token-1' ? expired : json([]),
    );
    await client.packageVersions(OFFICE_365);
    await client.packageVersions(OFFICE_365);
    expect(asked.map(({ headers }) => headers['aps-token'])).toEqual(['token-1', 'token-2', 'token-2']);
  });

  test('is renewed once for requests that find it expired together', async () => {
    const { client, tokens } = await controller(({ headers }) =>
      headers['aps-token'] === 'token-1' ? expired : json([]),
    );
    await Promise.all([client.packageVersions(OFFICE_365), client.applicationEndpoints()]);
    expect(tokens()).toBe(2);
  });

  test('is not renewed for ever: a new one that is refused as well is access denied', async () => {
    const { client, asked } = await controller(() => expired);
    expect((await failureOf(client.packageVersions(OFFICE_365))).type).toBe(FAILURE.accessDenied);
    expect(asked).toHaveLength(2);
  });

  test('is not renewed when something else is forbidden', async () => {
    const { client, tokens } = await controller(() =>
      json({ error: 'APS::Util::AccessViolation', message: 'Not allowed.' }, { status: 403 }),
    );
    const failure = await failureOf(client.resourceProperties(RESOURCE));
    expect(failure.type).toBe(FAILURE.accessDenied);
    expect(failure.message).toContain('APS::Util::AccessViolation: Not allowed.');
    expect(tokens()).toBe(1);
  });
});

test('package versions are those of the package, from every page of the list', async () => {
  const all = Array.from({ length: 150 }, (_, n) => ({
    aps: { id: `p${n}` },
    id: 'http://other',
    version: '1.0',
    release: n,
  }));
  all[3] = { aps: { id: 'a' }, id: OFFICE_365, version: '18.3', release: 9 };
  all[149] = { aps: { id: 'b' }, id: OFFICE_365, version: '18.4.1', release: 12 };
  const { client, asked } = await controller(({ path }) => {
    const [, offset, count] = (/limit\((\d+),(\d+)\)/.exec(path) ?? []).map(Number);
    const page = all.slice(offset, (offset ?? 0) + (count ?? 0));
    return json(page, {
      headers: { 'content-range': `items ${offset}-${(offset ?? 0) + page.length - 1}/${all.length}` },
    });
  });
  expect(await client.packageVersions(OFFICE_365)).toEqual(['18.3-9', '18.4.1-12']);
  expect(asked.map(({ path }) => path)).toEqual([
    '/contoso/aps/2/packages?limit(0,100)',
    '/contoso/aps/2/packages?limit(100,100)',
  ]);
});

test('a list without a total ends with the page that is not full', async () => {
  const { client, asked } = await controller(() => json([{ id: OFFICE_365, version: '18.3', release: '9' }]));
  expect(await client.packageVersions(OFFICE_365)).toEqual(['18.3-9']);
  expect(asked).toHaveLength(1);
});

test('endpoints are told by the root resource of each instance, not by the id of the instance', async () => {
  const { client } = await controller(() =>
    json([
      {
        aps: {
          id: '3f5a9f0e-8f0a-4f0e-9c1d-0a5f5b0c7d11',
          package: { type: OFFICE_365, name: 'Office 365', version: '18.3', release: '9' },
          endpoint: 'https://office365gateway01.hosting.local/Office365GatewayApplication01/aps/',
        },
        app: { type: `${OFFICE_365}/Application/2.0`, aps: { id: RESOURCE } },
        tenant: { type: `${OFFICE_365}/Tenant/2.0` },
      },
      { aps: { id: 'another application' } },
      { aps: { id: 'one without an endpoint', endpoint: null }, app: { aps: null } },
    ]),
  );
  expect(await client.applicationEndpoints()).toEqual(
    new Map([[RESOURCE, 'https://office365gateway01.hosting.local/Office365GatewayApplication01/aps/']]),
  );
});

test('service templates are asked for by type and package, and each is named once', async () => {
  const { client, asked } = await controller(() =>
    json([{ serviceTemplateId: 16 }, { serviceTemplateId: 16 }, { serviceTemplateId: 17 }]),
  );
  expect(await client.serviceTemplateIds(OFFICE_365)).toEqual([16, 17]);
  expect(asked[0]?.path).toBe(
    `/contoso/aps/2/resources?implementing(http://parallels.com/aps/types/pa/serviceTemplate/1.1),eq(appIDs,${OFFICE_365}),limit(0,100)`,
  );
});

test("a resource's properties are flat texts, without the aps member", async () => {
  const { client } = await controller(() =>
    json({
      aps: { id: RESOURCE },
      instanceName: 'CSP EMEA',
      portal: { url: 'https://portal.office.com', port: 443 },
      none: null,
    }),
  );
  expect(await client.resourceProperties(RESOURCE)).toEqual({
    instanceName: 'CSP EMEA',
    'portal.url': 'https://portal.office.com',
    'portal.port': '443',
  });
});

describe('errors', () => {
  test.each([
    [404, FAILURE.rejected, false],
    [500, FAILURE.malformedAnswer, true],
    // Transactions that meet are answered with 400, so it is worth repeating.
    [400, FAILURE.rejected, true],
  ])('HTTP %i is %s, worth repeating: %s', async (status, type, retryable) => {
    const { client } = await controller(() => json({ error: 'APS::Util::Problem', message: 'It is so.' }, { status }));
    const failure = await failureOf(client.resourceProperties(RESOURCE));
    expect(failure).toMatchObject({ type, retryable });
    expect(failure.message).toContain(
      `APS controller: GET /aps/2/resources/${RESOURCE} was answered with HTTP ${status}`,
    );
    expect(failure.message).toContain('APS::Util::Problem: It is so.');
  });

  test('a body that is no JSON does not hide the status', async () => {
    const { client } = await controller(() => ({ status: 502, body: '<html>Bad gateway</html>' }));
    expect((await failureOf(client.packageVersions(OFFICE_365))).message).toContain('HTTP 502');
  });

  test('a 200 that is no JSON, or of another shape, is malformed', async () => {
    const { client } = await controller(({ path }) => ({ body: path.includes('packages') ? '<html/>' : '{"aps":{}}' }));
    expect((await failureOf(client.packageVersions(OFFICE_365))).type).toBe(FAILURE.malformedAnswer);
    expect((await failureOf(client.applicationEndpoints())).type).toBe(FAILURE.malformedAnswer);
  });
});
