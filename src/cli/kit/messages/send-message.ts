/** Sends a message to a workflow, and waits for what becomes of it. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { idWithin } from '../../../contract/fields';
import type { Recorded } from '../../../contract/messages';
import { QUERY, type AuditEntry } from '../../../contract/status';
import { CliError } from '../cli-error';

/** Pauses between two questions: the first is short, since a worker that is there answers at once. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;
const PAUSE_GROWS_BY = 1.5;

type Workflow = Pick<WorkflowHandle, 'query' | 'signal' | 'describe'>;

/**
 * Sends a message as a signal with an id of its own, and asks the workflow by this id what became of it. A signal has its place in the
 * history. An update has none until a worker has taken it, and one that arrives while a worker is replaced may have another place
 * when the history is replayed (docs/changing-a-workflow.md).
 *
 * @throws CliError `refused`, with the workflow's reason; whatever the first question fails with, and then nothing was sent.
 */
export async function sendMessage(workflow: Workflow, name: string, message: object): Promise<Recorded> {
  const id = await newId(workflow);
  // Where no worker answers this, none would answer later, and the message is better not sent.
  await answerTo(workflow, id);
  await workflow.signal(name, { ...message, id });
  const { verdict, detail } = await awaitVerdict(workflow, name, id);
  if (verdict === 'refused') throw new CliError('refused', detail);
  return { recorded: true, message: detail };
}

/** Sends a message also while no worker is up. */
export async function sendWithoutWaiting(workflow: Workflow, name: string, message: object): Promise<void> {
  await workflow.signal(name, { ...message, id: await newId(workflow) });
}

/** Of this run, so that whoever copies the message cannot use it again; older servers do not tell the first run of a chain. */
async function newId(workflow: Workflow): Promise<string> {
  const { raw } = await workflow.describe();
  const { firstRunId } = raw.workflowExecutionInfo ?? {};
  return firstRunId ? idWithin(firstRunId, randomUUID()) : randomUUID();
}

/** A signal that was sent is taken by the next worker, so nobody has to send it again. */
async function awaitVerdict(workflow: Workflow, name: string, id: string): Promise<AuditEntry> {
  try {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * PAUSE_GROWS_BY, LONGEST_PAUSE_MS)) {
      const entry = await answerTo(workflow, id);
      if (entry !== null) return entry;
      await delay(pause);
    }
  } catch (cause) {
    throw new CliError('failure', `${name} was sent, and no Onward worker has taken it in time.`, {
      hint: 'The next worker takes it; do not send it again. The audit trail will say what became of it.',
      cause,
    });
  }
}

const answerTo = (workflow: Workflow, id: string): Promise<AuditEntry | null> =>
  workflow.query<AuditEntry | null, [string]>(QUERY.answer, id);
