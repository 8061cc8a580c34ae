/**
 * A worker as everybody starts it, watched by a Prometheus: its log, its metrics, the dashboard's queries and the rules.
 *
 * @needs temporal
 * @needs prometheus
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { stringify } from 'yaml';
import { ExportedMetrics } from '../../src/cli/operations/exporter/metrics';
import { CONTROL_TASK_QUEUE, upgradeWorkflowId } from '../../src/contract/provider';
import { connectClient } from '../../src/temporal/connection';
import { patience } from '../kit/deadlines';
import { freeAddress } from '../kit/free-address';
import { temporalServer, type TemporalServer } from '../kit/temporal-server';
import { EVERYTHING, LOOKED_AT } from './everything-seen';
import { alertRules, dashboardQueries, metricsIn, MONITORING } from './names';

const PROGRAM = path.join(__dirname, '../../tools/onward.mjs');

let server: TemporalServer;
let client: Client;
let folder: string;
let exporter: http.Server;
let metrics: string;
/** Of the exporter as everybody starts it. */
let exported: string;
let prometheus: string;
const programs: ChildProcess[] = [];
let log = '';

function start(program: string, args: string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const { PATH, HOME } = process.env;
  const child = spawn(program, args, { env: { PATH, HOME, ...env }, stdio: ['ignore', 'pipe', 'pipe'], cwd: folder });
  programs.push(child);
  return child;
}

/** What is asked for, as soon as it is there. */
async function soon<T>(ask: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (const signal = AbortSignal.timeout(patience(120_000)); ; signal.throwIfAborted()) {
    const found = await ask();
    if (found !== undefined) return found;
    await delay(100);
  }
}

const api = async (call: string, parameters: Record<string, string> = {}): Promise<unknown> => {
  const answer = await fetch(`http://${prometheus}/api/v1/${call}?${new URLSearchParams(parameters).toString()}`);
  return ((await answer.json()) as { data: unknown }).data;
};

interface LogLine {
  time: string;
  level: string;
  message: string;
  provider?: string;
  step?: string;
  activity?: string;
}
const logged = (): LogLine[] =>
  log
    .slice(0, log.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine);

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'onward-watched-'));
  server = await temporalServer();
  client = await connectClient(server.settings);
  const nobody = await freeAddress();
  const entry = {
    provider: 'contoso',
    operations: { url: `http://${nobody}/RPC2` },
    aps: { url: `http://${nobody}/` },
    billing: { url: `http://${nobody}/RPC2` },
    plans: [1],
    stores: [],
    endpointHosts: [{ name: 'gw-host-01' }],
    packages: { '18.4.1': { url: `http://${nobody}/package.zip`, sha256: '0'.repeat(64) } },
  };
  await writeFile(path.join(folder, 'contoso.yaml'), stringify(entry));

  metrics = await freeAddress();
  const temporal = {
    TEMPORAL_ADDRESS: server.settings.connectionOptions.address,
    TEMPORAL_NAMESPACE: server.settings.namespace,
    XDG_STATE_HOME: folder,
  };
  const ofWorker = ['worker', '--inventory', folder, '--metrics', metrics];
  const worker = start(process.execPath, [PROGRAM, ...ofWorker], temporal);
  exported = await freeAddress();
  const port = exported.split(':')[1] ?? '';
  start(process.execPath, [PROGRAM, 'exporter', '--inventory', folder, '--port', port, '--interval', '0.5'], temporal);
  worker.stderr?.on('data', (text: Buffer) => (log += text.toString()));
  const upgrade = await client.workflow.start('upgradeProvider', {
    workflowId: upgradeWorkflowId('contoso'),
    taskQueue: CONTROL_TASK_QUEUE,
    args: [{ provider: 'contoso' }],
  });
  await upgrade.signal('pause', { by: 'ana@ops.example' });

  const shown = new ExportedMetrics('1.2.3');
  shown.show(EVERYTHING, LOOKED_AT, 1);
  const { registry } = shown;
  exporter = http.createServer((_, response) => {
    response.setHeader('content-type', registry.contentType);
    void registry.metrics().then((text) => response.end(text));
  });
  exporter.listen(0, '127.0.0.1');
  await once(exporter, 'listening');
  const everything = `127.0.0.1:${(exporter.address() as net.AddressInfo).port}`;

  prometheus = await freeAddress();
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [path.join(MONITORING, 'alerts.yml')],
    scrape_configs: [{ job_name: 'onward', static_configs: [{ targets: [metrics, everything] }] }],
  };
  await writeFile(path.join(folder, 'prometheus.yaml.txt'), stringify(config));
  start('prometheus', [
    `--config.file=${path.join(folder, 'prometheus.yaml.txt')}`,
    `--storage.tsdb.path=${path.join(folder, 'tsdb')}`,
    `--web.listen-address=${prometheus}`,
  ]);
});

