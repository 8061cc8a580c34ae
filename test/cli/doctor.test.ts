/**
 * `onward doctor`, on a real server.
 *
 * @needs temporal
 */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Worker } from '@temporalio/worker';
import { EXIT } from '../../src/cli/kit/exit-codes';
import { examine } from '../../src/cli/operations/doctor/examine';
import type { Finding } from '../../src/cli/operations/doctor/finding';
import { runDoctor } from '../../src/cli/operations/doctor/run-doctor';
import { clockFinding, skew } from '../../src/cli/operations/doctor/server';
import { CliError } from '../../src/cli/kit/cli-error';
import { CONTROL_TASK_QUEUE, endpointTaskQueue, upgradeWorkflowId } from '../../src/contract/provider';
import { connectClient, localSettings, type TemporalSettings } from '../../src/temporal/connection';
import { connectWorker } from '../../src/temporal/worker-connection';
import { DEPLOYMENT_NAME, deploymentOptions } from '../../src/worker/deployment';
import { builtWorkflows } from '../../src/worker/workflow-bundle';
import { testInFull } from '../kit/extent';
import '../kit/quiet-runtime';
import { temporalServer, type TemporalServer } from '../kit/temporal-server';

let server: TemporalServer;
let systems: http.Server;
let folder: string;
beforeAll(async () => {
  server = await temporalServer();
  folder = await mkdtemp(path.join(os.tmpdir(), 'onward-doctor-'));
  systems = http.createServer((_, response) => response.writeHead(404).end()).listen(0, '127.0.0.1');
  await once(systems, 'listening');
  const { port } = systems.address() as net.AddressInfo;
  const entry = (aps: string): string => `provider: contoso
operations: { url: 'http://127.0.0.1:${port}/RPC2' }
aps: { url: '${aps}' }
billing: { url: 'http://127.0.0.1:${port}/RPC2' }
plans: [1]
stores: []
endpointHosts: [{ name: gw-host-01 }]
packages:
  '18.4.1': { url: 'http://127.0.0.1:${port}/secret-path/package.zip', sha256: '${'0'.repeat(64)}' }
`;
  await writeFile(path.join(folder, 'contoso.yaml'), entry('http://127.0.0.1:1/'));
});
afterAll(async () => {
  systems.close();
  await server.close();
  await rm(folder, { recursive: true });
});

const look = (settings: TemporalSettings): Promise<Finding[]> =>
  examine({ settings: () => settings, inventoryDirectory: folder });
const about = (findings: Finding[], what: string): Finding[] => findings.filter((each) => each.about.startsWith(what));

test('it tells task queues that nobody serves, with the command that mends it, and systems that do not answer', async () => {
  const findings = await look(server.settings);
  expect(about(findings, 'server')).toEqual([expect.objectContaining({ verdict: 'pass' })]);
  expect(about(findings, 'search attributes')).toEqual([expect.objectContaining({ verdict: 'pass' })]);
  expect(about(findings, 'clock')).toEqual([
    { about: 'clock', verdict: 'pass', message: 'This machine and the server agree about the time.' },
  ]);
  expect(about(findings, 'task queue').map(({ verdict, message }) => [verdict, message])).toEqual([
    ['problem', expect.stringMatching(/Nobody serves it.*onward worker\.$/)],
    ['problem', expect.stringMatching(/onward worker --host gw-host-01, on that host/)],
  ]);
  expect(about(findings, 'Operations')).toEqual([expect.objectContaining({ verdict: 'pass' })]);
  expect(about(findings, 'APS')).toEqual([
    expect.objectContaining({ verdict: 'problem', message: expect.stringContaining('ECONNREFUSED') }),
  ]);
  expect(about(findings, 'package server')).toHaveLength(1);
  expect(JSON.stringify(findings)).not.toContain('secret-path');
});

test('an entry that is broken hides no task queue and no system of the others', async () => {
  const broken = path.join(folder, 'broken.yaml');
  await writeFile(broken, 'provider: broken\n');
  try {
    const findings = await look(server.settings);
    expect(about(findings, 'inventory').map(({ verdict }) => verdict)).toContain('problem');
    expect(about(findings, `task queue ${endpointTaskQueue('gw-host-01')}`)).toHaveLength(1);
    expect(about(findings, 'APS')).toHaveLength(1);
  } finally {
    await rm(broken);
  }
});

test('it names the workers of a task queue, and their build', async () => {
  const connection = await connectWorker(server.settings);
  const { namespace } = server.settings;
  const activities = { readHost: async () => 'read' };
  const taskQueue = endpointTaskQueue('gw-host-01');
  const worker = await Worker.create({ connection, namespace, taskQueue, activities, identity: 'ana@gw' });
  await worker.runUntil(async () => {
    for (;;) {
      const [served] = about(await look(server.settings), `task queue ${taskQueue}`);
      if (served?.verdict !== 'pass') continue;
      expect(served.message).toBe('Served by ana@gw; build unversioned.');
      return;
    }
  });
  await connection.close();
  const [control] = about(await look(server.settings), `task queue ${CONTROL_TASK_QUEUE}`);
  expect(control?.verdict).toBe('problem');
});

