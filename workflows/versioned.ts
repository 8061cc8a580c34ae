/**
 * The workflows as a versioned worker runs them (src/worker/deployment): pinned to their build, but for what outlives every
 * build. A server refuses a workflow that says so from a worker without versions, hence this file beside ./index.
 */
import { setWorkflowOptions } from '@temporalio/workflow';
import { guardConsent, keepLedger, upgradeFleet, upgradeWave } from './index';

export * from './index';
setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, guardConsent);
setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, keepLedger);
setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, upgradeFleet);
setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, upgradeWave);
