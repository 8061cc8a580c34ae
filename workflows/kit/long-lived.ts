/** What workflows need that live for weeks and look after others: when to hand over to the next run, and when to look. */
import { condition, sleep, workflowInfo } from '@temporalio/workflow';

export const isLong = (historyLimit: number | undefined): boolean =>
  workflowInfo().continueAsNewSuggested || workflowInfo().historyLength >= (historyLimit ?? Infinity);

/** Whoever dies without a word is found by the next look, in milliseconds. */
const LOOK_EVERY = 3600 * 1000;

/** Part of what a run hands on to the next. */
export interface Looks {
  /** When it looks by itself whether its children are still there. */
  looksAt?: string;
  lookIsDue?: boolean;
}

/** Makes a look due every hour, as long as there is somebody to look after; never ends. Whoever looks deletes both fields. */
export async function lookRegularly(
  looks: Looks,
  { summary, isNeeded = () => true, wake }: { summary: string; isNeeded?: () => boolean; wake: () => void },
): Promise<never> {
  for (;;) {
    await condition(isNeeded);
    looks.looksAt ??= new Date(Date.now() + LOOK_EVERY).toISOString();
    await sleep(Math.max(Date.parse(looks.looksAt) - Date.now(), 1), { summary });
    looks.lookIsDue = true;
    wake();
    await condition(() => looks.looksAt === undefined);
  }
}