afterAll(async () => {
  for (const child of programs) {
    const ended = child.exitCode === null ? once(child, 'exit') : undefined;
    child.kill('SIGKILL');
    await ended;
  }
  await client.workflow.getHandle(upgradeWorkflowId('contoso')).terminate();
  await client.connection.close();
  exporter.close();
  exporter.closeAllConnections();
  await server.close();
  await rm(folder, { recursive: true });
});

test('a worker’s metrics count answers of people and calls to systems, beside those of the SDK', async () => {
  const text = await soon(async () => {
    const answer = await fetch(`http://${metrics}/metrics`).catch(() => undefined);
    const body = (await answer?.text()) ?? '';
    return body.includes('onward_answers_total') && body.includes('result="Unreachable"') ? body : undefined;
  });
  expect(text).toMatch(/^onward_answers_total\{[^}]*message="pause"[^}]*verdict="refused"[^}]*\} 1$/m);
  expect(text).toMatch(/^onward_system_call_duration_seconds_bucket\{[^}]*system="Operations"[^}]*le="0\.05"[^}]*\}/m);
  expect(text).toMatch(/^temporal_workflow_task_execution_latency_seconds_bucket/m);
  const ofWorkers = [...alertRules(), ...dashboardQueries()]
    .flatMap(({ expr }) => metricsIn(expr))
    .filter((metric) => /^onward_(answers|system_call)/.test(metric));
  expect(new Set(ofWorkers).size).toBeGreaterThan(2);
  for (const metric of ofWorkers) expect(text).toContain(`\n${metric}{`);
});

test('the exporter serves what the server knows, and follows it', async () => {
  const samples = ['onward_upgrades{state="running",step="preflight"} 1', 'onward_exporter_up 1'];
  samples.push('onward_task_queue_workers{task_queue="onward",build="unversioned"} 1');
  await soon(async () => {
    const answer = await fetch(`http://${exported}/metrics`).catch(() => undefined);
    const text = (await answer?.text()) ?? '';
    return samples.every((sample) => text.includes(`\n${sample}\n`)) || undefined;
  });
  expect((await fetch(`http://${exported}/`)).status).toBe(404);
});

test('its log is one JSON object a line, and says whose upgrade did what', async () => {
  const refused = await soon(() => logged().find(({ message }) => message === 'signal:pause refused'));
  expect(refused).toMatchObject({ level: 'WARN', provider: 'contoso', verdict: 'refused' });
  const failed = await soon(() => logged().find(({ activity }) => activity === 'readOperations'));
  expect(failed).toMatchObject({ level: 'WARN', provider: 'contoso', attempt: expect.any(Number) });
  expect(logged().find(({ message }) => message === 'step done')).toMatchObject({ level: 'INFO', step: 'preflight' });
  for (const { time } of logged()) expect(new Date(time).toISOString()).toBe(time);
});

test('every query of the dashboard is answered by a Prometheus that watches worker and exporter', async () => {
  await soon(() => api('query', { query: 'up == 1' }).catch(() => undefined));
  const queries = dashboardQueries();
  expect(queries.length).toBeGreaterThan(15);
  for (const { title, expr } of queries) {
    const samples = await soon(async () => {
      const { result } = (await api('query', { query: expr })) as { result: unknown[] };
      return result.length > 0 ? result.length : undefined;
    }).catch(() => 0);
    expect([title, expr, samples > 0]).toEqual([title, expr, true]);
  }
});

test('it evaluates every alert', async () => {
  const evaluated = await soon(async () => {
    const { groups } = (await api('rules')) as { groups: { rules: { name: string; health: string }[] }[] };
    const rules = groups.flatMap(({ rules: some }) => some);
    return rules.length === 0 || rules.some(({ health }) => health === 'unknown') ? undefined : rules;
  });
  expect(evaluated.map(({ name, health }) => [name, health])).toEqual(alertRules().map(({ alert }) => [alert, 'ok']));
});
