import { ApplicationFailure } from '@temporalio/common';
import { FAILURE, type MaintenanceActivities } from '../src/contract/activities';
import { lookAtWindow } from '../src/maintenance/look-at-window';

export function createMaintenanceActivities(): MaintenanceActivities {
  return {
    lookAtWindow: async ({ maintenance, at, needed }) => {
      try {
        return lookAtWindow(maintenance, Date.parse(at), needed);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        throw ApplicationFailure.nonRetryable(error.message, FAILURE.invalidInventory);
      }
    },
  };
}
