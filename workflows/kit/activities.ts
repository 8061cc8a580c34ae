/**
 * The activities as steps call them: `operations.readInstances('read the instances', {...})`.
 * Every call has a summary for whoever reads the Temporal UI, and timeouts of its class, from the provider's settings.
 */
import { scheduleActivity, type ActivityOptions } from '@temporalio/workflow';
import type {
  BillingActivities,
  ClaimActivities,
  EndpointActivities,
  GuardActivities,
  FleetActivities,
  InventoryActivities,
  LedgerActivities,
  MaintenanceActivities,
  MicrosoftActivities,
  NetworkActivities,
  NotifyActivities,
  OperationsActivities,
} from '../../src/contract/activities';
import { shortened } from '../../src/contract/fields';
import { endpointTaskQueue, type Timings } from '../../src/contract/provider';

export type Calls<Interface> = {
  readonly [Name in keyof Interface]: Interface[Name] extends (input: infer Input) => Promise<infer Output>
    ? (summary: string, input: Input) => Promise<Output>
    : never;
};

export interface Activities {
  readonly operations: Calls<OperationsActivities>;
  readonly billing: Calls<BillingActivities>;
  readonly microsoft: Calls<MicrosoftActivities>;
  readonly network: Calls<NetworkActivities>;
  readonly claims: Calls<ClaimActivities>;
  readonly guards: Calls<GuardActivities>;
  readonly ledger: Calls<LedgerActivities>;
  /** Runs on the worker of that host. */
  readonly endpoint: (host: { readonly name: string }) => Calls<EndpointActivities>;
}

const SECOND = 1000;
/** One call to a system, or a handful of them. */
const CALL_TIMEOUT = 120 * SECOND;
const DOWNLOAD_TIMEOUT = 60 * 60 * SECOND;
const RETRY = { initialInterval: SECOND, backoffCoefficient: 2, maximumInterval: 30 * SECOND };

/** What a worker does from its own disk, or by itself: one that does not answer within this time is gone. */
const OWN_TIMEOUT = 20 * SECOND;

/**
 * Before the profile is known there are no settings to obey. How long it waits for a worker, or for one that has a hand free, is no failure
 * of the inventory.
 */
export const inventory = calls<InventoryActivities>({
  startToCloseTimeout: OWN_TIMEOUT,
  retry: { ...RETRY, maximumAttempts: attemptsWithin(60 * SECOND) },
});

/**
 * Only it knows time zones, whose rules change with the worker's releases and not with the workflow's. It asks no system: that no worker has
 * answered is nothing for which an upgrade is undone.
 */
export const calendar = calls<MaintenanceActivities>({ startToCloseTimeout: OWN_TIMEOUT, retry: RETRY });

const planning: ActivityOptions = {
  heartbeatTimeout: 30 * SECOND,
  startToCloseTimeout: 600 * SECOND,
  scheduleToCloseTimeout: 1800 * SECOND,
  retry: RETRY,
};
const glance: ActivityOptions = { startToCloseTimeout: 60 * SECOND, retry: RETRY };
/** For fleets and their waves. */
export const fleets: Calls<FleetActivities> = {
  selectProviders: calls<FleetActivities>(planning).selectProviders,
  surveyProviders: calls<FleetActivities>(planning).surveyProviders,
  freezeEntries: calls<FleetActivities>(planning).freezeEntries,
  findEnded: calls<FleetActivities>(glance).findEnded,
  explainRefusedStart: calls<FleetActivities>(glance).explainRefusedStart,
};

/** For a workflow that may end soon: it leaves to `deliverNotice` what does not go out at once. */
export const notifyAtOnce = calls<NotifyActivities>({
  startToCloseTimeout: 10 * SECOND,
  // Workers that are away, or have no hand free, are no reason to tell nobody: what is given up here no alert counts.
  scheduleToCloseTimeout: 60 * 60 * SECOND,
  retry: { ...RETRY, maximumAttempts: 3 },
});
export const notifyPatiently = calls<NotifyActivities>({
  startToCloseTimeout: 30 * SECOND,
  scheduleToCloseTimeout: 300 * SECOND,
  retry: RETRY,
});

