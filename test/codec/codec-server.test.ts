import { createSecretKey, randomBytes } from 'node:crypto';
import net from 'node:net';
import { once } from 'node:events';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import type { CliContext } from '../../src/cli/kit/context';
import type { CliError } from '../../src/cli/kit/cli-error';
import type { CodecServerCommandOptions } from '../../src/cli/operations/run-codec-server';
import { runCodecServer } from '../../src/cli/operations/run-codec-server';
import { Access } from '../../src/codec-server/access';
import { startCodecServer, type CodecServer } from '../../src/codec-server/server';
import { EncryptionCodec, type CodecKey } from '../../src/temporal/codec';

const TOKEN = 'f3b0c44298fc1c149afbf4c8996fb924';
const UI = 'http://127.0.0.1:8233';
const key = (id: string): CodecKey => ({ id, key: createSecretKey(randomBytes(32)) });
const current = key('k1');
const codec = new EncryptionCodec([current], { namespace: 'upgrades' });

interface WirePayload {
  metadata: Record<string, string>;
  data: string;
}
const onWire = ({ metadata, data }: Payload): WirePayload => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
  ),
  data: Buffer.from(data ?? []).toString('base64'),
});
const plain = onWire(defaultPayloadConverter.toPayload({ evidence: 'ticket 4711' }));

let server: CodecServer;
const lines: string[] = [];
beforeAll(async () => {
  server = await startCodecServer({
    codec,
    token: TOKEN,
    namespace: 'upgrades',
    uiOrigins: [UI],
    log: (l) => lines.push(l),
  });
});
afterAll(() => server.close());

