import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { ReleaseFolder } from '../../../src/systems/endpoint/release-scripts';
import type { EndpointSettings } from '../../../src/systems/endpoint/settings';
import type { TemporalSettings } from '../../../src/temporal/connection';
import { QUICK_LOOKS } from './quick-looks';

const MAIN = path.join(__dirname, 'worker-process.cjs');

/** `simulatedHost`: URL of the host in the sandbox. */
export type WorkerRole = (
  | { inventoryDirectory: string; workflows?: { codePath: string } }
  | { host: string; simulatedHost: string; endpoint: EndpointSettings; releases?: ReleaseFolder[] }
) & {
  notesDirectory: string;
};

export interface WorkerProcessOptions {
  /** A second process stands by, loaded and idle, so that a restart does not wait for Node. */
  spare?: boolean;
}

/** A worker in a process of its own. */
export class WorkerProcess {
  private child: ChildProcess;
  private spare: ChildProcess | undefined;
  private retired = false;

  constructor(
    private readonly server: TemporalSettings,
    private readonly role: WorkerRole,
    private readonly environment: NodeJS.ProcessEnv,
    private readonly options: WorkerProcessOptions = {},
  ) {
    this.child = this.begin();
  }

  /** Ends it as a power cut would. What it has started goes on. */
  async kill(): Promise<void> {
    await end(this.child);
  }

  async killAndRestart(): Promise<void> {
    await this.kill();
    if (!this.retired) this.child = this.begin();
  }

  /** Ends it for good, also where a test that gave up is still about to restart it. */
  async retire(): Promise<void> {
    this.retired = true;
    await Promise.all([end(this.child), this.spare && end(this.spare)]);
  }

  private begin(): ChildProcess {
    const child = this.spare ?? this.spawn();
    child.send('work');
    this.spare = this.options.spare === true ? this.spawn() : undefined;
    return child;
  }

  private spawn(): ChildProcess {
    const child = spawn(process.execPath, [MAIN, JSON.stringify({ ...this.role, polling: QUICK_LOOKS })], {
      env: {
        ...process.env,
        ...this.environment,
        TEMPORAL_ADDRESS: this.server.connectionOptions.address,
        TEMPORAL_NAMESPACE: this.server.namespace,
      },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    // Whoever waits for nothing else may end.
    child.channel?.unref();
    child.on('exit', tellOfEnd);
    return child;
  }
}

/** One that ends by itself, or that the system has ended, would be waited for until the test's deadline. */
function tellOfEnd(code: number | null, signal: string | null): void {
  console.error(`A worker that nobody has ended has ended by ${signal ?? `itself, with the exit code ${code}`}.`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.off('exit', tellOfEnd);
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
