/** How an upgrade ends: in which state, and for those who count by which kind of failure, and in one sentence. */
import { ApplicationFailure, isCancellation, type TemporalFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import type { UpgradeResult, UpgradeState, UpgradeStatus } from '../../src/contract/status';
import { capitalised } from '../kit/plain-text';
import { failureType, isNobodyListening, problemOf } from '../kit/problem';

/** Checks of the preflight that say nothing of the provider but that it does not answer. */
const SILENCE = ['systemsAnswer', 'endpointWorker'];
const MAX_PROBLEM = 500;

type Failed = Extract<UpgradeState, 'rolledBack' | 'refused' | 'rollbackIncomplete'>;

/**
 * Known when nothing is left to do but to say so. The status says it only in the workflow task in which the workflow closes:
 * an upgrade that runs is not over.
 */
export type Outcome = { endedAt: string } & (
  { state: 'completed'; result: UpgradeResult; failure?: never } | { state: Failed; failure: TemporalFailure }
);

/** @param status before the outcome is known to it. */
export function failedState({ state, notUndone }: UpgradeStatus, failure: TemporalFailure): Failed {
  if (state === 'rollingBack') return notUndone.length > 0 ? 'rollbackIncomplete' : 'rolledBack';
  // Nothing was changed yet: either the provider may not be upgraded, or somebody stopped in time.
  const stopped =
    isCancellation(failure) || (failure instanceof ApplicationFailure && failure.type === FAILURE.aborted);
  return stopped ? 'rolledBack' : 'refused';
}

/** Why it failed, for those who count; nothing to say of an upgrade that has succeeded. */
export function causeOf(status: UpgradeStatus, failure?: TemporalFailure): { cause?: string; problem?: string } {
  if (!failure) return {};
  return { cause: kindOf(status, failure), problem: problemOf(failure).slice(0, MAX_PROBLEM) };
}

function kindOf({ checks }: UpgradeStatus, failure: TemporalFailure): string {
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

/** For the last notice, in Markdown. */
export const summaryOf = ({ from, to, instances, sites, switchedOffSeconds, warnings }: UpgradeResult): string =>
  [
    `${instances} instances and ${sites} gateway sites went from ${from} to ${to}.`,
    ...Object.entries(switchedOffSeconds).map(([what, seconds]) => `${capitalised(what)} was off for ${seconds} s.`),
    ...warnings.map((warning) => `- ${warning}`),
  ].join('\n');
