/** The worker of an endpoint host as a Windows service: files for WinSW, and calls of it. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { ONWARD } from '../../../contract/onward';
import { plainName } from '../../../contract/provider';
import { powershellOfMachine } from '../../../systems/endpoint/powershell-of-machine';
import {
  endpointSettingsFile,
  InvalidEndpointSettings,
  readEndpointSettings,
} from '../../../systems/endpoint/settings';
import { CliError } from '../../kit/cli-error';
import { printResult, type CliContext, type GlobalOptions } from '../../kit/context';
import { commandLine } from '../../kit/text/shell-quote';
import { ONWARD_PROGRAM } from '../../kit/version';
import { configuration, KNOWN_WRAPPERS, misread, RELEASE, SERVICE } from './winsw';
import { readWorkerEnvironment } from './worker-environment';

export interface ServiceOptions extends GlobalOptions {
  dryRun?: boolean;
}

export interface InstallOptions extends ServiceOptions {
  host?: string;
  wrapper?: string;
  wrapperSha256?: string;
  environment?: string;
  account?: string;
}

/** What the commands do on Windows; tests look at what they would do. */
export interface ServiceMachine {
  /** Whether this account may look into a folder; so it may where there is none. */
  mayLook(folder: string): Promise<boolean>;
  /** Makes a folder for SYSTEM and Administrators alone, and looks whether the other one is. */
  protect(folder: string, other: string): Promise<void>;
  /** Runs a program to its end, and returns what it printed. */
  execute(file: string, argumentList: string[]): Promise<string>;
}

/** So long Windows waits for a worker that is told to end, in seconds: longer than a worker takes with its last traces (src/worker). */
export const STOP_SECONDS = 60;
const PROTECT_MS = 120_000;
const ELEVATED = 'Run the command in an elevated console.';
/** WinSW ends with Windows' own error codes (learn.microsoft.com/windows/win32/debug/system-error-codes). */
const HINTS: Readonly<Record<string, string>> = {
  EACCES: ELEVATED,
  EPERM: ELEVATED,
  5: ELEVATED,
  1223: ELEVATED,
  1069: 'Windows cannot log the account on: Test-ADServiceAccount on this host says whether it may be used here.',
  1072: 'Windows still removes the service of before: close what looks at it, such as the window Services, and try again.',
  1073: `A service ${SERVICE} is there that was not installed from this folder: remove it with sc.exe delete ${SERVICE}.`,
};
/** `status` of WinSW prints one of these. */
const RUNS = 'Started';
const ABSENT = 'NonExistent';

export async function installService(
  context: CliContext,
  options: InstallOptions,
  machine = thisMachine(context),
): Promise<void> {
  const { host = '', account, dryRun = false } = options;
  const places = placesOf(context);
  await requireElevated(context, places, machine);
  const environment = options.environment === undefined ? places.environment : path.resolve(options.environment);
  const program = {
    node: process.execPath,
    onward: ONWARD_PROGRAM,
  };
  const { values, problems: inEnvironment } = await readWorkerEnvironment(environment);
  const wrapper = await readWrapper(options);
  const problems = [
    ...onWindows(context, dryRun),
    ...(plainName.safeParse(host).success ? [] : ['Give --host, the name that the inventory has for this host']),
    ...wrapper.problems,
    ...inEnvironment,
    ...(context.platform === 'win32'
      ? await endpointProblems({ ProgramData: context.env['ProgramData'], ...values })
      : []),
    ...(account === undefined || /^[^\\/\s]+\\[^\\/\s]+\$$/.test(account)
      ? []
      : [
          'Give --account as DOMAIN\\name$, a group managed service account: the password of any other would have to stand in a file',
        ]),
    ...Object.entries({ ...program, environment, folder: places.folder }).flatMap(([what, file]) => {
      const why = misread(file);
      return why === undefined ? [] : [`The path of ${what}, ${file}, ${why}`];
    }),
    ...(await inProfiles(context, program)),
    ...(await alreadyThere(context, places, machine)),
  ];
  if (problems.length > 0) throw new CliError('usage', 'The service cannot be installed:', { problems });

  const xml = configuration({
    account,
    program: program.node,
    arguments: [`--env-file=${environment}`, program.onward, 'worker', '--host', host],
    workingDirectory: places.folder,
    logs: places.logs,
    stopSeconds: STOP_SECONDS,
  });
  const calls = [
    [places.executable, 'install'],
    [places.executable, 'start'],
  ];
  if (dryRun) return printPlan(context, options, { [places.executable]: wrapper.known, [places.xml]: xml }, calls);
  await machine.protect(places.folder, path.dirname(environment));
  await mkdir(places.logs, { recursive: true });
  // The wrapper last: it says nothing without its configuration, not even whether there is a service.
  await writeFile(places.xml, xml);
  await writeFile(places.executable, wrapper.bytes);
  for (const [file = '', ...rest] of calls) await machine.execute(file, rest);
  printResult(context, options, { service: SERVICE, host, folder: places.folder }, [
    `The service ${SERVICE} is installed and started: the worker of ${host}.`,
    `Its logs are in ${places.logs}. Whether Temporal has heard of it, ${ONWARD} doctor says on another machine.`,
  ]);
}

