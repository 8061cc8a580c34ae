/**
 * A worker that is told to end does, whatever its activities and the SDK make of that.
 *
 * @needs temporal
 */
import { WorkflowFailedError, type Client } from '@temporalio/client';
import { DefaultLogger, IllegalStateError, Runtime, Worker, type NativeConnection } from '@temporalio/worker';
import { connectClient, localSettings } from '../../src/temporal/connection';
import { startDevServer, type DevServer } from '../../src/temporal/dev-server';
import { connectWorker } from '../../src/temporal/worker-connection';
import { serve, WorkerHeld } from '../../src/worker/serve';
import { builtWorkflows } from '../../src/worker/workflow-bundle';
import { testInFull } from '../kit/extent';

/** A worker that is ended by force is said to have failed: here that is wanted, and nobody has to read of it. */
Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });

let server: DevServer;
let client: Client;
let connection: NativeConnection;
beforeAll(async () => {
  server = await startDevServer();
  client = await connectClient(localSettings(server.address));
  connection = await connectWorker(localSettings(server.address));
});
afterAll(async () => {
  await client?.connection.close();
  await server?.close();
});

test('it ends although something that it holds never does, and lets its connection go', async () => {
  let begun = (): void => undefined;
  const hasBegun = new Promise<void>((resolve) => (begun = resolve));
  const worker = await Worker.create({
    connection,
    taskQueue: 'stuck',
    workflowBundle: builtWorkflows(),
    activities: {
      notify: async () => {
        begun();
        await new Promise(() => undefined);
      },
    },
    shutdownGraceTime: '100ms',
    shutdownForceTime: '1s',
  });
  const served = serve(worker);
  const notice = {
    id: 'stuck',
    provider: 'p',
    workflowId: 'w',
    kind: 'reminder',
    subject: 'Nobody ever hears',
    body: '',
  };
  const handle = await client.workflow.start('deliverNotice', {
    workflowId: 'notice/stuck',
    taskQueue: 'stuck',
    args: [{ target: 0, notice }],
  });
  const ended = handle.result();
  await Promise.race([hasBegun, ended]);
  worker.shutdown();
  await expect(served).resolves.toBeUndefined();
  await expect(connection.close()).resolves.toBeUndefined();
  // A question that waits for the end would be asked again on a connection that is closed by then.
  await handle.terminate('over');
  await expect(ended).rejects.toThrow(WorkflowFailedError);
});

test.each(['Worker still in use', 'Workflow execution context should have been disposed first'])(
  'what the SDK refuses when it ends one by force is no failure: %s',
  async (refusal) => {
    const forced = { run: () => Promise.reject(new IllegalStateError(refusal)) } as Partial<Worker> as Worker;
    await expect(serve(forced)).resolves.toBeUndefined();
  },
);

test('what else it fails with is told', async () => {
  const failed = { run: () => Promise.reject(new Error('The disk is full.')) } as Partial<Worker> as Worker;
  await expect(serve(failed)).rejects.toThrow('The disk is full.');
});

testInFull('it ends where the SDK keeps a worker that has failed', async () => {
  const failed = { run: () => new Promise<never>(() => undefined), getState: () => 'FAILED' as const };
  await expect(serve(failed)).rejects.toBeInstanceOf(WorkerHeld);
});
