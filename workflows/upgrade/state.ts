/**
 * What is known of one upgrade. It has one writer: every event goes through {@link next}, and what queries answer, what the
 * Temporal UI shows and what notices say are projections of its result. Pure.
 */
import type { AuditEntry, Gate, Hold, StepStatus, UpgradeStatus } from '../../src/contract/status';
import type { PlannedStep, UpgradeState as StateName } from '../../src/contract/status';
import type { Asked } from '../../src/contract/fleet';
import type { EngineEvent } from '../engine/events';
import { trailWith, type Limits } from '../kit/audit-trail';
import type { PeopleEvent } from '../people/events';
import type { Outcome } from './outcome';

/** Refused answers beyond this number push the oldest of them out, so that nobody can flood the audit trail. */
const LIMITS: Limits = { refused: { entries: 200 }, others: { entries: Infinity } };

/** What happens to an upgrade beside its path and its gates. */
export type LifeEvent =
  /** The first step, before the path is known. */
  | { type: 'begun'; steps: PlannedStep[] }
  | { type: 'paused'; by: string; reason: string }
  | { type: 'resumed' }
  /** It stands before its next call. */
  | { type: 'idle'; as: 'paused' | 'waitingForWindow' | undefined }
  | { type: 'windowOpen'; closesAt: string }
  | { type: 'windowClosed'; detail?: string }
  | { type: 'windowAwaited'; opensAt: string; waitSeconds: number; detail: string }
  | { type: 'windowReached' }
  | { type: 'windowOverridden'; by: string; reason: string }
  | { type: 'fleetSaid'; paused: Asked | undefined; parked: boolean }
  | { type: 'cancelled' }
  | { type: 'ended'; outcome: Pick<Outcome, 'state' | 'endedAt'> };

export type UpgradeEvent = EngineEvent | PeopleEvent | LifeEvent;

interface Open<What> {
  readonly key: number;
  readonly what: What;
}

export interface KnownUpgrade {
  /** All but what follows from the rest. */
  readonly known: Omit<UpgradeStatus, 'state' | 'gates' | 'holds' | 'steps' | 'auditEntries'>;
  readonly phase: 'starting' | 'running' | 'rollingBack' | Outcome['state'];
  readonly idle: 'paused' | 'waitingForWindow' | undefined;
  readonly steps: readonly StepStatus[];
  readonly plan: readonly PlannedStep[];
  /** Another upgrade may have its endpoint hosts. */
  readonly hostsFree: boolean;
  readonly gates: readonly Open<Gate>[];
  readonly holds: readonly Open<Hold>[];
  readonly audit: readonly AuditEntry[];
  /** Of all that were ever written. */
  readonly auditEntries: number;
}

export interface Beginning {
  provider: string;
  workflowId: string;
  startedBy: string | undefined;
  fleet: { fleet: string; wave: number } | undefined;
}

/** @param at ISO 8601. */
export function newUpgrade({ provider, workflowId, startedBy, fleet }: Beginning, at: string): KnownUpgrade {
  const upgrade: KnownUpgrade = {
    known: {
      provider,
      workflowId,
      crossed: false,
      startedAt: at,
      ...(startedBy === undefined ? {} : { startedBy }),
      ...(fleet ? { fleet } : {}),
      checks: [],
      switchedOff: [],
      switchedOffSeconds: {},
      notUndone: [],
      kept: [],
    },
    phase: 'starting',
    idle: undefined,
    steps: [],
    plan: [],
    hostsFree: false,
    gates: [],
    holds: [],
    audit: [],
    auditEntries: 0,
  };
  const by = startedBy ?? 'upgrade';
  return written(upgrade, at, { by, what: 'start', verdict: 'done', detail: 'The upgrade began.' });
}

