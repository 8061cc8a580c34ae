import { Context } from '@temporalio/activity';
import { ServiceError, isGrpcServiceError } from '@temporalio/client';
import { FAILURE } from '../src/contract/activities';
import { SystemError } from '../src/systems/system-error';

/** Without one the SDK's client waits for ever. */
const DEADLINE_MS = 15_000;

/**
 * Temporal is a system like the others to whoever asks it: what it does not answer says what was asked, about what, and what to do.
 *
 * @param call what is asked: `reading the state`.
 * @param object what it is about: a workflow id.
 */
export async function askingTemporal<Answer>(
  call: string,
  object: string,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await Context.current().client.withDeadline(Date.now() + DEADLINE_MS, ask);
  } catch (error) {
    if (!(error instanceof ServiceError) && !isGrpcServiceError(error)) throw error;
    const cause = error instanceof ServiceError && error.cause instanceof Error ? error.cause : error;
    throw new SystemError(
      {
        type: FAILURE.unreachable,
        system: 'Temporal',
        call,
        object,
        problem: `failed: ${cause.message}`,
        next: 'Look at the Temporal server, and at the rights of this worker in its namespace.',
      },
      { cause: error },
    );
  }
}
