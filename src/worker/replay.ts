/** Replays histories against workflow code, as a worker with that code would meet them. Needs no server. */
import type { DataConverter, HistoryAndWorkflowId } from '@temporalio/common';
import type { History } from '@temporalio/common/lib/proto-utils';
import { Worker, type ReplayHistoriesIterable } from '@temporalio/worker';
import { Undecryptable } from '../temporal/codec';
import { builtWorkflows, type WorkflowBuild } from './workflow-bundle';

export interface Replayed {
  workflowId: string;
  /** Where the code and the history part, or why it cannot be read. */
  problem?: string;
}

export interface ReplayOptions {
  /** By default those of this build. */
  workflows?: Pick<WorkflowBuild, 'codePath'>;
  /** That of the workers that wrote the histories. */
  converter?: DataConverter | undefined;
}

/** One answer for each history, in their order. */
export async function* replay(
  histories: ReplayHistoriesIterable,
  { workflows, converter }: ReplayOptions = {},
): AsyncGenerator<Replayed> {
  const { codePath } = workflows ?? builtWorkflows(converter);
  /** What was not replayed, and nothing for what is being replayed, in their order. */
  const order: (Replayed | undefined)[] = [];
  const readable = async function* (): AsyncGenerator<HistoryAndWorkflowId> {
    for await (const one of histories) {
      const problem = await whyUnreadable(one, converter);
      order.push(problem === undefined ? undefined : { workflowId: one.workflowId, problem });
      if (problem === undefined) yield one;
    }
  };
  const unreadable = function* (): Generator<Replayed> {
    for (let next = order[0]; next; next = order[0]) {
      order.shift();
      yield next;
    }
  };
  const results = Worker.runReplayHistories({ workflowBundle: { codePath }, dataConverter: converter }, readable());
  for await (const { workflowId, error } of results) {
    yield* unreadable();
    order.shift();
    yield { workflowId, ...(error === undefined ? {} : { problem: reasonOf(error) }) };
  }
  yield* unreadable();
}

/** A workflow that cannot read what it was started with does not begin. The SDK then replays nothing, and finds nothing. */
async function whyUnreadable(
  { history }: HistoryAndWorkflowId,
  { payloadCodecs = [] }: DataConverter = {},
): Promise<string | undefined> {
  const { input, memo, header } = (history as History).events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
  const all = [...(input?.payloads ?? []), ...Object.values({ ...memo?.fields, ...header?.fields })];
  try {
    for (const codec of payloadCodecs) await codec.decode(all);
    return undefined;
  } catch (error) {
    if (error instanceof Undecryptable) return error.message;
    throw error;
  }
}

/** The SDK's core gives its reason, `[TMPRL1100] Nondeterminism error: ...`, in the midst of the structure that holds it. */
function reasonOf({ message }: Error): string {
  return /message: "((?:[^"\\]|\\.)+)"/.exec(message)?.[1] ?? message;
}
