import type { InventoryActivities } from '../src/contract/activities';
import { frozen } from '../src/inventory/frozen-profile';
import type { Entries } from './entries';

export function createInventoryActivities({ entries }: { entries: Entries }): InventoryActivities {
  return {
    loadProvider: async ({ provider }) => frozen((await entries.find(provider)).profile),
  };
}
