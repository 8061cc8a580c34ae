/**
 * Who uses a dev server's state folder. Two servers on one state file would ruin it, and a server whose owner was killed
 * keeps running: a record beside the state tells the next one which of the two it has met.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { z } from 'zod';
import { localSettings, requireSearchAttributes } from './connection';
import { sendSignal } from './send-signal';

const record = z.object({ address: z.string(), pid: z.int().positive(), owner: z.int().positive() });
type StateRecord = z.output<typeof record>;

const END_DEADLINE_MS = 10_000;
const recordFile = (directory: string): string => path.join(directory, 'dev-server.json');

export async function writeRecord(directory: string, server: Omit<StateRecord, 'owner'>): Promise<void> {
  await writeFile(recordFile(directory), JSON.stringify({ ...server, owner: process.pid }));
}

/**
 * Ends a server that its owner left behind. Returns the owner's process id when that one is alive: then the folder is
 * taken.
 */
export async function releaseState(directory: string): Promise<number | undefined> {
  const found = await readRecord(directory);
  // Process ids are used again, so an id alone proves nothing: the server must also answer where it said it would.
  if (found === undefined || !sendSignal(0, found.pid) || !(await answers(found.address))) return undefined;
  if (sendSignal(0, found.owner)) return found.owner;
  const deadline = Date.now() + END_DEADLINE_MS;
  for (let alive = sendSignal('SIGTERM', found.pid); alive; alive = sendSignal(0, found.pid)) {
    if (Date.now() > deadline) sendSignal('SIGKILL', found.pid);
    await sleep(50);
  }
  return undefined;
}

async function readRecord(directory: string): Promise<StateRecord | undefined> {
  const text = await readFile(recordFile(directory), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return record.parse(JSON.parse(text));
  } catch {
    // Torn by a power cut, after which no server is left either.
    return undefined;
  }
}

async function answers(address: string): Promise<boolean> {
  const settings = localSettings(address);
  const connection = Connection.lazy({ ...settings.connectionOptions, interceptors: [] });
  return requireSearchAttributes(connection, settings)
    .then(
      () => true,
      () => false,
    )
    .finally(() => connection.close());
}