test('it names what is pinned to a build that no worker runs', async () => {
  const client = await connectClient(server.settings);
  const start = (provider: string) =>
    client.workflow.start('upgradeProvider', {
      workflowId: upgradeWorkflowId(provider),
      taskQueue: CONTROL_TASK_QUEUE,
      args: [{ provider }],
      versioningOverride: { pinnedTo: { deploymentName: DEPLOYMENT_NAME, buildId: '0ddba11ade00' } },
    });
  const handles = await Promise.all(['contoso', 'fabrikam', 'litware', 'tailspin'].map(start));
  const pinned = async (told: (message: string) => boolean): Promise<Finding[]> => {
    for (;;) {
      const findings = about(await look(server.settings), 'build 0ddba11ade00');
      // The server's lists are a moment behind.
      if (told(findings[0]?.message ?? '')) return findings;
    }
  };
  const [finding] = await pinned((message) => message.includes(' and 1 more'));
  expect(finding).toMatchObject({ verdict: 'problem', message: expect.stringMatching(/waits: upgrade\/\w+, upgrade/) });
  await Promise.all(handles.map((handle) => handle.terminate()));
  expect(await pinned((message) => message === '')).toEqual([]);
  await client.connection.close();
});

testInFull('it tells a build that runs and is not current, and one that is', async () => {
  const connection = await connectWorker(server.settings);
  const { namespace } = server.settings;
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: CONTROL_TASK_QUEUE,
    workflowBundle: { codePath: builtWorkflows({}, 'versioned').codePath },
    activities: { loadProvider: async () => 'loaded' },
    workerDeploymentOptions: deploymentOptions('3f1c9a7e02b4'),
  });
  const control = async (told: (messages: string[]) => boolean): Promise<string[]> => {
    for (;;) {
      const messages = about(await look(server.settings), `task queue ${CONTROL_TASK_QUEUE}`);
      if (told(messages.map(({ message }) => message))) return messages.map(({ verdict }) => verdict);
    }
  };
  await worker.runUntil(async () => {
    const served = (message = ''): boolean => message.endsWith('; build 3f1c9a7e02b4.');
    const notCurrent = ([first, second = '']: string[]): boolean =>
      served(first) && second.includes('set-current-version --deployment-name onward --build-id 3f1c9a7e02b4');
    expect(await control(notCurrent)).toEqual(['pass', 'problem']);
    await connection.workflowService.setWorkerDeploymentCurrentVersion({
      namespace,
      deploymentName: DEPLOYMENT_NAME,
      buildId: '3f1c9a7e02b4',
    });
    expect(await control((messages) => messages.length === 1 && served(messages[0]))).toEqual(['pass']);
  });
  await connection.close();
});

test('it stops at nothing: without a server, or with settings that cannot be used, everything else is looked at', async () => {
  const unreachable = await look(localSettings('127.0.0.1:1'));
  expect(about(unreachable, 'server')).toEqual([
    expect.objectContaining({ verdict: 'problem', message: expect.stringContaining('TEMPORAL_ADDRESS') }),
  ]);
  expect(about(unreachable, 'Operations')).toHaveLength(1);
  const invalid = await examine({
    settings: () => {
      throw new CliError('usage', 'unusable', { problems: ['TEMPORAL_ADDRESS is not host:port', 'another'] });
    },
    inventoryDirectory: path.join(folder, 'nowhere'),
  });
  expect(invalid.map(({ about: what, verdict }) => [what, verdict])).toEqual([
    ['settings', 'problem'],
    ['settings', 'problem'],
    ['inventory', 'problem'],
  ]);
});

test('a clock is judged by how far it is off: what travelled in the meantime is no difference', () => {
  expect(skew(150, 100, 200)).toBe(0);
  expect(clockFinding(skew(90, 100, 200)).verdict).toBe('pass');
  expect(clockFinding(skew(10_100, 100, 200))).toMatchObject({
    verdict: 'warning',
    message: expect.stringMatching(/ 9\.9 s ahead of.*NTP/),
  });
  expect(clockFinding(-120_000)).toMatchObject({ verdict: 'problem', message: expect.stringContaining('behind') });
});

test('the command prints problems first, ends with 1, and with --json prints every finding', async () => {
  const run = async (json: boolean): Promise<{ stdout: string; error: unknown }> => {
    let stdout = '';
    const streams = { stdout: { write: (text: string) => (stdout += text) }, stderr: { write: () => undefined } };
    const context = { ...streams, env: {}, platform: process.platform, now: () => new Date(), interrupted: never };
    const options = { address: '127.0.0.1:1', inventory: folder, json };
    const error = await runDoctor(context, options).catch((thrown: unknown) => thrown);
    return { stdout, error };
  };
  const { stdout, error } = await run(false);
  expect(stdout).toMatch(/^Wrong: .*\n {2}server: The Temporal server at 127\.0\.0\.1:1 does not answer/);
  expect(stdout.indexOf('Wrong:')).toBeLessThan(stdout.indexOf('In order:'));
  expect(error).toMatchObject({ message: '2 things are wrong.', exitCode: EXIT.failure });
  const findings = expect.arrayContaining([expect.objectContaining({ about: 'server', verdict: 'problem' })]);
  expect(JSON.parse((await run(true)).stdout)).toEqual({ wrong: 2, findings });
});

const never = (): AbortSignal => new AbortController().signal;
