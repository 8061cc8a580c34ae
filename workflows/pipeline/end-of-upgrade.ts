/** How an upgrade ended, for those who count: by which kind of failure, and in one sentence. */
import { isCancellation, type TemporalFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import type { UpgradeStatus } from '../../src/contract/status';
import { failureType, isNobodyListening, problemOf } from './problem';

/** Checks of the preflight that say nothing of the provider but that it does not answer. */
const SILENCE = ['systemsAnswer', 'endpointWorker'];
const MAX_PROBLEM = 500;

/** Nothing to say of an upgrade that has succeeded. */
export function endOf(status: UpgradeStatus, failure?: TemporalFailure): { cause?: string; problem?: string } {
  if (!failure) return {};
  return { cause: causeOf(status, failure), problem: problemOf(failure).slice(0, MAX_PROBLEM) };
}

function causeOf({ checks }: UpgradeStatus, failure: TemporalFailure): string {
  if (isCancellation(failure)) return FAILURE.aborted;
  const type = failureType(failure);
  switch (type) {
    case FAILURE.refused: {
      const refusals = checks.filter(({ verdict }) => verdict === 'refusal');
      return refusals.every(({ name }) => SILENCE.includes(name)) ? FAILURE.unreachable : type;
    }
    case FAILURE.stepFailed:
      // A step's failure says of itself only that it was undone.
      if (isNobodyListening(failure.cause)) return FAILURE.hostUnavailable;
      return isCancellation(failure.cause) ? FAILURE.aborted : (failureType(failure.cause) ?? type);
    case undefined:
      return FAILURE.stepFailed;
    default:
      return type;
  }
}
