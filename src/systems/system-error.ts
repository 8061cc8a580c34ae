import { FAILURE, type FailureType } from '../contract/activities';
import { redact } from '../inventory/secrets';

export interface SystemProblem {
  type: FailureType;
  /** Who was asked, as an operator calls it: `Operations`, `APS controller`. */
  system: string;
  /** What was asked: a method, or a verb and a path. */
  call: string;
  /** What it was about: `service template 16`. */
  object?: string | undefined;
  /** What happened, continuing the sentence "<system>: <call> of <object> ...", without a full stop. */
  problem: string;
  /** What a person can do, one sentence. */
  next: string;
  /** The system's own number for it. */
  code?: number | undefined;
  /** Whether the same call may succeed later without anybody doing anything; by default the type decides. */
  retryable?: boolean;
}

const PASSING: ReadonlySet<FailureType> = new Set([
  FAILURE.unreachable,
  FAILURE.outcomeUnknown,
  FAILURE.malformedAnswer,
  FAILURE.notYet,
]);

/** Longer texts of systems are cut: they end up in histories. */
const LONGEST_PROBLEM = 1_000;

/**
 * What an outside system did instead of answering: what happened, to what, and what to do next. Whatever the system quoted
 * of the secrets that it was given is taken out.
 */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  readonly type: FailureType;
  readonly system: string;
  readonly call: string;
  readonly object: string | undefined;
  /** What happened, without what to do next. */
  readonly problem: string;
  readonly next: string;
  readonly code: number | undefined;
  readonly retryable: boolean;

  constructor(problem: SystemProblem, options?: ErrorOptions) {
    const object = problem.object === undefined ? undefined : redact(problem.object);
    const about = object === undefined ? problem.call : `${problem.call} of ${object}`;
    const happened = redact(problem.problem)
      .slice(0, LONGEST_PROBLEM)
      .replace(/[.\s]+$/, '');
    super(`${problem.system}: ${about} ${happened}. ${problem.next}`, options);
    this.problem = happened;
    this.next = problem.next;
    this.type = problem.type;
    this.system = problem.system;
    this.call = problem.call;
    this.object = object;
    this.code = problem.code;
    this.retryable = problem.retryable ?? PASSING.has(problem.type);
  }
}

/** Whether an error is a system's answer of this type. */
export function isSystemError(error: unknown, ...types: FailureType[]): error is SystemError {
  return error instanceof SystemError && types.includes(error.type);
}
