/** An inventory that is read again and again: of a file that has not changed nothing is parsed twice. */
import { entriesOf, type Entry } from './entry';
import { inventoryFiles, stampOf } from './inventory';
import { EntrySchema, type KnownAdapters } from './schema';

interface KnownFile {
  stamp: string;
  entries: Entry[];
}

export class KnownInventory {
  private files = new Map<string, KnownFile>();

  private readonly schema: EntrySchema;

  /** @param adapters of the worker that reads it */
  constructor(
    private readonly directory: string,
    adapters: KnownAdapters,
  ) {
    this.schema = EntrySchema.ofWorker(adapters);
  }

  /** All entries as they are now, valid or not. */
  async entries(): Promise<Entry[]> {
    const now = new Map<string, KnownFile>();
    for (const file of await inventoryFiles(this.directory)) {
      const stamp = await stampOf(file);
      const known = this.files.get(file);
      now.set(file, known?.stamp === stamp ? known : { stamp, entries: await entriesOf(file, this.schema) });
    }
    this.files = now;
    return [...now.values()].flatMap(({ entries }) => entries);
  }
}
