/** What the engine says of an upgrade while it runs; the state of the upgrade follows from it (upgrade/state). */
import type { AuditEntry, CheckResult, PlannedStep, StepState, UpgradeStatus } from '../../src/contract/status';

export type EngineEvent =
  | { type: 'stepEntered'; step: string }
  /** `waiting` and `held` are not among them: they follow from the gates and holds that are open. */
  | { type: 'stepMoved'; step: string; state: Exclude<StepState, 'waiting' | 'held'>; note?: string }
  | { type: 'stepNoted'; step: string; note: string }
  | { type: 'checked'; checks: CheckResult[] }
  | { type: 'planned'; path: { from: string; to: string }; operation: string; steps: PlannedStep[] }
  /** It brings to its end what another run has begun. */
  | { type: 'finishes'; operation: string; begunBy: string[]; detail: string }
  | { type: 'crossed'; step: string }
  /** Why there is no way back once anything is changed: the package was in the list before. Undefined where it is there no more. */
  | { type: 'listedBefore'; warning: string | undefined }
  /** It was, and something is about to be changed. */
  | { type: 'onlyForward'; reason: string }
  /** The package was found to be imported, or about to be, when something was to be undone. */
  | { type: 'undoRefused'; reason: string; cancelled: boolean }
  | { type: 'switchedOff'; what: string }
  | { type: 'switchedOn'; what: string }
  /** Nothing that happens to its endpoint hosts can hurt it any more; until it changes them again. */
  | { type: 'hostsFreed' }
  | { type: 'hostsHeld' }
  | { type: 'hostAwaited'; awaited: UpgradeStatus['awaitedHost'] }
  /** Something for the audit trail alone. */
  | { type: 'noted'; entry: Omit<AuditEntry, 'at'> }
  | { type: 'rollbackBegun' }
  | { type: 'notUndone'; step: string; problem: string }
  | { type: 'kept'; step: string; what: string };
