import { FAILURE } from '../../src/contract/activities';
import { closeConnections } from '../../src/systems/http';
import { testMicrosoftConnection } from '../../src/systems/microsoft';
import { failureOf } from './support/failure-of';
import type { SILENCE } from './support/scripted-server';
import { scriptedServer, type Answer, type Answering, type ScriptedServer } from './support/scripted-server';

const TENANT_ID = '11111111-2222-4333-8444-555555555555';
const OTHER_ID = '99999999-2222-4333-8444-555555555555';

let server: ScriptedServer | undefined;
afterEach(async () => {
  closeConnections();
  await server?.close();
});

const json = (value: unknown, more: Answer = {}): Answer => ({ body: JSON.stringify(value), ...more });
const accessToken = (tid: string) => `e30.${Buffer.from(JSON.stringify({ tid })).toString('base64url')}.`;

/** Everything in order, for the tenant contoso.onmicrosoft.com. */
const WORKING: Record<string, Answer> = {
  token: json({ token_type: 'Bearer', expires_in: '3599', access_token: accessToken(TENANT_ID) }),
  partnerCenter: json({ companyName: 'Contoso', tenantId: TENANT_ID }),
  graph: json({
    value: [{ id: TENANT_ID, verifiedDomains: [{ name: 'Contoso.onmicrosoft.com' }, { name: 'contoso.com' }] }],
  }),
};

async function testConnection(
  changed: Record<string, Answer | typeof SILENCE> = {},
  tenant = 'contoso.onmicrosoft.com',
) {
  const answers = { ...WORKING, ...changed };
  const answering: Answering = ({ path }) =>
    answers[path.startsWith('/login') ? 'token' : path.startsWith('/graph') ? 'graph' : 'partnerCenter'] ?? {
      status: 404,
    };
  server = await scriptedServer(answering);
  return testMicrosoftConnection(
    {
      loginUrl: `${server.url}login/`,
      partnerCenterUrl: `${server.url}partnercenter`,
      graphUrl: `${server.url}graph`,
      clientId: 'client',
      clientSecret: 'client secret',
    },
    { tenant, refreshToken: 'refresh token' },
  );
}

const refused = (code: number, text = 'Something.') =>
  json({ error: 'invalid_grant', error_description: `AADSTS${code}: ${text}\r\nTrace ID: 1` }, { status: 400 });

test('both APIs are called with an access token of their own', async () => {
  expect(await testConnection()).toEqual({
    ok: true,
    checks: [
      { name: 'PartnerCenter', ok: true },
      { name: 'Graph', ok: true },
    ],
  });
  const tokens = server?.asked.filter(({ path }) => path === '/login/contoso.onmicrosoft.com/oauth2/token') ?? [];
  expect(tokens.map(({ body }) => Object.fromEntries(new URLSearchParams(body)))).toEqual(
    ['partnercenter', 'graph'].map((api) => ({
      grant_type: 'refresh_token',
      resource: `${server?.url}${api}`,
      client_id: 'client',
      client_secret: 'client secret',
      refresh_token: 'refresh token',
      scope: 'openid',
    })),
  );
  const call = server?.asked.find(({ path }) => path === '/partnercenter/v1/profiles/organization');
  expect(call?.headers).toMatchObject({
    authorization: `Bearer ${accessToken(TENANT_ID)}`,
    'ms-requestid': expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
  });
});

test('the byte order mark before answers of Partner Center does not matter', async () => {
  const { ok } = await testConnection({ partnerCenter: { body: `\uFEFF${JSON.stringify({ tenantId: TENANT_ID })}` } });
  expect(ok).toBe(true);
});

describe('a refused refresh token fails both checks and says what to do', () => {
  test.each([
    [700082, 'expired because it was not used. Give consent again'],
    [70008, 'has expired. Give consent again'],
    [50173, 'was revoked'],
    [50076, 'Multi-factor authentication is missing'],
    [50079, 'Multi-factor authentication is not set up'],
    [65001, 'Consent is missing'],
    [7000215, 'Correct connectionTest.clientSecret'],
    [7000222, 'The client secret has expired'],
    [700007, 'Compare connectionTest.clientId'],
    [50057, 'is disabled. Enable it'],
    [50078, 'sign-in frequency'],
    [70043, 'sign-in frequency'],
    [53003, 'Conditional Access policy'],
    [90038, 'another national cloud'],
    [99999, 'The token service refused: AADSTS99999: Something.. If'],
  ])('AADSTS%i', async (code, message) => {
    const { ok, checks } = await testConnection({ token: refused(code) });
    expect(ok).toBe(false);
    expect(checks.map((check) => check.message)).toEqual([
      expect.stringContaining(message),
      expect.stringContaining(message),
    ]);
    // What Microsoft says is quoted, whatever we make of it.
    expect(checks[0]?.message).toContain(`AADSTS${code}: Something.`);
    expect(JSON.stringify(checks)).not.toContain('refresh token"');
  });
});

test('an API that refuses fails its own check only', async () => {
  const forbidden = json(
    { code: '403', description: 'No Admin agent.', data: [], source: 'PartnerFD' },
    { status: 403 },
  );
  expect(await testConnection({ partnerCenter: forbidden })).toEqual({
    ok: false,
    checks: [
      {
        name: 'PartnerCenter',
        ok: false,
        message: expect.stringMatching(/HTTP 403: No Admin agent\..*Admin agent roles/) as string,
      },
      { name: 'Graph', ok: true },
    ],
  });
});

