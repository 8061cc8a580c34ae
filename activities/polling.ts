/** Waiting inside an activity: it stays alive for Temporal, gives way to cancellation, and asks less and less often. */
import { Context } from '@temporalio/activity';

/** How often a waiting activity looks, in milliseconds. */
export interface Polling {
  firstGapMs: number;
  longestGapMs: number;
  /** What is not there for so long, and nothing is at work on it, is certainly not there. */
  absenceMs: number;
}

export const POLLING: Polling = { firstGapMs: 1_000, longestGapMs: 30_000, absenceMs: 10 * 60_000 };

const GROWTH = 1.5;
/** How many heartbeats fit into the heartbeat timeout. */
const BEATS = 3;

/** Tells Temporal, and whoever reads its UI, how far the activity is; a later attempt finds the last report. */
export type Report = (progress: Record<string, unknown>) => void;

/** Runs while heartbeating with the last report, also when a single call takes longer than the heartbeat timeout. */
export async function heartbeating<T>(run: (report: Report) => Promise<T>): Promise<T> {
  const context = Context.current();
  const { heartbeatTimeoutMs } = context.info;
  let progress: unknown = context.info.heartbeatDetails;
  const timer = heartbeatTimeoutMs
    ? setInterval(() => context.heartbeat(progress), heartbeatTimeoutMs / BEATS)
    : undefined;
  try {
    return await run((latest) => {
      progress = latest;
      context.heartbeat(latest);
    });
  } finally {
    clearInterval(timer);
  }
}

/** Looks until there is something to return, with growing gaps; rejects when the activity is cancelled. */
export async function poll<T>(polling: Polling, look: () => Promise<{ found: T } | undefined>): Promise<T> {
  let gap = polling.firstGapMs;
  for (;;) {
    const seen = await look();
    if (seen) return seen.found;
    await Context.current().sleep(gap);
    gap = Math.min(gap * GROWTH, polling.longestGapMs);
  }
}
