/**
 * A question that waits for a worker that is gone reaches another one together with an event whose workflow task still waits: what the SDK's
 * core makes of it could not be replayed (workflows/kit/refuse-early-queries.ts). On a real server, because it is the server that sends such a question.
 *
 * @needs temporal
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { DefaultLogger, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import { ASK_AGAIN } from '../../src/contract/ask-again';
import { connectClient, localSettings } from '../../src/temporal/connection';
import { startDevServer, type DevServer } from '../../src/temporal/dev-server';
import { connectWorker } from '../../src/temporal/worker-connection';
import { Workers } from '../kit/workers';
import { replay } from '../../src/worker/replay';
import { bundle } from '../../src/worker/workflow-bundle';
import type { EarlyActivities } from './asked-too-early-activities';
import '../kit/quiet-runtime';
import { patience } from '../kit/deadlines';

/** How long the server keeps questions for a worker that is gone, and how long it takes at most until they stand in line there. */
const KEPT_MS = patience(4_000);
const IN_LINE_MS = patience(1_500);

let folder: string;
let codePath: string;
let server: DevServer;
let client: Client;
let connection: NativeConnection;
let doomed: ChildProcess | undefined;
const workers = new Workers();

async function work(options: WorkerOptions): Promise<void> {
  await workers.start(options);
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'onward-early-'));
  codePath = path.join(folder, 'workflows.js');
  const workflowsPath = path.join(__dirname, 'asked-too-early.workflows.ts');
  const code = bundle({ workflowsPath, logger: new DefaultLogger('ERROR') }).then((text) => writeFile(codePath, text));
  [server] = await Promise.all([startDevServer(), code]);
  const settings = localSettings(server.address);
  [client, connection] = await Promise.all([connectClient(settings), connectWorker(settings)]);
});
afterAll(async () => {
  doomed?.kill('SIGKILL');
  await workers.end();
  await connection?.close();
  await client?.connection.close();
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

test('refuses a question between an event and its task, asks again, and what follows can be replayed', async () => {
  const begun = signalled(2);
  const mayFail = signalled(1);
  const activities: EarlyActivities = {
    fail: async () => {
      begun.give();
      await mayFail.given;
      throw new Error('It failed.');
    },
    afterFailure: async () => undefined,
    afterMessage: async () => undefined,
  };
  await work({ connection, taskQueue: 'activities', activities });
  doomed = spawn(
    process.execPath,
    [path.join(__dirname, 'asked-too-early-worker.cjs'), server.address, codePath, String(KEPT_MS)],
    { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  );
  const listeners = await Promise.all(
    ['asked-once', 'asked-again'].map((workflowId) =>
      client.workflow.start('listener', { workflowId, taskQueue: 'workflows' }),
    ),
  );
  await begun.given;
  const gone = once(doomed, 'exit');
  doomed.kill('SIGKILL');
  await gone;

  const askedOnce = new Client({ connection: client.connection }).workflow.getHandle('asked-once').query('heard');
  const refusal = askedOnce.catch((error: unknown) => error);
  const answer = client.workflow.getHandle('asked-again').query('heard');
  await work({ connection, taskQueue: 'workflows', workflowBundle: { codePath } });
  // The questions have to stand in line for the dead worker before the event does; nothing tells when they do.
  await delay(IN_LINE_MS);
  mayFail.give();
  expect(await refusal).toMatchObject({ message: ASK_AGAIN });
  await Promise.all(listeners.map((listener) => listener.signal('message')));

  await expect(answer).resolves.toBe('message, failure');
  const results = await Promise.all(listeners.map((listener) => listener.result()));
  expect(results).toEqual(['message, failure', 'message, failure']);
  const histories = listeners.map(async (listener) => ({
    workflowId: listener.workflowId,
    history: await listener.fetchHistory(),
  }));
  const problems: unknown[] = [];
  for await (const { problem } of replay(await Promise.all(histories), { workflows: { codePath } })) {
    problems.push(problem);
  }
  expect(problems).toEqual([undefined, undefined]);
});

/** Given once it was given so many times. */
function signalled(times: number): { give(): void; given: Promise<void> } {
  let done = (): void => undefined;
  const given = new Promise<void>((resolve) => (done = resolve));
  let missing = times;
  return { give: () => void (--missing === 0 && done()), given };
}
