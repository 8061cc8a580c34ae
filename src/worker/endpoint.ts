/** The worker on an endpoint host: activities only, from the host's own task queue. They take turns (activities/turns). */
import path from 'node:path';
import type { ActivityInterceptorsFactory, NativeConnection } from '@temporalio/worker';
import { Worker } from '@temporalio/worker';
import { createEndpointActivities } from '../../activities/endpoint';
import { failureInterceptor } from '../../activities/failures';
import { doubtfulInputs } from '../../activities/refuse-doubtful';
import { endpointTaskQueue } from '../contract/provider';
import type { PowerShell } from '../systems/endpoint/powershell';
import { powershellOfMachine } from '../systems/endpoint/powershell-of-machine';
import type { ReleaseFolder } from '../systems/endpoint/release-scripts';
import { endpointSettingsFile, readEndpointSettings, type EndpointSettings } from '../systems/endpoint/settings';
import { temporalSettings, type TemporalSettings } from '../temporal/connection';
import { workerConverter } from '../temporal/data-converter';
import { connectWorker } from '../temporal/worker-connection';
import { HEARTBEAT_THROTTLE } from './liveness';
import { serve, shutdownForceTime } from './serve';
import { operationInLog } from './telemetry';
import { takeOver } from './work-in-hand';

export interface EndpointWorkerOptions {
  /** Name of the endpoint host, as the inventory has it. */
  host: string;
  /** What it may do there: the host's own configuration. */
  endpoint: EndpointSettings;
  /** Folder that this was read from; none where it is no file. */
  endpointFolder?: string | undefined;
  settings?: TemporalSettings;
  /** Runs its scripts; by default that of this machine. */
  powershell?: PowerShell;
  /** Where the scripts of releases lie; those of the product by default. */
  releases?: ReleaseFolder[];
  /** Folder for notes of what it is at work on (./work-in-hand); without one it makes none. */
  notesDirectory?: string;
  /** Come before those of the product. */
  interceptors?: ActivityInterceptorsFactory[];
}

/** A script gets this long to end by itself before its process tree is killed, in seconds; a setup.cmd goes on. */
export const SHUTDOWN_GRACE = 20;

/** What there has to be before there is a worker. */
export type EndpointOfHost = Required<Pick<EndpointWorkerOptions, 'endpoint' | 'powershell'>> &
  Pick<EndpointWorkerOptions, 'endpointFolder'>;

/** @throws InvalidEndpointSettings when the configuration of this machine cannot be used. */
export async function endpointOfMachine(env: NodeJS.ProcessEnv): Promise<EndpointOfHost> {
  const file = endpointSettingsFile(env);
  return {
    endpoint: await readEndpointSettings(file),
    endpointFolder: path.dirname(file),
    powershell: powershellOfMachine(env),
  };
}

/** How long the first look at the host's folders may take, in milliseconds. */
const PROTECT_MS = 120_000;

/**
 * What a worker keeps on its host is for administrators alone. Makes its folders where they are missing, before anything else does.
 *
 * @throws SystemError that names a folder which is not to be trusted.
 */
export async function protectFolders({
  endpoint: { workDirectory },
  endpointFolder = '',
  powershell,
}: EndpointOfHost): Promise<void> {
  await powershell.run('protect', { workDirectory, settings: endpointFolder }, PROTECT_MS);
}

/** @param connection stays open when the worker ends; whoever opened it closes it. */
export async function createEndpointWorker(
  connection: NativeConnection,
  {
    host,
    endpoint,
    endpointFolder,
    settings = temporalSettings(),
    powershell = powershellOfMachine(process.env),
    releases,
    notesDirectory,
    interceptors = [],
  }: EndpointWorkerOptions,
): Promise<Worker> {
  const taskQueue = endpointTaskQueue(host);
  const notes = await takeOver(connection, settings, taskQueue, notesDirectory);
  const worker: Worker = await Worker.create({
    connection,
    namespace: settings.namespace,
    taskQueue,
    dataConverter: await workerConverter(settings),
    activities: createEndpointActivities({
      powershell,
      settings: endpoint,
      settingsFolder: endpointFolder,
      releases,
      isEnding: () => worker.getState() !== 'RUNNING',
    }),
    interceptors: { activity: [...interceptors, ...notes, operationInLog, failureInterceptor, doubtfulInputs] },
    // The activities themselves take turns. A worker that took one only would not be seen polling while it is at a long setup.cmd, and
    // whoever else wants the host would take it for absent.
    maxConcurrentActivityTaskPolls: 1,
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
    shutdownGraceTime: `${SHUTDOWN_GRACE}s`,
    shutdownForceTime: shutdownForceTime(SHUTDOWN_GRACE),
  });
  return worker;
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
