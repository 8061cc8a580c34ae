/** The worker of an endpoint host as a Windows service. No Windows and no WinSW is here: what would be written and run is looked at. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DOMParser, type Element } from '@xmldom/xmldom';
import { CliError } from '../../src/cli/kit/cli-error';
import type { CliContext } from '../../src/cli/kit/context';
import {
  installService,
  serviceStatus,
  STOP_SECONDS,
  uninstallService,
  type InstallOptions,
  type ServiceMachine,
} from '../../src/cli/operations/service/run-service';
import { configuration, quoteArgument } from '../../src/cli/operations/service/winsw';
import { PACKAGE_ROOT } from '../../src/package-root';
import { SHUTDOWN_GRACE } from '../../src/worker/endpoint';
import { shutdownForceTime } from '../../src/worker/serve';
import { FAREWELL_SECONDS } from '../../src/worker/traces';

/** What doc/xmlConfigFile.md and doc/loggingAndErrorReporting.md of WinSW 2.12.0 know, of what we use; of texts, what they may be. */
const DOCUMENTED: Record<string, RegExp> = {
  service: /^$/,
  id: /^[A-Za-z0-9]+$/,
  name: /./,
  description: /./,
  executable: /./,
  arguments: /./,
  workingdirectory: /./,
  startmode: /^(Boot|System|Automatic|Manual)$/,
  delayedAutoStart: /^$/,
  depend: /^\w+$/,
  stoptimeout: /^\d+ ?(sec|secs|min|mins|hour|hours|day|days)$/,
  stopparentprocessfirst: /^(true|false)$/,
  onfailure: /^$/,
  resetfailure: /^\d+ ?(sec|secs|min|mins|hour|hours|day|days)$/,
  logpath: /./,
  log: /^$/,
  sizeThreshold: /^\d+$/,
  keepFiles: /^\d+$/,
  serviceaccount: /^$/,
  domain: /^[^\\]+$/,
  user: /^[^\\]+$/,
  allowservicelogon: /^true$/,
};

const service = {
  program: 'C:\\Program Files\\nodejs\\node.exe',
  arguments: ['--env-file=C:\\ProgramData\\Onward\\worker.env', 'C:\\Program Files\\Onward & Co\\onward.mjs', 'worker'],
  workingDirectory: 'C:\\ProgramData\\Onward\\service',
  logs: 'C:\\ProgramData\\Onward\\service\\logs',
  stopSeconds: STOP_SECONDS,
};

const parsed = (xml: string): Element => {
  const { documentElement } = new DOMParser().parseFromString(xml, 'text/xml');
  if (documentElement === null) throw new Error('no element');
  return documentElement;
};
const childrenOf = (element: Element): Element[] => Array.from(element.getElementsByTagName('*'));
const textOf = (xml: string, name: string): string[] =>
  Array.from(parsed(xml).getElementsByTagName(name)).map(({ textContent }) => textContent ?? '');

describe('the configuration for WinSW', () => {
  test.each([
    ['LocalSystem', undefined],
    ['a group managed service account', 'CONTOSO\\onward$'],
  ])('has only what WinSW documents, for %s', (_, account) => {
    const root = parsed(configuration({ ...service, account }));
    expect(root.tagName).toBe('service');
    for (const element of childrenOf(root)) {
      const own = Array.from(element.childNodes)
        .filter(({ nodeType }) => nodeType === 3)
        .map(({ nodeValue }) => nodeValue?.trim())
        .join('');
      expect([element.tagName, own]).toEqual([
        element.tagName,
        expect.stringMatching(DOCUMENTED[element.tagName] ?? /\b\B/),
      ]);
    }
    expect(childrenOf(root).filter(({ tagName }) => tagName === 'password')).toEqual([]);
  });

  test('stops the worker before what it has started, and waits for longer than any worker takes to end', () => {
    const xml = configuration(service);
    expect(textOf(xml, 'stopparentprocessfirst')).toEqual(['true']);
    expect(textOf(xml, 'stoptimeout')).toEqual([`${STOP_SECONDS} sec`]);
    expect(STOP_SECONDS).toBeGreaterThan(Number.parseInt(shutdownForceTime(SHUTDOWN_GRACE)) + FAREWELL_SECONDS);
  });

  test('depends on the network, and on nothing that iisreset stops', () => {
    expect(textOf(configuration(service), 'depend')).toEqual(['Tcpip', 'Dnscache']);
  });

  test('starts the worker again when it has failed, after a while', () => {
    const failures = Array.from(parsed(configuration(service)).getElementsByTagName('onfailure'));
    expect(failures.map((each) => [each.getAttribute('action'), each.getAttribute('delay')])).toEqual([
      ['restart', '10 sec'],
      ['restart', '1 min'],
    ]);
  });

  test('says paths as they are, whatever they hold', () => {
    const xml = configuration({ ...service, program: "C:\\R&D <new> 'x'\\node.exe" });
    expect(textOf(xml, 'executable')).toEqual(["C:\\R&D <new> 'x'\\node.exe"]);
    expect(textOf(xml, 'arguments')).toEqual([
      '--env-file=C:\\ProgramData\\Onward\\worker.env "C:\\Program Files\\Onward & Co\\onward.mjs" worker',
    ]);
  });
});

