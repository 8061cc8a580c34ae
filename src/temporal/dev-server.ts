/**
 * Temporal's dev server as this project starts it everywhere: demo, tests, rehearsals. It listens on 127.0.0.1 only, knows
 * our search attributes, and is not throttled (temporal.md 4.2.1).
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Connection } from '@temporalio/client';
import { findTemporalCli, type TemporalCli } from './cli-binary';
import { localSettings, requireSearchAttributes, TYPE_NAMES } from './connection';
import { SEARCH_ATTRIBUTES } from './search-attributes';
import { DevServerFailed, releaseState, writeRecord } from './state-owner';

export { DevServerFailed };

export interface DevServerOptions {
  /** Folder that keeps the server's state; without one the state is in memory and gone with the server. */
  directory?: string;
  /** More namespaces than `default`. */
  namespaces?: string[];
  /** Port of the gRPC service; by default any free one. */
  port?: number;
  /** Port of the web interface; without one there is no web interface. */
  uiPort?: number;
  /** Hears what the server says, line by line: errors, and where it listens. */
  log?: (line: string) => void;
  cli?: TemporalCli;
}

export interface DevServer {
  /** `127.0.0.1:7233` */
  address: string;
  uiUrl: string | undefined;
  pid: number;
  /** Ends the server in order. Safe to call again. */
  close(): Promise<void>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
}

const HOST = '127.0.0.1';
/** A cold binary of 200 MB on a busy machine needs far longer than the second it takes otherwise. */
const START_DEADLINE_MS = 180_000;
const CLOSE_DEADLINE_MS = 10_000;
const WORDS_TOLD = 10;
/** A server that panics says why before it says where, at length. */
const WORDS_KEPT = 300;
const ATTEMPTS = 3;
/**
 * A port that was free when we looked may be gone when the server comes to use it. It says so where it looks itself; where
 * that comes too late it has no listener and panics there.
 */
const COLLIDED = /address already in use|frontend\.NewHTTPAPIServer/;

/** With one history shard, these queues are polled 20 times a second by default, and every task waits for its turn. */
const DYNAMIC_CONFIG = {
  'history.transferProcessorMaxPollRPS': 2000,
  'history.timerProcessorMaxPollRPS': 2000,
  'history.visibilityProcessorMaxPollRPS': 2000,
  'system.enableActivityEagerExecution': true,
  'frontend.enableServerVersionCheck': false,
};

/**
 * Starts a server and waits until it answers and knows our search attributes.
 *
 * @throws DevServerFailed when a port or the state folder is taken, when the server ends or is silent for three minutes.
 * @throws NoTemporalCli when there is no CLI to start it with.
 */
export async function startDevServer(options: DevServerOptions = {}): Promise<DevServer> {
  const cli = options.cli ?? (await findTemporalCli());
  const { directory } = options;
  if (directory !== undefined) await takeState(directory);
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(cli, options);
    } catch (error) {
      if (!(error instanceof DevServerFailed) || !COLLIDED.test(error.message) || attempt === ATTEMPTS) throw error;
    }
  }
}

async function takeState(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const owner = await releaseState(directory);
  if (owner === undefined) return;
  throw new DevServerFailed(
    `The state in ${directory} is in use by process ${owner}, which runs a dev server on it. End that one first, or use another folder.`,
  );
}

