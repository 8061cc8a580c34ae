/** How people of a walk speak to a workflow, whether or not it still listens. */
import {
  ServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  isGrpcServiceError,
  type Client,
  type WorkflowHandle,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { FAILURE } from '../../src/contract/activities';
import { patience } from '../kit/deadlines';

const ANSWERS_WITHIN_MS = patience(5_000);
/** gRPC's codes for what was not answered in time, and for what was dropped when the workflow ended: DEADLINE_EXCEEDED, ABORTED. */
const NO_ANSWER: ReadonlySet<number> = new Set([4, 10]);

/** `heard` stands in the audit trail, `unheard` does not; where nobody has answered, it is `open`. */
export type Heard = 'heard' | 'unheard' | 'open';

export async function say(
  client: Client,
  workflow: WorkflowHandle,
  { name, payload }: { name: string; payload: unknown },
): Promise<Heard> {
  return await unlessOver(() =>
    client.connection.withDeadline(Date.now() + ANSWERS_WITHIN_MS, () => workflow.signal(name, payload)),
  );
}

/** What people do to a workflow that is over, or what it refuses, changes nothing and harms nobody. */
export async function unlessOver(act: () => Promise<unknown>): Promise<Heard> {
  try {
    await act();
    return 'heard';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'unheard';
    // What cannot be read does not reach the workflow.
    if (error instanceof WorkflowUpdateFailedError)
      return error.cause instanceof ApplicationFailure && error.cause.type === FAILURE.answerRefused
        ? 'heard'
        : 'unheard';
    const isOpen =
      // Temporal keeps it, and hands it to the next worker.
      error instanceof WorkflowUpdateRPCTimeoutOrCancelledError ||
      (error instanceof ServiceError && isGrpcServiceError(error.cause) && NO_ANSWER.has(Number(error.cause.code)));
    if (!isOpen) throw error;
    return 'open';
  }
}
