/** What one system said, or why it did not say it: so that one silent system does not hide what the others say. */
import { TemporalFailure, isCancellation } from '@temporalio/workflow';
import { isNobodyListening, problemOf } from './problem';

export type Reading<Value> = { what: string; value: Value } | { what: string; problem: string; nobodyListens: boolean };

export async function reading<Value>(what: string, read: () => Promise<Value>): Promise<Reading<Value>> {
  try {
    return { what, value: await read() };
  } catch (error) {
    if (isCancellation(error) || !(error instanceof TemporalFailure)) throw error;
    return { what, problem: problemOf(error), nobodyListens: isNobodyListening(error) };
  }
}

export const answered = <Value>(reading: Reading<Value>): reading is { what: string; value: Value } =>
  'value' in reading;
