import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { ServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { generate } from 'selfsigned';
import { FAILURE, type FailureType } from '../../src/contract/activities';
import {
  closeConnections,
  exchange,
  statusFailure,
  withoutCredentials,
  type HttpRequest,
} from '../../src/systems/http';
import { failureOf } from './support/failure-of';
import { SILENCE, scriptedServer, socketServer, type Answering, type ScriptedServer } from './support/scripted-server';
import { patience } from '../kit/deadlines';

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  closeConnections();
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function serve(answering: Answering, tls?: ServerOptions): Promise<ScriptedServer> {
  const server = await scriptedServer(answering, tls);
  open.push(server);
  return server;
}

async function serveSockets(onSocket: (socket: Socket) => void) {
  const server = await socketServer(onSocket);
  open.push(server);
  return server;
}

/** A deadline that passes: long enough that a request is on its way before. */
const SOON_MS = patience(500);

const TLS_1_0 = { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
const TLS_ALERT = 0x15;
/** TLS 1.2 with ECDHE-RSA-AES128-GCM-SHA256, and not one extension. */
const SERVER_HELLO_WITHOUT_SAFE_RENEGOTIATION = Buffer.concat([
  Buffer.from('160303002a' + '02000026' + '0303', 'hex'),
  Buffer.alloc(32, 7),
  Buffer.from('00' + 'c02f' + '00', 'hex'),
]);

const request = (url: string, more: Partial<HttpRequest> = {}): HttpRequest => ({
  system: 'Operations',
  call: 'pem.activateST',
  object: 'service template 16',
  method: 'POST',
  url,
  body: '<call/>',
  deadlineMs: patience(5_000),
  ...more,
});

async function expectFailure(promise: Promise<unknown>, type: FailureType, problem: string | RegExp) {
  const failure = await failureOf(promise);
  expect(failure.message).toMatch(problem);
  expect(failure.message).toMatch(/^Operations: pem\.activateST of service template 16 /);
  expect(failure.type).toBe(type);
}

test('an answer comes back with status, headers and body, whatever the status', async () => {
  const server = await serve(() => ({
    status: 418,
    headers: { 'Content-Range': 'items 0-0/9' },
    body: 'short and stout',
  }));
  const answer = await exchange(request(`${server.url}tea?implementing(http://a/b/1.1),limit(0,1)`));
  expect([answer.status, answer.header('content-range'), answer.body.toString()]).toEqual([
    418,
    'items 0-0/9',
    'short and stout',
  ]);
  expect(server.asked[0]).toMatchObject({
    method: 'POST',
    path: '/tea?implementing(http://a/b/1.1),limit(0,1)',
    body: '<call/>',
  });
});

test('connections are kept for later requests', async () => {
  const server = await serve(() => ({}));
  for (let n = 0; n < 6; n += 1) await exchange(request(server.url, { purpose: 'asks' }));
  expect(server.connections()).toBeLessThan(6);
});

describe('a kept connection that the other side closes on the next call', () => {
  /** Answers once on each connection, and closes it when it is asked again. */
  const answersOnce = async () => {
    const bodies: string[] = [];
    const server = await serveSockets((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (first) => {
        bodies.push(first.toString().split('\r\n\r\n')[1] ?? '');
        socket.once('data', () => socket.destroy());
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    return { url: `http://${server.address}/`, bodies, connections: server.connections };
  };

  test('costs a call that only asks one more connection', async () => {
    const server = await answersOnce();
    for (const body of ['a', 'b', 'c']) {
      expect((await exchange(request(server.url, { body, purpose: 'asks' }))).body.toString()).toBe('ok');
    }
    expect(server.bodies).toEqual(['a', 'b', 'c']);
    expect(server.connections()).toBe(3);
  });

  test('cannot happen to a call that changes something: it has a connection of its own', async () => {
    const server = await answersOnce();
    await exchange(request(server.url, { body: 'asks', purpose: 'asks' }));
    for (const body of ['x', 'y']) expect((await exchange(request(server.url, { body }))).status).toBe(200);
    expect(server.bodies).toEqual(['asks', 'x', 'y']);
  });

  test('is tried again once, and then told', async () => {
    let answers = 1;
    const server = await serveSockets((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => {
        if (answers-- > 0) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
        else socket.destroy();
      });
    });
    const asks = () => exchange(request(`http://${server.address}/`, { purpose: 'asks' }));
    await asks();
    await expectFailure(asks(), FAILURE.outcomeUnknown, 'lost the connection');
    expect(server.connections()).toBe(2);
  });
});

describe('an answer as old servers and what is before them write it is read:', () => {
  const written = (text: string) => (socket: Socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => {
      // In pieces: no head comes in one.
      for (const piece of text.match(/[^]{1,7}/g) ?? []) socket.write(piece);
    });
  };
  test.each([
    ['an unasked 100 Continue', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    ['a folded header', 'HTTP/1.1 200 OK\r\nX-Node: a\r\n b\r\nContent-Length: 2\r\n\r\nok'],
    ['its length twice', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nServer: x\r\ncontent-length:2\r\n\r\nok'],
    ['its length twice in one header', 'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok'],
    [
      'its type twice',
      'HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Type: text/xml\r\nContent-Length: 2\r\n\r\nok',
    ],
    [
      'a length beside chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    ],
    ['line feeds alone', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'],
  ])('%s, also on a kept connection', async (_, text) => {
    const server = await serveSockets(written(text));
    for (let n = 0; n < 3; n += 1) {
      const { status, body } = await exchange(request(`http://${server.address}/`, { purpose: 'asks' }));
      expect([status, body.toString()]).toEqual([200, 'ok']);
    }
    expect(server.connections()).toBe(1);
  });

  test('a head that looks like one inside of a body is left alone', async () => {
    const body = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n';
    const server = await serveSockets(written(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`));
    expect((await exchange(request(`http://${server.address}/`))).body.toString()).toBe(body);
  });

  test('two lengths that differ are none', async () => {
    const server = await serveSockets(written('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok'));
    await expectFailure(exchange(request(`http://${server.address}/`)), FAILURE.malformedAnswer, 'not HTTP');
  });

  test.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['identity, gzip', gzipSync],
    ['deflate, gzip', (text: Buffer) => gzipSync(deflateSync(text))],
  ])('packed with %s', async (encoding, pack) => {
    const server = await serve(() => ({ headers: { 'content-encoding': encoding }, body: pack(Buffer.from('<ok/>')) }));
    expect((await exchange(request(server.url))).body.toString()).toBe('<ok/>');
  });

  test('packed: one that is empty, with what its status says', async () => {
    const server = await serve(() => ({ status: 503, headers: { 'content-encoding': 'gzip' }, body: '' }));
    expect(await exchange(request(server.url))).toMatchObject({ status: 503, body: Buffer.alloc(0) });
  });

  test('packed: no further than its limit, and only where it is what it says', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const server = await serve(({ path: asked }) => ({
      headers: { 'content-encoding': asked === '/zstd' ? 'zstd' : 'gzip' },
      body: asked === '/bomb' ? bomb : 'plain',
    }));
    const to = (name: string) => exchange(request(`${server.url}${name}`, { maxBytes: 1024 * 1024 }));
    await expectFailure(to('bomb'), FAILURE.malformedAnswer, 'more than 1 MiB');
    await expectFailure(to('plain'), FAILURE.malformedAnswer, 'it is no gzip');
    await expectFailure(to('zstd'), FAILURE.malformedAnswer, 'encoded as zstd');
  });
});

describe('http: to a port that speaks TLS is said by name, with the address:', () => {
  const told = /was not read: (127\.0\.0\.1:\d+) speaks TLS.*Write https:\/\/\1 there/;

  test('where the port hangs up', async () => {
    const server = await serve(
      () => ({}),
      await generate([{ name: 'commonName', value: 'management node' }]).then(({ private: key, cert }) => ({
        key,
        cert,
      })),
    );
    await expectFailure(exchange(request(server.url.replace('https:', 'http:'))), FAILURE.unreachable, told);
  });

  test.each([
    ['answers with an alert of TLS', Buffer.from([0x15, 3, 3, 0, 2, 2, 10])],
    [
      'answers with a page',
      "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nReason: You're speaking plain HTTP to an SSL-enabled server port.",
    ],
  ])('where the port %s', async (_, answer) => {
    const server = await serveSockets((socket) => socket.once('data', () => socket.end(answer)));
    await expectFailure(exchange(request(`http://${server.address}/`)), FAILURE.unreachable, told);
  });
});

describe('nothing was sent, so the call may be repeated:', () => {
  test('a refused connection', async () => {
    const server = await scriptedServer(() => ({}));
    await server.close();
    await expectFailure(exchange(request(server.url)), FAILURE.unreachable, 'ECONNREFUSED');
  });

  test('what no header can carry', async () => {
    const server = await serve(() => ({}));
    const asked = exchange(request(server.url, { headers: { 'aps-token': 'a\nb' } }));
    await expectFailure(asked, FAILURE.unreachable, 'ERR_INVALID_CHAR');
  });

  test('a name that does not resolve', async () => {
    await expectFailure(
      exchange(request('http://nowhere.invalid/')),
      FAILURE.unreachable,
      /name nowhere\.invalid does not resolve/,
    );
  });

  test('a system that speaks no TLS', async () => {
    const server = await serve(() => ({}));
    await expectFailure(
      exchange(request(server.url.replace('http:', 'https:'))),
      FAILURE.unreachable,
      'no trusted TLS connection',
    );
  });

  test('a deadline that passes before there is a connection', async () => {
    // A TLS handshake that never ends.
    const mute = await serveSockets(() => undefined);
    await expectFailure(
      exchange(request(`https://${mute.address}/`, { deadlineMs: SOON_MS })),
      FAILURE.unreachable,
      'found no connection to 127.0.0.1',
    );
  });
});

describe('the request was on its way, so the outcome is unknown:', () => {
  test('the connection is reset instead of an answer', async () => {
    const server = await serve((asked) => {
      asked.reset();
      return SILENCE;
    });
    await expectFailure(
      exchange(request(server.url)),
      FAILURE.outcomeUnknown,
      'lost the connection after the request was sent',
    );
    expect(server.asked).toHaveLength(1);
  });

  test('no answer comes before the deadline', async () => {
    const server = await serve(() => SILENCE);
    await expectFailure(
      exchange(request(server.url, { deadlineMs: SOON_MS })),
      FAILURE.outcomeUnknown,
      `no complete answer within ${SOON_MS / 1000} s`,
    );
  });

  test('the answer begins and does not end before the deadline', async () => {
    const server = await serve(() => ({ headers: { 'content-length': '100' }, body: 'begun' }));
    await expectFailure(
      exchange(request(server.url, { deadlineMs: SOON_MS, purpose: 'asks' })),
      FAILURE.outcomeUnknown,
      'no complete answer',
    );
  });
});

test.each([
  ['GET', 'It has changed nothing'],
  ['POST', 'It may have had its effect'],
] as const)('what to do after the silence follows from what was asked: %s', async (method, next) => {
  const server = await serve(() => SILENCE);
  const asked = exchange(request(server.url, { method, deadlineMs: SOON_MS }));
  await expectFailure(asked, FAILURE.outcomeUnknown, next);
});

test('an answer that is no HTTP is malformed', async () => {
  const raw = await serveSockets((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
  await expectFailure(exchange(request(`http://${raw.address}/`)), FAILURE.malformedAnswer, 'not HTTP');
});

test('an answer larger than the limit is cut off', async () => {
  const server = await serve(() => ({ body: Buffer.alloc(3 * 1024 * 1024) }));
  await expectFailure(
    exchange(request(server.url, { maxBytes: 2 * 1024 * 1024 })),
    FAILURE.malformedAnswer,
    'more than 2 MiB',
  );
});

test('a large answer can be taken piece by piece, and error pages are kept all the same', async () => {
  const server = await serve(({ path: asked }) =>
    asked === '/ok' ? { body: Buffer.alloc(1_000_000, 1) } : { status: 404, body: 'no such file' },
  );
  let bytes = 0;
  const onChunk = (chunk: Buffer) => {
    bytes += chunk.length;
  };
  const answer = await exchange(request(`${server.url}ok`, { onChunk, maxBytes: 10 }));
  expect([bytes, answer.body.length]).toEqual([1_000_000, 0]);
  expect((await exchange(request(`${server.url}missing`, { onChunk }))).body.toString()).toBe('no such file');
});

test('an aborted exchange ends with the reason of the abort', async () => {
  const controller = new AbortController();
  const server = await serve(() => {
    controller.abort(new Error('the operator aborted'));
    return SILENCE;
  });
  await expect(exchange(request(server.url, { signal: controller.signal }))).rejects.toThrow('the operator aborted');
});

describe('a system with a certificate of its own authority', () => {
  let directory: string;
  let caFile: string;
  let certificate: { key: string; cert: string };
  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'onward-tls-'));
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'management node' }], {
      extensions: [
        { name: 'basicConstraints', cA: true },
        { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
      ],
    });
    certificate = { key, cert };
    caFile = path.join(directory, 'ca.pem');
    await writeFile(caFile, cert);
    await writeFile(path.join(directory, 'broken.pem'), 'no certificate');
    await writeFile(path.join(directory, 'binary.pem'), Buffer.from(cert.replace(/-----.*-----/g, ''), 'base64'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const serveTls = () => serve(() => ({ body: 'trusted' }), certificate);

  test('is trusted when the authority is named', async () => {
    const server = await serveTls();
    expect((await exchange(request(server.url, { caFile }))).body.toString()).toBe('trusted');
  });

  // Security: tls-verified
  test('is trusted where PowerShell has written the authority, in UTF-16', async () => {
    const server = await serveTls();
    const file = path.join(directory, 'utf-16.pem');
    await writeFile(file, `\uFEFF${await readFile(caFile, 'utf8')}`, 'utf16le');
    expect((await exchange(request(server.url, { caFile: file }))).body.toString()).toBe('trusted');
  });

  test('is refused when it is not, with what to do', async () => {
    const server = await serveTls();
    await expectFailure(exchange(request(server.url)), FAILURE.unreachable, /no trusted TLS connection.*caFile/);
    expect(server.asked).toEqual([]);
  });

  test('is refused under another name', async () => {
    const server = await serveTls();
    const url = server.url.replace('127.0.0.1', 'localhost');
    await expectFailure(exchange(request(url, { caFile })), FAILURE.unreachable, 'ERR_TLS_CERT_ALTNAME_INVALID');
  });

  describe('that knows only the TLS of before 2018', () => {
    const old = 'it speaks TLS only as it was before 2018';

    test('is refused, with what allows it for this one system', async () => {
      const server = await serve(() => ({}), { ...certificate, ...TLS_1_0 });
      const asked = exchange(request(server.url, { caFile, legacyTls: false }));
      await expectFailure(asked, FAILURE.unreachable, new RegExp(`${old}.*legacyTls: true`));
    });

    test('is spoken to where the inventory allows it, and its certificate is judged all the same', async () => {
      const server = await serve(() => ({ body: 'old' }), { ...certificate, ...TLS_1_0 });
      expect((await exchange(request(server.url, { caFile, legacyTls: true }))).body.toString()).toBe('old');
      await expectFailure(
        exchange(request(server.url, { legacyTls: true })),
        FAILURE.unreachable,
        /no trusted TLS connection.*caFile/,
      );
    });

    test('where it would renegotiate without a safeguard', async () => {
      const server = await serveSockets((socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => socket.write(SERVER_HELLO_WITHOUT_SAFE_RENEGOTIATION));
        // Whoever accepts it waits for the certificate, which does not come.
        socket.on('data', (more: Buffer) => more[0] === TLS_ALERT || socket.end());
      });
      const ask = (legacyTls: boolean) =>
        exchange(request(`https://${server.address}/`, { caFile, legacyTls, deadlineMs: SOON_MS }));
      await expectFailure(ask(false), FAILURE.unreachable, new RegExp(`renegotiation.*${old}`));
      expect((await failureOf(ask(true))).message).not.toContain(old);
    });
  });

  test('is accepted without a look only by the explicit setting', async () => {
    const server = await serveTls();
    expect((await exchange(request(server.url, { verifyTls: false }))).status).toBe(200);
  });

  test.each([
    ['missing', 'ENOENT'],
    ['broken', 'gives no certificate'],
    ['binary', 'is no valid UTF-8'],
  ])('needs a readable authority: %s', async (name, problem) => {
    const server = await serveTls();
    const file = path.join(directory, `${name}.pem`);
    await expectFailure(exchange(request(server.url, { caFile: file })), FAILURE.invalidInventory, problem);
  });
});

test.each([
  [401, FAILURE.accessDenied],
  [403, FAILURE.accessDenied],
  [404, FAILURE.rejected],
  [408, FAILURE.malformedAnswer],
  [429, FAILURE.unreachable],
  [500, FAILURE.malformedAnswer],
  [502, FAILURE.malformedAnswer],
])('HTTP %i is %s', (status, type) => {
  expect(statusFailure(request('http://a/'), status, 'because').type).toBe(type);
});

test('a URL is shown without credentials and without its query', () => {
  expect(withoutCredentials('https://ana:secret@files.example/o365.zip?sig=secret')).toBe(
    'https://files.example/o365.zip',
  );
});
