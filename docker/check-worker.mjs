// Health check of a worker's container: node check-worker.mjs <task queue>
// A worker is well when Temporal has lately seen this machine poll for its work. Its identity is `<pid>@<host name>`.
import os from 'node:os';
import { Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';

/** A poll lasts a minute when there is no work. */
const LATELY_MS = 2 * 60_000;
const WORKFLOW = 1;
const ACTIVITY = 2;

const [taskQueue] = process.argv.slice(2);
const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
const connection = await Connection.connect({ ...connectionOptions, connectTimeout: 5_000 });
const types = taskQueue.startsWith('endpoint/') ? [ACTIVITY] : [WORKFLOW, ACTIVITY];
for (const taskQueueType of types) {
  const { pollers } = await connection.withDeadline(Date.now() + 5_000, () =>
    connection.workflowService.describeTaskQueue({ namespace, taskQueue: { name: taskQueue }, taskQueueType }),
  );
  const here = pollers.filter(({ identity }) => identity.endsWith(`@${os.hostname()}`));
  const lastPolls = here.map(({ lastAccessTime }) => Number(lastAccessTime.seconds) * 1000);
  if (Math.max(0, ...lastPolls) < Date.now() - LATELY_MS) {
    console.error(`Nobody on ${os.hostname()} has polled ${taskQueue} in the last two minutes.`);
    process.exit(1);
  }
}
await connection.close();
