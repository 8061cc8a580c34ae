/**
 * The ledger of one installation: the workflow `installation/<identity>`, which is its lock as well. It says which operation holds
 * the installation and what that operation has begun, so that both outlive the upgrade's workflow: a Terminate, a Reset, and a
 * second entry of the inventory for the same installation. It changes by {@link ledgerAfter} alone, for the workflow as for who
 * reads its history.
 */
import { z } from 'zod';
import { ONWARD } from './onward';
import { by, messageId, text } from './fields';
import type { ApplicationInstance } from './facts';
import { operationId, type Operation } from './operation';
import { plainName } from './provider';

export const LEDGER_WORKFLOW = 'keepLedger';
/** Of what upgrades note: of people it takes `finish`. */
export const LEDGER_SIGNAL = 'note';

const WORKFLOW_ID = 'installation/';
export const ledgerWorkflowId = (installation: string): string => WORKFLOW_ID + installation;
/** Of the id of a ledger's workflow. */
export const installationIn = (workflowId: string): string => workflowId.slice(WORKFLOW_ID.length);

/** Of `keepLedger`: the instances that were installed first. */
export const LEDGER_MEMO = 'instances';

/**
 * APS resources of its instances, the one that was installed first at the beginning: what its systems say of an installation, however
 * the entry spells its URLs.
 */
export const instancesOf = (instances: readonly Pick<ApplicationInstance, 'id' | 'resourceId'>[]): string[] =>
  [...instances].sort((a, b) => a.id - b.id).map(({ resourceId }) => resourceId);

const operation = z.strictObject({
  provider: plainName,
  from: z.string(),
  to: z.string(),
  firstRun: z.string(),
  workflowId: z.string(),
  finishedBy: z.string().optional(),
});

/** Of the workflow `keepLedger`; all else comes by notes. */
export const ledgerInput = z.strictObject({ installation: z.string().min(1) });
export type LedgerInput = z.output<typeof ledgerInput>;

const notesOfOperations = [
  z.strictObject({
    type: z.literal('entered'),
    operation,
    at: z.string(),
    /** Of the installation, as {@link instancesOf} tells them: any of them finds the ledger again. Older builds have not noted them. */
    instances: z.array(z.string()).default([]),
    startedBy: z.string().optional(),
    /** The holder that was seen to have ended; where it is another by now, nothing changes. */
    replaces: operation.optional(),
  }),
  /** Before a step changes anything that it can change back. */
  z.strictObject({
    type: z.literal('begun'),
    operation,
    at: z.string(),
    step: z.string(),
    /** What it switches off, where it does. */
    what: z.string().optional(),
    /** What has to be switched on again. */
    before: z.unknown().optional(),
    /** What the steps before it gave. */
    facts: z.record(z.string(), z.unknown()),
  }),
  /** Before the request for an import is begun. */
  z.strictObject({ type: z.literal('importing'), operation, at: z.string(), requestId: z.string() }),
  /** It is undone, or what it switched off is on again. */
  z.strictObject({ type: z.literal('settled'), operation, at: z.string(), step: z.string() }),
  /** The operation is over. */
  z.strictObject({ type: z.literal('left'), operation, at: z.string(), notUndone: z.array(z.string()) }),
] as const;
const noteOfOperation = z.discriminatedUnion('type', notesOfOperations);
/** What an operation notes. Only the holder's notes count. */
export const ledgerNote = z.discriminatedUnion('type', [
  ...notesOfOperations,
  /** Somebody has ended the ledger in its midst: all that it was told, at once, for a new one that knows of nothing yet. */
  z.strictObject({ type: z.literal('revived'), operation, at: z.string(), notes: z.array(noteOfOperation) }),
]);
export type NoteOfOperation = z.output<typeof noteOfOperation>;
export type LedgerNote = z.output<typeof ledgerNote>;

/** A step that has begun, and is neither undone nor made up for. */
export interface BegunStep {
  step: string;
  what?: string | undefined;
  since: string;
  /** Of each time that it began or took in more, the oldest first: of a list, what no earlier look had told. */
  before: unknown[];
}

export interface Ledger {
  installation: string;
  holder?: Operation;
  /** Every instance that the operation has seen here. */
  instances: string[];
  /** Who has started the operation, or begun to finish it: none of them approves its crossing. */
  startedBy: string[];
  begun: BegunStep[];
  /** Request ids of every import that the operation has begun, or was about to. */
  requests: string[];
  /** What the steps before the crossing gave. */
  facts: Record<string, unknown>;
  /** What could not be undone when the operation ended. */
  notUndone: string[];
  /** The operation has said that it is over. */
  left: boolean;
}

export const emptyLedger = (installation: string): Ledger => ({
  installation,
  instances: [],
  startedBy: [],
  begun: [],
  requests: [],
  facts: {},
  notUndone: [],
  left: false,
});

/** What is left of the operation that holds the installation would be lost if another one took it. */
export const leavesSomething = ({ begun, requests, notUndone }: Ledger): boolean =>
  begun.length + requests.length + notUndone.length > 0;

