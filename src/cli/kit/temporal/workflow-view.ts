/** Looks at a workflow on the server. */
import {
  QueryNotRegisteredError,
  WorkflowFailedError,
  type WorkflowExecutionStatusName,
  type WorkflowHandle,
} from '@temporalio/client';
import { QUERY } from '../../../contract/status';
import { CliError } from '../cli-error';
import type { ExecutionStatus, WorkflowView } from '../execution';
import { causeMessage } from './temporal-errors';

/** @param who of whom an error speaks: `The upgrade of contoso` */
export async function viewOf<Status extends { endedAt?: string }>(
  handle: WorkflowHandle,
  who: string,
): Promise<WorkflowView<Status>> {
  const view = await lookAt<Status>(handle, who);
  // It has ended between the two answers: only a closed one says that it is over.
  return view.execution === 'running' && view.status.endedAt !== undefined ? await lookAt<Status>(handle, who) : view;
}

async function lookAt<Status>(handle: WorkflowHandle, who: string): Promise<WorkflowView<Status>> {
  const { status: execution } = await handle.describe();
  const failure = execution.name === 'FAILED' ? await failureOf(handle) : undefined;
  try {
    const status = await handle.query<Status>(QUERY.status);
    return { execution: executionStatus(execution.name), status, failure };
  } catch (error) {
    // It failed before it could do anything, queries included.
    if (!(error instanceof QueryNotRegisteredError) || failure === undefined) throw error;
    throw new CliError('failure', `${who} failed at once: ${failure}`);
  }
}

async function failureOf(handle: WorkflowHandle): Promise<string | undefined> {
  try {
    await handle.result();
    return undefined;
  } catch (error) {
    if (error instanceof WorkflowFailedError) return causeMessage(error);
    throw error;
  }
}

const EXECUTION: Record<WorkflowExecutionStatusName, ExecutionStatus> = {
  RUNNING: 'running',
  PAUSED: 'pausedByServer',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timedOut',
  CONTINUED_AS_NEW: 'continuedAsNew',
  UNSPECIFIED: 'unknown',
  UNKNOWN: 'unknown',
};
export const executionStatus = (name: WorkflowExecutionStatusName): ExecutionStatus => EXECUTION[name];
