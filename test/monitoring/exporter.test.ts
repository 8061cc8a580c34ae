/**
 * What the exporter shows of upgrades on a real server.
 *
 * @needs temporal
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { CliContext } from '../../src/cli/kit/context';
import { ExportedMetrics } from '../../src/cli/operations/exporter/metrics';
import { runExporter } from '../../src/cli/operations/exporter/run-exporter';
import { Watcher } from '../../src/cli/operations/exporter/watcher';
import type { Noted } from '../../src/contract/activities';
import { CONSENT_MEMO } from '../../src/contract/consent';
import {
  LEDGER_SIGNAL,
  LEDGER_WORKFLOW,
  ledgerWorkflowId,
  type LedgerInput,
  type LedgerNote,
} from '../../src/contract/ledger';
import { endpointTaskQueue, upgradeWorkflowId } from '../../src/contract/provider';
import { providerAttribute } from '../../src/temporal/search-attributes';
import { aMoment, patience } from '../kit/deadlines';
import { testInFull } from '../kit/extent';
import { profile, stubActivities } from '../kit/stub-world/stub-activities';
import { statusWhen, WorkflowEnvironment } from '../kit/stub-world/workflow-environment';
import { EVERYTHING, LOOKED_AT } from './everything-seen';

let environment: WorkflowEnvironment;
beforeAll(async () => {
  environment = await WorkflowEnvironment.start();
});
afterAll(async () => {
  await environment?.close();
});

/** Names and labels of the samples, with their values. */
async function samplesOf(metrics: ExportedMetrics): Promise<Map<string, number>> {
  const lines = (await metrics.registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

testInFull(
  'an upgrade that waits for people shows its state and step, since when its gate is open and provisioning is off',
  async () => {
    const { activities } = stubActivities(profile('contoso'));
    const handle = await environment.upgrade(activities, { provider: 'contoso' });
    const status = await statusWhen(handle, ({ gates, crossed }) => crossed && gates.length > 0);
    const [gate] = status.gates;
    const { client, server } = environment;
    const watcher = new Watcher(client, server.settings.namespace, () => new Date(), patience(2_000));
    const metrics = new ExportedMetrics('1.2.3');
    const hosts = ['host-of-contoso', 'gw-nobody'];
    const gateSeries = `onward_oldest_gate_timestamp_seconds{provider="contoso",asked="${gate?.asked}"}`;

    let samples = new Map<string, number>();
    // The server's lists are a moment behind.
    while (!samples.has(`onward_upgrades{state="waiting",step="${status.step}"}`) || !samples.has(gateSeries)) {
      metrics.show(await watcher.look(hosts), new Date(), 1);
      samples = await samplesOf(metrics);
    }
    expect(samples.get(gateSeries)).toBe(Math.min(...status.gates.map(({ openedAt }) => Date.parse(openedAt))) / 1000);
    expect(samples.get('onward_switched_off_timestamp_seconds{provider="contoso",what="provisioning"}')).toBe(
      Date.parse(status.switchedOff[0]?.since ?? '') / 1000,
    );
    expect(samples.get(`onward_gates{asked="${gate?.asked}"}`)).toBe(status.gates.length);
    expect(samples.get('onward_unanswered{workflow="upgrade"}')).toBe(0);
    const workers = `onward_task_queue_workers{task_queue="${endpointTaskQueue('host-of-contoso')}",build="unversioned"}`;
    expect(samples.get(workers)).toBe(1);
    expect([...samples.keys()].filter((name) => name.includes('gw-nobody'))).toEqual([
      'onward_task_queue_backlog{task_queue="endpoint/gw-nobody"}',
    ]);

    // Nobody serves these, which are more than are asked at once: the server still counts them, and says that nobody tells their details.
    const unserved = Array.from({ length: 6 }, (_, index) => upgradeWorkflowId(`fabrikam-${index}`));
    for (const workflowId of unserved)
      await client.workflow.start('upgradeProvider', { workflowId, taskQueue: 'nobody', args: [{}] });
    // As after a restart: nothing is known from before.
    const anew = new Watcher(client, server.settings.namespace, () => new Date(), patience(2_000));
    samples.clear();
    while (samples.get('onward_unanswered{workflow="upgrade"}') !== unserved.length) {
      metrics.show(await anew.look(hosts), new Date(), 1);
      samples = await samplesOf(metrics);
    }
    expect(samples.get('onward_upgrades{state="",step=""}')).toBe(unserved.length);
    expect(samples.has(gateSeries)).toBe(true);

    const ended = [handle, ...unserved.map((workflowId) => client.workflow.getHandle(workflowId))];
    await Promise.all(ended.map((each) => each.terminate()));
    while (samples.get('onward_upgrades_ended{end="other"}') !== ended.length || samples.has(gateSeries)) {
      metrics.show(await anew.look(hosts), new Date(), 1);
      samples = await samplesOf(metrics);
    }
    expect([...samples.keys()].filter((name) => name.startsWith('onward_upgrades{'))).toEqual([]);
  },
);

test('what an upgrade has left that was terminated is shown from the ledger, until somebody has finished it', async () => {
  const { client, server } = environment;
  const operation = {
    provider: 'northwind',
    from: '18.3',
    to: '18.4.1',
    firstRun: '1',
    workflowId: 'upgrade/northwind',
  };
  await environment.serveOnce('northwind', stubActivities(profile('northwind')).activities);
  const note = (of: Noted | { type: 'entered'; instances: string[] }, at: string) =>
    client.workflow.signalWithStart<(input: LedgerInput) => Promise<void>, [LedgerNote]>(LEDGER_WORKFLOW, {
      workflowId: ledgerWorkflowId('of-northwind'),
      taskQueue: 'test/northwind',
      args: [{ installation: 'of-northwind' }],
      signal: LEDGER_SIGNAL,
      signalArgs: [{ ...of, operation, at }],
      typedSearchAttributes: [{ key: providerAttribute, value: 'northwind' }],
    });
  const step = 'stopProvisioning';
  await note({ type: 'entered', instances: ['of-northwind'] }, '2026-11-30T10:00:00.000Z');
  await note({ type: 'begun', step, what: 'provisioning', before: [[7]], facts: {} }, '2026-11-30T10:01:00.000Z');
  await note({ type: 'importing', requestId: 'r1' }, '2026-11-30T10:02:00.000Z');

  const watcher = new Watcher(client, server.settings.namespace, () => new Date(), patience(30_000));
  const metrics = new ExportedMetrics('1.2.3');
  const samples = async (): Promise<[string, number][]> => {
    metrics.show(await watcher.look([]), new Date(), 1);
    return [...(await samplesOf(metrics))].filter(([name]) => name.includes('northwind'));
  };
  let shown = await samples();
  // The server's lists are a moment behind.
  for (; shown.length === 0; await aMoment()) shown = await samples();
  expect(Object.fromEntries(shown)).toEqual({
    'onward_switched_off_timestamp_seconds{provider="northwind",what="provisioning"}':
      Date.parse('2026-11-30T10:01:00.000Z') / 1000,
    'onward_left_behind{provider="northwind",what="begun"}': 1,
    'onward_left_behind{provider="northwind",what="import"}': 1,
  });

  await note({ type: 'settled', step }, '2026-11-30T12:00:00.000Z');
  await note({ type: 'left', notUndone: [] }, '2026-11-30T12:01:00.000Z');
  for (; shown.length > 0; await aMoment()) shown = await samples();
});

test('a guard whose memo nobody can read is counted and told, and hides nothing', async () => {
  const { client, server } = environment;
  const guard = await client.workflow.start('guardConsent', {
    workflowId: 'consent/tailspin/1',
    taskQueue: 'nobody',
    memo: { [CONSENT_MEMO]: 'valid until further notice' },
  });
  const watcher = new Watcher(client, server.settings.namespace, () => new Date(), patience(30_000));
  let seen = await watcher.look([]);
  for (; seen.unreadable === 0; await aMoment()) seen = await watcher.look([]);
  expect(seen.problems).toContain('The memo of consent/tailspin/1 cannot be read. It is no status of a consent.');
  await guard.terminate();
});

test('holds, fleets, tokens and notices are shown by what people have to do about them', async () => {
  const metrics = new ExportedMetrics('1.2.3');
  metrics.show(EVERYTHING, LOOKED_AT, 1);
  const samples = await samplesOf(metrics);
  expect(Object.fromEntries(samples)).toMatchObject({
    'onward_hold_timestamp_seconds{provider="contoso",step="importPackage"}': LOOKED_AT.getTime() / 1000 - 3600,
    'onward_fleet_state{fleet="autumn",state="halted"}': 1,
    'onward_fleet_providers{fleet="autumn",state="failed"}': 3,
    'onward_fleet_budget{fleet="autumn"}': 3,
    'onward_fleet_broken{fleet="autumn"}': 3,
    // Of three tokens one has ended, one ends today, one has all its time.
    'onward_tokens{days_left="0"}': 1,
    'onward_tokens{days_left="1"}': 1,
    'onward_tokens{days_left="3"}': 0,
    'onward_tokens{days_left="90"}': 1,
    'onward_tokens_refused{provider="contoso"}': 1,
    'onward_tokens_refused{provider="fabrikam"}': 0,
    'onward_token_end_timestamp_seconds{provider="contoso"}': LOOKED_AT.getTime() / 1000 - 60,
    'onward_notices{state="failed"}': 2,
    'onward_unanswered{workflow="consent"}': 1,
    // Its upgrade does not run.
    'onward_switched_off_timestamp_seconds{provider="northwind",what="provisioning"}':
      LOOKED_AT.getTime() / 1000 - 9 * 3600,
    'onward_left_behind{provider="northwind",what="begun"}': 1,
    'onward_left_behind{provider="northwind",what="notUndone"}': 1,
    onward_exporter_up: 1,
  });
  expect(samples.has('onward_left_behind{provider="northwind",what="import"}')).toBe(false);
  metrics.failed();
  const blind = await samplesOf(metrics);
  expect(blind.get('onward_exporter_up')).toBe(0);
  expect(blind.get('onward_exporter_last_look_timestamp_seconds')).toBe(LOOKED_AT.getTime() / 1000);
});

test('an entry that is broken when the exporter starts is told, and hides no other', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'onward-exporter-'));
  const entry = (provider: string, url: string) => `provider: ${provider}
operations: { url: '${url}' }
aps: { url: 'https://${provider}.example/' }
billing: { url: 'https://${provider}.example/RPC2' }
plans: [1]
stores: []
endpointHosts: [{ name: gw-${provider} }]
packages: { '18.4.1': { url: 'https://packages.example/package.zip', sha256: '${'0'.repeat(64)}' } }
`;
  await writeFile(path.join(folder, 'contoso.yaml'), entry('contoso', 'https://contoso.example/RPC2'));
  await writeFile(path.join(folder, 'fabrikam.yaml'), entry('fabrikam', 'nowhere'));
  const ends = new AbortController();
  const said: string[] = [];
  let serves: (url: string) => void = () => undefined;
  const served = new Promise<string>((resolve) => (serves = resolve));
  const context: CliContext = {
    stdout: { write: (text: string) => serves((JSON.parse(text) as { url: string }).url) },
    stderr: { write: (text: string) => said.push(text) },
    env: {},
    platform: process.platform,
    now: () => new Date(),
    interrupted: () => ends.signal,
  };
  const { connectionOptions, namespace } = environment.server.settings;
  const options = { address: connectionOptions.address ?? '', namespace, json: true, inventory: folder };
  const running = runExporter(context, { ...options, host: '127.0.0.1', port: 0, interval: 100 });
  const url = await Promise.race([served, running.then(() => '')]);
  /** Until a look has told so. */
  const shows = async (...lines: string[]): Promise<void> => {
    const until = Date.now() + patience(20_000);
    for (let text = ''; !lines.every((line) => text.includes(`\n${line}\n`));) {
      if (Date.now() > until) throw new Error(`The exporter does not show ${lines.join(', ')}:\n${text}`);
      text = await (await fetch(url)).text();
    }
  };
  const backlog = (provider: string) => `onward_task_queue_backlog{task_queue="endpoint/gw-${provider}"} 0`;
  await shows('onward_inventory_problems 1', backlog('contoso'));
  expect(said[0]).toMatch(/"level":"WARN".*fabrikam\.yaml:2: operations\.url/);
  await writeFile(path.join(folder, 'fabrikam.yaml'), entry('fabrikam', 'https://fabrikam.example/RPC2'));
  await shows('onward_inventory_problems 0', backlog('contoso'), backlog('fabrikam'));
  // What was known of an entry that breaks later is kept.
  await writeFile(path.join(folder, 'fabrikam.yaml'), entry('fabrikam', 'nowhere'));
  await shows('onward_inventory_problems 1', backlog('contoso'), backlog('fabrikam'));
  ends.abort();
  await running;
  await rm(folder, { recursive: true });
});
