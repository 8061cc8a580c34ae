/** An inventory that is read again and again: of a file that has not changed nothing is parsed twice. */
import { stat, readFile } from 'node:fs/promises';
import { readEntries, type Entry } from './entry';
import { inventoryFiles } from './inventory';

interface KnownFile {
  /** What changes when somebody writes the file. */
  stamp: string;
  entries: Entry[];
}

export class KnownInventory {
  private files = new Map<string, KnownFile>();

  constructor(private readonly directory: string) {}

  /** All entries as they are now, valid or not. */
  async entries(): Promise<Entry[]> {
    const now = new Map<string, KnownFile>();
    for (const file of await inventoryFiles(this.directory)) {
      const { mtimeMs, ctimeMs, size, ino } = await stat(file);
      const stamp = [mtimeMs, ctimeMs, size, ino].join(' ');
      const known = this.files.get(file);
      now.set(
        file,
        known?.stamp === stamp ? known : { stamp, entries: readEntries(file, await readFile(file, 'utf8')) },
      );
    }
    this.files = now;
    return [...now.values()].flatMap(({ entries }) => entries);
  }
}
