/** A process that a bench has started: it says when it is ready, can be looked at, and can be killed. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

export interface BenchProcessOptions {
  /** For messages: `control-plane worker`. */
  name: string;
  module: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  /** Options of Node.js. */
  nodeOptions?: string[];
}

/** Longest time from the start of a process to its first message, in milliseconds. */
const READY_MS = 120_000;

export class BenchProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly pid: number,
    /** What it sent when it was ready. */
    readonly ready: unknown,
  ) {}

  /** Starts it and waits until it is ready: until it sends its first message. */
  static async start({ name, module, args, env = {}, nodeOptions = [] }: BenchProcessOptions): Promise<BenchProcess> {
    const own = Object.entries(process.env).filter(([key]) => !key.startsWith('TEMPORAL_'));
    const child = fork(module, args, {
      execArgv: nodeOptions,
      env: { ...Object.fromEntries(own), ...env },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    // Whatever ends the bench ends it as well: nothing is left behind.
    const takeAlong = (): boolean => child.kill('SIGKILL');
    process.once('exit', takeAlong);
    child.once('exit', (code, signal) => {
      process.off('exit', takeAlong);
      if (signal !== 'SIGKILL') console.error(`The ${name}, process ${child.pid}, has ended (${signal ?? code}).`);
    });
    const ready = await Promise.race([
      once(child, 'message').then(([message]: unknown[]) => ({ message })),
      once(child, 'exit').then(([code, signal]) => `ended (${String(signal ?? code)})`),
      delay(READY_MS, 'was silent', { ref: false }),
    ]);
    if (typeof ready === 'string' || child.pid === undefined) {
      takeAlong();
      throw new Error(
        `The ${name} ${typeof ready === 'string' ? ready : 'has no process id'} instead of beginning its work; its messages are above.`,
      );
    }
    return new BenchProcess(child, child.pid, ready.message);
  }

  /** Ends it as a power cut would; resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}
