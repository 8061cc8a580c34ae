/**
 * Every credential is a canary, and everything that can quote one does: systems that echo what they are sent, a token service,
 * a webhook, PowerShell. Afterwards no canary is found in anything that anybody keeps or shows.
 *
 * @needs temporal
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowFailedError, type Client, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { asMarkdown } from '../../src/cli/kit/documents/document';
import { evidenceDocument } from '../../src/cli/upgrade/evidence-document';
import { evidencePack } from '../../src/cli/upgrade/evidence-pack';
import { TemporalUpgrades } from '../../src/cli/upgrade/temporal-upgrades';
import { FAILURE } from '../../src/contract/activities';
import { CONTROL_TASK_QUEUE, upgradeWorkflowId } from '../../src/contract/provider';
import { QUERY, type AuditEntry, type UpgradeStatus } from '../../src/contract/status';
import { STAND_IN } from '../../src/sandbox/adapters';
import { runOperator } from '../../src/sandbox/operator';
import { startSandbox, type Sandbox } from '../../src/sandbox/server';
import { CPV_APPLICATION } from '../../src/sandbox/servers/microsoft';
import { connectClient, localSettings } from '../../src/temporal/connection';
import { startDevServer, type DevServer } from '../../src/temporal/dev-server';
import { Collector } from '../kit/collector';
import { testInFull } from '../kit/extent';
import { freeAddress } from '../kit/free-address';
import { Canary, filesBelow } from './canaries';
import { EchoingSystems } from './echoing-systems';
import { rawHistories } from './raw-histories';
import { patience, timings } from '../kit/deadlines';
import { SIMULATED_RELEASES } from '../../workflows/releases';

const PROGRAM = path.join(__dirname, '../../tools/onward.mjs');
const TIMINGS = timings({
  retryFor: 60,
  heartbeat: 10,
  hostAnswer: 60,
  drain: 60,
  import: 60,
  instanceUpgrade: 60,
  script: 60,
});
/** Programs are started here, one after the other, and many calls fail before one succeeds. */
const ENOUGH_MS = patience(100_000);

const inHeader = (core: string): string => `t+/=%${core};`;
/** Keys and tokens are made of letters, so that these are canaries as well: 24 of the 32 bytes of a key are. */
const asKey = (core: string): string => Buffer.concat([Buffer.from(core), randomBytes(8)]).toString('base64');
const canaries = {
  operations: new Canary('password of Operations'),
  billing: new Canary('password of Billing'),
  webhook: new Canary('token of the webhook', inHeader),
  clientSecret: new Canary('client secret'),
  refreshToken: new Canary('refresh token'),
  apiKey: new Canary('API key of Temporal', inHeader),
  firstKey: new Canary('first codec key', asKey),
  secondKey: new Canary('second codec key', asKey),
};
/** No secret: the provider's name, which has to be found wherever something is kept. Else the search would prove nothing. */
const control = new Canary('control', (core) => `Aviary ${core}`);

