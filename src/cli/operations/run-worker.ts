import type { Worker } from '@temporalio/worker';
import { CONTROL_TASK_QUEUE, endpointTaskQueue } from '../../contract/provider';
import { inventoryDirectory } from '../../inventory/inventory';
import { dataConverter } from '../../temporal/data-converter';
import { connectWorker } from '../../temporal/worker-connection';
import { createControlPlaneWorker } from '../../worker/control-plane';
import { DEPLOYMENT_NAME, makeCurrentArguments } from '../../worker/deployment';
import { createEndpointWorker } from '../../worker/endpoint';
import { serve } from '../../worker/serve';
import { notesDirectory } from '../../worker/work-in-hand';
import { builtWorkflows } from '../../worker/workflow-bundle';
import { callingOf, printResult, type CliContext, type GlobalOptions } from '../kit/context';
import { announceReady } from '../kit/ready';
import { reached, settingsFor } from '../kit/temporal/connect';
import { commandLine } from '../kit/text/shell-quote';

/** Runs a worker until the process is asked to end; the SDK ends it in order at Ctrl-C. */
export async function runWorker(
  context: CliContext,
  options: GlobalOptions & { host?: string; inventory?: string; versioned?: boolean },
): Promise<void> {
  const { host, inventory = inventoryDirectory(context.env), versioned = false } = options;
  const settings = settingsFor(options);
  const converter = await reached(dataConverter(settings.codecKeys));
  const connection = await reached(connectWorker(settings));
  try {
    const build = host === undefined ? builtWorkflows(converter, versioned ? 'versioned' : 'index') : undefined;
    const pinned = versioned && build ? { deployment: DEPLOYMENT_NAME, buildId: build.buildId } : undefined;
    const notes = notesDirectory(context.env);
    const worker: Worker =
      host === undefined
        ? await createControlPlaneWorker(connection, {
            inventoryDirectory: inventory,
            settings,
            workflows: build,
            notesDirectory: notes,
            pinTo: pinned?.buildId,
          })
        : await createEndpointWorker(connection, { host, settings, env: context.env, notesDirectory: notes });
    const taskQueue = host === undefined ? CONTROL_TASK_QUEUE : endpointTaskQueue(host);
    const { address } = settings.connectionOptions;
    const where = { taskQueue, address, namespace: settings.namespace };
    printResult(context, options, { ...where, ...pinned }, [
      `Worker of task queue ${taskQueue} at ${address}, namespace ${settings.namespace}.`,
      ...(pinned ? howToMakeCurrent(pinned.buildId, context, options) : []),
    ]);
    announceReady(() => worker.shutdown());
    await serve(worker);
  } finally {
    await connection.close();
  }
}

function howToMakeCurrent(buildId: string, context: CliContext, options: GlobalOptions): string[] {
  const { shell, connection } = callingOf(context, options);
  return [
    `It serves the upgrades of build ${buildId}. New upgrades begin on it once it is the current build:`,
    `  ${commandLine(['temporal', ...makeCurrentArguments(buildId), ...connection], shell)}`,
  ];
}
