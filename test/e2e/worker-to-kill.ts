import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const MAIN = path.join(__dirname, 'worker-process.ts');

/** A worker in a process of its own. */
export class WorkerProcess {
  private child: ChildProcess;
  private retired = false;

  constructor(
    private readonly address: string,
    private readonly role: { inventoryDirectory: string } | { host: string },
    private readonly environment: NodeJS.ProcessEnv,
  ) {
    this.child = this.spawn();
  }

  /** Ends it as a power cut would. What it has started goes on. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  async killAndRestart(): Promise<void> {
    await this.kill();
    if (!this.retired) this.child = this.spawn();
  }

  /** Ends it for good, also where a test that gave up is still about to restart it. */
  async retire(): Promise<void> {
    this.retired = true;
    await this.kill();
  }

  private spawn(): ChildProcess {
    return spawn(process.execPath, ['--import', 'tsx', MAIN, JSON.stringify(this.role)], {
      env: { ...process.env, ...this.environment, TEMPORAL_ADDRESS: this.address },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
}
