/** Which build a worker runs, as the server knows it. */
import { temporal } from '@temporalio/proto';

export const UNVERSIONED = 'unversioned';

export function buildOf({ deploymentOptions }: temporal.api.taskqueue.v1.IPollerInfo): string {
  const versioned = temporal.api.enums.v1.WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED;
  return deploymentOptions?.workerVersioningMode === versioned
    ? (deploymentOptions.buildId ?? UNVERSIONED)
    : UNVERSIONED;
}
