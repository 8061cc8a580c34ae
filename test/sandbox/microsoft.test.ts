import { CPV_APPLICATION } from '../../src/sandbox/servers/microsoft';
import { startSandbox, type Sandbox } from '../../src/sandbox/server';
import { sim } from './clients';
import { standInHosts } from './stand-in-hosts';
import { SIMULATED_RELEASES } from '../../workflows/releases';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({
    releases: SIMULATED_RELEASES,
    hosts: standInHosts().register,
    providers: [{ id: 'fabrikam', sourceVersion: '18.4', instances: 1 }],
  });
});
afterAll(() => sandbox.close());

const instance = () => {
  const [first] = sandbox.world.provider('fabrikam').instances;
  if (!first?.refreshToken) throw new Error('the instance has no refresh token');
  return { tenant: first.tenant, key: first.instanceId, refreshToken: first.refreshToken.value };
};

async function token(changes: Record<string, string> = {}) {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: CPV_APPLICATION.clientId,
    client_secret: CPV_APPLICATION.clientSecret,
    refresh_token: instance().refreshToken,
    resource: 'https://api.partnercenter.microsoft.com',
    ...changes,
  });
  const response = await fetch(`${sandbox.urls.login}/${instance().tenant}/oauth2/token`, {
    method: 'POST',
    body: form,
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
const bearer = (answer: { body: Record<string, unknown> }) => ({
  authorization: `Bearer ${String(answer.body.access_token)}`,
});

test('redeems a refresh token in the first version of the protocol, with numbers as strings', async () => {
  const { status, body } = await token();
  expect(status).toBe(200);
  expect(body).toMatchObject({
    token_type: 'Bearer',
    expires_in: '3599',
    resource: 'https://api.partnercenter.microsoft.com',
  });
});

test.each([
  [{ refresh_token: 'unknown' }, 'invalid_grant', 65001],
  [{ client_secret: 'wrong' }, 'invalid_client', 7000215],
  [{ resource: 'https://elsewhere.example' }, 'invalid_resource', 50001],
  [{ grant_type: 'password' }, 'unsupported_grant_type', 70003],
])('refuses %j with %s', async (changes, error, code) => {
  const { status, body } = await token(changes);
  expect(status).toBeGreaterThanOrEqual(400);
  expect(body).toMatchObject({ error, error_codes: [code] });
  expect(body.error_description).toContain(`AADSTS${code}`);
});

test('begins the bodies of Partner Center with a byte order mark', async () => {
  const response = await fetch(`${sandbox.urls.partnerCenter}/v1/profiles/organization`, {
    headers: bearer(await token()),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(response.status).toBe(200);
  expect(bytes.subarray(0, 3)).toEqual(Buffer.from([0xef, 0xbb, 0xbf]));
});

test('lets a token into the API that it was issued for only', async () => {
  const headers = bearer(await token());
  const graph = await fetch(`${sandbox.urls.graph}/v1.0/organization`, { headers });
  expect(graph.status).toBe(401);
  expect(await graph.json()).toMatchObject({ error: { code: 'InvalidAuthenticationToken' } });
  const own = bearer(await token({ resource: 'https://graph.microsoft.com' }));
  const allowed = await fetch(`${sandbox.urls.graph}/v1.0/organization`, { headers: own });
  expect(await allowed.json()).toMatchObject({ value: [{ verifiedDomains: [{ name: instance().tenant }] }] });
});

test('says that a refresh token has expired after 90 days, and not before', async () => {
  await sim(sandbox, 'POST', 'clock', { advanceDays: 89 });
  expect((await token()).status).toBe(200);
  await sim(sandbox, 'POST', 'clock', { advanceDays: 1 });
  expect((await token()).body).toMatchObject({ error: 'invalid_grant', error_codes: [700082] });
});
