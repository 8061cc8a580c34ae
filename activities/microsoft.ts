import type { MicrosoftActivities } from '../src/contract/activities';
import type { Adapters } from '../src/systems/adapters';
import { heartbeating } from './polling';

export interface MicrosoftDependencies {
  /** Those of this worker. */
  adapters: Pick<Adapters, 'testConnections'>;
}

export function createMicrosoftActivities({ adapters }: MicrosoftDependencies): MicrosoftActivities {
  return {
    testConnection: ({ setting, instance }) =>
      heartbeating(async () => adapters.testConnections(setting).run(instance)),
  };
}
