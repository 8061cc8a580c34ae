/** What a command gets from the outside; tests give their own. */
import { createColors } from 'picocolors';
import type { Colors } from 'picocolors/types';
import { hostname, userInfo } from 'node:os';
import { redact } from '../../inventory/secrets';
import { asCliError } from './cli-error';
import type { Fleets } from '../fleet/fleets';
import { safeJson, safeLines, safeText } from './text/safe-text';
import { shellOf, type Shell } from './text/shell-quote';
import type { Consents } from '../consent/consents';
import type { Upgrades } from '../upgrade/upgrades';
import type { Calling } from './messages/how-to-answer';

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
  connect(options: GlobalOptions): Promise<Upgrades>;
  connectFleets(options: GlobalOptions): Promise<Fleets>;
  connectConsents(options: GlobalOptions): Promise<Consents>;
}

/** Connects, runs, and closes the connection whatever happens. */
export async function withUpgrades<T>(
  context: CliContext,
  options: GlobalOptions,
  run: (upgrades: Upgrades) => Promise<T>,
): Promise<T> {
  return closing(await context.connect(options), run);
}

/** As {@link withUpgrades}, for fleets. */
export async function withFleets<T>(
  context: CliContext,
  options: GlobalOptions,
  run: (fleets: Fleets) => Promise<T>,
): Promise<T> {
  return closing(await context.connectFleets(options), run);
}

async function closing<C extends { close(): Promise<void> }, T>(open: C, run: (open: C) => Promise<T>): Promise<T> {
  try {
    return await run(open);
  } finally {
    await open.close();
  }
}

/** The result of a command: one JSON document with `--json`, else lines for people. */
export function say(context: CliContext, options: GlobalOptions, document: unknown, lines: string[]): void {
  const text = options.json ? safeJson(document, 2) : lines.join('\n');
  context.stdout.write(`${text}\n`);
}

/**
 * An error on stderr: one JSON document with `--json`, else the message, each problem, and what to do next. Whatever it
 * quotes of the secrets of this process is taken out.
 */
export function sayError(context: CliContext, options: GlobalOptions, error: unknown): void {
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

export function paintFor(output: Output, env: NodeJS.ProcessEnv): Colors {
  const wanted = env['FORCE_COLOR'] !== undefined || (output.isTTY === true && env['TERM'] !== 'dumb');
  return createColors(wanted && env['NO_COLOR'] === undefined);
}

/** How this person calls Onward and Temporal, for the commands that we print. */
export function callingOf({ env, platform }: CliContext, options: GlobalOptions, shell?: Shell): Calling {
  const { address, namespace } = options;
  return {
    onward: env['ONWARD_COMMAND'] ?? commandFor(env['npm_lifecycle_event']),
    shell: shell ?? shellOf(platform),
    connection: [
      ...(address === undefined ? [] : ['--address', address]),
      ...(namespace === undefined ? [] : ['--namespace', namespace]),
    ],
  };
}

/** @param script that npm runs, if it does; `npx` is one. */
function commandFor(script: string | undefined): string {
  if (script === undefined) return 'onward';
  return script === 'npx' ? 'npx onward' : 'npm run -s onward --';
}

export const BY_HELP = 'who says so, for the audit trail (default: ONWARD_USER, else your login and this host)';

/** Who is at the terminal. Temporal does not check it: it is as good as the access to the server is. */
export function whoIs(option: string | undefined, env: NodeJS.ProcessEnv): string {
  return option ?? env['ONWARD_USER'] ?? `${userInfo().username}@${hostname()}`;
}
