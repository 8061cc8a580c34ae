/** What the demo keeps between two runs, all of it in one folder of the clone. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Sources } from '../operations/sandbox-options';
import { USUAL_PORTS, type PortName } from './ports';

const port = z.int().min(1).max(65535);
const portNames = Object.keys(USUAL_PORTS) as PortName[];

/** Decided when a world is made: addresses and versions are part of what an upgrade has frozen. */
export const worldSettings = z.object({
  ports: z.object(Object.fromEntries(portNames.map((name) => [name, port])) as Record<PortName, typeof port>),
  sources: z.record(z.string(), z.string()),
});
export type WorldSettings = z.output<typeof worldSettings> & { sources: Sources };

export class DemoWorld {
  /** State of the Temporal server. */
  readonly temporal: string;
  /** State of the sandbox. */
  readonly sandbox: string;
  readonly inventory: string;
  readonly logs: string;
  /** A configuration of Temporal's tools that says nothing: the user's own is about other servers. */
  readonly temporalConfig: string;
  private readonly settingsFile: string;

  constructor(private readonly folder: string) {
    const within = (name: string): string => path.join(folder, name);
    this.temporal = within('temporal');
    this.sandbox = within('sandbox');
    this.inventory = within('inventory');
    this.logs = within('logs');
    this.temporalConfig = within('temporal.toml');
    this.settingsFile = within('world.json');
  }

  log(name: string): string {
    return path.join(this.logs, `${name}.log`);
  }

  report(provider: string): string {
    return path.join(this.folder, `report-${provider}.md`);
  }

  /** How the world was made; undefined where there is none, or none that can be read. */
  async settings(): Promise<WorldSettings | undefined> {
    const text = await readFile(this.settingsFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text === undefined) return undefined;
    try {
      return worldSettings.parse(JSON.parse(text));
    } catch {
      // Cut off by a power cut, before anything else of the world was made.
      return undefined;
    }
  }

  async make(settings: WorldSettings): Promise<void> {
    await mkdir(this.logs, { recursive: true });
    await writeFile(this.temporalConfig, '[profile.default]\n');
    await writeFile(this.settingsFile, JSON.stringify(settings, null, 2));
  }

  /** Forgets everything but reports. */
  async clear(): Promise<void> {
    for (const part of [this.settingsFile, this.temporal, this.sandbox, this.inventory, this.logs]) {
      await rm(part, { recursive: true, force: true });
    }
  }
}
