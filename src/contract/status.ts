/** What the queries `status`, `plan` and `audit` of an upgrade answer. Times are ISO 8601 in UTC. */
import type { MessageName } from './messages';

export const STEP_NAMES = [
  'preflight',
  'collectGatewaySites',
  'stopProvisioning',
  'drainTasks',
  'upgradeEndpoints',
  'approveCrossing',
  'importPackage',
  'upgradeInstances',
  'acquireRefreshTokens',
  'removeEmailParameter',
  'updateCustomizations',
  'validate',
  'startProvisioning',
] as const;
export type StepName = (typeof STEP_NAMES)[number];

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

export const STEP_STATES = ['pending', 'running', 'waiting', 'held', 'done', 'undone', 'failed'] as const;
export type StepState = (typeof STEP_STATES)[number];

export interface StepStatus {
  name: string;
  title: string;
  /** Heading of the vendor's procedure, `3. Upgrade the Office 365 application endpoint`. */
  procedure: string;
  phase: 'reversible' | 'crossing' | 'forward';
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

/** A failed step that waits for an operator's decision. */
export interface Hold {
  step: string;
  since: string;
  /** What happened, to what, what to do next. */
  problem: string;
  actions: ('retry' | 'rollback' | 'doneByHand')[];
  nextReminderAt?: string;
}

export interface CheckResult {
  /** Name of the check, `platformVersion`. */
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
  state: UpgradeState;
  /** The point of no return is passed: there is only forward. */
  crossed: boolean;
  crossedAt?: string;
  startedAt: string;
  startedBy?: string;
  endedAt?: string;
  step?: string;
  steps: StepStatus[];
  gates: Gate[];
  holds: Hold[];
  checks: CheckResult[];
  paused?: { by: string; reason: string; since: string };
  /** Only of providers with maintenance windows. */
  window?: WindowStatus;
  /** Only while it waits for an endpoint host: which, and the upgrade that it belongs to. */
  awaitedHost?: { host: string; upgrade: string };
  /** Only of upgrades that a fleet has started. */
  fleet?: MemberStatus;
  /** Since when provisioning is switched off by this upgrade; undefined while it is on. */
  provisioningOffSince?: string;
  /** For how long this upgrade had it switched off, in seconds; set when it is on again. */
  provisioningOffSeconds?: number;
  /** When a cancellation came after the crossing, and was refused. */
  cancelRefusedAt?: string;
  /** What could not be undone, after a rollback. */
  notUndone: string[];
  /** The answer or request that was refused last: who sends a signal sees no other sign of it in the Temporal UI. */
  lastRefused?: { at: string; by: string; what: string; reason: string };
  /** Number of audit entries so far. */
  auditEntries: number;
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
  steps: {
    name: string;
    title: string;
    procedure: string;
    phase: StepStatus['phase'];
    waitsFor: string;
    undo: string;
  }[];
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
  /** How long provisioning was off, in seconds. */
  provisioningOffSeconds: number;
  warnings: string[];
}

/**
 * Names of the queries. `answer` takes the id of a message and answers with the audit entry about it, or null while there is none; the
 * others take nothing.
 */
export const QUERY = { status: 'status', plan: 'plan', audit: 'audit', answer: 'answer' } as const;
