import { ServiceError, isGrpcServiceError, type WorkflowHandle } from '@temporalio/client';
import type { Recorded } from '../../contract/messages';

/** gRPC's FAILED_PRECONDITION, with the sentence by which Temporal says that it has dropped an update. */
const FAILED_PRECONDITION = 9;
const DROPPED = 'unexpected workflow task failure';
const ATTEMPTS = 5;

/**
 * Sends a message as an update. Temporal drops one, unseen by anybody, whose workflow task fails; that happens in good order where
 * the update ends the workflow while something else arrives. So it is sent again.
 */
export async function sendUpdate(
  workflow: Pick<WorkflowHandle, 'executeUpdate'>,
  name: string,
  message: unknown,
): Promise<Recorded> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await workflow.executeUpdate<Recorded, [unknown]>(name, { args: [message] });
    } catch (error) {
      if (!wasDropped(error) || attempt === ATTEMPTS) throw error;
    }
  }
}

function wasDropped(error: unknown): boolean {
  if (!(error instanceof ServiceError) || !isGrpcServiceError(error.cause)) return false;
  const { code, details } = error.cause;
  return Number(code) === FAILED_PRECONDITION && details.includes(DROPPED);
}
