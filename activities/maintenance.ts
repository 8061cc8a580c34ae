import { ApplicationFailure } from '@temporalio/common';
import { FAILURE, type MaintenanceActivities } from '../src/contract/activities';
import { lookAtWindow } from '../src/maintenance/look-at-window';

export type LookAtWindow = typeof lookAtWindow;

/** @param look at the windows: a rehearsal looks by a clock that it can set. */
export function createMaintenanceActivities(look: LookAtWindow = lookAtWindow): MaintenanceActivities {
  return {
    lookAtWindow: async ({ maintenance, at, needed }) => {
      try {
        return look(maintenance, Date.parse(at), needed);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        throw ApplicationFailure.nonRetryable(error.message, FAILURE.invalidInventory);
      }
    },
  };
}
