/** What activities ask of their worker's own inventory. */
import { ApplicationFailure } from '@temporalio/common';
import { FAILURE } from '../src/contract/activities';
import { GONE, changesOf, type EntryChange, type EntryRef, type EntrySection } from '../src/contract/entry';
import type { ProviderProfile } from '../src/contract/provider';
import { InvalidInventory, UnknownProvider } from '../src/inventory/inventory';
import type { KnownEntries } from '../src/inventory/known-entries';

export class Entries {
  constructor(private readonly known: Pick<KnownEntries, 'find'>) {}

  /** The entry as it is now. Fails with `UnknownProvider` or `InvalidInventory`. */
  async find(provider: string): ReturnType<KnownEntries['find']> {
    try {
      return await this.known.find(provider);
    } catch (error) {
      if (error instanceof UnknownProvider) {
        throw ApplicationFailure.nonRetryable(error.message, FAILURE.unknownProvider);
      }
      if (error instanceof InvalidInventory) {
        throw ApplicationFailure.nonRetryable(error.message, FAILURE.invalidInventory, error.problems);
      }
      throw error;
    }
  }

  /** The entry that is meant, as long as these sections are what the workflow knows. Fails with `EntryChanged`. */
  async resolve({ provider, digests: known }: EntryRef, ...sections: EntrySection[]): Promise<ProviderProfile> {
    const { profile, digests } = await this.known.find(provider).catch((error: unknown) => {
      if (error instanceof UnknownProvider || error instanceof InvalidInventory) throw unusable(provider, error);
      throw error;
    });
    const changed = known ? changesOf(known, digests, sections) : [];
    if (changed.length === 0) return profile;
    throw entryChanged({ provider, changed });
  }
}

function entryChanged(change: EntryChange): ApplicationFailure {
  const fields = change.changed.map(({ field, digest }) => (digest === GONE ? `${field} (gone)` : field));
  return ApplicationFailure.nonRetryable(
    `The entry of ${change.provider} in the inventory is not what this upgrade has read. Changed since: ${fields.join(', ')}. Nothing was sent.`,
    FAILURE.entryChanged,
    change,
  );
}

/** A step that needs it may be an undo, or one past the crossing: it waits until the entry is there again. */
function unusable(provider: string, { message }: Error): ApplicationFailure {
  const change: EntryChange = { provider, changed: [] };
  return ApplicationFailure.nonRetryable(
    `The entry of ${provider} cannot be used any more, and nothing was sent. ${message}`,
    FAILURE.entryChanged,
    change,
  );
}
