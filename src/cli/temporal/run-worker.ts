import type { Worker } from '@temporalio/worker';
import { CONTROL_TASK_QUEUE, endpointTaskQueue } from '../../contract/provider';
import { inventoryDirectory } from '../../inventory/inventory';
import { connectWorker } from '../../temporal/worker-connection';
import { createControlPlaneWorker } from '../../worker/control-plane';
import { createEndpointWorker } from '../../worker/endpoint';
import { say, type CliContext, type GlobalOptions } from '../cli-context';
import { announceReady } from '../demo/companion';
import { reached, settingsFor } from './connect-upgrades';

/** Runs a worker until the process is asked to end; the SDK ends it in order at Ctrl-C. */
export async function runWorker(
  context: CliContext,
  options: GlobalOptions & { host?: string; inventory?: string },
): Promise<void> {
  const { host, inventory = inventoryDirectory(context.env) } = options;
  const settings = settingsFor(options);
  const connection = await reached(connectWorker(settings));
  try {
    const worker: Worker =
      host === undefined
        ? await createControlPlaneWorker(connection, { inventoryDirectory: inventory, settings })
        : await createEndpointWorker(connection, { host, settings, env: context.env });
    const taskQueue = host === undefined ? CONTROL_TASK_QUEUE : endpointTaskQueue(host);
    const { address } = settings.connectionOptions;
    const where = { taskQueue, address, namespace: settings.namespace };
    say(context, options, where, [`Worker of task queue ${taskQueue} at ${address}, namespace ${settings.namespace}.`]);
    announceReady(() => worker.shutdown());
    await worker.run();
  } finally {
    await connection.close();
  }
}
