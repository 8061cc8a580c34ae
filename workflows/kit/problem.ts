/** Turns whatever failed into one sentence for people: what happened, to what, what to do next. */
import { ActivityFailure, ApplicationFailure, TimeoutFailure, rootCause } from '@temporalio/workflow';
import type { ZodError } from 'zod';
import { ONWARD } from '../../src/contract/onward';
import { FAILURE, type FailureType } from '../../src/contract/activities';
import { entryChange, type EntryChange } from '../../src/contract/entry';

export function problemOf(error: unknown): string {
  if (error instanceof ActivityFailure && error.cause instanceof TimeoutFailure) return describeTimeout(error);
  if (error instanceof ApplicationFailure) return error.message;
  return rootCause(error) ?? String(error);
}

function describeTimeout(failure: ActivityFailure): string {
  const timeout = failure.cause as TimeoutFailure;
  const lastFailure = timeout.cause ? ` Last failure: ${rootCause(timeout.cause) ?? timeout.cause.message}` : '';
  switch (timeout.timeoutType) {
    case 'SCHEDULE_TO_START':
      return `No worker took up ${failure.activityType} in time: start the worker of this endpoint host (${ONWARD} worker --host <name>), then retry.`;
    case 'HEARTBEAT':
      return `The worker that ran ${failure.activityType} fell silent. What it did is unknown; a retry looks first.${lastFailure}`;
    default:
      return lastFailure
        ? `${failure.activityType} did not succeed within its time.${lastFailure}`
        : `No attempt of ${failure.activityType} came to an end in time: look whether the workers of its task queue run and keep up, then retry.`;
  }
}

/** `type` of the failure that an activity ended with, if it was an application failure. */
export function failureType(error: unknown): FailureType | undefined {
  const failure = failureOf(error);
  return Object.values(FAILURE).find((type) => type === failure?.type);
}

/** What has changed, where the failure is that the entry is not what the workflow has read. */
export const entryChangeOf = (error: unknown): EntryChange | undefined =>
  failureType(error) === FAILURE.entryChanged ? entryChange.safeParse(failureOf(error)?.details?.[0]).data : undefined;

function failureOf(error: unknown): ApplicationFailure | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  const failure = cause instanceof TimeoutFailure && cause.cause ? cause.cause : cause;
  return failure instanceof ApplicationFailure ? failure : undefined;
}

/** True when no worker listens on the task queue of the activity. */
export function isNobodyListening(error: unknown): boolean {
  return (
    error instanceof ActivityFailure &&
    error.cause instanceof TimeoutFailure &&
    error.cause.timeoutType === 'SCHEDULE_TO_START'
  );
}

/** Every problem that zod found, each with the field that it is about. */
export function problemsOf({ issues }: ZodError): string {
  return issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message)).join('; ');
}
