/**
 * Who uses a dev server's state folder. Two servers on one state file would ruin it, and a server whose owner was killed
 * keeps running: a record beside the state tells the next one which of the two it has met.
 */
import { readFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { z } from 'zod';
import { localSettings, requireSearchAttributes, TemporalUnavailable } from './connection';
import { sendSignal } from './send-signal';

/** The server did not start; the message says what was in the way. */
export class DevServerFailed extends Error {
  override readonly name = 'DevServerFailed';
}

const record = z.object({ address: z.string(), pid: z.int().positive(), owner: z.int().positive() });
type StateRecord = z.output<typeof record>;

const END_DEADLINE_MS = 10_000;
/** On a busy machine a server that is there may leave a question unanswered. */
const ANSWER_DEADLINE_MS = 30_000;
const CONNECT_DEADLINE_MS = 1_000;
const recordFile = (directory: string): string => path.join(directory, 'dev-server.json');

export async function writeRecord(directory: string, server: Omit<StateRecord, 'owner'>): Promise<void> {
  await writeFile(recordFile(directory), JSON.stringify({ ...server, owner: process.pid }));
}

/**
 * Ends a server that its owner left behind. Returns the owner's process id when that one is alive: then the folder is
 * taken.
 *
 * @throws DevServerFailed when something listens where the server did, and does not say whether it is that server.
 */
export async function releaseState(directory: string): Promise<number | undefined> {
  const found = await readRecord(directory);
  if (found === undefined || !(await isThere(directory, found))) return undefined;
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

/** Process ids are used again, so an id alone proves nothing: the server must also answer where it said it would. */
async function isThere(directory: string, { pid, address }: StateRecord): Promise<boolean> {
  for (const deadline = Date.now() + ANSWER_DEADLINE_MS; ; await sleep(50)) {
    if (!sendSignal(0, pid) || !(await listens(address))) return false;
    const answer = await ask(address);
    if (answer !== 'none') return answer === 'ours';
    if (Date.now() > deadline)
      throw new DevServerFailed(
        `A dev server on the state in ${directory} was started as process ${pid}, and what listens at ${address} does not answer. ` +
          'End that process and try again, or use another folder.',
      );
  }
}

async function listens(address: string): Promise<boolean> {
  const { hostname, port } = new URL(`tcp://${address}`);
  const socket = net.connect(Number(port), hostname);
  return await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    // Who is too busy to take a connection is there; where nobody listens, the refusal comes at once.
    socket.setTimeout(CONNECT_DEADLINE_MS, () => resolve(true));
  }).finally(() => socket.destroy());
}

async function ask(address: string): Promise<'ours' | 'other' | 'none'> {
  const settings = localSettings(address);
  const connection = Connection.lazy({ ...settings.connectionOptions, interceptors: [] });
  try {
    await requireSearchAttributes(connection, settings);
    return 'ours';
  } catch (error) {
    // Only what comes of a failed call has a cause: an answer that shows another server has none.
    return error instanceof TemporalUnavailable && error.cause === undefined ? 'other' : 'none';
  } finally {
    await connection.close();
  }
}