export async function uninstallService(
  context: CliContext,
  options: ServiceOptions,
  machine = thisMachine(context),
): Promise<void> {
  const places = placesOf(context);
  const problems = onWindows(context, options.dryRun ?? false);
  if (problems.length > 0) throw new CliError('usage', 'The service cannot be removed:', { problems });
  const calls = [
    [places.executable, 'stopwait'],
    [places.executable, 'uninstall'],
  ];
  if (options.dryRun) return printPlan(context, options, {}, calls);
  await requireElevated(context, places, machine);
  requireInstalled(places);
  // Files of an installation that came to no end.
  const registered = (await stateOf(places, machine)) !== ABSENT;
  for (const [file = '', ...rest] of registered ? calls : []) await machine.execute(file, rest);
  // Windows holds a program for a moment after it has ended; without `recursive` nothing is tried again.
  for (const file of [places.executable, places.xml])
    await rm(file, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  printResult(context, options, { service: SERVICE, removed: true }, [
    `The service ${SERVICE} is removed. A setup.cmd that it had started goes on. Settings and logs stay in ${path.dirname(places.folder)}.`,
  ]);
}

export async function serviceStatus(
  context: CliContext,
  options: ServiceOptions,
  machine = thisMachine(context),
): Promise<void> {
  const places = placesOf(context);
  const problems = onWindows(context, false);
  if (problems.length > 0) throw new CliError('usage', 'There is no service to look at:', { problems });
  await requireElevated(context, places, machine);
  requireInstalled(places);
  const state = await stateOf(places, machine);
  printResult(context, options, { service: SERVICE, state, logs: places.logs }, [
    `${SERVICE}: ${state}. Its logs are in ${places.logs}.`,
  ]);
  if (state !== RUNS) throw new CliError('failure', `The service ${SERVICE} does not run.`);
}

interface Places {
  folder: string;
  executable: string;
  xml: string;
  logs: string;
  environment: string;
}

/** All below the folder that Onward has on a host, spelled as Windows does where that is Windows. */
function placesOf({ env }: CliContext): Places {
  const programData = env['ProgramData'] || 'C:\\ProgramData';
  const spelling = /^[A-Za-z]:/.test(programData) ? path.win32 : path.posix;
  const folder = spelling.join(programData, 'Onward', 'service');
  return {
    folder,
    executable: spelling.join(folder, `${SERVICE}.exe`),
    xml: spelling.join(folder, `${SERVICE}.xml`),
    logs: spelling.join(folder, 'logs'),
    environment: spelling.join(programData, 'Onward', 'worker.env'),
  };
}

const onWindows = ({ platform }: CliContext, dryRun: boolean): string[] =>
  platform === 'win32' || dryRun
    ? []
    : ['This machine is not Windows. With --dry-run the command only prints what it would write and run'];

/** Without these rights what is there looks as if it were not. */
async function requireElevated({ platform }: CliContext, { folder }: Places, machine: ServiceMachine): Promise<void> {
  const data = path.dirname(folder);
  if (platform !== 'win32' || (await machine.mayLook(data))) return;
  throw new CliError('failure', `${data} is for administrators alone, and this account may not look into it.`, {
    hint: ELEVATED,
  });
}

/** What a service with all rights runs has to be where only administrators can write; below C:\Users others can. */
async function inProfiles({ env, platform }: CliContext, program: Readonly<Record<string, string>>): Promise<string[]> {
  const profile = env['USERPROFILE'];
  if (platform !== 'win32' || !profile) return [];
  const problems: string[] = [];
  for (const file of Object.values(program)) {
    const from = path.relative(path.dirname(profile), await realpath(file));
    if (path.isAbsolute(from) || from.split(path.sep)[0] === '..') continue;
    problems.push(
      `${file} is below the profile of a user, who could have the service run anything: install it where only administrators can write, as in C:\\Program Files`,
    );
  }
  return problems;
}

async function readWrapper({
  wrapper,
  wrapperSha256,
}: InstallOptions): Promise<{ bytes: Buffer; known: string; problems: string[] }> {
  const expected = wrapperSha256?.toLowerCase();
  const problems =
    expected === undefined || /^[0-9a-f]{64}$/.test(expected) ? [] : ['--wrapper-sha256 is not 64 hexadecimal digits'];
  if (wrapper === undefined) {
    return {
      bytes: Buffer.alloc(0),
      known: '',
      problems: [...problems, `Give --wrapper, the file WinSW-x64.exe of ${RELEASE}`],
    };
  }
  let bytes: Buffer;
  try {
    bytes = await readFile(wrapper);
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    return { bytes: Buffer.alloc(0), known: '', problems: [...problems, `${wrapper} cannot be read (${code})`] };
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const known = expected === sha256 ? `SHA-256 ${sha256}` : KNOWN_WRAPPERS[sha256];
  if (expected !== undefined && expected !== sha256) {
    problems.push(`${wrapper} has the SHA-256 ${sha256}, which is not that of --wrapper-sha256`);
  } else if (known === undefined) {
    const builds = Object.values(KNOWN_WRAPPERS).join(', ');
    problems.push(
      `${wrapper} has the SHA-256 ${sha256}, which is none of ${builds}. Where you trust it, say so: --wrapper-sha256 ${sha256}`,
    );
  }
  return { bytes, known: known ?? '', problems };
}

async function endpointProblems(env: NodeJS.ProcessEnv): Promise<string[]> {
  const file = endpointSettingsFile(env);
  try {
    await readEndpointSettings(file);
    return [];
  } catch (error) {
    if (!(error instanceof InvalidEndpointSettings)) throw error;
    return error.problems.map((problem) => `${file}: ${problem}`);
  }
}

async function alreadyThere({ platform }: CliContext, places: Places, machine: ServiceMachine): Promise<string[]> {
  if (platform !== 'win32' || !existsSync(places.executable)) return [];
  if ((await stateOf(places, machine)) === ABSENT) return [];
  return [`The service ${SERVICE} is there already. Remove it first: ${ONWARD} service uninstall`];
}

const stateOf = async ({ executable }: Places, machine: ServiceMachine): Promise<string> =>
  (await machine.execute(executable, ['status'])).trim().split(/\r?\n/).at(-1) ?? '';

function requireInstalled({ executable }: Places): void {
  if (existsSync(executable)) return;
  throw new CliError(
    'notFound',
    `There is no ${executable}: the service was not installed by ${ONWARD} service install.`,
  );
}

function printPlan(
  context: CliContext,
  options: GlobalOptions,
  files: Readonly<Record<string, string>>,
  calls: string[][],
): void {
  printResult(context, options, { files, calls }, [
    'Nothing was done. With SYSTEM and Administrators alone having access, this would be written and run:',
    ...Object.entries(files).flatMap(([file, content]) => [
      '',
      `${file}:`,
      ...content
        .trimEnd()
        .split('\n')
        .map((line) => `  ${line}`),
    ]),
    '',
    ...calls.map((call) => `& ${commandLine(call, 'powershell')}`),
  ]);
}

const run = promisify(execFile);

function thisMachine({ env }: CliContext): ServiceMachine {
  return {
    mayLook: async (folder) => {
      try {
        await readdir(folder);
        return true;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EPERM' || code === 'EACCES') return false;
        if (code === 'ENOENT') return true;
        throw error;
      }
    },
    protect: async (workDirectory, settings) => {
      await powershellOfMachine(env).run('protect', { workDirectory, settings }, PROTECT_MS);
    },
    execute: async (file, argumentList) => {
      try {
        return (await run(file, argumentList, { windowsHide: true })).stdout;
      } catch (error) {
        const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string };
        const said = `${stdout}${stderr}`.trim();
        throw new CliError(
          'failure',
          `${file} ${argumentList.join(' ')} failed (${String(code)})${said && `:\n${said}`}`,
          { hint: HINTS[String(code)], cause: error },
        );
      }
    },
  };
}
