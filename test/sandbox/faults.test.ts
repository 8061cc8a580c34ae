import { once } from 'node:events';
import type { WireFault } from '../../src/sandbox/faults';
import { startSandbox, type Sandbox } from '../../src/sandbox/server';
import { decodeResponse, encodeCall, MalformedXmlRpc, XmlRpcFault } from '../../src/systems/xmlrpc';
import { operations, post, sim, succeed, until } from './clients';
import { standInHosts } from './stand-in-hosts';
import { patience } from '../kit/deadlines';
import { SIMULATED_RELEASES } from '../../workflows/releases';

const hosts = standInHosts();
let sandbox: Sandbox;
let template: number;

beforeEach(async () => {
  hosts.upgradeAll('18.4.1');
  sandbox = await startSandbox({
    releases: SIMULATED_RELEASES,
    hosts: hosts.register,
    providers: [{ id: 'contoso', instances: 1 }, { id: 'fabrikam' }],
  });
  template = sandbox.world.provider('contoso').templates[0]?.templateId ?? 0;
});
afterEach(() => sandbox.close());

const deactivate = () =>
  post(sandbox.urls.operations('contoso'), encodeCall('pem.deactivateST', [{ st_id: template }]));
const effects = () => sandbox.journal.entries({ kind: 'effect', name: 'templateDeactivated' }).length;
const harm = (kind: WireFault, more = {}) =>
  sim(sandbox, 'POST', 'faults', {
    provider: 'contoso',
    system: 'operations',
    call: 'pem.deactivateST',
    kind,
    ...more,
  });

test.each(['refuse', 'reset'] as const)('lets %s drop the connection without any effect', async (kind) => {
  await harm(kind);
  await expect(deactivate()).rejects.toThrow('fetch failed');
  expect(effects()).toBe(0);
});

test('lets effectThenNoAnswer have its effect and drop the connection', async () => {
  await harm('effectThenNoAnswer');
  await expect(deactivate()).rejects.toThrow('fetch failed');
  expect(effects()).toBe(1);
});

test('answers 500, a fault, or half of an answer, as it is told', async () => {
  await harm('error500');
  expect((await deactivate()).status).toBe(500);
  await harm('fault');
  const { text: fault } = await deactivate();
  expect(() => decodeResponse(fault)).toThrow(XmlRpcFault);
  expect(effects()).toBe(0);
  await harm('malformed');
  const { text: half } = await deactivate();
  expect(() => decodeResponse(half)).toThrow(MalformedXmlRpc);
  expect(effects()).toBe(1);
});

test('answers a slow call after its delay, with the effect already there', async () => {
  await harm('slow', { delayMs: 150 });
  const startedAt = Date.now();
  const answer = deactivate();
  await until(
    async () => effects(),
    (count) => count === 1,
  );
  expect((await answer).status).toBe(200);
  expect(Date.now() - startedAt).toBeGreaterThanOrEqual(145);
});

test('does nothing after a slow beginning where the caller is gone, and all of it where the caller is there', async () => {
  await harm('slowBefore', { delayMs: patience(500) });
  const gone = new AbortController();
  const hit = once(sandbox.faults, 'hit');
  const url = sandbox.urls.operations('contoso');
  const body = encodeCall('pem.deactivateST', [{ st_id: template }]);
  const call = fetch(url, { method: 'POST', headers: { 'content-type': 'text/xml' }, body, signal: gone.signal });
  await hit;
  gone.abort();
  await expect(call).rejects.toThrow('aborted');
  await until(
    async () => sandbox.journal.entries({ outcome: 'slowBefore' }).length,
    (count) => count === 1,
  );
  expect(effects()).toBe(0);
  await harm('slowBefore', { delayMs: 100 });
  expect((await deactivate()).status).toBe(200);
  expect(effects()).toBe(1);
});

test('ends at once although a call waits for its answer', async () => {
  await harm('slow', { delayMs: patience(60_000) });
  const answer = deactivate().catch((error: Error) => error);
  await until(
    async () => effects(),
    (count) => count === 1,
  );
  await sandbox.close();
  // Had it waited, the caller would have the answer.
  expect(await answer).not.toMatchObject({ status: 200 });
});

test('lets the first calls through when told to skip, and hits as often as told', async () => {
  await harm('error500', { skip: 1, times: 2 });
  const statuses = [];
  for (let number = 0; number < 4; number += 1) statuses.push((await deactivate()).status);
  expect(statuses).toEqual([200, 500, 500, 200]);
  expect((await sim(sandbox, 'GET', 'faults')).body).toEqual([]);
});

test('leaves other calls and other providers alone', async () => {
  await harm('error500');
  const other = sandbox.world.provider('fabrikam').templates[0]?.templateId ?? 0;
  expect((await operations(sandbox, 'fabrikam', 'pem.deactivateST', { st_id: other })).status).toBe(0);
  expect((await operations(sandbox, 'contoso', 'system.listMethods', {})).status).toBe(0);
});

test('delays all calls of a system while a latency is set', async () => {
  await sim(sandbox, 'POST', 'latencies', { system: 'operations', delayMs: 60 });
  const startedAt = Date.now();
  await deactivate();
  expect(Date.now() - startedAt).toBeGreaterThanOrEqual(55);
  await sim(sandbox, 'DELETE', 'latencies');
  expect((await sim(sandbox, 'GET', 'latencies')).body).toEqual([]);
});

test('refuses every connection to a stopped system until it is started', async () => {
  await sim(sandbox, 'POST', 'systems/operations/stop');
  const refused = await deactivate().catch((error: Error) => error.cause);
  expect(refused).toMatchObject({ code: 'ECONNREFUSED' });
  await sim(sandbox, 'POST', 'systems/operations/start');
  expect((await deactivate()).status).toBe(200);
});

test('names every problem of a fault that it does not understand', async () => {
  const { status, body } = await sim<{ message: string }>(sandbox, 'POST', 'faults', { kind: 'nonsense', times: 0 });
  expect(status).toBe(400);
  expect(body.message).toContain('call');
  expect(body.message).toContain('times');
});

test('keeps a stuck task open and reports a failed one by its request', async () => {
  const importWith = async (kind: WireFault, provider: string) => {
    await sim(sandbox, 'POST', 'faults', { provider, call: 'pem.APS.importPackage', kind });
    const { txn_id } = await succeed<{ txn_id: number }>(sandbox, provider, 'txn.Begin', { request_id: kind });
    await succeed(sandbox, provider, 'pem.APS.importPackage', { txn_id, package_url: sandbox.urls.package('18.4.1') });
    await succeed(sandbox, provider, 'txn.Commit', { txn_id });
    await sim(sandbox, 'POST', 'clock', { advanceMs: 3_600_000 });
    return succeed<{ request_status: number; status_messages: string[] }>(sandbox, provider, 'pem.getRequestStatus', {
      request_id: kind,
    });
  };
  expect((await importWith('stuckTask', 'contoso')).request_status).toBe(1);
  const failed = await importWith('failedUpgradeTask', 'fabrikam');
  expect(failed.request_status).toBe(2);
  expect(failed.status_messages.join()).toContain('failed');
});
