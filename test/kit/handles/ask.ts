/** Asks workflows while workers come and go, and tasks fail and are repeated. */
import { setTimeout as delay } from 'node:timers/promises';
import { ServiceError, isGrpcServiceError, type Client, type WorkflowHandle } from '@temporalio/client';
import { patience } from '../deadlines';

/** How long one answer of a worker may take; one that is down answers nothing. */
const ANSWER_MS = patience(30_000);
/** How long it is asked again; a task that fails is repeated after at most some seconds the first few times. */
const PATIENCE_MS = patience(60_000);
const AGAIN_AFTER_MS = 250;
const MOST_LATE_ANSWERS = 3;
/** gRPC: https://grpc.io/docs/guides/status-codes/ */
const DEADLINE_EXCEEDED = 4;
/** Temporal's answer while a workflow task fails again and again. */
const FAILED_PRECONDITION = 9;
/** What Temporal says then of a run that was ended before any worker had begun it: it never answers. */
const ENDED_UNSEEN = /closed before WorkflowTaskStarted/;
/** A worker that goes away takes the question along. */
const CANCELLED = 1;

/**
 * A query that reaches a worker while it drops the run from its cache is never answered, and Temporal refuses one while a workflow
 * task keeps failing: it is asked again. Whether a task may have failed is judged by the history, not here.
 *
 * @throws what the last attempt threw, and why the workflow's tasks failed.
 */
export async function ask<Answer>(
  client: Client,
  handle: WorkflowHandle,
  query: string,
  ...args: unknown[]
): Promise<Answer> {
  const began = performance.now();
  for (let late = 0; ; await delay(AGAIN_AFTER_MS)) {
    try {
      return await client.connection.withDeadline(Date.now() + ANSWER_MS, () =>
        handle.query<Answer, unknown[]>(query, ...args),
      );
    } catch (error) {
      const code = codeOf(error);
      if (code === DEADLINE_EXCEEDED && ++late < MOST_LATE_ANSWERS) continue;
      if (code === FAILED_PRECONDITION && ENDED_UNSEEN.test(String((error as ServiceError).cause)))
        throw new SaysNothing(`${handle.workflowId} was ended before any worker had begun it.`, { cause: error });
      if ((code === FAILED_PRECONDITION || code === CANCELLED) && performance.now() - began < PATIENCE_MS) continue;
      const failures = await failedTasks(handle);
      if (failures.length === 0) throw error;
      throw new SaysNothing(`${handle.workflowId} does not answer; tasks of it failed: ${failures.join('; ')}`, {
        cause: error,
      });
    }
  }
}

/** It never will: its tasks fail, or it was ended in the midst of one. */
export class SaysNothing extends Error {
  override readonly name = 'SaysNothing';
}

function codeOf(error: unknown): number | undefined {
  const cause = error instanceof ServiceError ? error.cause : undefined;
  return isGrpcServiceError(cause) ? Number(cause.code) : undefined;
}

/** Each with the number of its event. */
async function failedTasks(handle: WorkflowHandle): Promise<string[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap(({ eventId, workflowTaskFailedEventAttributes: failed }) =>
    failed ? [`${String(eventId)}: ${failed.failure?.message ?? String(failed.cause)}`] : [],
  );
}
