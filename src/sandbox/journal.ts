/**
 * What really happened in the sandbox: every call that reached a simulated system and every change of state that followed.
 * Tests judge by this journal, never by what a workflow says of itself.
 */
import { EventEmitter } from 'node:events';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';

export type JournalSystem = 'operations' | 'aps' | 'billing' | 'microsoft' | 'host' | 'sim';

export interface JournalEntry {
  /** 1, 2, 3... without gaps, also over a restart when the journal is kept in a file. */
  seq: number;
  /** Wall-clock time, ISO 8601 in UTC. */
  at: string;
  kind: 'call' | 'effect';
  system: JournalSystem;
  provider?: string;
  host?: string;
  /** Name of the call (`pem.activateST`) or of the effect (`templateActivated`). */
  name: string;
  /** What it was done to: a template id, an instance id, `<site>/<application>`. */
  object?: string;
  /** `ok`, or what the caller got instead: `fault`, `401`, `reset`. */
  outcome?: string;
  /** Never a secret. */
  detail?: Record<string, unknown>;
}

/** Emits `recorded` with each entry. */
export class Journal extends EventEmitter<{ recorded: [JournalEntry] }> {
  private readonly all: JournalEntry[] = [];

  /** @param file JSONL file that entries are appended to; what it holds already is read back first. */
  constructor(private readonly file?: string) {
    super();
    // Each walk of many watches it.
    this.setMaxListeners(0);
    if (file !== undefined && existsSync(file)) {
      for (const line of readFileSync(file, 'utf8').split('\n')) {
        if (line !== '') this.all.push(JSON.parse(line) as JournalEntry);
      }
    }
  }

  record(entry: Omit<JournalEntry, 'seq' | 'at'>): JournalEntry {
    const recorded: JournalEntry = { seq: this.all.length + 1, at: new Date().toISOString(), ...entry };
    this.all.push(recorded);
    if (this.file !== undefined) appendFileSync(this.file, JSON.stringify(recorded) + '\n');
    this.emit('recorded', recorded);
    return recorded;
  }

  /** Entries in the order in which they happened; every member of `filter` has to be equal. */
  entries(filter: Partial<JournalEntry> = {}): JournalEntry[] {
    const wanted = Object.entries(filter) as [keyof JournalEntry, unknown][];
    return this.all.filter((entry) => wanted.every(([key, value]) => entry[key] === value));
  }
}
