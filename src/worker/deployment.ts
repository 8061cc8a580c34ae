/**
 * Worker versioning: an upgrade ends on the build of the workflows that it began with, whatever is rolled out meanwhile
 * (docs/changing-a-workflow.md).
 */
import type { WorkerDeploymentOptions } from '@temporalio/worker';

/** Every build of Onward's workflows is a version of this worker deployment. */
export const DEPLOYMENT_NAME = 'onward';

/** A workflow that says nothing else itself is pinned to the build it began with. */
export function deploymentOptions(buildId: string): WorkerDeploymentOptions {
  return {
    useWorkerVersioning: true,
    version: { deploymentName: DEPLOYMENT_NAME, buildId },
    defaultVersioningBehavior: 'PINNED',
  };
}

/** Arguments of the `temporal` command that lets new upgrades begin on this build. */
export function makeCurrentArguments(buildId: string): string[] {
  const command = ['worker', 'deployment', 'set-current-version'];
  return [...command, '--deployment-name', DEPLOYMENT_NAME, '--build-id', buildId];
}
