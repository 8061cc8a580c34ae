/** Waiting inside an activity: it stays alive for Temporal, gives way to cancellation, and asks less and less often. */
import { Context } from '@temporalio/activity';
import { FAILURE } from '../src/contract/activities';
import { redactDeep } from '../src/inventory/secrets';
import { untilEnd } from '../src/systems/patience';
import { SystemError, type SystemProblem } from '../src/systems/system-error';

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

/**
 * Runs while heartbeating with the last report, also when a single call takes longer than the heartbeat timeout. Every
 * exchange in it ends before Temporal gives this attempt up: an answer that does not come fails with the name of its call.
 */
export async function heartbeating<T>(run: (report: Report) => Promise<T>): Promise<T> {
  const context = Context.current();
  const { heartbeatTimeoutMs } = context.info;
  let progress: unknown = context.info.heartbeatDetails;
  const timer = heartbeatTimeoutMs
    ? setInterval(() => context.heartbeat(progress), heartbeatTimeoutMs / BEATS)
    : undefined;
  try {
    return await untilEnd(endOfAttempt(), () =>
      run((latest) => {
        // Systems' own words may be in it, and the server keeps it.
        progress = redactDeep(latest);
        context.heartbeat(progress);
      }),
    );
  } finally {
    clearInterval(timer);
  }
}

/** What is waited for, in the words of the failure that ends a wait in vain. */
export type Wait = Pick<SystemProblem, 'system' | 'call' | 'object' | 'next'>;

/** What a look has found, or what is still open. */
export type Seen<T> = { found: T } | { open: string };

/**
 * Looks until there is something to return, with growing gaps; rejects when the activity is cancelled.
 *
 * @throws SystemError, before Temporal's patience ends, that says what was still open at the last look.
 */
export async function poll<T>(polling: Polling, wait: Wait, look: () => Promise<Seen<T>>): Promise<T> {
  const ends = lastLook();
  let gap = polling.firstGapMs;
  for (;;) {
    const seen = await look();
    if ('found' in seen) return seen.found;
    const left = ends - Date.now();
    if (left <= 0) {
      throw new SystemError({
        ...wait,
        type: FAILURE.notYet,
        retryable: false,
        problem: `is not done within its time: ${seen.open}`,
      });
    }
    await Context.current().sleep(Math.min(gap, left));
    gap = Math.min(gap * GROWTH, polling.longestGapMs);
  }
}

/** Part of its time after which an activity looks for the last time. */
const PATIENCE = 0.9;
/** Part of the time left to an attempt after which no answer is waited for: later than the last look. */
const LAST_WORD = 0.95;
/** A server's clock may be ahead of this worker's; an attempt that was begun has this time at least, in milliseconds. */
const LEAST_TIME = 1_000;

/** When the last exchange of this attempt ends, in milliseconds since 1970. */
function endOfAttempt(): number {
  const { startToCloseTimeoutMs, scheduleToCloseTimeoutMs, scheduledTimestampMs } = Context.current().info;
  const now = Date.now();
  const left = Math.min(
    startToCloseTimeoutMs > 0 ? startToCloseTimeoutMs : Infinity,
    scheduleToCloseTimeoutMs > 0 ? scheduledTimestampMs + scheduleToCloseTimeoutMs - now : Infinity,
  );
  return now + Math.max(left, LEAST_TIME) * LAST_WORD;
}

/** When, in milliseconds since 1970; Temporal gives up a little later. */
function lastLook(): number {
  const { startToCloseTimeoutMs, currentAttemptScheduledTimestampMs, scheduleToCloseTimeoutMs, scheduledTimestampMs } =
    Context.current().info;
  return Math.min(
    startToCloseTimeoutMs > 0 ? currentAttemptScheduledTimestampMs + startToCloseTimeoutMs * PATIENCE : Infinity,
    scheduleToCloseTimeoutMs > 0 ? scheduledTimestampMs + scheduleToCloseTimeoutMs * PATIENCE : Infinity,
  );
}
