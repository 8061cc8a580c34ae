import type { Worker } from '@temporalio/worker';
import { ONWARD } from '../../contract/onward';
import { CONTROL_TASK_QUEUE, endpointTaskQueue } from '../../contract/provider';
import type * as SimulatedWorld from '../../sandbox/adapters';
import { workerConverter } from '../../temporal/data-converter';
import { connectWorker } from '../../temporal/worker-connection';
import { createControlPlaneWorker } from '../../worker/control-plane';
import { DEPLOYMENT_NAME, makeCurrentArguments } from '../../worker/deployment';
import { createEndpointWorker, protectFolders, type EndpointOfHost } from '../../worker/endpoint';
import { serve, WorkerHeld } from '../../worker/serve';
import { installTelemetry, NoMetrics, type TelemetrySettings } from '../../worker/telemetry';
import { notesDirectory } from '../../worker/work-in-hand';
import { builtWorkflows } from '../../worker/workflow-bundle';
import { CliError } from '../kit/cli-error';
import { callingOf, printResult, type CliContext, type GlobalOptions } from '../kit/context';
import { announceReady } from '../kit/ready';
import { reached } from '../kit/temporal/connect';
import { commandLine } from '../kit/text/shell-quote';
import { workerSettings, type WorkerOptions } from './worker-settings';

/** Runs a worker until the process is asked to end; the SDK ends it in order at Ctrl-C. */
export async function runWorker(context: CliContext, options: WorkerOptions & { versioned?: boolean }): Promise<void> {
  const { host, sandbox, versioned = false } = options;
  const { settings, telemetry, inventory, ...read } = await workerSettings(context, options);
  const { metrics } = telemetry;
  install(telemetry);
  // A product worker does not load the simulated world.
  const simulated =
    sandbox === undefined ? undefined : { url: sandbox, ...(await import('../../sandbox/adapters/index.js')) };
  const endpoint =
    host === undefined || simulated === undefined ? read.endpoint : await ofSandbox(context.env, host, simulated);
  // Folders that nobody but administrators can reach.
  if (endpoint !== undefined) await protectFolders(endpoint);
  const own = host === undefined || endpoint === undefined ? undefined : { host, ...endpoint };
  const converter = await reached(workerConverter(settings));
  const connection = await reached(connectWorker(settings));
  // What it loads is for those alone who want traces.
  const traces = telemetry.traces ? (await import('../../worker/traces.js')).startTraces() : undefined;
  const interceptors = traces?.interceptors;
  try {
    const build = host === undefined ? builtWorkflows(converter, versioned ? 'versioned' : 'index') : undefined;
    const pinned = versioned && build ? { deployment: DEPLOYMENT_NAME, buildId: build.buildId } : undefined;
    const notes = notesDirectory(context.env);
    const worker: Worker =
      own === undefined
        ? await createControlPlaneWorker(connection, {
            inventoryDirectory: inventory,
            ...(simulated && { adapters: simulated.SANDBOX_ADAPTERS }),
            settings,
            workflows: build,
            notesDirectory: notes,
            interceptors,
            pinTo: pinned?.buildId,
          })
        : await createEndpointWorker(connection, { ...own, settings, notesDirectory: notes, interceptors });
    const taskQueue = host === undefined ? CONTROL_TASK_QUEUE : endpointTaskQueue(host);
    const { address } = settings.connectionOptions;
    const where = { taskQueue, address, namespace: settings.namespace, ...(metrics !== undefined && { metrics }) };
    printResult(context, options, { ...where, ...pinned, ...(sandbox !== undefined && { sandbox }) }, [
      `Worker of task queue ${taskQueue} at ${address}, namespace ${settings.namespace}.`,
      ...(metrics === undefined ? [] : [`Metrics are at http://${metrics}/metrics`]),
      ...(sandbox === undefined ? [] : [`It works in a simulated world, that of ${ONWARD} sandbox.`]),
      ...(pinned ? howToMakeCurrent(pinned.buildId, context, options) : []),
    ]);
    announceReady(() => worker.shutdown());
    await serve(worker);
  } catch (error) {
    // Its connection would never close.
    if (error instanceof WorkerHeld) throw new CliError('failure', error.message, { cause: error });
    await connection.close();
    throw error;
  } finally {
    await traces?.end();
  }
  await connection.close();
}

function install(telemetry: TelemetrySettings): void {
  try {
    installTelemetry(telemetry);
  } catch (error) {
    if (!(error instanceof NoMetrics)) throw error;
    throw new CliError('failure', `No metrics can be served at ${telemetry.metrics}: ${error.message}.`, {
      hint: 'End the program that has that port, or give another address in --metrics or ONWARD_METRICS.',
      cause: error,
    });
  }
}

async function ofSandbox(
  env: NodeJS.ProcessEnv,
  host: string,
  { url, urlOfHost, simulatedPowershell, simulatedSettings }: { url: string } & typeof SimulatedWorld,
): Promise<EndpointOfHost> {
  const at = urlOfHost(url, host);
  return { endpoint: await simulatedSettings(at), powershell: simulatedPowershell(at, env) };
}

function howToMakeCurrent(buildId: string, context: CliContext, options: GlobalOptions): string[] {
  const { shell, connection } = callingOf(context, options);
  return [
    `It serves the upgrades of build ${buildId}. New upgrades begin on it once it is the current build:`,
    `  ${commandLine(['temporal', ...makeCurrentArguments(buildId), ...connection], shell)}`,
  ];
}
