/** A process of the demo: a worker or the sandbox. One that dies is started again; none outlives the demo. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { CliError } from '../kit/cli-error';
import { READY } from '../kit/ready';

export interface CompanionOptions {
  /** For people: `control-plane worker`. */
  name: string;
  /** Module to run, and its arguments. */
  module: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  logFile: string;
  /** Hears when the process died and is started again. */
  print: (line: string) => void;
  timings?: Partial<CompanionTimings>;
}

export interface CompanionTimings {
  /** A process that says nothing for so long after its start counts as failed. */
  readyMs: number;
  /** Time to end in order, before it is killed. */
  stopMs: number;
  /** Before the first new start; doubles with each one, up to `longestPauseMs`. */
  pauseMs: number;
  longestPauseMs: number;
}

const TIMINGS: CompanionTimings = { readyMs: 120_000, stopMs: 30_000, pauseMs: 1000, longestPauseMs: 15_000 };
/** A failure is explained by the last lines that the process wrote. */
const LAST_WORDS = 30;

export class Companion {
  private child: ChildProcess | undefined;
  private stopping = false;
  private deaths = 0;
  private lastWords: string[] = [];
  private readonly log: WriteStream;
  private readonly timings: CompanionTimings;
  private readonly stopped = new AbortController();

  private constructor(private readonly options: CompanionOptions) {
    this.timings = { ...TIMINGS, ...options.timings };
    this.log = createWriteStream(options.logFile, { flags: 'a' });
  }

  /**
   * Starts the process and waits until it does its work.
   *
   * @throws CliError with its last lines when it ends or stays silent instead.
   */
  static async start(options: CompanionOptions): Promise<Companion> {
    const companion = new Companion(options);
    const child = companion.spawn();
    const ready = await companion.becomesReady(child);
    if (ready) {
      companion.startAgainAfter(child);
      return companion;
    }
    companion.stopping = true;
    child.kill('SIGKILL');
    throw new CliError('failure', `The ${options.name} did not start:\n${companion.lastWords.join('\n')}`, {
      hint: `Its log is ${options.logFile}.`,
    });
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Ends the process in order, or by force where that takes too long. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.stopped.abort();
    const { child } = this;
    if (child !== undefined && isAlive(child)) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), this.timings.stopMs);
      await ended;
      clearTimeout(force);
    }
    this.log.end();
  }

  private spawn(): ChildProcess {
    const { module, args, env } = this.options;
    // Its channel to us closes when we are gone, however we went; a group of its own keeps Ctrl-C from it, since it is
    // ended in order.
    const child = fork(module, args, {
      execArgv: [],
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: process.platform !== 'win32',
    });
    this.child = child;
    this.lastWords = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.log.write(chunk);
        this.lastWords = [...this.lastWords, ...chunk.toString().trimEnd().split('\n')].slice(-LAST_WORDS);
      });
    }
    return child;
  }

  private async becomesReady(child: ChildProcess): Promise<boolean> {
    return new Promise((resolve) => {
      const late = setTimeout(() => {
        this.lastWords.push(`It said nothing for ${this.timings.readyMs / 1000} s.`);
        resolve(false);
      }, this.timings.readyMs);
      const settle = (ready: boolean): void => {
        clearTimeout(late);
        resolve(ready);
      };
      child.on('message', (message) => message === READY && settle(true));
      child.once('error', (error) => {
        this.lastWords.push(error.message);
        settle(false);
      });
      // Its streams end after the process does, and hold its last words.
      child.once('close', () => settle(false));
    });
  }

  private startAgainAfter(child: ChildProcess): void {
    child.once('exit', (code, signal) => {
      if (!this.stopping) void this.startAgain(signal ?? `exit code ${code}`);
    });
  }

  private async startAgain(end: string): Promise<void> {
    const { name, logFile, print } = this.options;
    const pause = Math.min(this.timings.pauseMs * 2 ** this.deaths, this.timings.longestPauseMs);
    this.deaths += 1;
    print(`The ${name} ended (${end}); starting it again. Its log is ${logFile}.`);
    await delay(pause, undefined, { signal: this.stopped.signal }).catch(() => undefined);
    if (this.stopping) return;
    const child = this.spawn();
    this.startAgainAfter(child);
    if (await this.becomesReady(child)) {
      this.deaths = 0;
      print(`The ${name} is back.`);
    }
  }
}

const isAlive = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;