const AUTHORISED = { authorization: `Bearer ${TOKEN}`, 'x-namespace': 'upgrades', 'content-type': 'application/json' };
async function ask(
  path: string,
  body: unknown,
  headers: Record<string, string> = AUTHORISED,
): Promise<{ status: number; text: string; headers: Headers }> {
  const answer = await fetch(`${server.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
}
const payloadsIn = (text: string): WirePayload[] => (JSON.parse(text) as { payloads: WirePayload[] }).payloads;
async function encrypted(): Promise<WirePayload[]> {
  return payloadsIn((await ask('/encode', { payloads: [plain] })).text);
}

test('encodes what the caller sends, and decodes it again', async () => {
  const [sealed] = await encrypted();
  expect(Buffer.from(sealed?.metadata['encoding'] ?? '', 'base64').toString()).toBe('binary/encrypted');
  expect(Buffer.from(sealed?.data ?? '', 'base64').toString('latin1')).not.toContain('4711');
  const opened = await ask('/decode', { payloads: [sealed] });
  expect(payloadsIn(opened.text)).toEqual([plain]);
  expect(opened.headers.get('cache-control')).toBe('no-store');
});

test('encrypts for the workflow that its path names, slashes included, and shows what is there to whoever asks there', async () => {
  const answer = await ask('/for/upgrade/contoso/encode', { payloads: [plain] });
  const [sealed] = payloadsIn(answer.text);
  expect(Buffer.from(sealed?.metadata['encrypted-for-workflow'] ?? '', 'base64').toString()).toBe('upgrade/contoso');
  for (const path of ['/decode', '/for/upgrade/contoso/decode', '/for/upgrade/fabrikam/decode']) {
    expect(payloadsIn((await ask(path, { payloads: [sealed] })).text)).toEqual([plain]);
  }
  for (const path of ['/for/encode', '/for/upgrade/contoso', '/for/upgrade/contoso/forge']) {
    expect((await ask(path, { payloads: [plain] })).status).toBe(404);
  }
  expect((await ask('/for/upgrade/contoso/encode', { payloads: [plain] }, {})).status).toBe(401);
});

test('encrypts for no workflow in particular until the cut-over, and says what to do after it', async () => {
  const late = await startCodecServer({
    codec: new EncryptionCodec([current], { namespace: 'upgrades', plaintextUntil: 0 }),
    token: TOKEN,
    namespace: 'upgrades',
    uiOrigins: [],
  });
  const asked = async (path: string): Promise<{ status: number; text: string }> => {
    const body = JSON.stringify({ payloads: [plain] });
    const answer = await fetch(`${late.url}${path}`, { method: 'POST', headers: AUTHORISED, body });
    return { status: answer.status, text: await answer.text() };
  };
  try {
    expect(await asked('/encode')).toEqual({
      status: 422,
      text: expect.stringContaining('/for/<workflow id>, such as /for/upgrade/contoso') as string,
    });
    expect((await asked('/for/upgrade/contoso/encode')).status).toBe(200);
    expect((await asked('/decode')).status).toBe(200);
  } finally {
    await late.close();
  }
});

test('takes payloads without metadata or data, and an empty list', async () => {
  const bare = [{}, { metadata: null, data: null }, { metadata: {} }];
  expect(payloadsIn((await ask('/decode', { payloads: bare })).text)).toEqual(bare.map(() => ({ metadata: {} })));
  expect(payloadsIn((await ask('/decode', {})).text)).toEqual([]);
});

// Security: codec-server-token, codec-server-namespace
test.each([
  ['no token', { authorization: '' }, 401, 'token is missing or wrong'],
  ['a wrong token', { authorization: 'Bearer 0123456789abcdef0123456789abcdef' }, 401, 'token is missing or wrong'],
  ['a prefix of the token', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }, 401, 'token is missing or wrong'],
  ['the token without its scheme', { authorization: TOKEN }, 401, '--codec-auth "Bearer <token>"'],
  ['another namespace', { 'x-namespace': 'payroll' }, 403, 'serves the namespace upgrades'],
  ['a page from elsewhere', { origin: 'https://evil.example' }, 403, 'Pages of this origin'],
  ['a page without an origin of its own', { origin: 'null' }, 403, 'Pages of this origin'],
])('refuses %s', async (_, changes, status, problem) => {
  const [sealed] = await encrypted();
  const answer = await ask('/decode', { payloads: [sealed] }, { ...AUTHORISED, ...changes });
  expect({ status: answer.status, text: answer.text }).toEqual({ status, text: expect.stringContaining(problem) });
  expect(answer.headers.get('access-control-allow-origin')).toBeNull();
});

test('takes an empty namespace for its own, as the CLI sends it where nobody has named one', async () => {
  expect((await ask('/decode', {}, { ...AUTHORISED, 'x-namespace': '' })).status).toBe(200);
});

test('does not even read what a caller without the token sends', async () => {
  const { hostname, port } = new URL(server.url);
  const socket = net.connect(Number(port), hostname);
  socket.write('POST /decode HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 401 /);
});

test('says which key is missing, in words that the UI and CLI show as they are', async () => {
  const [foreign] = await new EncryptionCodec([key('k0')], { namespace: 'upgrades' }).encode([
    defaultPayloadConverter.toPayload('x'),
  ]);
  const answer = await ask('/decode', { payloads: [foreign && onWire(foreign)] });
  expect(answer).toMatchObject({ status: 422, text: expect.stringContaining('the key "k0"') });
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
});

test.each([
  ['no JSON', 'not JSON', 400],
  ['JSON of another shape', '{"payloads":"all"}', 400],
  ['bytes that are no base64', '{"payloads":[{"data":"***"}]}', 400],
  ['a list instead of an object', '[]', 400],
  ['more than 8 MiB', JSON.stringify({ payloads: [{ data: 'A'.repeat(9 * 1024 * 1024) }] }), 413],
])('refuses %s with a message', async (_, body, status) => {
  const answer = await fetch(`${server.url}/decode`, { method: 'POST', headers: AUTHORISED, body });
  expect(answer.status).toBe(status);
  expect((await answer.text()).trim()).not.toBe('');
});

test('takes the largest payload that Temporal lets through', async () => {
  const large = onWire({ metadata: {}, data: randomBytes(2 * 1024 * 1024) });
  const sealed = payloadsIn((await ask('/encode', { payloads: [large] })).text);
  expect(payloadsIn((await ask('/decode', { payloads: sealed })).text)).toEqual([large]);
});

describe("Temporal's UI in a browser", () => {
  const signIn = (token: string): Promise<Response> =>
    fetch(`${server.url}/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: server.url },
      body: new URLSearchParams({ token }).toString(),
    });
  const fromUi = (cookie: string, origin = UI): Record<string, string> => ({
    origin,
    cookie: `other=1; ${cookie.split(';', 1)[0]}`,
    'x-namespace': 'upgrades',
    'content-type': 'application/json',
  });

  test('is told before it asks that it may, and another page is told nothing', async () => {
    const preflight = (origin: string): Promise<Response> =>
      fetch(`${server.url}/decode`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-namespace' },
      });
    const allowed = await preflight(UI);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe(UI);
    expect(allowed.headers.get('access-control-allow-credentials')).toBe('true');
    expect(allowed.headers.get('access-control-allow-headers')).toContain('x-namespace');
    expect(allowed.headers.get('vary')).toContain('origin');
    const refused = await preflight('https://evil.example');
    expect([...refused.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  test('decodes after somebody has signed in with the token in that browser', async () => {
    expect((await signIn('wrong')).status).toBe(401);
    const signedIn = await signIn(TOKEN);
    const cookie = signedIn.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(TOKEN);
    const answer = await ask('/decode', { payloads: await encrypted() }, fromUi(cookie));
    expect(payloadsIn(answer.text)).toEqual([plain]);
    expect(answer.headers.get('access-control-allow-origin')).toBe(UI);
  });

  test('shares its cookie with nobody: not with another page, and not with a request that no page made', async () => {
    const cookie = (await signIn(TOKEN)).headers.get('set-cookie') ?? '';
    const withoutOrigin = { ...AUTHORISED, authorization: '', cookie: fromUi(cookie)['cookie'] ?? '' };
    expect((await ask('/decode', { payloads: [] }, fromUi(cookie, 'https://evil.example'))).status).toBe(403);
    expect((await ask('/decode', { payloads: [] }, withoutOrigin)).status).toBe(401);
    expect((await ask('/decode', { payloads: [] }, fromUi('onward-codec=made-up'))).status).toBe(401);
  });

  test('has to sign in again after twelve hours', () => {
    let now = 0;
    const access = new Access(TOKEN, () => now);
    const cookie = access.signIn(TOKEN)?.split(';', 1)[0];
    now = 12 * 3600 * 1000 - 1;
    expect(access.allowsCookie(cookie)).toBe(true);
    now += 1;
    expect(access.allowsCookie(cookie)).toBe(false);
  });
});

test('the log says who asked and how it ended, and nothing of what was asked', async () => {
  lines.length = 0;
  await ask('/decode?token=in-the-wrong-place', { payloads: [plain] });
  await ask(`/${TOKEN}`, {});
  await ask('/decode', { payloads: [{ data: 'dGlja2V0IDQ3MTE=' }, { data: '***' }] });
  expect(lines).toEqual([
    '127.0.0.1 POST /decode 200',
    '127.0.0.1 POST (unknown path) 404',
    '127.0.0.1 POST /decode 400',
  ]);
});

describe('onward codec-server', () => {
  const before = { ...process.env };
  afterEach(() => {
    process.env = { ...before };
  });

  const serve = async (options: Partial<CodecServerCommandOptions> = {}): Promise<{ problems: string[] }> => {
    const interruption = new AbortController();
    const context: CliContext = {
      stdout: { write: (text) => interruption.abort(text) },
      stderr: { write: () => undefined },
      env: process.env,
      platform: 'linux',
      now: () => new Date(),
      interrupted: () => interruption.signal,
    };
    return runCodecServer(context, { host: '127.0.0.1', port: 0, namespace: 'default', ...options }).then(
      () => ({ problems: [] }),
      (error: CliError) => ({ problems: [`exit code ${error.exitCode}`, ...error.problems] }),
    );
  };

  test('tells everything that is wrong with keys and token at once, before it listens', async () => {
    process.env['ONWARD_CODEC_KEYS'] = 'k1=env:ONWARD_TEST_NOT_SET,k2=env:ONWARD_TEST_TOKEN';
    process.env['ONWARD_TEST_TOKEN'] = 'short';
    expect((await serve({ token: 'env:ONWARD_TEST_TOKEN' })).problems).toEqual([
      'exit code 2',
      expect.stringMatching(/^the key k1: .*ONWARD_TEST_NOT_SET/),
      expect.stringMatching(/^the key k2 is not 32 bytes/),
      expect.stringMatching(/^the token needs 16 characters or more/),
    ]);
  });

  test('does not start without keys and a token, and serves with them until it is interrupted', async () => {
    delete process.env['ONWARD_CODEC_KEYS'];
    expect((await serve()).problems).toEqual([
      'exit code 2',
      expect.stringMatching(/^ONWARD_CODEC_KEYS is not set/),
      expect.stringMatching(/^there is no token/),
    ]);
    process.env['ONWARD_CODEC_KEYS'] = 'k1=env:ONWARD_TEST_KEY';
    process.env['ONWARD_TEST_KEY'] = randomBytes(32).toString('base64');
    process.env['ONWARD_CODEC_TOKEN'] = 'env:ONWARD_TEST_TOKEN';
    process.env['ONWARD_TEST_TOKEN'] = TOKEN;
    expect(await serve()).toEqual({ problems: [] });
  });
});