export function activitiesFor(timings: Timings): Activities {
  // Without a task queue of its own an activity runs where the workflow does.
  const base = { heartbeatTimeout: timings.heartbeat * SECOND, retry: RETRY };
  const call = {
    ...base,
    startToCloseTimeout: CALL_TIMEOUT,
    scheduleToCloseTimeout: timings.retryFor * SECOND,
  };
  const wait = (seconds: number): ActivityOptions => ({ ...base, scheduleToCloseTimeout: seconds * SECOND });

  // Many calls, one after the other: a system that answers slowly, but answers, is waited for.
  const reading = { ...call, startToCloseTimeout: timings.retryFor * SECOND };

  const moment = {
    startToCloseTimeout: 30 * SECOND,
    scheduleToCloseTimeout: timings.retryFor * SECOND,
    retry: RETRY,
  };

  const readings = calls<OperationsActivities>(reading);
  // An abort waits until it has really stopped before anything is switched on again.
  const switching = calls<OperationsActivities>({ ...reading, cancellationType: 'WAIT_CANCELLATION_COMPLETED' });
  return {
    operations: {
      readOperations: readings.readOperations,
      readTemplates: readings.readTemplates,
      activateTemplates: switching.activateTemplates,
      deactivateTemplates: switching.deactivateTemplates,
      readActiveTemplates: readings.readActiveTemplates,
      lookAgain: readings.lookAgain,
      // Temporal never repeats it: what became of an attempt is read back first (steps/import-package).
      importPackage: calls<OperationsActivities>({
        ...base,
        startToCloseTimeout: timings.import * SECOND,
        retry: { maximumAttempts: 1 },
      }).importPackage,
      awaitImport: calls<OperationsActivities>(wait(timings.import)).awaitImport,
      findImported: readings.findImported,
      upgradeInstance: calls<OperationsActivities>(wait(timings.instanceUpgrade)).upgradeInstance,
      awaitTasksProcessed: calls<OperationsActivities>(wait(timings.drain)).awaitTasksProcessed,
      readOpenTasks: readings.readOpenTasks,
    },
    billing: calls<BillingActivities>(reading),
    microsoft: calls<MicrosoftActivities>(call),
    network: {
      resolveHostnames: calls<NetworkActivities>(moment).resolveHostnames,
      hashPackage: calls<NetworkActivities>({
        ...call,
        startToCloseTimeout: DOWNLOAD_TIMEOUT,
        scheduleToCloseTimeout: DOWNLOAD_TIMEOUT + timings.retryFor * SECOND,
        // The time that a download may take is no time to go on asking a server that does not answer.
        retry: { ...RETRY, maximumAttempts: attemptsWithin(timings.retryFor * SECOND) },
      }).hashPackage,
    },
    // As long as it takes: each look is an attempt of its own, so that those who wait keep nobody's worker busy.
    claims: calls<ClaimActivities>({ startToCloseTimeout: CALL_TIMEOUT, retry: RETRY }),
    guards: calls<GuardActivities>(moment),
    ledger: calls<LedgerActivities>(moment),
    endpoint: ({ name }) => endpointCalls(name, timings, base),
  };
}

function endpointCalls(host: string, timings: Timings, base: ActivityOptions): Calls<EndpointActivities> {
  const onHost: ActivityOptions = {
    ...base,
    taskQueue: endpointTaskQueue(host),
    startToCloseTimeout: timings.script * SECOND,
    // An abort waits until the host's process is really gone before anything is undone.
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  };
  const scripts = calls<EndpointActivities>({
    ...onHost,
    // The only sign that no worker is there.
    scheduleToStartTimeout: timings.hostAnswer * SECOND,
    scheduleToCloseTimeout: (timings.hostAnswer + timings.script + timings.retryFor) * SECOND,
  });
  // No worker is there while its host is down: that is no sign of anything.
  const restarts = calls<EndpointActivities>({ ...onHost, scheduleToCloseTimeout: timings.hostRestart * SECOND });
  return {
    readHost: scripts.readHost,
    claimHost: scripts.claimHost,
    detectSites: scripts.detectSites,
    backupSite: scripts.backupSite,
    stagePackage: scripts.stagePackage,
    runSetup: scripts.runSetup,
    resetIis: scripts.resetIis,
    runHostScript: scripts.runHostScript,
    restartHost: restarts.restartHost,
    restoreSite: scripts.restoreSite,
  };
}

/** How many attempts are begun in so many milliseconds if each fails at once. */
function attemptsWithin(milliseconds: number): number {
  let attempts = 1;
  let gap = RETRY.initialInterval;
  for (let elapsed = gap; elapsed < milliseconds; elapsed += gap) {
    attempts += 1;
    gap = Math.min(gap * RETRY.backoffCoefficient, RETRY.maximumInterval);
  }
  return attempts;
}

function calls<Interface>(options: ActivityOptions): Calls<Interface> {
  return new Proxy({} as Calls<Interface>, {
    get: (_, name) => (summary: string, input: unknown) =>
      scheduleActivity(String(name), [input], { ...options, summary: shortened(summary) }),
  });
}
