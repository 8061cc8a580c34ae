import { ApplicationFailure } from '@temporalio/common';
import { FAILURE, type InventoryActivities } from '../src/contract/activities';
import { findProvider, InvalidInventory, UnknownProvider } from '../src/inventory/inventory';

/** @param directory the inventory's folder on this worker. */
export function createInventoryActivities({ directory }: { directory: string }): InventoryActivities {
  return {
    loadProvider: async ({ provider }) => {
      try {
        return await findProvider(directory, provider);
      } catch (error) {
        if (error instanceof UnknownProvider) {
          throw ApplicationFailure.nonRetryable(error.message, FAILURE.unknownProvider);
        }
        if (error instanceof InvalidInventory) {
          throw ApplicationFailure.nonRetryable(error.message, FAILURE.invalidInventory, error.problems);
        }
        throw error;
      }
    },
  };
}
