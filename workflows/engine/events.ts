/** What the engine says of an upgrade while it runs; the state of the upgrade follows from it (upgrade/state). */
import type { CheckResult, PlannedStep, StepState, UpgradeStatus } from '../../src/contract/status';

export type EngineEvent =
  | { type: 'stepEntered'; step: string }
  /** `waiting` and `held` are not among them: they follow from the gates and holds that are open. */
  | { type: 'stepMoved'; step: string; state: Exclude<StepState, 'waiting' | 'held'>; note?: string }
  | { type: 'stepNoted'; step: string; note: string }
  | { type: 'checked'; checks: CheckResult[] }
  | { type: 'planned'; path: { from: string; to: string }; operation: string; steps: PlannedStep[] }
  | { type: 'crossed'; step: string }
  | { type: 'switchedOff'; what: string }
  | { type: 'switchedOn'; what: string }
  /** Nothing that happens to its endpoint hosts can hurt it any more; until it changes them again. */
  | { type: 'hostsFreed' }
  | { type: 'hostsHeld' }
  | { type: 'hostAwaited'; awaited: UpgradeStatus['awaitedHost'] }
  | { type: 'rollbackBegun' }
  | { type: 'notUndone'; step: string; problem: string }
  | { type: 'kept'; step: string; what: string };
