/** The worker of the control plane: workflows, and the activities that speak to systems over the network. */
import type { ActivityInterceptorsFactory, NativeConnection } from '@temporalio/worker';
import { Worker } from '@temporalio/worker';
import { createBillingActivities } from '../../activities/billing';
import { Entries } from '../../activities/entries';
import { createFleetActivities } from '../../activities/fleet';
import { createGuardActivities } from '../../activities/guards';
import { createClaimActivities } from '../../activities/host-claims';
import { failureInterceptor } from '../../activities/failures';
import { doubtfulInputs } from '../../activities/refuse-doubtful';
import { createInventoryActivities } from '../../activities/inventory';
import { createLedgerActivities } from '../../activities/ledger';
import { createMaintenanceActivities, type LookAtWindow } from '../../activities/maintenance';
import { createMicrosoftActivities } from '../../activities/microsoft';
import { createNetworkActivities } from '../../activities/network';
import { createNotifyActivities } from '../../activities/notify';
import { createOperationsActivities } from '../../activities/operations';
import type { Polling } from '../../activities/polling';
import { CONTROL_TASK_QUEUE } from '../contract/provider';
import { KnownEntries } from '../inventory/known-entries';
import { resolveSecret } from '../inventory/secrets';
import { Adapters, type RegisteredAdapters } from '../systems/adapters';
import { temporalSettings, type TemporalSettings } from '../temporal/connection';
import { workerConverter } from '../temporal/data-converter';
import { connectWorker } from '../temporal/worker-connection';
import { deploymentOptions } from './deployment';
import { HEARTBEAT_THROTTLE, STICKY_PATIENCE } from './liveness';
import { serve, shutdownForceTime } from './serve';
import { operationInLog } from './telemetry';
import { takeOver } from './work-in-hand';
import { builtWorkflows, type WorkflowBuild } from './workflow-bundle';
import { cachedWorkflows } from './workflow-cache';

export interface ControlPlaneOptions {
  /** Folder of the providers' entries. */
  inventoryDirectory: string;
  /** Adapters beside those of the product, for entries that name them. */
  adapters?: RegisteredAdapters;
  /** Where the Temporal server is; by default what the environment says. */
  settings?: TemporalSettings;
  /** How often waiting activities look. */
  polling?: Polling;
  /** Looks at maintenance windows, by default by the time of the workflow. */
  lookAtWindow?: LookAtWindow;
  /** By default those of this build, with failures written as `settings` want them. */
  workflows?: Pick<WorkflowBuild, 'codePath'>;
  /** Folder for notes of what it is at work on (./work-in-hand); without one it makes none. */
  notesDirectory?: string;
  /** Come before those of the product. */
  interceptors?: ActivityInterceptorsFactory[];
  /**
   * Build id of the workflows, which are those of `workflows/versioned`: upgrades that begin on it stay on it (./deployment).
   * Without it any worker goes on with any upgrade.
   */
  pinTo?: string;
}

/** A worker ends its activities in order within this time before it gives them back, in seconds. */
export const SHUTDOWN_GRACE = 10;

/** @param connection stays open when the worker ends; whoever opened it closes it. */
export async function createControlPlaneWorker(
  connection: NativeConnection,
  {
    inventoryDirectory,
    adapters: registered,
    settings = temporalSettings(),
    polling,
    lookAtWindow,
    workflows,
    notesDirectory,
    interceptors = [],
    pinTo,
  }: ControlPlaneOptions,
): Promise<Worker> {
  const adapters = new Adapters({ resolveSecret }, registered);
  const entries = new Entries(new KnownEntries(inventoryDirectory, adapters));
  const converter = await workerConverter(settings);
  const { codePath } = workflows ?? builtWorkflows(converter, pinTo === undefined ? 'index' : 'versioned');
  const notes = await takeOver(connection, settings, CONTROL_TASK_QUEUE, notesDirectory);
  return await Worker.create({
    connection,
    namespace: settings.namespace,
    taskQueue: CONTROL_TASK_QUEUE,
    dataConverter: converter,
    workflowBundle: { codePath },
    ...(pinTo === undefined ? {} : { workerDeploymentOptions: deploymentOptions(pinTo) }),
    activities: {
      ...createInventoryActivities({ entries }),
      ...createOperationsActivities({ entries, resolveSecret, adapters, ...(polling ? { polling } : {}) }),
      ...createBillingActivities({ entries, resolveSecret }),
      ...createMicrosoftActivities({ entries, adapters }),
      ...createNetworkActivities({ entries }),
      ...createClaimActivities(),
      ...createGuardActivities(),
      ...createLedgerActivities(),
      ...createMaintenanceActivities(lookAtWindow),
      ...createFleetActivities({ directory: inventoryDirectory, adapters, resolveSecret }),
      ...createNotifyActivities({ entries, resolveSecret }),
    },
    interceptors: { activity: [...interceptors, ...notes, operationInLog, failureInterceptor, doubtfulInputs] },
    maxCachedWorkflows: cachedWorkflows(),
    stickyQueueScheduleToStartTimeout: STICKY_PATIENCE,
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
    shutdownGraceTime: `${SHUTDOWN_GRACE}s`,
    shutdownForceTime: shutdownForceTime(SHUTDOWN_GRACE),
  });
}

/** Runs until the process is asked to end. */
export async function runControlPlaneWorker(options: ControlPlaneOptions): Promise<void> {
  const connection = await connectWorker(options.settings);
  try {
    const worker = await createControlPlaneWorker(connection, options);
    await serve(worker);
  } finally {
    await connection.close();
  }
}
