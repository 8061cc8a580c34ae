/** What a step asks of people, and what they say. */
import type { Gate } from '../../src/contract/status';

export interface GateRequest {
  /** Which of the step's gates; leave out where the step has only one. */
  item?: string;
  /** Another name that people may use for the item. */
  alias?: string;
  asked: Gate['asked'];
  title: string;
  instructions: string;
  evidence: string;
  /** The message that answers; `confirmStep` unless said otherwise. */
  answeredBy?: GateMessage;
  /** Says what is wrong although the person says it is done; undefined when all is well. */
  verify?: (answer: GateAnswer) => Promise<string | undefined>;
}

export type GateMessage = 'confirmStep' | 'consentCompleted' | 'approveCrossing' | 'decideStep';

/** What a person said to a gate. */
export interface GateAnswer {
  by: string;
  /** When it came; ISO 8601. */
  at: string;
  /** Empty where the gate asks for none. */
  evidence: string;
  /** Of decisions only. */
  action?: 'run' | 'decline';
}
