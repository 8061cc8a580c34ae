/** Runs a worker until somebody tells it to end, and ends it even where the SDK cannot. */
import { setTimeout as delay } from 'node:timers/promises';
import { GracefulShutdownPeriodExpiredError, IllegalStateError, type Worker } from '@temporalio/worker';

/**
 * Beyond its grace time a worker waits for what the SDK's core still holds, and some of that never comes: a query that reaches it while it
 * drops the workflow from its cache is never answered, and the worker never ends (1.24.0). Set as `shutdownForceTime`, counted from the
 * request to end, so it has to be longer than the grace time.
 */
export const shutdownForceTime = (graceSeconds: number): string => `${graceSeconds + 10}s`;

/** The SDK would wait for ever for what a worker holds that has failed, as when its namespace is gone (1.24.0); so long it may, in milliseconds. */
const LETS_GO_MS = 10_000;
const LOOK_MS = 1_000;

/** A worker has failed, and the SDK keeps it and its connection. Only the end of the process helps. */
export class WorkerHeld extends Error {
  override readonly name = 'WorkerHeld';
  constructor() {
    super('The worker has failed; its log says why. Start it again once that is mended.');
  }
}

/**
 * What a worker holds when it is ended by force is given to another one by Temporal, as after a crash.
 *
 * @throws what the worker fails with, other than by that.
 * @throws WorkerHeld
 */
export async function serve(worker: Pick<Worker, 'run' | 'getState'>): Promise<void> {
  const ended = new AbortController();
  try {
    await Promise.race([worker.run(), staysFailed(worker, ended.signal)]);
  } catch (error) {
    if (!endedByForce(error)) throw error;
  } finally {
    ended.abort();
  }
}

async function staysFailed(worker: Pick<Worker, 'getState'>, ended: AbortSignal): Promise<void> {
  for (let failedMs = 0; failedMs < LETS_GO_MS;) {
    await delay(LOOK_MS, undefined, { signal: ended }).catch(() => undefined);
    if (ended.aborted) return;
    if (worker.getState() === 'FAILED') failedMs += LOOK_MS;
  }
  throw new WorkerHeld();
}

/** The SDK hides its own reason behind the refusal to release what open calls, or a workflow that was at work, still use. */
const REFUSALS = ['Worker still in use', 'Workflow execution context should have been disposed first'];

const endedByForce = (error: unknown): boolean =>
  error instanceof GracefulShutdownPeriodExpiredError ||
  (error instanceof IllegalStateError && REFUSALS.some((refusal) => error.message.startsWith(refusal)));