/** As Microsoft documents it: learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments. */
function argumentsOf(commandLine: string): string[] {
  const found: string[] = [];
  let current: string | undefined;
  let quoted = false;
  for (let at = 0; at < commandLine.length; at++) {
    const [, slashes = '', quote = ''] = /^(\\*)("?)/.exec(commandLine.slice(at)) ?? [];
    if (quote !== '' || slashes !== '') {
      at += slashes.length + quote.length - 1;
      current ??= '';
      current += quote === '' ? slashes : slashes.slice(0, Math.floor(slashes.length / 2));
      if (quote !== '' && slashes.length % 2 === 1) current += '"';
      else if (quote !== '') quoted = !quoted;
    } else if (!quoted && /[ \t]/.test(commandLine[at] ?? '')) {
      if (current !== undefined) found.push(current);
      current = undefined;
    } else current = (current ?? '') + commandLine[at];
  }
  return current === undefined ? found : [...found, current];
}

test('arguments reach a program as they are', () => {
  const some = [
    'plain',
    '',
    'with space',
    'C:\\ends with\\',
    'a "quoted" one',
    'slashes\\\\"',
    '\\',
    'C:\\no\\space\\',
    '\ttab',
  ];
  expect(argumentsOf(some.map(quoteArgument).join(' '))).toEqual(some);
});

describe('onward service', () => {
  let folder: string;
  let done: string[];
  let state: string;
  let machine: ServiceMachine;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'onward-service-'));
    done = [];
    state = 'NonExistent';
    machine = {
      mayLook: () => Promise.resolve(true),
      protect: async (made, other) => {
        done.push(`protect ${path.relative(folder, made)}, look at ${path.relative(folder, other)}`);
        await mkdir(made, { recursive: true });
      },
      execute: (file, words) => {
        done.push(`${path.relative(folder, file)} ${words.join(' ')}`);
        return Promise.resolve(`${state}\r\n`);
      },
    };
    await mkdir(path.join(folder, 'Onward'));
    await write('WinSW-x64.exe', 'a wrapper');
    await settings('# of the worker', 'TEMPORAL_ADDRESS=temporal.example:7233', 'TEMPORAL_API_KEY=hunter2-the-key');
    await write('Onward/endpoint.yaml', 'workDirectory: C:\\Onward\n');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const write = (name: string, text: string): Promise<void> => writeFile(path.join(folder, name), text);
  /** Of the worker; without Windows the file of its host has to be named. */
  const settings = (...lines: string[]): Promise<void> =>
    write('Onward/worker.env', `${[...lines, `ONWARD_ENDPOINT=${at('Onward', 'endpoint.yaml')}`].join('\n')}\n`);
  const at = (...names: string[]): string => path.join(folder, ...names);
  const wrapperSha256 = createHash('sha256').update('a wrapper').digest('hex');
  const options = (): InstallOptions => ({ host: 'o365-ep1', wrapper: at('WinSW-x64.exe'), wrapperSha256 });
  function said(platform: NodeJS.Platform = 'win32', env: NodeJS.ProcessEnv = {}) {
    const lines: string[] = [];
    const output = { write: (text: string) => lines.push(text) };
    const context: CliContext = {
      stdout: output,
      stderr: output,
      env: { ProgramData: folder, ...env },
      platform,
      now: () => new Date(),
      interrupted: () => new AbortController().signal,
    };
    return { context, text: () => lines.join('') };
  }
  async function problemsOf(doing: Promise<unknown>): Promise<string[]> {
    const error: unknown = await doing.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof CliError)) throw new Error(`Expected a CliError, got ${String(error)}`);
    return error.problems;
  }

  test('installs: protects the folder, writes wrapper and configuration there, and starts the service', async () => {
    const { context } = said();
    await installService(context, options(), machine);
    expect(done).toEqual([
      'protect Onward/service, look at Onward',
      'Onward/service/OnwardEndpoint.exe install',
      'Onward/service/OnwardEndpoint.exe start',
    ]);
    expect(await readFile(at('Onward', 'service', 'OnwardEndpoint.exe'), 'utf8')).toBe('a wrapper');
    const xml = await readFile(at('Onward', 'service', 'OnwardEndpoint.xml'), 'utf8');
    expect(xml).not.toContain('hunter2');
    const [line = ''] = textOf(xml, 'arguments');
    const [env, program, ...rest] = argumentsOf(line);
    expect(env).toBe(`--env-file=${at('Onward', 'worker.env')}`);
    expect(existsSync(program ?? '')).toBe(true);
    expect(rest).toEqual(['worker', '--host', 'o365-ep1']);
  });

  test('what it tells the service to run is a worker of that host, with the settings of its file', async () => {
    const { context } = said();
    await installService(context, options(), machine);
    const xml = await readFile(at('Onward', 'service', 'OnwardEndpoint.xml'), 'utf8');
    const [program = ''] = textOf(xml, 'executable');
    const [line = ''] = textOf(xml, 'arguments');
    // The key would travel in clear: so far, and no further, a worker comes without a server.
    await settings('TEMPORAL_ADDRESS=temporal.example:7233', 'TEMPORAL_API_KEY=k', 'TEMPORAL_TLS=false');
    const { stderr, status } = spawnSync(program, argumentsOf(line), {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] },
    });
    expect([status, stderr]).toEqual([2, expect.stringContaining('TEMPORAL_API_KEY is set and TEMPORAL_TLS is false')]);
  });

  test('names everything that is wrong at once, and touches nothing', async () => {
    await settings(
      'TEMPORAL_ADDRESS=https://temporal.example',
      'no setting',
      'AFTER=it',
      'ONWARD_LOG="a\\nb"',
      'ONWARD_METRICS=9464',
      'ONWARD_CODEC_KEYS=k',
      'ONWARD_PWSH=/no/such/pwsh',
      'TEMPORAL_API_KEY=up#to',
      "OTEL_EXPORTER_OTLP_ENDPOINT='http://collector:4318",
      'OTEL_EXPORTER_OTLP_CERTIFICATE=ca.pem',
    );
    await write('Onward/endpoint.yaml', 'workDirectory: Onward\npakages: {}\n');
    const wrong = { ...options(), host: 'O365 EP1', wrapperSha256: 'f'.repeat(64), account: 'CONTOSO\\ana' };
    const problems = await problemsOf(installService(said().context, wrong, machine));
    expect(problems).toEqual([
      expect.stringContaining('Give --host'),
      expect.stringContaining(`has the SHA-256 ${wrapperSha256}, which is not that of --wrapper-sha256`),
      expect.stringContaining('worker.env, line 2 is no setting'),
      expect.stringContaining('worker.env, line 8 would be read up to its #'),
      expect.stringContaining('ONWARD_LOG holds a line break'),
      expect.stringContaining('OTEL_EXPORTER_OTLP_ENDPOINT begins with a quote'),
      expect.stringContaining('OTEL_EXPORTER_OTLP_CERTIFICATE names a file by a path that is not absolute'),
      expect.stringContaining('there is no /no/such/pwsh on this machine'),
      expect.stringContaining('worker.env: ONWARD_METRICS: Give the address'),
      expect.stringContaining('worker.env: OTEL_EXPORTER_OTLP_ENDPOINT is no URL'),
      expect.stringContaining('worker.env: OTEL_EXPORTER_OTLP_CERTIFICATE names ca.pem'),
      expect.stringContaining('worker.env: ONWARD_LOG is neither'),
      expect.stringContaining('TEMPORAL_ADDRESS is not host:port'),
      expect.stringContaining('worker.env: entry 1 of ONWARD_CODEC_KEYS'),
      expect.stringContaining('endpoint.yaml: line 1: workDirectory must be a folder on a drive'),
      expect.stringContaining('endpoint.yaml: line 2: pakages'),
      expect.stringContaining('Give --account as DOMAIN\\name$'),
    ]);
    expect(done).toEqual([]);
    expect(existsSync(at('Onward', 'service'))).toBe(false);
  });

  test.each([
    ['no wrapper', { wrapper: undefined }, 'Give --wrapper'],
    ['a wrapper that nobody knows', { wrapperSha256: undefined }, 'is none of WinSW 2.12.0 for x64'],
    ['a hash that is none', { wrapperSha256: 'f00' }, '--wrapper-sha256 is not 64 hexadecimal digits'],
    ['a file of settings that is not there', { environment: '/nowhere/worker.env' }, 'TEMPORAL_ADDRESS at least'],
  ])('refuses %s', async (_, change, problem) => {
    const problems = await problemsOf(installService(said().context, { ...options(), ...change }, machine));
    expect(problems.join('\n')).toContain(problem);
    expect(done).toEqual([]);
  });

  test('refuses settings that Windows PowerShell has saved in an encoding that Node.js misreads', async () => {
    await writeFile(at('Onward', 'worker.env'), '\uFEFFTEMPORAL_ADDRESS=temporal.example:7233', 'utf16le');
    const problems = await problemsOf(installService(said().context, options(), machine));
    expect(problems).toContainEqual(expect.stringContaining('Set-Content -Encoding ascii'));
  });

  test('refuses to install what is there already', async () => {
    await installService(said().context, options(), machine);
    state = 'Stopped';
    const problems = await problemsOf(installService(said().context, options(), machine));
    expect(problems).toEqual([expect.stringContaining('service uninstall')]);
  });

  test.each([
    'TEMPORAL_TLS_CLIENT_CERT_PATH=client.pem',
    'TEMPORAL_CONFIG_FILE=..\\temporal.toml',
    'ONWARD_CODEC_KEYS=a=file:/keys/a, b=file:keys/b',
    'ONWARD_PWSH=tools/pwsh',
  ])('refuses a file that the service would look for elsewhere: %s', async (line) => {
    await settings('TEMPORAL_ADDRESS=temporal.example:7233', line);
    const problems = await problemsOf(installService(said().context, options(), machine));
    expect(problems).toContainEqual(expect.stringContaining('a path that is not absolute'));
  });

  test('takes remarks and quotes as Node.js does', async () => {
    await settings(
      'TEMPORAL_ADDRESS=temporal.example:7233 # ours',
      "TEMPORAL_API_KEY='a#b'",
      'ONWARD_LOG= "text"',
      'A=#',
    );
    await installService(said().context, options(), machine);
    expect(done).toContain('Onward/service/OnwardEndpoint.exe start');
  });

  test('does not take the configuration of the host from the console, which the service will not see', async () => {
    await write('Onward/worker.env', 'TEMPORAL_ADDRESS=temporal.example:7233\n');
    const { context } = said('win32', { ONWARD_ENDPOINT: at('Onward', 'endpoint.yaml') });
    await expect(problemsOf(installService(context, options(), machine))).resolves.toEqual([
      expect.stringContaining('endpoint.yaml: it cannot be read (ENOENT)'),
    ]);
  });

  test('refuses to run with all rights what a user could write', async () => {
    const { context } = said('win32', { USERPROFILE: path.join(path.dirname(PACKAGE_ROOT), 'ana') });
    const problems = await problemsOf(installService(context, options(), machine));
    expect(problems).toContainEqual(expect.stringMatching(/onward\.mjs is below the profile of a user/));
    expect(done).toEqual([]);
  });

  test('says that an account without rights sees nothing, rather than that nothing is there', async () => {
    await installService(said().context, options(), machine);
    done = [];
    const blind = { ...machine, mayLook: (folder: string) => Promise.resolve(folder !== at('Onward')) };
    for (const act of [
      installService(said().context, options(), blind),
      serviceStatus(said().context, {}, blind),
      uninstallService(said().context, {}, blind),
    ])
      await expect(act).rejects.toMatchObject({ kind: 'failure', hint: expect.stringContaining('elevated') });
    expect(done).toEqual([]);
  });

  test('removes what an installation that failed has left, without asking WinSW for a service that is not there', async () => {
    await installService(said().context, options(), machine);
    done = [];
    await uninstallService(said().context, {}, machine);
    expect(done).toEqual(['Onward/service/OnwardEndpoint.exe status']);
    expect(existsSync(at('Onward', 'service', 'OnwardEndpoint.xml'))).toBe(false);
  });

  test('on another system it only says what it would do', async () => {
    const problems = await problemsOf(installService(said('linux').context, options(), machine));
    expect(problems).toEqual([expect.stringContaining('This machine is not Windows')]);
    const { context, text } = said('linux');
    await installService(context, { ...options(), dryRun: true }, machine);
    expect(text()).toContain('<id>OnwardEndpoint</id>');
    expect(text()).toContain('OnwardEndpoint.exe install');
    expect(text()).not.toContain('hunter2');
    expect([done, existsSync(at('Onward', 'service'))]).toEqual([[], false]);
  });

  test('says whether the service runs, and removes it: the worker ends first, settings and logs stay', async () => {
    const { context, text } = said();
    await expect(serviceStatus(context, {}, machine)).rejects.toMatchObject({ kind: 'notFound' });
    await installService(context, options(), machine);
    state = 'Started';
    await serviceStatus(context, {}, machine);
    expect(text()).toContain('OnwardEndpoint: Started');
    state = 'Stopped';
    await expect(serviceStatus(context, {}, machine)).rejects.toMatchObject({ kind: 'failure' });
    done = [];
    await uninstallService(context, {}, machine);
    expect(done.slice(1)).toEqual([
      'Onward/service/OnwardEndpoint.exe stopwait',
      'Onward/service/OnwardEndpoint.exe uninstall',
    ]);
    expect(existsSync(at('Onward', 'service', 'OnwardEndpoint.exe'))).toBe(false);
    expect(existsSync(at('Onward', 'worker.env')) && existsSync(at('Onward', 'service', 'logs'))).toBe(true);
  });
});
