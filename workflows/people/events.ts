/** What is said of gates and holds. `key` names one of them for as long as the upgrade runs. */
import type { Gate, Hold } from '../../src/contract/status';

export type PeopleEvent =
  | { type: 'gateOpened'; key: number; gate: Gate }
  /** Somebody has answered; the answer is being verified. */
  | { type: 'gateAnswered'; key: number }
  /** The answer was not enough. */
  | { type: 'gateRefused'; key: number; by: string; problem: string }
  /** `by`: whose answer was enough; undefined where nobody is asked any more. */
  | { type: 'gateClosed'; key: number; by?: string }
  | { type: 'holdOpened'; key: number; hold: Hold }
  /** What a field of the entry is now is taken. */
  | { type: 'fieldTaken'; key: number; field: string }
  | { type: 'holdClosed'; key: number }
  | { type: 'reminderSet'; keys: readonly number[]; next: string };
