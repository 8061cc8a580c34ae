import type { MicrosoftActivities } from '../src/contract/activities';
import type { Adapters } from '../src/systems/adapters';
import type { Entries } from './entries';
import { heartbeating } from './polling';

export interface MicrosoftDependencies {
  entries: Entries;
  /** Those of this worker. */
  adapters: Pick<Adapters, 'testConnections'>;
}

export function createMicrosoftActivities({ entries, adapters }: MicrosoftDependencies): MicrosoftActivities {
  return {
    testConnection: ({ entry, instance }) =>
      heartbeating(async () => {
        const { connectionTest } = await entries.resolve(entry, 'connectionTest');
        return await adapters.testConnections(connectionTest).run(instance);
      }),
  };
}