/** The upgrade after an event. @param at ISO 8601. */
export function next(upgrade: KnownUpgrade, event: UpgradeEvent, at: string): KnownUpgrade {
  const { known } = upgrade;
  switch (event.type) {
    case 'begun':
      return knowing({ ...withSteps(upgrade, event.steps), phase: 'running' }, { step: event.steps[0]?.name });
    case 'planned':
      return knowing(withSteps(upgrade, event.steps), { path: event.path, operation: event.operation });
    case 'finishes': {
      const { operation, begunBy, detail } = event;
      const entry = { by: known.startedBy ?? 'upgrade', what: 'finish', verdict: 'done', detail } as const;
      return written(knowing(upgrade, { finishes: operation, begunBy }), at, entry);
    }
    case 'checked':
      return event.checks.reduce(
        (each, check) =>
          check.verdict === 'pass' ? each : written(each, at, entryOf('check', check.name, check.message)),
        knowing(upgrade, { checks: [...known.checks, ...event.checks] }),
      );
    case 'stepEntered': {
      // An optional step is entered to be decided about, and once more to be done.
      if (upgrade.steps.some(({ name, state }) => name === event.step && state === 'running')) return upgrade;
      const entered = withStep(knowing(upgrade, { step: event.step }), event.step, (step) => ({
        ...step,
        state: 'running',
        startedAt: step.startedAt ?? at,
      }));
      return written(entered, at, entryOf('step', event.step, 'began'));
    }
    case 'stepMoved':
      return moved(upgrade, event, at);
    case 'stepNoted':
      return withStep(upgrade, event.step, (step) => ({ ...step, note: event.note }));
    case 'crossed':
      return written(
        knowing(upgrade, { crossed: true, crossedAt: at }),
        at,
        entryOf(
          'crossing',
          event.step,
          'The point of no return: from here on there is only forward. The undo list is sealed.',
        ),
      );
    case 'listedBefore':
      return knowing(upgrade, { listedBefore: event.warning });
    case 'onlyForward': {
      const { reason } = event;
      const forward = knowing(upgrade, { forwardOnly: reason, listedBefore: undefined });
      return written(forward, at, { by: 'upgrade', what: 'undo', verdict: 'done', detail: reason });
    }
    case 'undoRefused': {
      const { reason, cancelled } = event;
      const forward = knowing(upgrade, { forwardOnly: reason, ...(cancelled ? { cancelRefusedAt: at } : {}) });
      return written(forward, at, { by: 'upgrade', what: 'undo', verdict: 'refused', detail: reason });
    }
    case 'switchedOff':
      return known.switchedOff.some(({ what }) => what === event.what)
        ? upgrade
        : knowing(upgrade, { switchedOff: [...known.switchedOff, { what: event.what, since: at }] });
    case 'switchedOn':
      return switchedOn(upgrade, event.what, at);
    case 'hostsFreed':
      return { ...upgrade, hostsFree: true };
    case 'hostsHeld':
      return { ...upgrade, hostsFree: false };
    case 'hostAwaited':
      return knowing(upgrade, { awaitedHost: event.awaited });
    case 'rollbackBegun':
      return { ...upgrade, phase: 'rollingBack' };
    case 'notUndone':
      return knowing(upgrade, { notUndone: [...known.notUndone, `${event.step}: ${event.problem}`] });
    case 'kept': {
      const kept = `${event.step}: ${event.what}`;
      return known.kept.includes(kept) ? upgrade : knowing(upgrade, { kept: [...known.kept, kept] });
    }
    case 'gateOpened': {
      const { key, gate } = event;
      const opened = { ...upgrade, gates: [...upgrade.gates, { key, what: gate }] };
      return written(opened, at, entryOf('gate', gate.id, `opened: ${gate.title}`));
    }
    case 'gateAnswered':
      return withGate(upgrade, event.key, (gate) => without({ ...gate, lastProblem: undefined }));
    case 'gateRefused': {
      const { key, by, problem } = event;
      const refused = withGate(upgrade, key, (gate) => ({ ...gate, lastProblem: problem }));
      const detail = `Not accepted: ${problem}`;
      return written(refused, at, { by, what: 'gate', verdict: 'refused', ...subjectOf(upgrade, key), detail });
    }
    case 'gateClosed': {
      const { key, by } = event;
      const closed = { ...upgrade, gates: upgrade.gates.filter((open) => open.key !== key) };
      if (by === undefined) return closed;
      return written(closed, at, { by, what: 'gate', verdict: 'done', ...subjectOf(upgrade, key), detail: 'passed' });
    }
    case 'holdOpened': {
      const { key, hold } = event;
      const opened = { ...upgrade, holds: [...upgrade.holds, { key, what: hold }] };
      return written(opened, at, entryOf('hold', hold.step, hold.problem));
    }
    case 'fieldTaken': {
      const { key, field } = event;
      const left = ({ changed = [], ...hold }: Hold): Hold => ({
        ...hold,
        changed: changed.filter((other) => other.field !== field),
      });
      return {
        ...upgrade,
        holds: upgrade.holds.map((open) => (open.key === key ? { key, what: left(open.what) } : open)),
      };
    }
    case 'holdClosed':
      return { ...upgrade, holds: upgrade.holds.filter(({ key }) => key !== event.key) };
    case 'reminderSet': {
      const reminded = <What>(open: Open<What>): Open<What> =>
        event.keys.includes(open.key) ? { key: open.key, what: { ...open.what, nextReminderAt: event.next } } : open;
      return { ...upgrade, gates: upgrade.gates.map(reminded), holds: upgrade.holds.map(reminded) };
    }
    case 'paused':
      return knowing(upgrade, { paused: { by: event.by, reason: event.reason, since: at } });
    case 'resumed':
      return knowing(upgrade, { paused: undefined });
    case 'idle':
      return { ...upgrade, idle: event.as };
    case 'windowOpen':
      return withWindow(upgrade, { closesAt: event.closesAt });
    case 'windowClosed':
      return noted(withWindow(upgrade, { closesAt: undefined }), 'window', event.detail, at);
    case 'windowAwaited': {
      const { opensAt, waitSeconds, detail } = event;
      return noted(withWindow(upgrade, { closesAt: undefined, opensAt, waitSeconds }), 'window', detail, at);
    }
    case 'windowReached':
      return withWindow(upgrade, { opensAt: undefined, waitSeconds: undefined });
    case 'windowOverridden':
      return withWindow(upgrade, { overridden: { by: event.by, reason: event.reason } });
    case 'fleetSaid': {
      const { fleet } = known;
      if (!fleet) return upgrade;
      const { paused, parked } = event;
      const parkedSince = parked ? (fleet.parkedSince ?? at) : undefined;
      return knowing(upgrade, { fleet: without({ ...fleet, paused, parkedSince }) });
    }
    case 'cancelled':
      return known.crossed || known.forwardOnly ? knowing(upgrade, { cancelRefusedAt: at }) : upgrade;
    case 'ended': {
      const { state, endedAt } = event.outcome;
      return knowing({ ...upgrade, phase: state }, { endedAt, step: undefined, paused: undefined });
    }
    case 'noted':
      return written(upgrade, at, event.entry);
  }
}

