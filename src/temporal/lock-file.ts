/** One process at a time, on one machine, by a file that its holder keeps fresh. */
import { open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const FRESHEN_MS = 5_000;
/** A holder that has not freshened its file for so long is gone: killed, or the machine restarted. */
export const STALE_AFTER_MS = 30_000;
const RETRY_MS = 500;

/**
 * Does the work while holding the lock. Waits as long as another holder shows signs of life.
 *
 * @param onWait called every half second with the holder's process id while it waits.
 */
export async function withLockFile<T>(
  file: string,
  onWait: (holder: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  while (!(await acquire(file))) {
    if (await isStale(file)) {
      // Two processes may both come here, and both go on. That costs time and breaks nothing: results are renamed into place.
      await rm(file, { force: true });
    } else {
      onWait(await readFile(file, 'utf8').catch(() => 'unknown'));
      await sleep(RETRY_MS);
    }
  }
  const freshening = setInterval(() => {
    const now = new Date();
    // Without the file somebody has judged this process gone; it may still finish.
    utimes(file, now, now).catch(() => clearInterval(freshening));
  }, FRESHEN_MS);
  try {
    return await work();
  } finally {
    clearInterval(freshening);
    await rm(file, { force: true });
  }
}

async function acquire(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(String(process.pid));
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isStale(file: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(file)).mtimeMs > STALE_AFTER_MS;
  } catch (error) {
    // Released just now: the next try decides.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
