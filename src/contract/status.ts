/** What the queries `status`, `plan` and `audit` of an upgrade answer. Times are ISO 8601 in UTC. */
import type { ChangedField } from './entry';
import type { MessageName } from './messages';

/**
 * State of one upgrade, also the search attribute `OnwardState`.
 * After the crossing only `running`, `waiting`, `held`, `paused` and `completed` are left.
 * `paused` is also who waits for a slot of its fleet; `status.fleet` says so.
 */
export const UPGRADE_STATES = [
  'starting',
  'running',
  'waiting',
  'held',
  'paused',
  /** Stands before a changing call, and its maintenance window is closed. */
  'waitingForWindow',
  'rollingBack',
  'completed',
  'rolledBack',
  'refused',
  'rollbackIncomplete',
] as const;
export type UpgradeState = (typeof UPGRADE_STATES)[number];

export const STEP_STATES = [
  'pending',
  'running',
  'waiting',
  'held',
  'done',
  /** Its condition does not hold for this provider. */
  'skipped',
  /** A person decided against this optional step, and said why. */
  'declined',
  'undoing',
  'undone',
  'failed',
] as const;
export type StepState = (typeof STEP_STATES)[number];

/**
 * Where a step stands to the point of no return. `lasting`: before it, and what it does is kept when everything else is undone.
 */
export type StepPhase = 'reversible' | 'lasting' | 'crossing' | 'forward';

/**
 * Whether a step has to be done: `optional` ones may be declined by a person, `conditional` ones hang on facts of the provider.
 */
export type StepRequirement = 'mandatory' | 'optional' | 'conditional';

/** One step as a plan tells it, before anything is done. */
export interface PlannedStep {
  name: string;
  title: string;
  /** Heading of the vendor's procedure, `3. Upgrade the Office 365 application endpoint`, with the numbers of this path. */
  procedure: string;
  phase: StepPhase;
  requirement: StepRequirement;
  /** On what a conditional step hangs, or what may be declined. */
  because?: string;
  /** Of a conditional step, once the facts are known: false means that it will be skipped. */
  applies?: boolean;
  waitsFor: string;
  undo: string;
  /** The calls that change something, in their order; none where it only reads, or people do the work. */
  changes: Change[];
  /** The calls of its undo. */
  undoneBy?: string[];
  /** What people are asked for certain; once the facts are known. */
  asks?: Question[];
  /** Seconds of its own work, about; once the facts are known. */
  takes?: number;
}

/** A call that changes something. */
export interface Change {
  /** `Operations`, `endpoint host`, `Onward`. */
  system: string;
  /** As its owner calls it: `pem.deactivateST`, `setup.cmd`. */
  call: string;
  effect: string;
  /** What it is done to, for people; once the facts are known. */
  on?: string;
}

/** Something that a person will be asked, so many times. */
export interface Question {
  asked: Gate['asked'];
  what: string;
  times: number;
}

export interface StepStatus extends Pick<PlannedStep, 'name' | 'title' | 'procedure' | 'phase'> {
  state: StepState;
  startedAt?: string;
  endedAt?: string;
  /** Current progress or last result, one line. */
  note?: string;
}

/** A point that waits for a person. */
export interface Gate {
  /** `<step>` or `<step>/<item>`: unique among the open gates. */
  id: string;
  step: string;
  item?: string;
  /** Another name that people may use for the item: the name of the application instance. */
  alias?: string;
  /** Who is asked: `operator`, `approver` or `partnerAdministrator`. */
  asked: 'operator' | 'approver' | 'partnerAdministrator';
  /** One line: what has to happen. */
  title: string;
  /** What to do, from the procedure, as Markdown. */
  instructions: string;
  /** What counts as evidence. */
  evidence: string;
  /** The message that answers this gate, and its payload with placeholders in angle brackets. */
  answer: { name: MessageName; payload: Record<string, string> };
  openedAt: string;
  nextReminderAt?: string;
  /** Why the last answer was not enough: what the verification found. */
  lastProblem?: string;
}

export type HoldAction = 'retry' | 'rollback' | 'doneByHand';

/** A failed step that waits for an operator's decision. */
export interface Hold {
  step: string;
  since: string;
  /** What happened, to what, what to do next. */
  problem: string;
  actions: HoldAction[];
  /** Fields of the entry that are not what the upgrade has read, until somebody has taken them. */
  changed?: ChangedField[];
  nextReminderAt?: string;
}

export interface CheckResult {
  /** Name of the check, `requiredVersions`. */
  name: string;
  /** Sentence of the release notes that it stands for. */
  source: string;
  verdict: 'pass' | 'warning' | 'refusal';
  message: string;
}

