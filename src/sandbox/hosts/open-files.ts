/** Files of a simulated host that some process has open: what Windows refuses others meanwhile. */
import { appendFileSync, existsSync } from 'node:fs';
import path from 'node:path';

export interface OpenFile {
  /** Absolute path. */
  file: string;
  /** What whoever has it open leaves to others: `readWrite` lets them read it who let it be written to. */
  sharing: 'readWrite' | 'none';
  /** How often something is written to it, in milliseconds. */
  growsEveryMs?: number | undefined;
  /** How long after the stop of its application's pool it is still open, in milliseconds; for ever without it. */
  afterStopMs?: number | undefined;
}

/** What somebody wants to do with a file: read it beside others, or have it alone, as for moving and deleting. */
export type Wish = 'read' | 'alone';

export class OpenFiles {
  private all: OpenFile[] = [];
  private readonly timers: NodeJS.Timeout[] = [];

  /** @param stoppedSince when the pool of the application that has this file was stopped; `undefined` while it runs. */
  constructor(private readonly stoppedSince: (file: string) => number | undefined) {}

  open(entry: OpenFile): void {
    this.all.push(entry);
    if (entry.growsEveryMs === undefined) return;
    const write = () => {
      if (this.isOpen(entry) && existsSync(entry.file)) appendFileSync(entry.file, 'one more line\n');
    };
    this.timers.push(setInterval(write, entry.growsEveryMs));
  }

  /** Why Windows refuses it for a file, or for a folder with what is in it; `undefined` where it does not. */
  refusal(at: string, wish: Wish): string | undefined {
    const held = this.all
      .filter(({ file }) => file === at || file.startsWith(at + path.sep))
      .find((entry) => this.isOpen(entry) && (wish === 'alone' || entry.sharing === 'none'));
    return held && `The process cannot access the file '${held.file}' because it is being used by another process.`;
  }

  /** Files that are changed by whoever has them open. */
  growing(): Set<string> {
    return new Set(this.all.filter(({ growsEveryMs }) => growsEveryMs !== undefined).map(({ file }) => file));
  }

  /** Everybody lets go. */
  close(): void {
    this.all = [];
    for (const timer of this.timers) clearInterval(timer);
  }

  private isOpen({ file, afterStopMs = Infinity }: OpenFile): boolean {
    const since = this.stoppedSince(file);
    return since === undefined || Date.now() < since + afterStopMs;
  }
}
