import { ApplicationFailure } from '@temporalio/common';
import { FAILURE, type InventoryActivities } from '../src/contract/activities';
import { findProvider, InvalidInventory, UnknownProvider } from '../src/inventory/inventory';
import { EntrySchema, type KnownAdapters } from '../src/inventory/schema';

export interface InventoryDependencies {
  /** The inventory's folder on this worker. */
  directory: string;
  /** Those of this worker: an entry that names another one is refused. */
  adapters: KnownAdapters;
}

export function createInventoryActivities({ directory, adapters }: InventoryDependencies): InventoryActivities {
  const schema = EntrySchema.ofWorker(adapters);
  return {
    loadProvider: async ({ provider }) => {
      try {
        return await findProvider(directory, provider, schema);
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
