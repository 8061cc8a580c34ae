/** Runs a worker until somebody tells it to end, and ends it even where the SDK cannot. */
import { GracefulShutdownPeriodExpiredError, IllegalStateError, type Worker } from '@temporalio/worker';

/**
 * Beyond its grace time a worker waits for what the SDK's core still holds, and some of that never comes: a query that reaches it while it
 * drops the workflow from its cache is never answered, and the worker never ends (1.24.0). Set as `shutdownForceTime`, counted from the
 * request to end, so it has to be longer than the grace time.
 */
export const shutdownForceTime = (graceSeconds: number): string => `${graceSeconds + 10}s`;

/**
 * What a worker holds when it is ended by force is given to another one by Temporal, as after a crash.
 *
 * @throws what the worker fails with, other than by that.
 */
export async function serve(worker: Worker): Promise<void> {
  try {
    await worker.run();
  } catch (error) {
    if (!endedByForce(error)) throw error;
  }
}

/** The SDK hides its own reason behind the refusal to release what open calls, or a workflow that was at work, still use. */
const REFUSALS = ['Worker still in use', 'Workflow execution context should have been disposed first'];

const endedByForce = (error: unknown): boolean =>
  error instanceof GracefulShutdownPeriodExpiredError ||
  (error instanceof IllegalStateError && REFUSALS.some((refusal) => error.message.startsWith(refusal)));
