/** The worker on an endpoint host: activities only, one at a time, from the host's own task queue. */
import type { NativeConnection } from '@temporalio/worker';
import { Worker } from '@temporalio/worker';
import { createEndpointActivities } from '../../activities/endpoint';
import { failureInterceptor } from '../../activities/failures';
import { doubtfulInputs } from '../../activities/refuse-doubtful';
import { endpointTaskQueue } from '../contract/provider';
import type { PowerShell } from '../systems/endpoint/powershell';
import { powershellOfMachine } from '../systems/endpoint/powershell-of-machine';
import type { ReleaseFolder } from '../systems/endpoint/release-scripts';
import { temporalSettings, type TemporalSettings } from '../temporal/connection';
import { workerConverter } from '../temporal/data-converter';
import { connectWorker } from '../temporal/worker-connection';
import { HEARTBEAT_THROTTLE } from './liveness';
import { serve, shutdownForceTime } from './serve';
import { takeOver } from './work-in-hand';

export interface EndpointWorkerOptions {
  /** Name of the endpoint host, as the inventory has it. */
  host: string;
  settings?: TemporalSettings;
  /** Runs its scripts; by default that of this machine. */
  powershell?: PowerShell;
  /** Where the scripts of releases lie; those of the product by default. */
  releases?: ReleaseFolder[];
  /** Folder for notes of what it is at work on (./work-in-hand); without one it makes none. */
  notesDirectory?: string;
}

/** A script gets this long to end by itself before its process tree is killed, in seconds. */
const SHUTDOWN_GRACE = 20;

/** @param connection stays open when the worker ends; whoever opened it closes it. */
export async function createEndpointWorker(
  connection: NativeConnection,
  {
    host,
    settings = temporalSettings(),
    powershell = powershellOfMachine(process.env),
    releases,
    notesDirectory,
  }: EndpointWorkerOptions,
): Promise<Worker> {
  const taskQueue = endpointTaskQueue(host);
  const notes = await takeOver(connection, settings, taskQueue, notesDirectory);
  return await Worker.create({
    connection,
    namespace: settings.namespace,
    taskQueue,
    dataConverter: await workerConverter(settings),
    activities: createEndpointActivities({ powershell, releases }),
    interceptors: { activity: [...notes, failureInterceptor, doubtfulInputs] },
    maxConcurrentActivityTaskExecutions: 1,
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
    shutdownGraceTime: `${SHUTDOWN_GRACE}s`,
    shutdownForceTime: shutdownForceTime(SHUTDOWN_GRACE),
  });
}

/** Runs until the process is asked to end. */
export async function runEndpointWorker(options: EndpointWorkerOptions): Promise<void> {
  const connection = await connectWorker(options.settings);
  try {
    const worker = await createEndpointWorker(connection, options);
    await serve(worker);
  } finally {
    await connection.close();
  }
}
