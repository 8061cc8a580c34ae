/** What went wrong between us and the Temporal server, said so that somebody can act on it. */
import {
  isGrpcServiceError,
  QueryNotRegisteredError,
  QueryRejectedError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { NamespaceNotFoundError, WorkflowNotFoundError } from '@temporalio/common';
import { ONWARD } from '../../../contract/onward';
import { ENCODED_FAILURE } from '../../../temporal/connection';
import { CliError } from '../cli-error';

/** Numbers of gRPC's status codes, as the protocol fixes them. */
const GRPC = {
  cancelled: 1,
  deadlineExceeded: 4,
  permissionDenied: 7,
  failedPrecondition: 9,
  unavailable: 14,
  unauthenticated: 16,
};

/** @param doing what we were about to do, `ask the upgrade of contoso for its status`; @param notFound says that it is not there. */
export function explain(error: unknown, doing: string, notFound: CliError): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof WorkflowNotFoundError) return notFound;
  if (error instanceof NamespaceNotFoundError) {
    return new CliError('failure', `The Temporal server has no namespace ${error.namespace}.`, {
      hint: 'Name another one with --namespace or TEMPORAL_NAMESPACE, or create it: temporal operator namespace create.',
      cause: error,
    });
  }
  if (error instanceof WorkflowUpdateFailedError) return refused(error);
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return noWorker(doing, error);
  if (error instanceof QueryNotRegisteredError && error.message === ENCODED_FAILURE) {
    return new CliError('failure', `Could not ${doing}: the worker failed, and its reason is encrypted.`, {
      hint: 'Its log says it in clear. A worker that lacks a key of ONWARD_CODEC_KEYS fails so.',
      cause: error,
    });
  }
  if (error instanceof QueryRejectedError || error instanceof QueryNotRegisteredError) {
    return new CliError('failure', `Could not ${doing}: ${error.message}.`, { cause: error });
  }
  return explainRpc(error, doing);
}

function refused(error: WorkflowUpdateFailedError): CliError {
  return new CliError('refused', causeMessage(error), { cause: error });
}

/** The upgrade's own words: the SDK wraps them once. */
export function causeMessage(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : error.message;
}

export function noWorker(doing: string, cause?: unknown): CliError {
  return new CliError('noWorker', `Could not ${doing}: the server is there, but no Onward worker answers.`, {
    hint: `Start one with ${ONWARD} worker. Nothing is lost meanwhile: the upgrade goes on where it stands.`,
    cause,
  });
}

/** Workers are there, and none can take it up. */
const taskFails = (doing: string, cause: unknown): CliError =>
  new CliError('noWorker', `Could not ${doing}: its workflow task fails, again and again.`, {
    hint: 'The log of a worker says why (docs/runbook.md#onwardworkflowtaskfailing). Nothing is lost meanwhile.',
    cause,
  });

/** Terminated while news for it waited: the server gives it to no worker any more. */
const endedUnseen = (doing: string, cause: unknown): CliError =>
  new CliError('failure', `Could not ${doing}: it was ended before it had taken in its last news, and tells nothing.`, {
    hint: `Its history is in Temporal's UI. What an upgrade has begun is brought to its end by ${ONWARD} finish <provider>.`,
    cause,
  });

function explainRpc(error: unknown, doing: string): CliError {
  const rpc = rpcErrorOf(error);
  const message = `Could not ${doing}: ${rootMessage(error)}`;
  switch (rpc?.code) {
    case GRPC.unavailable:
      return new CliError('unreachable', `The Temporal server cannot be reached (${rpc.details}).`, {
        hint: 'Is it running, and is --address or TEMPORAL_ADDRESS right?',
        cause: error,
      });
    case GRPC.failedPrecondition:
      if (/workflow task in failed state/i.test(rpc.details)) return taskFails(doing, error);
      return /closed before WorkflowTaskStarted/i.test(rpc.details)
        ? endedUnseen(doing, error)
        : noWorker(doing, error);
    // A worker that goes away takes the question along.
    case GRPC.cancelled:
    case GRPC.deadlineExceeded:
      return noWorker(doing, error);
    case GRPC.permissionDenied:
    case GRPC.unauthenticated:
      return new CliError('failure', message, {
        hint: 'Check TEMPORAL_API_KEY, or the certificate in TEMPORAL_TLS_*.',
        cause: error,
      });
    default:
      return new CliError('failure', message, { cause: error });
  }
}

function rpcErrorOf(error: unknown): { code: number; details: string } | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (isGrpcServiceError(current)) return current;
  }
  return undefined;
}

function rootMessage(error: unknown): string {
  let current = error;
  while (current instanceof Error && current.cause instanceof Error) current = current.cause;
  return current instanceof Error ? current.message : String(current);
}
