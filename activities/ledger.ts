/**
 * The ledger of an installation, `installation/<identity>` (src/contract/ledger). Written by signals, which stand from the moment
 * they arrive; read from its history, so that neither a reader nor a lock has to wait for a worker.
 */
import { Context, log } from '@temporalio/activity';
import {
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionDescription,
  type WorkflowHandle,
} from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow';
import { FAILURE, type LedgerActivities } from '../src/contract/activities';
import {
  LEDGER_MEMO,
  LEDGER_SIGNAL,
  LEDGER_WORKFLOW,
  emptyLedger,
  heldBy,
  isSameHolder,
  leavesSomething,
  installationIn,
  ledgerAfter,
  ledgerNote,
  ledgerWorkflowId,
  leftBy,
  runOf,
  type Entered,
  type Entrant,
  type FoundLedger,
  type Ledger,
  type LedgerInput,
  type LedgerNote,
  type NoteOfOperation,
} from '../src/contract/ledger';
import { Doubtful } from '../src/contract/doubtful';
import { operationId, type Operation } from '../src/contract/operation';
import { QUERY } from '../src/contract/status';
import { SystemError } from '../src/systems/system-error';
import { providerAttribute } from '../src/temporal/search-attributes';
import { askingTemporal } from './asking-temporal';

export function createLedgerActivities(): LedgerActivities {
  return {
    enterInstallation: enter,

    noteInLedger: async ({ note, ...entrant }) => {
      const { installation, operation } = entrant;
      const { ledger, refused } = await enter(entrant);
      if (!ledger)
        throw new SystemError({
          type: FAILURE.rejected,
          system: 'Onward',
          call: `the ledger ${ledgerWorkflowId(installation)}`,
          problem: `takes no note of ${operationId(operation)}: ${refused}`,
          next: 'Nothing may be changed by two upgrades: end one of them.',
        });
      await add(installation, { ...note, operation, at: new Date().toISOString() });
      const begun = note.type === 'begun' ? ledger.begun.find(({ step }) => step === note.step) : undefined;
      return { before: begun?.before ?? [], requests: ledger.requests };
    },

    readLedger: find,
  };
}

async function find({ provider, instances }: { provider: string; instances: string[] }): Promise<FoundLedger> {
  const { client } = Context.current();
  const [named = ''] = instances;
  const told = async (installation: string, { ledger }: Kept): Promise<FoundLedger> => ({
    installation,
    kept: { ledger, holderRuns: await runs(client, ledger.holder) },
  });
  const kept = await read(client, named);
  if (kept) return await told(named, kept);
  const listed = new Set(instances);
  for (const workflowId of await candidates(client, provider, listed)) {
    const installation = installationIn(workflowId);
    const other = await read(client, installation);
    if (other?.ledger.instances.some((one) => listed.has(one))) return await told(installation, other);
  }
  return { installation: named };
}

/** So many of the instances stand in the memo of a ledger: all of them would be too much for a list of ledgers. */
const IN_MEMO = 20;

/** Ids of ledgers that may be those of the installation: of the same entry, also where somebody has ended them, and of others that run. */
async function candidates(client: Client, provider: string, instances: ReadonlySet<string>): Promise<string[]> {
  const ofEntry = await list(client, `${providerAttribute.name} = '${provider}' AND ExecutionStatus != 'Completed'`);
  const ofOthers = await list(client, `${providerAttribute.name} != '${provider}' AND ExecutionStatus = 'Running'`);
  const { namespace, loadedDataConverter } = client.options;
  const found = ofEntry.map(({ workflowId }) => workflowId);
  for (const { workflowId, memo } of ofOthers) {
    const owner = { type: 'workflow', namespace, workflowId } as const;
    // Whoever may start workflows may write one that nobody can read: it must not keep every upgrade from its start.
    const [seen] = await decodeArrayFromPayloads(loadedDataConverter, memo, owner).catch((error: Error) => {
      log.warn(
        `The memo of ${workflowId} cannot be read, so it is not known whose installation it keeps: ${error.message}`,
      );
      return [];
    });
    if (Array.isArray(seen) && seen.some((one) => instances.has(String(one)))) found.push(workflowId);
  }
  return [...new Set(found)];
}

