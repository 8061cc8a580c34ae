/** A world to measure in: Temporal's dev server, a zero-latency sandbox, and workers, each a process of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import { z } from 'zod';
import type { FaultRule } from '../../src/sandbox/faults';
import type { ProviderProfileInput } from '../../src/sandbox/inventory';
import { startSandbox, type Sandbox } from '../../src/sandbox/server';
import type { ProviderOptions } from '../../src/sandbox/world/spec';
import { connectClient, localSettings } from '../../src/temporal/connection';
import { startDevServer, type DevServer } from '../../src/temporal/dev-server';
import { BenchProcess, type BenchProcessOptions } from './bench-process';
import { bundleBenchWorkflows } from './bench-workflows';
import { NotifiedOperator } from './notified-operator';
import type { Part } from './part';
import type { StubFleet } from './stub-fleet';
import { SIMULATED_RELEASES } from '../../workflows/releases';

export interface BenchWorldOptions {
  providers: ProviderOptions[];
  settings?: Partial<ProviderProfileInput>;
  /** Whose connections Microsoft itself tests, in place of the sandbox's screen. */
  atMicrosoft?: string[];
  /** Sees the sandbox before anything has happened in it. */
  inspect?: (sandbox: Sandbox) => Promise<void>;
  /** Whether the Temporal server keeps its state in a file: in memory that of thousands of upgrades takes more than there is. */
  serverStateOnDisk?: boolean;
}

const PART = path.join(__dirname, 'part.ts');
/** The program itself, as everybody starts it. */
const PROGRAM = path.join(__dirname, '..', '..', 'tools', 'onward.mjs');
const ready = { sandbox: z.object({ sim: z.string() }) };

export class BenchWorld {
  private readonly processes: BenchProcess[] = [];
  private sim = '';

  private constructor(
    private readonly folder: string,
    readonly server: DevServer,
    readonly client: Client,
  ) {}

  /** Server, sandbox and operator; the workers are for the bench to start. */
  static async open({
    providers,
    settings = {},
    atMicrosoft = [],
    inspect,
    serverStateOnDisk = false,
  }: BenchWorldOptions): Promise<BenchWorld> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'onward-bench-'));
    const server = await startDevServer({
      ...(serverStateOnDisk && { directory: path.join(folder, 'temporal') }),
      log: (line) => console.error(`Temporal server: ${line}`),
    });
    const world = new BenchWorld(folder, server, await connectClient(localSettings(server.address)));
    try {
      const sandbox = await startSandbox({
        releases: SIMULATED_RELEASES,
        dataDirectory: world.sandboxDirectory,
        providers,
      });
      await inspect?.(sandbox);
      await sandbox.close();
      await world.startSandbox(settings, atMicrosoft);
      return world;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  sandbox!: BenchProcess;
  operator!: NotifiedOperator;

  /** Goes on with what is in its directory, in a process of its own. */
  private async startSandbox(settings: Partial<ProviderProfileInput>, atMicrosoft: string[]): Promise<void> {
    this.operator = await NotifiedOperator.start(this.client, (provider) => this.controlUrl(provider));
    this.sandbox = await this.start({
      part: 'sandbox',
      dataDirectory: this.sandboxDirectory,
      inventoryDirectory: this.inventoryDirectory,
      settings: { notify: [this.operator.webhook], ...settings },
      atMicrosoft,
    });
    this.sim = ready.sandbox.parse(this.sandbox.ready).sim;
  }

  async startControlPlane(nodeOptions: string[] = []): Promise<BenchProcess> {
    const codePath = await bundleBenchWorkflows(this.folder);
    return this.start({ part: 'controlPlane', inventoryDirectory: this.inventoryDirectory, codePath }, nodeOptions);
  }

  startEndpoints(hosts: string[]): Promise<BenchProcess> {
    return this.start({ part: 'endpoints', hosts, sim: this.sim });
  }

  /** @param cached upgrades that it keeps in memory; by default as many as the product's worker. */
  async startStubControlPlane(instances: number, cached?: number): Promise<BenchProcess> {
    const codePath = await bundleBenchWorkflows(this.folder);
    return this.start({ part: 'stubControlPlane', codePath, instances, cached });
  }

  async startStubFleet(fleet: StubFleet): Promise<BenchProcess> {
    return this.start({ part: 'stubFleet', codePath: await bundleBenchWorkflows(this.folder), fleet });
  }

  startStubEndpoint(instances: number): Promise<BenchProcess> {
    return this.start({ part: 'stubEndpoint', instances });
  }

  /** A worker as people start it: `onward worker`, for the control plane or for one endpoint host. */
  async startProductWorker(host?: string): Promise<BenchProcess> {
    return this.launch({
      name: host === undefined ? 'control-plane worker' : `worker of ${host}`,
      module: PROGRAM,
      args: [
        'worker',
        ...(host === undefined ? ['--inventory', this.inventoryDirectory] : ['--host', host]),
        ...['--sandbox', this.sim],
      ],
      env: host === undefined ? {} : { PATH: '' },
    });
  }

  async addFault(fault: Omit<FaultRule, 'id'>): Promise<void> {
    const response = await fetch(new URL('faults', this.sim), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(fault),
    });
    if (!response.ok) throw new Error(`The sandbox refused a fault: ${await response.text()}`);
  }

  get sandboxDirectory(): string {
    return path.join(this.folder, 'sandbox');
  }

  get inventoryDirectory(): string {
    return path.join(this.folder, 'inventory');
  }

  /** `.../_sim/providers/<provider>/` */
  controlUrl(provider: string): string {
    return new URL(`providers/${provider}/`, this.sim).href;
  }

  /** What did not go as it should has not been measured. */
  requireNoProblems(): void {
    const { problems } = this.operator;
    if (problems.length > 0) throw new Error(`The bench did not go as it should:\n${problems.join('\n')}`);
  }

  async close(): Promise<void> {
    await Promise.all(this.processes.map((each) => each.kill()));
    await this.operator.close();
    await this.client.connection.close();
    await this.server.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  private start(part: Part, nodeOptions: string[] = []): Promise<BenchProcess> {
    return this.launch({
      name: part.part,
      module: PART,
      args: [JSON.stringify(part)],
      nodeOptions: ['--import', 'tsx', ...nodeOptions],
    });
  }

  private async launch(options: BenchProcessOptions): Promise<BenchProcess> {
    const env = { ...options.env, TEMPORAL_ADDRESS: this.server.address, XDG_STATE_HOME: this.folder };
    const started = await BenchProcess.start({ ...options, env });
    this.processes.push(started);
    return started;
  }
}