/** Run id of the chain that speaks for the operation. */
export const runOf = ({ finishedBy, firstRun }: Operation): string => finishedBy ?? firstRun;

export const isSameHolder = (one: Operation | undefined, other: Operation | undefined): boolean =>
  one !== undefined && other !== undefined && operationId(one) === operationId(other) && runOf(one) === runOf(other);

/** Pure. */
export function ledgerAfter(ledger: Ledger, note: LedgerNote): Ledger {
  if (note.type === 'entered') return entered(ledger, note);
  if (note.type === 'revived') return ledger.holder ? ledger : note.notes.reduce(ledgerAfter, ledger);
  if (!isSameHolder(ledger.holder, note.operation)) return ledger;
  switch (note.type) {
    case 'begun':
      return onlyForward({
        ...ledger,
        begun: withBegun(ledger.begun, note),
        facts: { ...ledger.facts, ...note.facts },
      });
    case 'importing':
      return onlyForward({ ...ledger, requests: [...new Set([...ledger.requests, note.requestId])] });
    case 'settled':
      return { ...ledger, begun: ledger.begun.filter(({ step }) => step !== note.step) };
    case 'left':
      return { ...ledger, requests: [], notUndone: note.notUndone, left: true };
  }
}

/** What is imported cannot be undone: from its request on only what is switched off remains to be done. */
const onlyForward = (ledger: Ledger): Ledger =>
  ledger.requests.length === 0 ? ledger : { ...ledger, begun: ledger.begun.filter(({ what }) => what !== undefined) };

function entered(ledger: Ledger, note: Extract<LedgerNote, { type: 'entered' }>): Ledger {
  const { holder } = ledger;
  const { operation, replaces, instances, startedBy } = note;
  if (holder && !isSameHolder(holder, operation) && !isSameHolder(holder, replaces)) return ledger;
  const goesOn = holder && operationId(holder) === operationId(operation);
  // Who takes the place of another operation has seen that nothing was left of it.
  const known = goesOn ? ledger : emptyLedger(ledger.installation);
  return {
    ...known,
    holder: operation,
    instances: [...new Set([...known.instances, ...instances])],
    startedBy: [...new Set([...known.startedBy, ...(startedBy === undefined ? [] : [startedBy])])],
    left: false,
  };
}

function withBegun(
  begun: BegunStep[],
  { step, what, before, at }: Extract<LedgerNote, { type: 'begun' }>,
): BegunStep[] {
  const earlier = begun.find((each) => each.step === step);
  const now: BegunStep = {
    step,
    ...(what === undefined ? {} : { what }),
    since: earlier?.since ?? at,
    before: looksAfter(earlier?.before ?? [], before),
  };
  return [...begun.filter((each) => each !== earlier), now];
}

/** However often a step begins, what a list tells is kept once. */
function looksAfter(looks: unknown[], look: unknown): unknown[] {
  const textOf = (each: unknown): string => JSON.stringify(each) ?? '';
  if (!Array.isArray(look)) return looks.some((each) => textOf(each) === textOf(look)) ? looks : [...looks, look];
  const known = new Set(looks.flatMap((each) => (Array.isArray(each) ? each.map(textOf) : [])));
  const added = look.filter((each) => !known.has(textOf(each)));
  return looks.length > 0 && added.length === 0 ? looks : [...looks, added];
}

/** What people say to a ledger. */
export const ledgerMessages = { finish: z.strictObject({ by, reason: text('reason').optional(), id: messageId }) };

/** Who enters an installation. */
export interface Entrant {
  installation: string;
  operation: Operation;
  /** As {@link instancesOf} tells them. */
  instances: string[];
  startedBy?: string | undefined;
}

/** Which ledger is that of an installation, and what it says where there is one. */
export interface FoundLedger {
  installation: string;
  kept?: { ledger: Ledger; holderRuns: boolean };
}

/** What became of whoever wants to enter. */
export type Entered = { ledger: Ledger; refused?: never } | { refused: string; ledger?: never };

/** For people: who has the installation. */
export const heldBy = (holder: Operation): string =>
  `The installation belongs to ${operationId(holder)} (workflow ${holder.workflowId}), which runs. If two entries of the inventory name one installation, remove one of them; else wait until that upgrade has ended.`;

/** For people: what an operation has left, and what to do about it. */
export function leftBy({ holder, begun, requests, notUndone }: Ledger): string {
  const parts = [
    ...begun.map(({ step, what, since }) =>
      what === undefined ? `${step} has begun and is not undone (${since})` : `${what} is off since ${since}`,
    ),
    ...(requests.length > 0 ? ['the package import was begun, so that there is only forward'] : []),
    ...notUndone.map((item) => `not undone: ${item}`),
  ];
  return `The upgrade of ${holder?.provider ?? 'nobody'} from ${holder?.from ?? '?'} to ${holder?.to ?? '?'} (${holder ? operationId(holder) : '?'}) ended and has left something: ${parts.join('; ')}. Run \`${ONWARD} finish ${holder?.provider ?? ''}\`, which brings it to its end.`;
}