/** The memos as they were written: one that cannot be read must not hide the others. */
async function list(
  { workflowService, options: { namespace } }: Client,
  which: string,
): Promise<{ workflowId: string; memo: Payload[] }[]> {
  const listed: { workflowId: string; memo: Payload[] }[] = [];
  const query = `WorkflowType = '${LEDGER_WORKFLOW}' AND ${which}`;
  for (let nextPageToken: Uint8Array = new Uint8Array(); ;) {
    const page = await askingTemporal('listing the ledgers', namespace, () =>
      workflowService.listWorkflowExecutions({ namespace, query, nextPageToken }),
    );
    for (const { execution, memo } of page.executions) {
      const known = memo?.fields?.[LEDGER_MEMO];
      listed.push({ workflowId: execution?.workflowId ?? '', memo: known ? [known] : [] });
    }
    if (page.nextPageToken.length === 0) return listed;
    nextPageToken = page.nextPageToken;
  }
}

async function enter(entrant: Entrant): Promise<Entered> {
  const { installation, operation, instances, startedBy } = entrant;
  const { client } = Context.current();
  const known = await read(client, installation);
  let isThere = known !== undefined && (known.isRunning || (await revive(installation, known)));
  if (known && isSameHolder(known.ledger.holder, operation) && !known.ledger.left) return { ledger: known.ledger };
  for (let replaces: Operation | undefined; ;) {
    const note: LedgerNote = {
      type: 'entered',
      operation,
      instances,
      startedBy,
      at: new Date().toISOString(),
      ...(replaces ? { replaces } : {}),
    };
    await (isThere ? add(installation, note) : begin(installation, note, instances));
    isThere = true;
    const kept = await read(client, installation);
    // It has ended in this moment.
    if (!kept) {
      isThere = false;
      continue;
    }
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

/**
 * Tells the ledger that runs.
 *
 * @throws WorkflowNotFoundError where somebody has ended it since it was read: whoever repeats this revives it first.
 */
async function add(installation: string, note: LedgerNote): Promise<void> {
  const { client } = Context.current();
  const handle = client.workflow.getHandle(ledgerWorkflowId(installation));
  await askingTemporal('writing the ledger', handle.workflowId, () => handle.signal(LEDGER_SIGNAL, note));
}

/** Starts the ledger where there is none. */
async function begin(installation: string, note: LedgerNote, instances: readonly string[]): Promise<void> {
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
      memo: { [LEDGER_MEMO]: instances.slice(0, IN_MEMO) },
      staticSummary: `Installation of ${provider}: who changes it, and what is to be undone or finished`,
      typedSearchAttributes: [{ key: providerAttribute, value: provider }],
    }),
  );
}

interface Kept {
  readonly ledger: Ledger;
  /** Somebody may have ended it, which takes nothing back. */
  readonly isRunning: boolean;
  readonly notes: readonly NoteOfOperation[];
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
  const told: LedgerNote[] = [];
  let isDoubtful = false;
  for (const { workflowExecutionSignaledEventAttributes: signal } of events ?? []) {
    if (signal?.signalName !== LEDGER_SIGNAL) continue;
    const [payload] = await decodeArrayFromPayloads(options.loadedDataConverter, signal.input?.payloads, owner);
    isDoubtful ||= payload instanceof Doubtful;
    const note = ledgerNote.safeParse(payload);
    if (note.success) told.push(note.data);
  }
  // Which of those in clear count, the ledger itself has decided.
  const ledger = isDoubtful
    ? await askingTemporal('reading the ledger', workflowId, () => handle.query<Ledger>(QUERY.status))
    : told.reduce(ledgerAfter, emptyLedger(installation));
  // A ledger that begins by a revival takes no other one.
  const notes = told.flatMap((note, index) => (note.type !== 'revived' ? [note] : index === 0 ? note.notes : []));
  return { ledger, isRunning: latest.status.name === 'RUNNING', notes, isDoubtful };
}

/**
 * Somebody has ended it in its midst: it begins anew with all that was noted, or not at all.
 *
 * @returns whether anything was.
 */
async function revive(installation: string, { ledger, notes, isDoubtful }: Kept): Promise<boolean> {
  // Written again, they would be vouched for.
  if (isDoubtful)
    throw new SystemError({
      type: FAILURE.rejected,
      system: 'Onward',
      call: `the ledger ${ledgerWorkflowId(installation)}`,
      problem: 'was ended by somebody, and has notes in clear, which are not taken over',
      next: "Bring it back with Temporal's Reset, to its first workflow task, then retry.",
    });
  const { holder } = ledger;
  if (!holder) return false;
  const note = { type: 'revived' as const, operation: holder, at: new Date().toISOString(), notes: [...notes] };
  await begin(installation, note, ledger.instances);
  return true;
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
