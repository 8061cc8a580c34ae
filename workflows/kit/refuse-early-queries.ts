/**
 * Keeps what a workflow does as it will be when its history is replayed: events are handled with the workflow task that they belong to.
 *
 * A query that finds no worker with the workflow in its cache carries the history as it stands, and that may end with events whose
 * workflow task has not begun. The SDK's core (1.24.0) hands these to the workflow all the same, with the clock of the task before; the commands
 * that follow are sent with the next task, ahead of the signals that arrived meanwhile, and a replay meets the signals first. Such a
 * query is refused here. That drops the workflow from the cache, and the task that comes replays it.
 */
import type { WorkflowInterceptors } from '@temporalio/workflow';
import { ASK_AGAIN } from '../../src/contract/ask-again';

type Internals = NonNullable<WorkflowInterceptors['internals']>[number];
type Activation = Parameters<NonNullable<Internals['activate']>>[0]['activation'];

/** What every workflow task renews as it begins, and how many events were handled. */
interface Position {
  events: number;
  /** Bytes; 0 on a server that does not tell, and then nothing can be seen. */
  historySize: string;
  clock: string;
}

/** Of each workflow its own: the SDK calls this as it begins or replays one. */
export function interceptors(): WorkflowInterceptors {
  let last: Position | undefined;
  return {
    internals: [
      {
        activate(input, next) {
          const now = positionOf(input.activation);
          if (last !== undefined && aheadOfTask(last, now) && !onlyAsks(input.activation)) throw new Error(ASK_AGAIN);
          last = now;
          next(input);
        },
      },
    ],
  };
}

const aheadOfTask = (last: Position, now: Position): boolean =>
  now.historySize !== '0' &&
  now.events > last.events &&
  now.historySize === last.historySize &&
  now.clock === last.clock;

const onlyAsks = ({ jobs }: Activation): boolean =>
  (jobs ?? []).every((job) => job.queryWorkflow != null || job.removeFromCache != null);

const positionOf = ({ historyLength, historySizeBytes, timestamp }: Activation): Position => ({
  events: historyLength ?? 0,
  historySize: String(historySizeBytes ?? 0),
  clock: `${String(timestamp?.seconds)}.${String(timestamp?.nanos)}`,
});