let folder: string;
let server: DevServer;
let collector: Collector;
let sandbox: Sandbox;
let systems: EchoingSystems;
let client: Client;
const programs = new Set<ChildProcess>();
/** Tells waiting tests that a worker has ended by itself. */
let workersDied = new AbortController();
let logs = '';
/** Where the workers serve their metrics. */
let metrics: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'onward-secrets-'));
  collector = await Collector.start();
  [server, sandbox] = await Promise.all([
    startDevServer({ directory: path.join(folder, 'temporal') }),
    startSandbox({ releases: SIMULATED_RELEASES, dataDirectory: path.join(folder, 'sandbox'), providers: [] }),
  ]);
  client = await connectClient(localSettings(server.address));
});
afterAll(async () => {
  await endWorkers();
  systems?.close();
  await collector?.close();
  await client?.connection.close();
  await sandbox?.close();
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

const within = (...names: string[]): string => path.join(folder, ...names);

async function planted(name: string, canary: Canary): Promise<string> {
  await mkdir(within('secrets'), { recursive: true });
  await writeFile(within('secrets', name), `${canary.value}\n`, { mode: 0o600 });
  return `file:${within('secrets', name)}`;
}

/** A provider whose every system is behind the echo, and whose every credential is a canary. */
async function plant(id: string): Promise<void> {
  await sandbox.addProvider({
    id,
    name: control.value,
    instances: 1,
    operationsLogin: { user: 'onward', password: canaries.operations.value },
    billingLogin: { user: 'onward', password: canaries.billing.value },
  });
  const { urls, world } = sandbox;
  const [instance] = world.provider(id).instances;
  if (instance === undefined) throw new Error(`${id} has no instance`);
  systems = await EchoingSystems.start({
    operations: { url: urls.operations(id) },
    billing: { url: urls.billing(id) },
    aps: { url: urls.aps(id), ca: await readFile(sandbox.caFile, 'utf8') },
    login: {
      url: urls.login,
      translate: (body) => {
        const form = new URLSearchParams(body);
        form.set('client_secret', CPV_APPLICATION.clientSecret);
        form.set('refresh_token', world.provider(id).instances[0]?.refreshToken?.value ?? 'none yet');
        return form.toString();
      },
    },
    partnercenter: { url: urls.partnerCenter },
    graph: { url: urls.graph },
  });
  const user = 'onward';
  sandbox.writeInventory(
    within('inventory'),
    {
      timings: TIMINGS,
      operations: { url: systems.url('operations'), user, password: 'env:CANARY_OPERATIONS' },
      billing: { url: systems.url('billing'), user, password: await planted('billing', canaries.billing) },
      aps: { url: `${systems.url('aps')}/` },
      connectionTest: {
        adapter: 'microsoft',
        loginUrl: systems.url('login'),
        partnerCenterUrl: systems.url('partnercenter'),
        graphUrl: systems.url('graph'),
        clientId: CPV_APPLICATION.clientId,
        clientSecret: await planted('client-secret', canaries.clientSecret),
        accounts: {
          [instance.name]: {
            tenant: instance.tenant,
            refreshToken: await planted('refresh-token', canaries.refreshToken),
          },
        },
      },
      notify: [{ kind: 'log' }, { kind: 'webhook', url: systems.url('webhook'), token: 'env:CANARY_WEBHOOK' }],
      onFailureBeforeCrossing: 'hold',
    },
    [id],
  );
}

/** `onward worker` as everybody starts it. */
async function startWorker(args: string[], environment: NodeJS.ProcessEnv): Promise<void> {
  const served = await freeAddress();
  metrics.push(served);
  const program = spawn(process.execPath, [PROGRAM, 'worker', ...args], {
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_CONFIG_FILE: within('temporal.toml'),
      // With an API key there would be TLS.
      TEMPORAL_API_KEY: canaries.apiKey.value,
      TEMPORAL_TLS: 'false',
      ONWARD_METRICS: served,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '100',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [program.stdout, program.stderr]) stream.on('data', (text: Buffer) => (logs += text.toString()));
  program.once('exit', () => {
    if (programs.delete(program)) workersDied.abort(new Error(`A worker ended by itself. Workers have said:\n${logs}`));
  });
  programs.add(program);
}

async function endWorkers(): Promise<void> {
  const running = [...programs];
  programs.clear();
  await Promise.all(
    running.map(async (program) => {
      const exit = once(program, 'exit');
      program.kill('SIGTERM');
      await exit;
    }),
  );
}

/** Looks until it is so, for as long as the workers live. */
async function until(happened: () => boolean | Promise<boolean>): Promise<void> {
  for (const signal = overdue(); !(await happened()); await delay(50)) signal.throwIfAborted();
}

const overdue = (): AbortSignal => AbortSignal.any([workersDied.signal, AbortSignal.timeout(ENOUGH_MS)]);

async function startWorkers(id: string, environment: NodeJS.ProcessEnv): Promise<void> {
  workersDied = new AbortController();
  metrics = [];
  await writeFile(within('temporal.toml'), '[profile.default]\n');
  // It writes its whole environment to standard error, and then does what PowerShell does.
  const powershell = within('powershell');
  await writeFile(powershell, `#!/bin/sh\nenv >&2\nexec '${process.execPath}' '${STAND_IN}'\n`);
  await chmod(powershell, 0o755);
  await startWorker(['--inventory', within('inventory'), '--sandbox'], {
    CANARY_OPERATIONS: canaries.operations.value,
    CANARY_WEBHOOK: canaries.webhook.value,
    ...environment,
  });
  const [host = ''] = sandbox.world.provider(id).gateways.map((gateway) => gateway.host);
  await startWorker(['--host', host, '--sandbox', sandbox.urls.sim], { ONWARD_PWSH: powershell, ...environment });
}

async function startUpgrade(id: string): Promise<WorkflowHandle> {
  return client.workflow.start('upgradeProvider', {
    workflowId: upgradeWorkflowId(id),
    taskQueue: CONTROL_TASK_QUEUE,
    workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
    args: [{ provider: id }],
  });
}

/** Starts it again each time that a refusal of a system ends it before it has begun; returns the upgrade that was not. */
async function upgradeInSpiteOfRefusals(id: string): Promise<WorkflowHandle> {
  for (const signal = overdue(); ; signal.throwIfAborted()) {
    const upgrade = await startUpgrade(id);
    const everyMs = 100;
    await runOperator({ upgrade, controlUrl: sandbox.urls.control(id), everyMs, resolves: () => 'retry', signal });
    if (!(await isRefused(upgrade))) return upgrade;
  }
}

async function isRefused(upgrade: WorkflowHandle): Promise<boolean> {
  const problem = await upgrade.result().catch((error: unknown) => error);
  const { cause } = problem instanceof WorkflowFailedError ? problem : {};
  return cause instanceof ApplicationFailure && cause.type === FAILURE.refused;
}

/** Everything in which somebody could find a secret, by a name for people. */
async function everything(id: string): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>([['logs of the workers', Buffer.from(logs)]]);
  const add = (name: string, value: unknown): void =>
    void found.set(name, Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));
  found.set('traces by OpenTelemetry', Buffer.concat(collector.received));
  for (const address of metrics) add(`metrics at ${address}`, await (await fetch(`http://${address}/metrics`)).text());
  for (const [name, raw] of await rawHistories(client)) add(`raw history of ${name}`, raw);
  for await (const { workflowId, runId } of client.workflow.list()) {
    const handle = client.workflow.getHandle(workflowId, runId);
    const described = await handle.describe();
    add(`description of ${workflowId}`, [described.searchAttributes, described.memo, described.raw]);
    add(`history of ${workflowId} as JSON`, historyToJSON(await handle.fetchHistory()));
  }
  const upgrades = new TemporalUpgrades(client);
  const record = await upgrades.record(id);
  const answers: unknown[] = [await upgrades.view(id), await upgrades.plan(id), await upgrades.running()];
  const reports: unknown[] = [];
  // Also those of the runs that a refusal has ended: they quote it.
  for await (const { runId } of client.workflow.list({ query: `WorkflowId = '${upgradeWorkflowId(id)}'` })) {
    const run = client.workflow.getHandle(upgradeWorkflowId(id), runId);
    const [status, audit] = [await run.query<UpgradeStatus>(QUERY.status), await run.query<AuditEntry[]>(QUERY.audit)];
    const pack = evidencePack(status, audit, record, { now: new Date(), onwardVersion: '1.0.0' });
    answers.push(status, audit);
    reports.push(pack, asMarkdown(evidenceDocument(pack)));
  }
  add('answers of the queries', answers);
  add('report', reports);
  const notices = systems.received.filter(({ system }) => system === 'webhook');
  add('notices', notices.map(({ body }) => body).join('\n'));
  // The sandbox knows the passwords of its own systems; everything else that it writes is a journal or a host's disk.
  const own = (file: string): boolean => /^(state|secrets)\b/.test(file);
  for (const [name, bytes] of await filesBelow(within('sandbox'), own)) found.set(`sandbox: ${name}`, bytes);
  for (const [name, bytes] of await filesBelow(within('temporal'))) found.set(`database: ${name}`, bytes);
  for (const [name, bytes] of await filesBelow(within('inventory'))) found.set(`inventory: ${name}`, bytes);
  return found;
}

function traces(places: Map<string, Buffer>): string[] {
  return [...places].flatMap(([place, bytes]) =>
    Object.values(canaries).flatMap((canary) => canary.tracesIn(bytes).map((trace) => `${trace}: ${place}`)),
  );
}

/** `database: control first half`: in which kinds of places the canary is found, and in which form. */
function tellingOf(canary: Canary, places: Map<string, Buffer>): string[] {
  const found = [...places].flatMap(([place, bytes]) =>
    canary.tracesIn(bytes).map((trace) => `${kindOf(place)}: ${trace.replace(/ after \d$/, '')}`),
  );
  return [...new Set(found)];
}

/** Where, and in which form, the name of the provider is kept. */
const KEPT = [
  ['raw', 'first half'],
  ['history', 'in base64'],
  ['answers', 'first half'],
  ['report', 'first half'],
  ['database', 'first half'],
  ['inventory', 'first half'],
] as const;

/** `raw history of upgrade/aviary` is of the kind `raw`. */
const kindOf = (place: string): string => place.replace(/:? .*/, '');

test('the canaries of this test are recognised in every form', () => {
  const { operations, firstKey } = canaries;
  const forms = [
    operations.value,
    encodeURIComponent(operations.value),
    JSON.stringify({ password: operations.value }),
    ...['a', 'an', 'ana'].map((user) => Buffer.from(`${user}:${operations.value}`).toString('base64')),
    ...['a', 'an', 'ana'].map((user) => Buffer.from(`${user}:${operations.value}`).toString('base64url')),
    operations.value.slice(0, -6),
    operations.value.slice(16),
  ];
  for (const form of forms) expect(operations.tracesIn(Buffer.from(`before ${form} after`))).not.toEqual([]);
  expect(operations.tracesIn(Buffer.from(operations.value, 'utf16le'))).not.toEqual([]);
  expect(firstKey.tracesIn(Buffer.from(firstKey.value))).not.toEqual([]);
  expect(firstKey.tracesIn(Buffer.from(firstKey.value, 'base64'))).not.toEqual([]);
});

// Security: no-credential-kept
test('no credential is found in histories, queries, logs, traces, reports, search attributes, journals, or the database', async () => {
  await plant('aviary');
  const [host = ''] = sandbox.world.provider('aviary').gateways.map((gateway) => gateway.host);
  for (const call of ['discover', 'inspect', 'stage']) {
    sandbox.faults.add({ host, system: 'host', call, kind: 'exitsSilently' });
  }
  await startWorkers('aviary', {});
  const upgrade = await upgradeInSpiteOfRefusals('aviary');
  expect(await upgrade.result()).toMatchObject({ provider: 'aviary' });

  // Everybody has had the chance to tell: each credential was sent, each refusal was given, and each was quoted.
  const received = Buffer.from(JSON.stringify(systems.received));
  const sent = ['operations', 'billing', 'webhook', 'clientSecret', 'refreshToken'] as const;
  for (const name of sent) expect(canaries[name].tracesIn(received)).not.toEqual([]);
  expect(systems.left()).toEqual({});
  expect(sandbox.faults.list()).toEqual([]);
  const places = await everything('aviary');
  const told = [...places].filter(([, bytes]) => bytes.includes('[secret]')).map(([place]) => kindOf(place));
  expect(new Set(told)).toEqual(new Set(['raw', 'logs', 'answers', 'report', 'notices', 'database', 'traces']));
  for (const [kind, form] of KEPT) expect(tellingOf(control, places)).toContain(`${kind}: control ${form}`);

  expect(traces(places)).toEqual([]);
  // Nor does any history say where a credential is kept, what the entry calls its systems, or that there are traces.
  const histories = [...places].filter(([place]) => /^(raw )?history/.test(place));
  const references = [
    'CANARY_OPERATIONS',
    'CANARY_WEBHOOK',
    within('secrets'),
    systems.url('operations'),
    '_tracer-data',
  ];
  for (const [place, bytes] of histories)
    for (const reference of references) expect([place, bytes.includes(reference)]).toEqual([place, false]);
});

testInFull('no key of payload encryption is found either', async () => {
  await endWorkers();
  systems.close();
  await plant('cage');
  await startWorkers('cage', {
    ONWARD_CODEC_KEYS: `k1=env:CANARY_KEY,k2=${await planted('key', canaries.secondKey)}`,
    CANARY_KEY: canaries.firstKey.value,
  });
  const [host = ''] = sandbox.world.provider('cage').gateways.map((gateway) => gateway.host);
  const { id } = sandbox.faults.add({ host, system: 'host', call: 'discover', kind: 'exitsSilently' });
  await startUpgrade('cage');
  await until(() => !sandbox.faults.list().some((fault) => fault.id === id));
  await until(async () => /^k1$/m.test([...(await rawHistories(client)).values()].join('\n')));
  await endWorkers();

  expect(logs).not.toContain('CANARY_KEY=');
  expect(traces(new Map([...(await filesBelow(within('temporal'))), ['logs', Buffer.from(logs)]]))).toEqual([]);
});