/** What the query `status` answers. */
export function statusOf({ known, steps, gates, holds, auditEntries, ...rest }: KnownUpgrade): UpgradeStatus {
  return {
    ...known,
    state: stateOf({ gates, holds, ...rest }),
    steps: steps.map((step) => shownStep(step, gates, holds)),
    gates: gates.map(({ what }) => what),
    holds: holds.map(({ what }) => what),
    auditEntries,
  };
}

export function stateOf({
  phase,
  idle,
  gates,
  holds,
}: Pick<KnownUpgrade, 'phase' | 'idle' | 'gates' | 'holds'>): StateName {
  if (phase !== 'running') return phase;
  if (holds.length > 0) return 'held';
  if (idle) return idle;
  return gates.length > 0 ? 'waiting' : 'running';
}

/** A step that is at work waits, or holds, while it asks for somebody. */
function shownStep(step: StepStatus, gates: readonly Open<Gate>[], holds: readonly Open<Hold>[]): StepStatus {
  if (step.state !== 'running' && step.state !== 'undoing') return step;
  if (holds.some(({ what }) => what.step === step.name)) return { ...step, state: 'held' };
  if (gates.some(({ what }) => what.step === step.name)) return { ...step, state: 'waiting' };
  return step;
}

const ENDED: readonly StepStatus['state'][] = ['done', 'skipped', 'declined', 'undone', 'failed'];

