/**
 * The ledger of an installation, `installation/<identity>` (src/contract/ledger). Written by signals, which stand from the moment
 * they arrive; read from its history, so that neither a reader nor a lock has to wait for a worker.
 */
import { Context } from '@temporalio/activity';
import {
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionDescription,
  type WorkflowHandle,
} from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow';
import { FAILURE, type LedgerActivities } from '../src/contract/activities';
import {
  LEDGER_SIGNAL,
  LEDGER_WORKFLOW,
  emptyLedger,
  heldBy,
  isSameHolder,
  leavesSomething,
  ledgerAfter,
  ledgerNote,
  ledgerWorkflowId,
  leftBy,
  runOf,
  type Entered,
  type Ledger,
  type LedgerInput,
  type LedgerNote,
} from '../src/contract/ledger';
import { Doubtful } from '../src/contract/doubtful';
import { operationId, type Operation } from '../src/contract/operation';
import { QUERY } from '../src/contract/status';
import { SystemError } from '../src/systems/system-error';
import { providerAttribute } from '../src/temporal/search-attributes';
import { askingTemporal } from './asking-temporal';

export function createLedgerActivities(): LedgerActivities {
  return {
    enterInstallation: ({ installation, operation }) => enter(installation, operation),

    noteInLedger: async ({ installation, operation, note }) => {
      const { ledger, refused } = await enter(installation, operation);
      if (!ledger)
        throw new SystemError({
          type: FAILURE.rejected,
          system: 'Onward',
          call: `the ledger ${ledgerWorkflowId(installation)}`,
          problem: `takes no note of ${operationId(operation)}: ${refused}`,
          next: 'Nothing may be changed by two upgrades: end one of them.',
        });
      await write(installation, { ...note, operation, at: new Date().toISOString() });
      const begun = note.type === 'begun' ? ledger.begun.find(({ step }) => step === note.step) : undefined;
      return { before: begun?.before ?? [], requests: ledger.requests };
    },

    readLedger: async ({ installation }) => {
      const { client } = Context.current();
      const kept = await read(client, installation);
      return kept && { ledger: kept.ledger, holderRuns: await runs(client, kept.ledger.holder) };
    },
  };
}

async function enter(installation: string, operation: Operation): Promise<Entered> {
  const { client } = Context.current();
  const known = await read(client, installation);
  if (known && !known.isRunning) await revive(installation, known);
  if (known && isSameHolder(known.ledger.holder, operation) && !known.ledger.left) return { ledger: known.ledger };
  for (let replaces: Operation | undefined; ;) {
    await write(installation, {
      type: 'entered',
      operation,
      at: new Date().toISOString(),
      ...(replaces ? { replaces } : {}),
    });
    const kept = await read(client, installation);
    // It has ended in this moment.
    if (!kept) continue;
    const { ledger } = kept;
    const { holder, left } = ledger;
    if (isSameHolder(holder, operation)) return { ledger };
    if (holder && !left && (await runs(client, holder))) return { refused: heldBy(holder) };
    const isAnother = holder !== undefined && operationId(holder) !== operationId(operation);
    if (isAnother && leavesSomething(ledger)) return { refused: leftBy(ledger) };
    // Unless yet another one is quicker.
    replaces = holder;
  }
}

/** Starts the ledger where there is none. */
async function write(installation: string, note: LedgerNote): Promise<void> {
  const { client, info } = Context.current();
  const { provider } = note.operation;
  const workflowId = ledgerWorkflowId(installation);
  await askingTemporal('writing the ledger', workflowId, () =>
    client.workflow.signalWithStart<(input: LedgerInput) => Promise<void>, [LedgerNote]>(LEDGER_WORKFLOW, {
      workflowId,
      taskQueue: info.taskQueue,
      args: [{ installation }],
      signal: LEDGER_SIGNAL,
      signalArgs: [note],
      staticSummary: `Installation of ${provider}: who changes it, and what is to be undone or finished`,
      typedSearchAttributes: [{ key: providerAttribute, value: provider }],
    }),
  );
}

interface Kept {
  readonly ledger: Ledger;
  /** Somebody may have ended it, which takes nothing back. */
  readonly isRunning: boolean;
  readonly notes: readonly LedgerNote[];
  /** Some of its notes were written in clear, before there were keys or by nobody that Onward knows. */
  readonly isDoubtful: boolean;
}

/** As it stands; undefined where there is none, or where it has ended by itself. */
async function read({ workflow, options }: Client, installation: string): Promise<Kept | undefined> {
  const workflowId = ledgerWorkflowId(installation);
  const latest = await found(workflow.getHandle(workflowId));
  if (latest === undefined || latest.status.name === 'COMPLETED') return undefined;
  const handle = workflow.getHandle(workflowId, latest.runId);
  const { events } = await askingTemporal('reading the ledger', workflowId, () => handle.fetchHistory());
  // What is encrypted is bound to its workflow.
  const owner = { type: 'workflow', namespace: options.namespace, workflowId } as const;
  const notes: LedgerNote[] = [];
  let isDoubtful = false;
  for (const { workflowExecutionSignaledEventAttributes: signal } of events ?? []) {
    if (signal?.signalName !== LEDGER_SIGNAL) continue;
    const [payload] = await decodeArrayFromPayloads(options.loadedDataConverter, signal.input?.payloads, owner);
    isDoubtful ||= payload instanceof Doubtful;
    const note = ledgerNote.safeParse(payload);
    if (note.success) notes.push(note.data);
  }
  // Which of those in clear count, the ledger itself has decided.
  const ledger = isDoubtful
    ? await askingTemporal('reading the ledger', workflowId, () => handle.query<Ledger>(QUERY.status))
    : notes.reduce(ledgerAfter, emptyLedger(installation));
  return { ledger, isRunning: latest.status.name === 'RUNNING', notes, isDoubtful };
}

/** Somebody has ended it in its midst: it begins anew with all that was noted. */
async function revive(installation: string, { notes, isDoubtful }: Kept): Promise<void> {
  // Written again, they would be vouched for.
  if (isDoubtful)
    throw new SystemError({
      type: FAILURE.rejected,
      system: 'Onward',
      call: `the ledger ${ledgerWorkflowId(installation)}`,
      problem: 'was ended by somebody, and has notes in clear, which are not taken over',
      next: "Bring it back with Temporal's Reset, to its first workflow task, then retry.",
    });
  for (const note of notes) await write(installation, note);
}

/** Whether the chain of runs that speaks for the operation goes on. */
async function runs({ workflow }: Client, holder: Operation | undefined): Promise<boolean> {
  if (!holder) return false;
  const latest = await found(workflow.getHandle(holder.workflowId));
  return latest?.status.name === 'RUNNING' && latest.raw.workflowExecutionInfo?.firstRunId === runOf(holder);
}

/** Undefined where the namespace has none of it, or has forgotten it. */
async function found(handle: WorkflowHandle): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await askingTemporal('reading the state', handle.workflowId, () => handle.describe());
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
