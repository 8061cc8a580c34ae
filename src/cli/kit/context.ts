/** What every command gets from the outside; tests give their own. */
import { createColors } from 'picocolors';
import type { Colors } from 'picocolors/types';
import { hostname, userInfo } from 'node:os';
import { ONWARD } from '../../contract/onward';
import { redact } from '../../inventory/secrets';
import { asCliError, CliError } from './cli-error';
import { safeJson, safeLines, safeText } from './text/safe-text';
import { commandLine, shellOf, type Shell } from './text/shell-quote';

export interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

/** Options that every command takes. */
export interface GlobalOptions {
  json?: boolean;
  address?: string;
  namespace?: string;
}

export interface CliContext {
  stdout: Output;
  stderr: Output;
  env: NodeJS.ProcessEnv;
  platform: NodeJS.Platform;
  now(): Date;
  /** From the first call on, Ctrl-C aborts this signal instead of ending the process at once; a second Ctrl-C ends it. */
  interrupted(): AbortSignal;
}

/** Runs with what is connected, and closes it whatever happens. */
export async function withConnection<C extends { close(): Promise<void> }, T>(
  connecting: Promise<C>,
  run: (connection: C) => Promise<T>,
): Promise<T> {
  const connection = await connecting;
  try {
    return await run(connection);
  } finally {
    await connection.close();
  }
}

/** The result of a command: one JSON document with `--json`, else lines for people. */
export function printResult(context: CliContext, options: GlobalOptions, document: unknown, lines: string[]): void {
  const text = options.json ? safeJson(document, 2) : lines.join('\n');
  context.stdout.write(`${text}\n`);
}

/**
 * An error on stderr: one JSON document with `--json`, else the message, each problem, and what to do next. Whatever it
 * quotes of the secrets of this process is taken out.
 */
export function printError(context: CliContext, options: GlobalOptions, error: unknown): void {
  const told = asCliError(error);
  const { kind, exitCode } = told;
  const message = redact(told.message);
  const problems = told.problems.map(redact);
  const hint = told.hint && redact(told.hint);
  if (options.json) {
    context.stderr.write(`${safeJson({ error: { kind, message, problems, hint, exitCode } }, 2)}\n`);
    return;
  }
  const lines = [
    ...safeLines(message, 4000),
    ...problems.map((problem) => `  - ${safeText(problem, 4000)}`),
    ...(hint === undefined ? [] : safeLines(hint, 4000)),
  ];
  context.stderr.write(`${lines.join('\n')}\n`);
}

export interface Calling {
  shell: Shell;
  /** Options that name the Temporal server where it is not the default one: `--address`, `--namespace`. */
  connection: string[];
}

/** A command to be copied: it finds the same server as the one that prints it. */
export const commandFor = ({ shell, connection }: Calling, ...words: string[]): string =>
  `${ONWARD} ${commandLine([...words, ...connection], shell)}`;

/** What lines for people are made with. */
export interface Display {
  now: Date;
  paint: Colors;
  /** Columns of the terminal; lines that tell no more when they are longer are cut to it. */
  width: number;
  calling: Calling;
}

const USUAL_WIDTH = 120;

export const displayFor = (context: CliContext, calling: Calling): Display => ({
  now: context.now(),
  paint: paintFor(context.stdout, context.env),
  width: context.stdout.columns ?? USUAL_WIDTH,
  calling,
});

export function paintFor(output: Output, env: NodeJS.ProcessEnv): Colors {
  const wanted = env['FORCE_COLOR'] !== undefined || (output.isTTY === true && env['TERM'] !== 'dumb');
  return createColors(wanted && env['NO_COLOR'] === undefined);
}

/** How this person calls Onward and Temporal, for the commands that we print. */
export function callingOf({ platform }: CliContext, options: GlobalOptions, shell?: Shell): Calling {
  const { address, namespace } = options;
  return {
    shell: shell ?? shellOf(platform),
    connection: [
      ...(address === undefined ? [] : ['--address', address]),
      ...(namespace === undefined ? [] : ['--namespace', namespace]),
    ],
  };
}

export const BY_HELP = 'who says so, for the audit trail (default: ONWARD_USER, else your login and this host)';

/** Who is at the terminal. Temporal does not check it: it is as good as the access to the server is. */
export function whoIs(option: string | undefined, env: NodeJS.ProcessEnv): string {
  const said = option ?? (env['ONWARD_USER'] || undefined);
  if (said !== undefined) return said;
  // In a container everybody has the same login, on a host that is called otherwise each time: whoever starts could approve.
  if (env['ONWARD_SHARED_LOGIN']) throw unknown('Everybody has the same login in a container.');
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch (error) {
    throw unknown('This user has no login.', error);
  }
}

/** Of a command that changes nothing: any name will do. */
export function whoAsks(option: string | undefined, env: NodeJS.ProcessEnv): string {
  return option ?? (env['ONWARD_USER'] || `somebody@${hostname()}`);
}

const unknown = (why: string, cause?: unknown): CliError =>
  new CliError('usage', `Nobody knows who you are. ${why}`, {
    hint: 'Say it with --by <person>, or in ONWARD_USER.',
    cause,
  });