function moved(upgrade: KnownUpgrade, event: Extract<EngineEvent, { type: 'stepMoved' }>, at: string): KnownUpgrade {
  const { step: name, state, note } = event;
  const ended = ENDED.includes(state);
  const after = withStep(upgrade, name, (step) => ({
    ...step,
    state,
    ...(note === undefined ? {} : { note }),
    ...(ended ? { endedAt: at } : {}),
  }));
  return ended ? written(after, at, entryOf('step', name, note ? `${state}: ${note}` : state)) : after;
}

function switchedOn(upgrade: KnownUpgrade, what: string, at: string): KnownUpgrade {
  const { switchedOff, switchedOffSeconds } = upgrade.known;
  const off = switchedOff.find((each) => each.what === what);
  if (!off) return upgrade;
  const seconds = Math.round((Date.parse(at) - Date.parse(off.since)) / 1000);
  return knowing(upgrade, {
    switchedOff: switchedOff.filter((each) => each !== off),
    switchedOffSeconds: { ...switchedOffSeconds, [what]: (switchedOffSeconds[what] ?? 0) + seconds },
  });
}

/** Fields that are undefined are taken away: what a query answers is JSON. */
function without<Value extends object>(value: Value): { [Key in keyof Value]: Exclude<Value[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
    [Key in keyof Value]: Exclude<Value[Key], undefined>;
  };
}

type Changes<Value> = { [Key in keyof Value]?: Value[Key] | undefined };

const knowing = (upgrade: KnownUpgrade, changes: Changes<KnownUpgrade['known']>): KnownUpgrade => ({
  ...upgrade,
  known: without({ ...upgrade.known, ...changes }),
});

const withWindow = (upgrade: KnownUpgrade, changes: Changes<NonNullable<UpgradeStatus['window']>>): KnownUpgrade =>
  knowing(upgrade, { window: without({ ...upgrade.known.window, ...changes }) });

const withSteps = (upgrade: KnownUpgrade, plan: PlannedStep[]): KnownUpgrade => ({
  ...upgrade,
  plan: [...upgrade.plan, ...plan],
  steps: [
    ...upgrade.steps,
    ...plan.map(({ name, title, procedure, phase }): StepStatus => ({
      name,
      title,
      procedure,
      phase,
      state: 'pending',
    })),
  ],
});

function withStep(upgrade: KnownUpgrade, name: string, change: (step: StepStatus) => StepStatus): KnownUpgrade {
  if (!upgrade.steps.some((step) => step.name === name)) throw new Error(`${name} is no step of this path`);
  return { ...upgrade, steps: upgrade.steps.map((step) => (step.name === name ? change(step) : step)) };
}

const withGate = (upgrade: KnownUpgrade, key: number, change: (gate: Gate) => Gate): KnownUpgrade => ({
  ...upgrade,
  gates: upgrade.gates.map((open) => (open.key === key ? { key, what: change(open.what) } : open)),
});

function subjectOf({ gates }: KnownUpgrade, key: number): { subject?: string } {
  const open = gates.find((each) => each.key === key);
  return open ? { subject: open.what.id } : {};
}

/** What the upgrade did by itself. */
const entryOf = (what: string, subject: string, detail: string): Omit<AuditEntry, 'at'> => ({
  by: 'upgrade',
  what,
  verdict: 'done',
  subject,
  detail,
});

const noted = (upgrade: KnownUpgrade, what: string, detail: string | undefined, at: string): KnownUpgrade =>
  detail === undefined ? upgrade : written(upgrade, at, { by: 'upgrade', what, verdict: 'done', detail });

function written(upgrade: KnownUpgrade, at: string, entry: Omit<AuditEntry, 'at'>): KnownUpgrade {
  const after = {
    ...upgrade,
    audit:
      entry.verdict === 'refused'
        ? trailWith(upgrade.audit, { at, ...entry }, LIMITS)
        : [...upgrade.audit, { at, ...entry }],
    auditEntries: upgrade.auditEntries + 1,
  };
  if (entry.verdict !== 'refused') return after;
  return knowing(after, { lastRefused: { at, by: entry.by, what: entry.what, reason: entry.detail } });
}
