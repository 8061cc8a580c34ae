/** What the scripts do with the files of a gateway application and with its pool (common.ps1, backup.ps1, restore.ps1). */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FAILURE } from '../../contract/activities';
import type { HashedFile } from '../../systems/endpoint/scripts';
import { filesBelow, writeFile } from './disk';
import { CommandFailed, PowerShellDied, ScriptFailed } from './failures';
import type { Wish } from './open-files';
import type { SimulatedHost } from './simulated-host';

export type PoolState = 'Started' | 'Stopped';
/** How often a twin looks, in milliseconds. */
const GAP_MS = 20;

export const sha256Of = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** Test-Volatile */
export const isVolatile = (name: string, grew: string[]): boolean =>
  /^App_Data\//i.test(name) || /\.(log|mdf|ndf|ldf)$/i.test(name) || grew.includes(name);

/** Get-SitePaths */
export const sitePaths = (folder: string, grew: string[]): string[] =>
  filesBelow(folder).filter((name) => !isVolatile(name, grew));

/** Get-FileList */
export const hashedFiles = (folder: string): HashedFile[] =>
  filesBelow(folder).map((name) => listed(name, readFileSync(path.join(folder, name))));

export const siteFiles = (host: SimulatedHost, folder: string, grew: string[]): HashedFile[] =>
  sitePaths(folder, grew).map((name) => listed(name, readShared(host, path.join(folder, name))));

const listed = (name: string, content: Buffer): HashedFile => ({
  path: name,
  bytes: content.length,
  sha256: sha256Of(content),
});

/** Open-File */
function readShared(host: SimulatedHost, file: string): Buffer {
  refuseOpen(host, file, 'read');
  return readFileSync(file);
}

function refuseOpen(host: SimulatedHost, file: string, wish: Wish): void {
  const refusal = host.openFiles.refusal(file, wish);
  if (refusal !== undefined) throw new ScriptFailed(FAILURE.notYet, `${file} is in use: ${refusal}`);
}

/** Copy-Application */
export async function copyApplication(host: SimulatedHost, from: string, to: string) {
  const made = { files: [] as HashedFile[], grew: [] as string[], unread: [] as string[] };
  mkdirSync(to, { recursive: true });
  for (const folder of foldersBelow(from)) mkdirSync(path.join(to, folder), { recursive: true });
  const copied: { file: HashedFile; written: number }[] = [];
  for (const name of filesBelow(from)) {
    try {
      const written = statSync(path.join(from, name)).mtimeMs;
      const content = readShared(host, path.join(from, name));
      writeFile(to, name, content);
      if (!isVolatile(name, [])) copied.push({ file: listed(name, content), written });
    } catch (error) {
      if (!isVolatile(name, [])) throw error;
      made.unread.push(name);
    }
  }
  // Copying takes its time.
  await delay(GAP_MS);
  for (const { file, written } of copied) {
    const now = statSync(path.join(from, file.path));
    if (now.size > file.bytes) made.grew.push(file.path);
    else if (now.mtimeMs === written) made.files.push(file);
    else throw new ScriptFailed(FAILURE.notYet, `${path.join(from, file.path)} was changed while it was copied`);
  }
  return made;
}

/** Wait-Released */
export async function untilReleased(
  { host, gone }: { host: SimulatedHost; gone: AbortSignal },
  folder: string,
  names: string[],
  until: number,
): Promise<void> {
  for (const name of names) {
    for (;;) {
      try {
        refuseOpen(host, path.join(folder, name), 'alone');
        break;
      } catch (error) {
        if (Date.now() >= until) throw error;
      }
      await pause(gone);
    }
  }
}

/** Set-PoolState */
export async function setPoolState(
  { host, gone }: { host: SimulatedHost; gone: AbortSignal },
  pool: string,
  wanted: PoolState,
  until: number,
): Promise<void> {
  let problem = '';
  for (;;) {
    if (host.poolState(pool) === wanted) return;
    if (host.poolState(pool) !== 'Stopping') {
      try {
        await (wanted === 'Stopped' ? host.stopPool(pool) : host.startPool(pool));
      } catch (error) {
        if (!(error instanceof CommandFailed)) throw error;
        problem = `: ${error.message}`;
      }
    }
    const state = host.poolState(pool);
    if (state === wanted) return;
    if (Date.now() >= until) {
      throw new ScriptFailed(
        FAILURE.notYet,
        `the application pool '${pool}' is ${state} and not yet ${wanted}${problem}`,
      );
    }
    await pause(gone);
  }
}

export async function pause(gone: AbortSignal): Promise<void> {
  await delay(GAP_MS);
  if (gone.aborted) throw new PowerShellDied();
}

/** Switch-Files */
export function switchFiles(
  host: SimulatedHost,
  folder: string,
  copy: string,
  aside: string,
  present: string[],
  grew: string[],
): void {
  const gone: string[] = [];
  const placed: string[] = [];
  const move = (from: string, to: string, name: string) => {
    refuseOpen(host, path.join(from, name), 'alone');
    mkdirSync(path.dirname(path.join(to, name)), { recursive: true });
    renameSync(path.join(from, name), path.join(to, name));
  };
  try {
    for (const name of present) {
      move(folder, aside, name);
      gone.push(name);
    }
    for (const name of sitePaths(copy, grew)) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      copyFileSync(path.join(copy, name), path.join(folder, name));
      placed.push(name);
    }
  } catch (error) {
    for (const name of placed) rmSync(path.join(folder, name));
    for (const name of gone) move(aside, folder, name);
    throw error;
  }
}

/** Remove-EmptyFolders */
export function removeEmptyFolders(folder: string, copy: string): void {
  for (const name of foldersBelow(folder).reverse()) {
    const at = path.join(folder, name);
    if (!existsSync(path.join(copy, name)) && readdirSync(at).length === 0) rmdirSync(at);
  }
}

const foldersBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