test('an access token that Graph does not accept is told with its message', async () => {
  const unauthorized = json(
    { error: { code: 'InvalidAuthenticationToken', message: 'Lifetime failed.' } },
    { status: 401 },
  );
  const { checks } = await testConnection({ graph: unauthorized });
  expect(checks[1]).toMatchObject({
    name: 'Graph',
    ok: false,
    message: expect.stringContaining('Lifetime failed.') as string,
  });
});

test.each([
  [
    'Partner Center, with 401',
    { partnerCenter: json({ code: 10001, description: 'Authentication failed. MFA required.' }, { status: 401 }) },
    'Authentication failed. MFA required. (10001)',
  ],
  [
    'Graph, with 403 and members in capitals',
    { graph: json({ Error: { Code: 'Unauthorized_MissingMFA', Message: 'Use MFA.' } }, { status: 403 }) },
    'Use MFA. (Unauthorized_MissingMFA)',
  ],
])('multi-factor authentication that is missing is called so: %s', async (_, answers, words) => {
  const { checks } = await testConnection(answers);
  const failed = checks.find(({ ok }) => !ok);
  expect(failed?.message).toContain(words);
  expect(failed?.message).toContain('issued without multi-factor authentication');
});

const denied = (body: unknown): Answer => json(body, { status: 403 });
test.each<[string, Record<string, Answer>, string]>([
  ['a message', { partnerCenter: denied({ code: 10001, message: 'No agent.' }) }, 'No agent. (10001)'],
  [
    'names of its own',
    { partnerCenter: denied({ errorName: 'Denied', errorMessage: 'No agent.' }) },
    'No agent. (Denied)',
  ],
  ['a code that is a number', { graph: denied({ error: { code: 17, message: 'No agent.' } }) }, 'No agent. (17)'],
  [
    'a code alone',
    { graph: denied({ error: { code: 'Authorization_RequestDenied' } }) },
    'Authorization_RequestDenied',
  ],
  [
    'a text in a language',
    { graph: denied({ 'odata.error': { message: { lang: 'en', value: 'No agent.' } } }) },
    'No agent.',
  ],
  [
    'nothing but a header',
    { graph: { status: 401, headers: { 'www-authenticate': 'Bearer error="x", error_description="MFA is needed"' } } },
    'MFA is needed. The token was issued without multi-factor',
  ],
  [
    'numbers of the token service alone',
    { token: json({ error: 'invalid_grant', error_description: null, error_codes: [50057] }, { status: 400 }) },
    'is disabled. Enable it',
  ],
])('the words of a refusal are quoted where it has %s', async (_, answers, words) => {
  const { checks } = await testConnection(answers);
  expect(checks.find(({ ok }) => !ok)?.message).toContain(words);
});

describe('a token of another partner account works, and is found out', () => {
  const other = {
    token: json({ access_token: accessToken(OTHER_ID) }),
    partnerCenter: json({ tenantId: OTHER_ID }),
    graph: json({ value: [{ id: OTHER_ID, verifiedDomains: [{ name: 'fabrikam.onmicrosoft.com' }] }] }),
  };
  test('by the domain of the tenant', async () => {
    const { ok, checks } = await testConnection(other);
    expect(ok).toBe(false);
    expect(checks[1]?.message).toMatch(
      /another tenant \(fabrikam\.onmicrosoft\.com\), expected contoso\.onmicrosoft\.com/,
    );
  });

  test('by the id of the tenant', async () => {
    const { checks } = await testConnection(other, TENANT_ID);
    expect(checks.map(({ ok }) => ok)).toEqual([false, false]);
  });

  test('while the right id, in any case of letters, passes', async () => {
    expect((await testConnection({}, TENANT_ID.toUpperCase())).ok).toBe(true);
  });
});

describe('a Microsoft that gives no verdict is no failed check, but a failure worth repeating', () => {
  test.each<[string, Record<string, Answer>]>([
    ['the token service is down', { token: { status: 503, body: 'unavailable' } }],
    [
      'the token service says so in its own words',
      { token: json({ error: 'temporarily_unavailable' }, { status: 503 }) },
    ],
    ['Partner Center is down', { partnerCenter: { status: 500 } }],
    ['Graph asks to slow down', { graph: { status: 429 } }],
    [
      'the token service asks to slow down',
      {
        token: json({ error: 'temporarily_unavailable', error_description: 'AADSTS90055: throttled' }, { status: 429 }),
      },
    ],
    ['an answer is no JSON', { graph: { body: '<html/>' } }],
  ])('%s', async (_, changed) => {
    expect((await failureOf(testConnection(changed))).retryable).toBe(true);
  });

  test('nobody there', async () => {
    const application = {
      loginUrl: 'http://127.0.0.1:1',
      partnerCenterUrl: 'http://a',
      graphUrl: 'http://a',
      clientId: 'c',
      clientSecret: 's',
    };
    const failure = await failureOf(testMicrosoftConnection(application, { tenant: 't', refreshToken: 'r' }));
    expect(failure.type).toBe(FAILURE.unreachable);
  });
});
