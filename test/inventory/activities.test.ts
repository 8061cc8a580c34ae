import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { Info } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createInventoryActivities } from '../../activities/inventory';
import { createNotifyActivities } from '../../activities/notify';
import type { Notice } from '../../src/contract/activities';
import type { NotifierTarget } from '../../src/contract/provider';
import { closeConnections } from '../../src/systems/http';

// Failures are what these tests are about: the worker's log of them says nothing new.
const environment = (info: Partial<Info> = {}) =>
  new MockActivityEnvironment(info, { logger: new DefaultLogger('ERROR') });

describe('loadProvider', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'onward-load-'));
  });
  afterEach(() => rm(directory, { recursive: true }));
  const load = (provider: string) =>
    environment().run(createInventoryActivities({ directory }).loadProvider, { provider });

  test('fails for good, with the type that tells why', async () => {
    await writeFile(path.join(directory, 'contoso.yaml'), 'provider: contoso\nplans: []\n');
    await expect(load('contoso')).rejects.toMatchObject({ type: 'InvalidInventory', nonRetryable: true });
    await expect(load('fabrikam')).rejects.toMatchObject({ type: 'UnknownProvider', nonRetryable: true });
  });
});

describe('notify', () => {
  const notice: Notice = {
    provider: 'contoso',
    workflowId: 'upgrade/contoso',
    kind: 'gatesOpened',
    subject: 'contoso waits for 1 answer',
    body: '- **drainTasks**: say when all tasks are processed',
  };
  const received: { path?: string | undefined; headers: http.IncomingHttpHeaders; body: unknown }[] = [];
  let server: http.Server;
  let base: string;

  beforeEach(async () => {
    received.length = 0;
    server = http.createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        received.push({
          path: request.url,
          headers: request.headers,
          body: JSON.parse(Buffer.concat(chunks).toString()),
        });
        response.statusCode = request.url === '/broken/T0KEN' ? 503 : request.url === '/gone' ? 410 : 204;
        response.end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    base = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  });
  afterEach(async () => {
    await closeConnections();
    server.close();
  });

  const { notify } = createNotifyActivities({ resolveSecret: async (reference) => `value of ${reference}` });
  const webhook = (where: string, token?: string): NotifierTarget => ({
    kind: 'webhook',
    url: base + where,
    ...(token && { token }),
  });

  test('posts the notice as JSON with the bearer token, and one key for all attempts', async () => {
    await environment({ activityId: '7' }).run(notify, {
      targets: [webhook('/hook', 'env:TOKEN')],
      notice,
    });
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({
      path: '/hook',
      headers: { authorization: 'Bearer value of env:TOKEN', 'idempotency-key': expect.stringMatching(/\/7$/) },
      body: notice,
    });
  });

  test('one that fails does not keep the notice from the others, and only it is tried again', async () => {
    const targets = [webhook('/broken/T0KEN'), { kind: 'log' } as const, webhook('/hook')];
    const first = environment();
    const heartbeats: unknown[] = [];
    first.on('heartbeat', (details: unknown) => heartbeats.push(details));
    const failure = await first.run(notify, { targets, notice }).catch((error: Error) => error);
    expect(failure).toMatchObject({ name: 'SystemError', retryable: true });
    expect(received.map((request) => request.path).sort()).toEqual(['/broken/T0KEN', '/hook']);

    received.length = 0;
    const second = environment({ attempt: 2, heartbeatDetails: heartbeats.at(-1) });
    await expect(second.run(notify, { targets, notice })).rejects.toThrow('HTTP 503');
    expect(received.map((request) => request.path)).toEqual(['/broken/T0KEN']);
  });

  test('names the host of a webhook that fails, and not its path, which may be its secret', async () => {
    const failure = environment().run(notify, { targets: [webhook('/broken/T0KEN')], notice });
    await expect(failure).rejects.toThrow(`POST of ${base}`);
    await expect(failure).rejects.not.toThrow('T0KEN');
  });

  test('names every failure, and is repeated as long as one of them may pass', async () => {
    const targets = [webhook('/gone'), webhook('/broken/T0KEN')];
    const failure = environment().run(notify, { targets, notice });
    await expect(failure).rejects.toMatchObject({
      message: expect.stringMatching(/^2 of 2 notifiers failed\..*HTTP 410.*HTTP 503/),
      nonRetryable: false,
    });
  });
});
