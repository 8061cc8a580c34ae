/**
 * Before any test: the build, and the programs that tests need. Getting one may take minutes, once per machine: here it can, in a
 * test it cannot.
 */
import { execFile, spawnSync } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { findTemporalCli, NoTemporalCli } from '../src/temporal/cli-binary';
import { patience } from './kit/deadlines';
import { prepareOsaapi } from './kit/osaapi';
import { prepareTestServer } from './kit/test-server';
import { shareServer } from './kit/temporal-server';
import { setMissing, type ToolName } from './kit/tools.cjs';

const PROGRAM = path.join(__dirname, '..', 'tools', 'onward.mjs');

/** A program that does not answer is as good as none. */
const runs = (program: string, args: string[]): Promise<unknown> =>
  promisify(execFile)(program, args, { timeout: patience(60_000), killSignal: 'SIGKILL' });
const lastLine = (error: unknown): string => `${String(error).trim().split('\n').at(-1)?.replace(/\.$/, '') ?? ''}.`;

/** Why the program cannot be had; undefined where it can. */
type Find = () => Promise<string | undefined>;

/** @param from where a machine has it from. */
const findProgram = (name: string, from: string) => async (): Promise<string | undefined> =>
  runs(name, ['--version']).then(
    () => undefined,
    (error: unknown) => `${name} does not run: ${lastLine(error)} ${from}`,
  );
const OF_DEBIAN = 'On Debian the package prometheus has it.';

const FIND: Record<ToolName, Find> = {
  temporal: () =>
    findTemporalCli().then(
      () => undefined,
      (error: unknown) => {
        if (error instanceof NoTemporalCli) return error.message.replaceAll(/\s*\n\s*/g, ' ');
        throw error;
      },
    ),
  java: () => prepareTestServer(),
  python: () =>
    runs('python3', ['--version']).then(
      () => undefined,
      (error: unknown) => `python3 does not run: ${lastLine(error)}`,
    ),
  promtool: findProgram('promtool', OF_DEBIAN),
  prometheus: findProgram('prometheus', OF_DEBIAN),
  osaapi: () => prepareOsaapi(),
  powershell: async () => {
    const wanted = process.env['ONWARD_PWSH'] || 'pwsh';
    return runs(wanted, ['-NoProfile', '-NonInteractive', '-Command', 'exit 0']).then(
      () => undefined,
      (error: unknown) =>
        `${wanted} does not run: ${lastLine(error)} Set ONWARD_PWSH to the path of a PowerShell, or put pwsh on the PATH.`,
    );
  },
};

export default async function globalSetup(
  _: unknown,
  { testPathIgnorePatterns }: { testPathIgnorePatterns: string[] },
): Promise<void> {
  const built = spawnSync(process.execPath, [PROGRAM, '--build-only'], { stdio: ['ignore', 2, 2] });
  if (built.status !== 0) throw new Error('There is nothing to test: Onward could not be built.');
  const missing: Partial<Record<ToolName, string>> = {};
  for (const [name, find] of Object.entries(FIND) as [ToolName, Find][]) {
    // Only files that `npm test` leaves out need these; getting them takes a minute.
    if (['java', 'osaapi'].includes(name) && testPathIgnorePatterns.some((pattern) => pattern.includes('full')))
      continue;
    const reason = await find();
    if (reason !== undefined) missing[name] = reason;
  }
  setMissing(missing);
  if (missing.temporal === undefined) await shareServer();
}
