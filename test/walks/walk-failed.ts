import { mkdtemp, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { InvariantsBroken } from '../kit/judge/invariants';

export class WalkFailed extends Error {
  override readonly name = 'WalkFailed';

  /** @param broken what a walk that fails in the same way has in common with this one: `I3`, `no end`, an error's name. */
  constructor(
    readonly broken: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What made a walk fail; what Temporal has recorded of these workflows is kept in files, for whoever looks for the reason. */
export async function failureOf(error: unknown, workflows: WorkflowHandle[]): Promise<WalkFailed> {
  const { broken, problem, cause } = causeOf(error);
  return new WalkFailed(broken, `${problem}\nHistories are in ${await keepHistories(workflows)}`, { cause });
}

async function keepHistories(workflows: WorkflowHandle[]): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'onward-walk-'));
  for (const workflow of workflows) {
    try {
      const { runId } = await workflow.describe();
      const history = historyToJSON(await workflow.fetchHistory());
      await writeFile(path.join(folder, `${workflow.workflowId.replaceAll('/', '-')}-${runId}.json`), history);
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
  return folder;
}

function causeOf(cause: unknown): { broken: string; problem: string; cause: unknown } {
  if (cause instanceof WalkFailed) return { broken: cause.broken, problem: cause.message, cause };
  if (!(cause instanceof Error)) return { broken: 'unknown', problem: String(cause), cause };
  if (!(cause instanceof InvariantsBroken)) return { broken: cause.name, problem: inspect(cause), cause };
  const [first] = cause.violations;
  return { broken: first?.invariant ?? cause.name, problem: cause.message, cause };
}
