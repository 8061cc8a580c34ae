/** A worker to be killed, for the server and with the bundle that its arguments name. It ends with its parent. */
import '../kit/quiet-runtime';
import { NativeConnection, Worker } from '@temporalio/worker';

process.once('disconnect', () => process.exit(1));

async function work([address, codePath]: string[]): Promise<void> {
  if (address === undefined || codePath === undefined) throw new Error('Usage: <address> <code path>');
  const worker = await Worker.create({
    connection: await NativeConnection.connect({ address }),
    taskQueue: 'workflows',
    workflowBundle: { codePath },
    // For how long the server keeps workflow tasks and questions for it when it is gone.
    stickyQueueScheduleToStartTimeout: '4 seconds',
  });
  await worker.run();
}

work(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
