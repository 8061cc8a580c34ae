import type { Info } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { failureInterceptor } from '../../activities/failures';
import { patience } from './deadlines';

/** As in a worker of ours: with heartbeats, and with the failures that a workflow would see. */
export function activityEnvironment(info: Partial<Info> = {}): MockActivityEnvironment {
  return new MockActivityEnvironment(
    {
      // So long that only what is reported is heard.
      heartbeatTimeoutMs: patience(60_000),
      scheduledTimestampMs: Date.now(),
      currentAttemptScheduledTimestampMs: Date.now(),
      scheduleToCloseTimeoutMs: patience(60_000),
      startToCloseTimeoutMs: patience(60_000),
      ...info,
    },
    { interceptors: [failureInterceptor], logger: new DefaultLogger('ERROR') },
  );
}
