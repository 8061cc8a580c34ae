/** An inventory of one entry, for activities without a file. */
import { Entries } from '../../activities/entries';
import type { ProviderProfile } from '../../src/contract/provider';
import { digestsOf } from '../../src/inventory/frozen-profile';

export const entriesOf = (profile: ProviderProfile): Entries =>
  new Entries({ find: async () => ({ profile, digests: digestsOf(profile) }) });
