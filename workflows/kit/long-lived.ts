/** When a long workflow hands over to its next run, and when it looks after those it has started. */
import { workflowInfo } from '@temporalio/workflow';

export const isLong = (historyLimit: number | undefined): boolean =>
  workflowInfo().continueAsNewSuggested || workflowInfo().historyLength >= (historyLimit ?? Infinity);

/** Whoever dies without a word is found by the next look, in milliseconds. */
export const LOOKS_EVERY = 3600 * 1000;
