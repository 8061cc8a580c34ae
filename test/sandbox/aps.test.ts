import { startSandbox, type Sandbox } from '../../src/sandbox/server';
import { aps, apsToken, sim, succeed } from './clients';
import { standInHosts } from './stand-in-hosts';
import { SIMULATED_RELEASES } from '../../workflows/releases';

let sandbox: Sandbox;
let token: string;

interface Item {
  aps: { id: string; endpoint?: string };
  app?: { aps: { id: string } };
  name?: string;
  serviceTemplateId?: number;
}
interface Refused {
  error: string;
  message: string;
}

beforeAll(async () => {
  sandbox = await startSandbox({
    releases: SIMULATED_RELEASES,
    hosts: standInHosts().register,
    providers: [
      { id: 'contoso', instances: [{ name: 'CSP EMEA' }, { name: 'CSP DE', cloud: 'germany' }], gateways: 2 },
      { id: 'fabrikam', instances: 1 },
    ],
  });
  token = await apsToken(sandbox, 'contoso');
});
afterAll(() => sandbox.close());

const get = <T>(path: string, as = token) => aps<T>(sandbox, 'contoso', path, as);

test('shows its certificate by its own authority only', async () => {
  await expect(fetch(`${sandbox.urls.aps('contoso')}aps/2/packages`)).rejects.toThrow();
  expect((await get('aps')).status).toBe(200);
});

test('answers 403 with the class of the error to a missing, foreign or expired token', async () => {
  const foreign = await apsToken(sandbox, 'fabrikam');
  const expired = await apsToken(sandbox, 'contoso');
  expect(Buffer.from(expired, 'base64').toString('latin1')).toMatch(/^\$AES-128-CB/);
  await sim(sandbox, 'POST', 'aps/expireTokens');
  token = await apsToken(sandbox, 'contoso');
  for (const bad of ['', 'nonsense', foreign, expired]) {
    const { status, body } = await get<Refused>('aps/2/packages', bad);
    expect({ status, error: body.error }).toEqual({ status: 403, error: 'APS::Util::AuthenticationFailed' });
  }
  expect((await get<Refused>('aps/2/packages', expired)).body.message).toBe('Token expired');
});

test('counts in Content-Range what a limit leaves out', async () => {
  const { body, range } = await get<Item[]>('aps/2/resources?limit(0,1)');
  expect(body).toHaveLength(1);
  expect(range).toMatch(/^items 0-0\/\d\d*$/);
  expect(Number(range?.toString().split('/')[1])).toBeGreaterThan(1);
});

test('finds the Office 365 templates by type and application, as the vendor writes such queries', async () => {
  const type = 'http://parallels.com/aps/types/pa/serviceTemplate/1.1';
  const query = `implementing(${type}),eq(appIDs,http://www.parallels.com/Office365),sort(+serviceTemplateId)`;
  const { body } = await get<Item[]>(`aps/2/resources?${query}`);
  const { templates } = sandbox.world.provider('contoso');
  const expected = templates.filter((item) => item.appIds.length > 0).map((item) => item.templateId);
  expect(body.map((item) => item.serviceTemplateId)).toEqual(expected);
  expect(expected.length).toBeLessThan(templates.length);
  const like = await get<Item[]>(`aps/2/resources?and(implementing(${type}),like(name,*exchange*))`);
  expect(like.body.map((item) => item.name)).toEqual(['Hosted Exchange 1']);
  expect((await get('aps/2/resources?nonsense(1)')).status).toBe(400);
});

test('gives an instance two UUIDs, an endpoint, and refuses a query over applications', async () => {
  const { body } = await get<Item[]>('aps/2/applications');
  const [first] = body;
  expect(first?.aps.endpoint).toBe(
    'https://office365gateway01.contoso.hosting.local/Office365GatewayApplication01/aps/',
  );
  expect(first?.app?.aps.id).not.toBe(first?.aps.id);
  const listed = await succeed<{ application_resource_id: string }[]>(
    sandbox,
    'contoso',
    'pem.APS.getApplicationInstances',
    { app_id: 17 },
  );
  expect(listed.map((item) => item.application_resource_id)).toEqual(body.map((item) => item.app?.aps.id));
  expect((await get('aps/2/applications?limit(0,1)')).status).toBe(400);
  expect((await get('aps/2/packages?limit(-1,5)')).status).toBe(400);
  expect((await get(`aps/2/resources/${first?.app?.aps.id}`)).body).toMatchObject({ instanceName: 'CSP EMEA' });
});

test('lets a German instance be told by its settings', async () => {
  const german = sandbox.world.provider('contoso').instances[1];
  const { body } = await get<Record<string, unknown>>(`aps/2/resources/${german?.resourceId}`);
  expect(JSON.stringify(body)).toContain('portal.office.de');
});

test('answers 404 in JSON for what is not there', async () => {
  expect(await get('aps/2/resources/none')).toMatchObject({
    status: 404,
    body: { error: 'APS::Util::ResourceNotFound' },
  });
  expect((await get('aps/2/tasks')).status).toBe(404);
});
