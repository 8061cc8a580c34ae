/** Replays histories against workflow code, as a worker with that code would meet them. Needs no server. */
import type { DataConverter } from '@temporalio/common';
import { Worker, type ReplayHistoriesIterable } from '@temporalio/worker';
import { builtWorkflows, type WorkflowBuild } from './workflow-bundle';

export interface Replayed {
  workflowId: string;
  runId: string;
  /** Where the code and the history part. */
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
  const results = Worker.runReplayHistories({ workflowBundle: { codePath }, dataConverter: converter }, histories);
  for await (const { workflowId, runId, error } of results)
    yield { workflowId, runId, ...(error === undefined ? {} : { problem: reasonOf(error) }) };
}

/** The SDK's core gives its reason, `[TMPRL1100] Nondeterminism error: ...`, in the midst of the structure that holds it. */
function reasonOf({ message }: Error): string {
  return /message: "((?:[^"\\]|\\.)+)"/.exec(message)?.[1] ?? message;
}