async function start(
  cli: TemporalCli,
  { directory, log, namespaces = [], ...wanted }: DevServerOptions,
): Promise<DevServer> {
  const port = await choosePort('port', wanted.port);
  const uiPort = wanted.uiPort === undefined ? undefined : await choosePort('uiPort', wanted.uiPort);
  const child = spawn(cli.path, await serverArguments(cli, { port, uiPort, directory, namespaces }), {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C ends first the workers, in order, then the server.
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  const server = new RunningServer(child, log);
  const address = `${HOST}:${port}`;
  if (directory !== undefined) await writeRecord(directory, { address, pid: server.pid });
  try {
    await server.answers(address);
  } catch (error) {
    await server.kill();
    throw error;
  }
  return {
    address,
    uiUrl: uiPort === undefined ? undefined : `http://${HOST}:${uiPort}`,
    pid: server.pid,
    close: () => server.close(),
    kill: () => server.kill(),
  };
}

class RunningServer {
  readonly pid: number;
  private readonly words: string[] = [];
  private readonly ended: Promise<string>;
  /** A process that leaves without closing its server must not leave it behind. */
  private readonly takeAlong = (): boolean => this.child.kill();

  constructor(
    private readonly child: ChildProcess,
    log: DevServerOptions['log'],
  ) {
    this.pid = child.pid ?? -1;
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('close', (code, signal) => resolve(signal === null ? `exit code ${code}` : signal));
    });
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface(stream).on('line', (line) => {
        log?.(line);
        this.words.push(line);
        if (this.words.length > WORDS_KEPT) this.words.shift();
      });
    }
    process.once('exit', this.takeAlong);
    void this.ended.then(() => process.off('exit', this.takeAlong));
  }

  async answers(address: string): Promise<void> {
    const settings = localSettings(address);
    const connection = Connection.lazy({ ...settings.connectionOptions, interceptors: [] });
    const deadline = Date.now() + START_DEADLINE_MS;
    try {
      for (;;) {
        const problem = await requireSearchAttributes(connection, settings).catch((error: unknown) => error as Error);
        if (problem === undefined) return;
        const end = await Promise.race([this.ended, sleep(50)]);
        if (end !== undefined) throw this.failure(`ended at once (${end})`);
        if (Date.now() > deadline)
          throw this.failure(`was not ready within ${START_DEADLINE_MS / 60_000} minutes. ${problem.message}`);
      }
    } finally {
      await connection.close();
    }
  }

  async close(): Promise<void> {
    this.child.kill('SIGTERM');
    const late = sleep(CLOSE_DEADLINE_MS, 'late', { ref: false });
    if ((await Promise.race([this.ended, late])) === 'late') await this.kill();
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  private failure(what: string): DevServerFailed {
    const panic = this.words.findIndex((line) => line.startsWith('panic:'));
    const told = panic < 0 ? this.words.slice(-WORDS_TOLD) : this.words.slice(panic, panic + WORDS_TOLD);
    return new DevServerFailed(`Temporal's dev server ${what}.\n${told.join('\n')}`.trimEnd());
  }
}

async function serverArguments(
  cli: TemporalCli,
  {
    port,
    uiPort,
    directory,
    namespaces,
  }: { port: number; uiPort: number | undefined; directory: string | undefined; namespaces: string[] },
): Promise<string[]> {
  const args = ['server', 'start-dev', '--ip', HOST, '--port', String(port), '--log-level', 'error'];
  if (uiPort === undefined) args.push('--headless');
  else {
    args.push('--ui-port', String(uiPort));
    const { stdout } = await promisify(execFile)(cli.path, ['server', 'start-dev', '--help'], { timeout: 30_000 });
    if (stdout.includes('--ui-disable-news-fetch')) args.push('--ui-disable-news-fetch');
  }
  for (const namespace of namespaces) args.push('--namespace', namespace);
  for (const { name, type } of SEARCH_ATTRIBUTES) args.push('--search-attribute', `${name}=${TYPE_NAMES[type]}`);
  for (const [key, value] of Object.entries(DYNAMIC_CONFIG)) args.push('--dynamic-config-value', `${key}=${value}`);
  if (directory !== undefined) {
    // The schema is applied only to a new file (temporal.md 4.1), so each version of the CLI has a file of its own.
    args.push('--db-filename', path.join(directory, `temporal-${cli.version}.sqlite`));
    args.push('--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL');
  }
  return args;
}

/** The wanted port if it is free, or any free one. */
async function choosePort(setting: string, wanted = 0): Promise<number> {
  const probe = net.createServer();
  try {
    probe.listen(wanted, HOST);
    await once(probe, 'listening');
    return (probe.address() as net.AddressInfo).port;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new DevServerFailed(
      `Port ${wanted} on ${HOST} is taken by another program, so Temporal's dev server cannot use it. ` +
        `End that program, or give another ${setting}.`,
      { cause: error },
    );
  } finally {
    probe.close();
  }
}
