import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { Info } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { stringify } from 'yaml';
import { Entries } from '../../activities/entries';
import { createFleetActivities } from '../../activities/fleet';
import { createInventoryActivities } from '../../activities/inventory';
import { createNotifyActivities } from '../../activities/notify';
import type { Notice } from '../../src/contract/activities';
import type { NotifierTarget } from '../../src/contract/provider';
import { KnownEntries } from '../../src/inventory/known-entries';
import { Adapters } from '../../src/systems/adapters';
import { entriesOf } from '../kit/entries';
import { profile } from '../kit/stub-world/stub-activities';
import { closeConnections } from '../../src/systems/http';

// Failures are what these tests are about: the worker's log of them says nothing new.
const environment = (info: Partial<Info> = {}) =>
  new MockActivityEnvironment(info, { logger: new DefaultLogger('ERROR') });

const resolveSecret = async (reference: string) => `value of ${reference}`;
const adapters = new Adapters({ resolveSecret });

describe('loadProvider', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'onward-load-'));
  });
  afterEach(() => rm(directory, { recursive: true }));
  const load = (provider: string) =>
    environment().run(
      createInventoryActivities({ entries: new Entries(new KnownEntries(directory, adapters)) }).loadProvider,
      {
        provider,
      },
    );

  test('fails for good, with the type that tells why', async () => {
    await writeFile(path.join(directory, 'contoso.yaml'), 'provider: contoso\nplans: []\n');
    await expect(load('contoso')).rejects.toMatchObject({ type: 'InvalidInventory', nonRetryable: true });
    await expect(load('fabrikam')).rejects.toMatchObject({ type: 'UnknownProvider', nonRetryable: true });
  });

  test('refuses adapters that this worker does not have, with everything else that is wrong', async () => {
    await writeFile(
      path.join(directory, 'contoso.yaml'),
      'provider: contoso\nplans: []\ntaskMonitor:\n  adapter: sandbox\nconnectionTest:\n  adapter: mail\n',
    );
    const failure = load('contoso');
    await expect(failure).rejects.toMatchObject({ type: 'InvalidInventory', nonRetryable: true });
    await expect(failure).rejects.toThrow(/plans: Too small/);
    await expect(failure).rejects.toThrow(/contoso\.yaml:4: taskMonitor\.adapter: must name an adapter .* has: gate$/m);
    await expect(failure).rejects.toThrow(/contoso\.yaml:6: connectionTest\.adapter: .* has: gate, microsoft$/m);
  });

  test('refuses them for a fleet, too', async () => {
    const entry = {
      provider: 'contoso',
      operations: { url: 'https://oa.example:8440/RPC2' },
      aps: { url: 'https://oa.example:6308/' },
      billing: { url: 'https://pba.example:5224/RPC2' },
      plans: [1],
      stores: [],
      endpointHosts: [{ name: 'ep1' }],
      package: { url: 'https://packages.example/o365.app.zip', sha256: 'a'.repeat(64) },
      taskMonitor: { adapter: 'sandbox' },
    };
    await writeFile(path.join(directory, 'contoso.yaml'), stringify(entry));
    const fleet = createFleetActivities({ directory, adapters, resolveSecret });
    const frozen = await environment().run(fleet.freezeEntries, { providers: ['contoso'] });
    expect(frozen).toEqual([
      { provider: 'contoso', invalid: expect.stringMatching(/taskMonitor\.adapter: must name an adapter/) },
    ]);
  });
});

describe('notify', () => {
  const notice: Notice = {
    id: 'notice-7',
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
    closeConnections();
    server.close();
  });

  const tell = (target: NotifierTarget) => {
    const entries = entriesOf(profile('contoso', { notify: [{ kind: 'log' }, target] }));
    return environment().run(createNotifyActivities({ entries, resolveSecret }).notify, { target: 1, notice });
  };
  const webhook = (where: string, token?: string): NotifierTarget => ({
    kind: 'webhook',
    url: base + where,
    ...(token && { token }),
  });

  test('posts the notice as JSON with the bearer token, and with the id of the notice as its key', async () => {
    await tell(webhook('/hook', 'env:TOKEN'));
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({
      path: '/hook',
      headers: { authorization: 'Bearer value of env:TOKEN', 'idempotency-key': 'notice-7' },
      body: notice,
    });
  });

  test('names the host of a webhook that fails, and not its path, which may be its secret', async () => {
    const failure = tell(webhook('/broken/T0KEN'));
    await expect(failure).rejects.toThrow(`POST of ${base}`);
    await expect(failure).rejects.not.toThrow('T0KEN');
  });

  test.each([
    ['/broken/T0KEN', 'HTTP 503', true],
    ['/gone', 'HTTP 410', false],
  ])('tells by the failure of %s (%s) whether a repeat may help', async (where, problem, retryable) => {
    await expect(tell(webhook(where))).rejects.toMatchObject({
      message: expect.stringContaining(problem),
      retryable,
    });
  });
});
