/** What workflows need that live for weeks and look after others: when to hand over to the next run, and when to look. */
import { condition, isCancellation, sleep, workflowInfo } from '@temporalio/workflow';

export const isLong = (historyLimit: number | undefined): boolean =>
  workflowInfo().continueAsNewSuggested || workflowInfo().historyLength >= (historyLimit ?? Infinity);

/** Whoever dies without a word is found by the next look, in milliseconds. */
const LOOK_EVERY = 3600 * 1000;

/** Part of what a run hands on to the next. */
export interface Looks {
  /** When it looks by itself. */
  looksAt?: string;
  lookIsDue?: boolean;
}

/**
 * Makes a look due every so often, as long as there is something to look at, until the workflow is cancelled. Whoever looks deletes
 * both fields.
 */
export async function lookRegularly(
  looks: Looks,
  {
    summary,
    every = LOOK_EVERY,
    isNeeded = () => true,
    wake = () => undefined,
  }: { summary: string; every?: number; isNeeded?: () => boolean; wake?: () => void },
): Promise<void> {
  try {
    for (;;) {
      await condition(isNeeded);
      looks.looksAt ??= new Date(Date.now() + every).toISOString();
      await sleep(Math.max(Date.parse(looks.looksAt) - Date.now(), 1), { summary });
      looks.lookIsDue = true;
      wake();
      await condition(() => looks.looksAt === undefined);
    }
  } catch (error) {
    // Nobody waits for this: an error that nobody takes would fail the workflow task for ever.
    if (!isCancellation(error)) throw error;
  }
}
