/**
 * Where the Temporal CLI comes from, which holds the dev server: `TEMPORAL_CLI`, `temporal` on the PATH, our cache, and
 * when none of them has one, the SDK's download or a build from source, either of which fills the cache.
 */
import { execFile } from 'node:child_process';
import { access, constants, mkdir, rename, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { buildCli } from './cli-build';
import type { CliOrder } from './cli-order';
import { downloadCli } from './cli-download';
import { withLockFile } from './lock-file';
import { type Progress, terminalProgress } from './progress';

export interface TemporalCli {
  path: string;
  /** As it calls itself: `1.5.1`. */
  version: string;
  /** Where it was found, for people: `TEMPORAL_CLI`, `PATH`, `cache`, `download`, `build`. */
  source: string;
}

/** There is no usable CLI; the message lists what was tried and what would help. */
export class NoTemporalCli extends Error {
  override readonly name = 'NoTemporalCli';
}

/** The version that download and build put into the cache: the last one that Go can build from the registry (temporal.md 4.2). */
export const CLI_VERSION = '1.5.1';

export interface CliMaker {
  name: string;
  /** Puts the executable at the path `file`, or throws an error that says why it cannot and what would help. */
  make: (file: string, order: CliOrder) => Promise<void>;
}

export interface CliSources {
  env: NodeJS.ProcessEnv;
  /** Folder that keeps what was made, for every clone of this user. */
  cache: string;
  makers: CliMaker[];
  progress: Progress;
}

export function standardSources(env: NodeJS.ProcessEnv = process.env): CliSources {
  return {
    env,
    cache: path.join(cacheDirectory(env), 'temporal-cli'),
    makers: [
      { name: 'download', make: downloadCli },
      { name: 'build', make: buildCli },
    ],
    progress: terminalProgress(),
  };
}

/**
 * A Temporal CLI that runs on this machine. The first time, without one installed, this takes minutes.
 *
 * @throws NoTemporalCli
 */
export async function findTemporalCli(given: Partial<CliSources> = {}): Promise<TemporalCli> {
  const { env, cache, makers, progress } = { ...standardSources(), ...given };
  const chosen = env['TEMPORAL_CLI'];
  if (chosen !== undefined && chosen !== '') return identifyChosen(chosen);

  const tried = ['TEMPORAL_CLI is not set'];
  const attempt = async (name: string, find: () => Promise<TemporalCli>): Promise<TemporalCli | undefined> => {
    try {
      return await find();
    } catch (error) {
      tried.push(`${name}: ${message(error)}`);
      return undefined;
    }
  };

  const installed = await onPath(env);
  if (installed === undefined) tried.push('PATH: there is no `temporal`');
  else {
    const found = await attempt('PATH', () => identify(installed, 'PATH'));
    if (found !== undefined) return found;
  }

  const file = path.join(cache, `temporal-${CLI_VERSION}-${process.platform}-${process.arch}${EXE}`);
  const cached = async (): Promise<TemporalCli | undefined> =>
    (await isExecutable(file)) ? attempt('cache', () => identify(file, 'cache')) : undefined;
  const kept = await cached();
  if (kept !== undefined) return kept;

  await mkdir(cache, { recursive: true });
  const wait = (holder: string): void =>
    progress.tick(`Another Onward (process ${holder}) is getting the Temporal CLI; waiting for it.`);
  return withLockFile(`${file}.lock`, wait, async () => {
    const madeMeanwhile = await cached();
    if (madeMeanwhile !== undefined) return madeMeanwhile;
    for (const { name, make } of makers) {
      const made = await attempt(name, async () => {
        // Renamed only when complete: whoever sees the file may run it.
        const unfinished = path.join(cache, `unfinished${EXE}`);
        await rm(unfinished, { force: true });
        await make(unfinished, { version: CLI_VERSION, env, progress });
        const { version } = await identify(unfinished, name);
        await rename(unfinished, file);
        return { path: file, version, source: name };
      });
      if (made === undefined) continue;
      progress.say(`The Temporal CLI ${made.version} is ready and kept in ${cache}.`);
      return made;
    }
    throw new NoTemporalCli(
      `There is no Temporal CLI, and none could be made:\n${tried.map((line) => `  - ${line}`).join('\n')}\n` +
        'Any one of these helps: install the CLI (https://docs.temporal.io/cli/setup-cli); set TEMPORAL_CLI to the path of one; ' +
        'install Go 1.25 or later (https://go.dev/dl/) and run this again.',
    );
  });
}

/** The user's cache folder for this project, outside of any clone. */
export function cacheDirectory(env: NodeJS.ProcessEnv = process.env, platform = process.platform): string {
  const home = os.homedir();
  switch (platform) {
    case 'win32':
      return path.join(env['LOCALAPPDATA'] ?? path.join(home, 'AppData', 'Local'), 'onward', 'cache');
    case 'darwin':
      return path.join(home, 'Library', 'Caches', 'onward');
    default: {
      const base = env['XDG_CACHE_HOME'];
      // The specification of XDG tells to ignore relative paths.
      return path.join(base !== undefined && path.isAbsolute(base) ? base : path.join(home, '.cache'), 'onward');
    }
  }
}

/** It takes a second; a slow machine reads 200 MB first. */
const VERSION_DEADLINE_MS = 120_000;

const EXE = process.platform === 'win32' ? '.exe' : '';

async function identifyChosen(file: string): Promise<TemporalCli> {
  try {
    return await identify(file, 'TEMPORAL_CLI');
  } catch (error) {
    throw new NoTemporalCli(
      `TEMPORAL_CLI cannot be used: ${message(error)} Set it to the path of a Temporal CLI, or unset it.`,
    );
  }
}

/** Runs it once: a file of that name may be for another machine, or another program. */
async function identify(file: string, source: string): Promise<TemporalCli> {
  const { stdout } = await promisify(execFile)(file, ['--version'], {
    timeout: VERSION_DEADLINE_MS,
    windowsHide: true,
  }).catch((error: unknown) => {
    const isLate = (error as { killed?: boolean }).killed === true;
    const why = isLate ? `it told no version within ${VERSION_DEADLINE_MS / 60_000} minutes` : message(error);
    throw new Error(`${file} does not run (${why}).`);
  });
  const version = /^temporal version (\S+)/.exec(stdout)?.[1];
  if (version === undefined)
    throw new Error(`${file} is not Temporal's CLI: it prints no version that starts with "temporal version".`);
  return { path: file, version, source };
}

async function onPath(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of (env['PATH'] ?? env['Path'] ?? '').split(path.delimiter)) {
    const file = path.resolve(folder, `temporal${EXE}`);
    if (folder !== '' && (await isExecutable(file))) return file;
  }
  return undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
