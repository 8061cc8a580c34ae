import { ApplicationFailure } from '@temporalio/common';
import { FAILURE, type MaintenanceActivities } from '../src/contract/activities';
import { lookAtWindow } from '../src/maintenance/look-at-window';

export type LookAtWindow = typeof lookAtWindow;

/** @param look at the windows: a rehearsal looks by a clock that it can set. */
export function createMaintenanceActivities(look: LookAtWindow = lookAtWindow): MaintenanceActivities {
  return {
    lookAtWindow: async ({ maintenance, needed }) => {
      const now = Date.now();
      try {
        const verdict = look(maintenance, now, needed);
        const moment = Date.parse(verdict.open ? verdict.closesAt : verdict.opensAt);
        return { ...verdict, seconds: (moment - now) / 1000 };
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        throw ApplicationFailure.nonRetryable(error.message, FAILURE.invalidInventory);
      }
    },
  };
}