export interface UpgradeStatus {
  provider: string;
  workflowId: string;
  /** `18.3 -> 18.4.1`; undefined until the preflight knows the source version. */
  path?: { from: string; to: string };
  /** Names this upgrade in records, backups and claims (./operation); undefined until the path is known. */
  operation?: string;
  state: UpgradeState;
  /** The point of no return is passed: there is only forward. */
  crossed: boolean;
  crossedAt?: string;
  /** Why nothing can be undone any more although this run has not imported the package: it was found to be imported. */
  forwardOnly?: string;
  /** Why that will be so as soon as anything is changed: the package was in the package list before. */
  listedBefore?: string;
  /** The unfinished operation that this run brings to its end. */
  finishes?: string;
  /** Who has begun that one, and who has finished it before: as little as `startedBy` may they approve its crossing. */
  begunBy?: string[];
  startedAt: string;
  startedBy?: string;
  endedAt?: string;
  step?: string;
  steps: StepStatus[];
  /** The oldest open gates, as many as one answer takes. */
  gates: Gate[];
  /** How many more are open: the query `gates` tells them all, page by page. Missing where there are none. */
  moreGates?: number;
  holds: Hold[];
  checks: CheckResult[];
  paused?: { by: string; reason: string; since: string };
  /** Only of providers with maintenance windows. */
  window?: WindowStatus;
  /** Only while it waits for an endpoint host: which, and the upgrade that it belongs to. */
  awaitedHost?: { host: string; upgrade: string };
  /** Only of upgrades that a fleet has started. */
  fleet?: MemberStatus;
  /** What this upgrade has switched off and not yet on again, such as `provisioning`. */
  switchedOff: SwitchedOff[];
  /** For how long it had each switched off, in seconds; set when it is on again. */
  switchedOffSeconds: Record<string, number>;
  /** When a cancellation came after the crossing, and was refused. */
  cancelRefusedAt?: string;
  /** What could not be undone, after a rollback. */
  notUndone: string[];
  /** What lasting steps have left behind; a rollback keeps it. */
  kept: string[];
  /** The answer or request that was refused last: who sends a signal sees no other sign of it in the Temporal UI. */
  lastRefused?: { at: string; by: string; what: string; reason: string };
  /** Number of audit entries so far. */
  auditEntries: number;
}

/** Something that customers miss until it is switched on again. */
export interface SwitchedOff {
  what: string;
  since: string;
}

export interface WindowStatus {
  /** While the upgrade waits for a window, when that opens. */
  opensAt?: string;
  /** For how long it began to wait then. */
  waitSeconds?: number;
  /** When the window closes that was open last. */
  closesAt?: string;
  /** Who has opened it for the rest of this upgrade, and why. */
  overridden?: { by: string; reason: string };
}

export interface MemberStatus {
  fleet: string;
  /** Counted from 1. */
  wave: number;
  /** Who paused the fleet; obeyed before the crossing. */
  paused?: { by: string; reason: string; since: string };
  /** Since when it has no slot, because it waited long. */
  parkedSince?: string;
}

/** One thing that happened, or that somebody tried. */
export interface AuditEntry {
  at: string;
  /** `upgrade` for what the workflow did by itself, else who said it. */
  by: string;
  /** `signal:consentCompleted`, `update:pause`, `step`, `gate`, `hold`, `cancel`, `crossing`, `undo`. */
  what: string;
  verdict: 'done' | 'accepted' | 'refused';
  /** Step or gate that it is about. */
  subject?: string;
  detail: string;
  /** Id of the message that it is about, where the sender gave one. */
  id?: string;
  /** What was sent, with long texts cut. */
  payload?: Record<string, unknown>;
}

export interface UpgradePlan {
  provider: string;
  path?: { from: string; to: string };
  steps: PlannedStep[];
}

/** Result of a completed upgrade. */
export interface UpgradeResult {
  provider: string;
  from: string;
  to: string;
  startedAt: string;
  crossedAt: string;
  completedAt: string;
  packageVersion: string;
  instances: number;
  sites: number;
  /** Names the upgrade in records, backups and claims. */
  operation: string;
  /** For how long each was switched off, in seconds. */
  switchedOffSeconds: Record<string, number>;
  warnings: string[];
}

/**
 * Names of the queries. `answer` takes the id of a message and answers with the audit entry about it, or null while there is none.
 * `gates` and `audit` take how many are to be left out at the beginning, 0 by default, and answer with as many as one answer takes: who
 * wants all of them asks until an answer is empty (`inPages`). The others take nothing.
 */
export const QUERY = { status: 'status', plan: 'plan', audit: 'audit', answer: 'answer', gates: 'gates' } as const;

/** Bytes of JSON: a server carries 2 MiB in one answer, and warns long before. */
const PAGE_BYTES = 500_000;

/** Of a value as JSON in UTF-8. */
export const bytesOf = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).length;

/** The first items of a list as far as one answer takes them, and at least one. Pure. */
export function pageOf<Item>(items: readonly Item[], skip = 0): Item[] {
  let bytes = 0;
  const end = items.findIndex((item, index) => {
    if (index < skip) return false;
    bytes += bytesOf(item);
    return bytes > PAGE_BYTES && index > skip;
  });
  return items.slice(skip, end === -1 ? undefined : end);
}

/** The status with as many gates as one answer takes. */
export function inOneAnswer({ gates: all, ...status }: UpgradeStatus): UpgradeStatus {
  const gates = pageOf(all);
  return { ...status, gates, ...(gates.length < all.length ? { moreGates: all.length - gates.length } : {}) };
}

/** The status with all of its gates. @param ask for a page of them */
export async function withAllGates(
  { moreGates, ...status }: UpgradeStatus,
  ask: (skip: number) => Promise<readonly Gate[]>,
): Promise<UpgradeStatus> {
  return moreGates === undefined ? status : { ...status, gates: await inPages(ask) };
}

/** All items of a list that is told page by page. */
export async function inPages<Item>(ask: (skip: number) => Promise<readonly Item[]>): Promise<Item[]> {
  const items: Item[] = [];
  for (let page = await ask(0); page.length > 0; page = await ask(items.length)) items.push(...page);
  return items;
}
