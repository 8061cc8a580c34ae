/** Waits for what Temporal tells nobody: when a worker has begun to poll. */
import os from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';

/** How often we look, in milliseconds; the times that are measured are the server's. */
const LOOK_MS = 25;

/** As the SDK names a worker of this machine. */
export const identityOf = (pid: number): string => `${pid}@${os.hostname()}`;

/** The first answer that is something. */
export async function until<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    await delay(LOOK_MS);
  }
}

export async function untilPolls(client: Client, queue: string, pid: number): Promise<void> {
  await until(() => polls(client, queue, pid));
}

async function polls({ workflowService }: Client, name: string, pid: number): Promise<boolean> {
  const asked = await Promise.all(
    // Workflows and activities.
    [1, 2].map((taskQueueType) =>
      workflowService.describeTaskQueue({ namespace: 'default', taskQueue: { name }, taskQueueType }),
    ),
  );
  return asked.some(({ pollers }) => pollers?.some(({ identity }) => identity === identityOf(pid)));
}
