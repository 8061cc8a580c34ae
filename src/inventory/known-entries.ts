/** Single entries that are asked for again and again: while nothing has been written, nothing is read twice. */
import type { EntryDigests } from '../contract/entry';
import type { ProviderProfile } from '../contract/provider';
import { digestsOf } from './frozen-profile';
import { findEntry, stampOf } from './inventory';
import { EntrySchema, type KnownAdapters } from './schema';
import { conceal } from './secrets';

interface KnownEntry {
  profile: ProviderProfile;
  digests: EntryDigests;
  file: string;
  /** Of the folder and of the file. */
  stamps: [string, string];
}

export class KnownEntries {
  private readonly known = new Map<string, KnownEntry>();
  private readonly schema: EntrySchema;

  /** @param adapters of the worker that reads them */
  constructor(
    private readonly directory: string,
    adapters: KnownAdapters,
  ) {
    this.schema = EntrySchema.ofWorker(adapters);
  }

  /**
   * The entry as it is now. A double of it that is written into another file is noticed with the next change of either the folder
   * or its own file.
   *
   * @throws UnknownProvider, InvalidInventory
   */
  async find(provider: string): Promise<Pick<KnownEntry, 'profile' | 'digests'>> {
    const known = this.known.get(provider);
    if (known && (await this.isAsBefore(known))) return known;
    this.known.delete(provider);
    const folder = await stampOf(this.directory).catch(() => 'missing');
    const { profile, file, stamp } = await findEntry(this.directory, provider, this.schema);
    // A signature that gives access to the package; what a system says of a download may quote it.
    for (const { url } of Object.values(profile.packages)) conceal(new URL(url).search);
    const found: KnownEntry = { profile, digests: digestsOf(profile), file, stamps: [folder, stamp] };
    this.known.set(provider, found);
    return found;
  }

  private async isAsBefore({ file, stamps }: KnownEntry): Promise<boolean> {
    // A file that is gone is told by the search for its entry.
    const now = await Promise.all([this.directory, file].map(stampOf)).catch(() => []);
    return now.length > 0 && now.every((stamp, index) => stamp === stamps[index]);
  }
}
