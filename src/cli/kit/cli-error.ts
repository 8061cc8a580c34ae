import { EXIT, type ExitCode } from './exit-codes';

export type ErrorKind = Exclude<keyof typeof EXIT, 'ok'>;

/** An error for the person at the terminal: what happened, to what, and what to do next. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly kind: ErrorKind;
  /** Each single problem, where there are several. */
  readonly problems: string[];
  /** What to do next. */
  readonly hint: string | undefined;

  constructor(kind: ErrorKind, message: string, more: { problems?: string[]; hint?: string; cause?: unknown } = {}) {
    super(message, { cause: more.cause });
    this.kind = kind;
    this.problems = more.problems ?? [];
    this.hint = more.hint;
  }

  get exitCode(): ExitCode {
    return EXIT[this.kind];
  }
}

/** Any error as one for the terminal. */
export function asCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  return new CliError('failure', error instanceof Error ? error.message : String(error), { cause: error });
}
