/**
 * A rehearsal: a real Temporal server, real workers, and a sandbox whose journal and state are the judges. Shared by the
 * tests of a file; each upgrade has a provider of its own, so they do not meet.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { QueryNotRegisteredError, WorkflowNotFoundError, type Client, type WorkflowHandle } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils';
import { DefaultLogger, type NativeConnection, type Worker } from '@temporalio/worker';
import { ledgerWorkflowId } from '../../../src/contract/ledger';
import type { UpgradeInput } from '../../../src/contract/upgrade-input';
import {
  CONTROL_TASK_QUEUE,
  endpointTaskQueue,
  provesConnection,
  upgradeWorkflowId,
} from '../../../src/contract/provider';
import type { SimulatedRelease } from '../../../src/contract/simulation';
import {
  QUERY,
  inPages,
  type AuditEntry,
  type Hold,
  type UpgradeResult,
  type UpgradeStatus,
} from '../../../src/contract/status';
import { SANDBOX_ADAPTERS, simulatedPowershell, urlOfHost } from '../../../src/sandbox/adapters';
import type { ProviderProfileInput } from '../../../src/sandbox/inventory';
import type { JournalEntry } from '../../../src/sandbox/journal';
import {
  runOperator,
  type OperatorEvent,
  type OperatorOptions,
  type UpgradeHandle,
} from '../../../src/sandbox/operator';
import { startSandbox, type Sandbox, type SandboxState } from '../../../src/sandbox/server';
import type { ProviderOptions } from '../../../src/sandbox/world/spec';
import type { Provider } from '../../../src/sandbox/world/state';
import type { ReleaseFolder } from '../../../src/systems/endpoint/release-scripts';
import { connectClient, temporalSettings, type TemporalSettings } from '../../../src/temporal/connection';
import { startDevServer, type DevServer } from '../../../src/temporal/dev-server';
import { connectWorker } from '../../../src/temporal/worker-connection';
import { createControlPlaneWorker, type ControlPlaneOptions } from '../../../src/worker/control-plane';
import { createEndpointWorker } from '../../../src/worker/endpoint';
import { serve } from '../../../src/worker/serve';
import { bundle } from '../../../src/worker/workflow-bundle';
import { SIMULATED_RELEASES } from '../../../workflows/releases';
import { aMoment, patience, timings } from '../deadlines';
import { endedInstead } from '../ended-instead';
import { SaysNothing, ask } from '../handles/ask';
import { begunBy, evidenceOf, evidenceOfRun, hasMoved, openTasks } from '../judge/evidence';
import { expectInvariantsIn, InvariantsBroken, type Evidence, type RunEvidence } from '../judge/invariants';
import '../quiet-runtime';
import type { KnownReleases } from '../releases';
import { ownServer, temporalServer, type TemporalServer } from '../temporal-server';
import { QUICK_LOOKS } from './quick-looks';
import { WorkerProcess, type WorkerRole } from './worker-to-kill';

/** Those that are not closed. Where a test runner is at work, no test ends before its upgrades are judged. */
const open = new Set<Rehearsal>();
if ('afterEach' in globalThis) {
  afterEach(async () => {
    for (const rehearsal of open) await rehearsal.expectInvariants();
  });
}

/** How long an upgrade that goes on may take to come to an end, or to a point that has a name. */
const SETTLES_WITHIN_MS = patience(15_000);
/** The same for one that moves while it is looked at: no look at it is whole. */
const MOVES_WITHIN_MS = patience(60_000);

/** Of an operator: each look is work for server and worker. */
const LOOKS_EVERY_MS = 50;

/** How long an operator waits for an answer before looking again. */
const PROMPT_MS = patience(5_000);

/** Short enough that a test sees the end of patience. */
const TIMINGS = timings({
  retryFor: 20,
  heartbeat: 5,
  hostAnswer: 30,
  drain: 60,
  import: 60,
  instanceUpgrade: 60,
  script: 60,
  hostRestart: 120,
});

export type Settings = Partial<ProviderProfileInput>;

export interface RehearsalOptions {
  /** Releases other than Onward's own (kit/releases). */
  knows?: KnownReleases;
  /** What the sandbox knows of versions; the catalogue's by default. */
  releases?: readonly SimulatedRelease[];
  /** Whether workers run in this process, which is quicker, or in processes that can be killed. */
  workers?: 'inProcess' | 'processes';
  /** Whether a killed process is replaced by one that stands by. */
  spares?: boolean;
  /** Whether the Temporal server keeps its state in a file, so that it can be killed. */
  keepsServerState?: boolean;
  /** Looks at maintenance windows for a worker in this process. */
  lookAtWindow?: NonNullable<ControlPlaneOptions['lookAtWindow']>;
  /** Of the endpoint workers: decides which PowerShell runs their scripts; the stand-in by default. */
  endpointEnvironment?: NodeJS.ProcessEnv;
  /** How long a host takes to go down, and to come up again. */
  hostRestartMs?: number;
  /** Whether the worker of a host that restarts goes down and comes up with it, which it does by default. */
  followsRestarts?: boolean;
  /** Is handed every connection that a worker in this process is given, before the worker is. */
  onConnection?: (connection: NativeConnection, sandbox: Sandbox) => void;
  /** For whoever wants to see a failure again: `seed 4711`. */
  seed?: string;
}

export class Rehearsal {
  /** Endpoint hosts that have a worker. */
  private readonly hosts = new Set<string>();
  private readonly upgrades: Upgrade[] = [];
  private readonly running: { worker: Worker; done: Promise<void> }[] = [];
  /** What the restarts of hosts have led to so far. */
  private following: Promise<void> = Promise.resolve();
  /** Only where the workers are processes: by task queue. */
  readonly processes = new Map<string, WorkerProcess>();

  private constructor(
    private readonly temporal: TemporalServer,
    /** The same, where it may be killed. */
    private mortal: DevServer | undefined,
    readonly sandbox: Sandbox,
    public client: Client,
    private readonly connection: NativeConnection,
    private readonly folder: string,
    private readonly options: RehearsalOptions,
    private readonly workflows: { codePath: string } | undefined,
  ) {}

  static async start(options: RehearsalOptions = {}): Promise<Rehearsal> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'onward-rehearsal-'));
    const mortal =
      options.keepsServerState === true
        ? await startDevServer({ directory: path.join(folder, 'temporal') })
        : undefined;
    const server = mortal === undefined ? await temporalServer() : ownServer(mortal);
    const sandbox = await startSandbox({
      releases: options.releases ?? options.knows?.catalogue.simulations ?? SIMULATED_RELEASES,
      dataDirectory: path.join(folder, 'sandbox'),
      providers: [],
      ...(options.hostRestartMs !== undefined && { timings: { hostRestartMs: options.hostRestartMs } }),
    });
    const connection = await connectWorker(server.settings);
    options.onConnection?.(connection, sandbox);
    const client = await connectClient(server.settings);
    const workflows = options.knows ? await bundleInto(folder, options.knows.workflows) : undefined;
    const rehearsal = new Rehearsal(server, mortal, sandbox, client, connection, folder, options, workflows);
    await rehearsal.startControlPlane();
    if (options.followsRestarts !== false) rehearsal.followRestarts();
    open.add(rehearsal);
    return rehearsal;
  }

  private async startControlPlane(): Promise<void> {
    if (this.options.workers === 'processes') {
      const { inventory: inventoryDirectory, notes: notesDirectory, workflows } = this;
      const role = { inventoryDirectory, notesDirectory, ...(workflows ? { workflows } : {}) };
      this.processes.set(CONTROL_TASK_QUEUE, this.workerProcess(role, {}));
    } else {
      await this.controlPlane({});
    }
  }

  private workerProcess(role: WorkerRole, environment: NodeJS.ProcessEnv): WorkerProcess {
    return new WorkerProcess(this.settings, role, environment, { spare: this.options.spares === true });
  }

  /** People and workers have the keys that the environment names by now. */
  async takeKeys(): Promise<void> {
    await this.client.connection.close();
    const { settings } = this.temporal;
    const { codecKeys, plaintextUntil } = temporalSettings();
    this.client = await connectClient({ ...settings, codecKeys, plaintextUntil });
    for (const worker of this.processes.values()) await worker.killAndRestart();
  }

  /** Ends the Temporal server as a power cut would, and starts it again on what it had written. */
  async killAndRestartServer(): Promise<void> {
    if (this.mortal === undefined) throw new Error('This rehearsal keeps no state of its server.');
    const { address } = this.mortal;
    await this.mortal.kill();
    const port = Number(new URL(`tcp://${address}`).port);
    this.mortal = await startDevServer({ directory: path.join(this.folder, 'temporal'), port });
  }

  /** One more worker of the control plane, in this process. */
  async controlPlane(options: Partial<ControlPlaneOptions>, connection = this.connection): Promise<Worker> {
    const { settings, inventory: inventoryDirectory } = this;
    const { lookAtWindow } = this.options;
    const adapters = SANDBOX_ADAPTERS;
    const polling = QUICK_LOOKS;
    const defaults = {
      inventoryDirectory,
      adapters,
      settings,
      polling,
      ...(this.workflows ? { workflows: this.workflows } : {}),
      ...(lookAtWindow ? { lookAtWindow } : {}),
    };
    const worker = await createControlPlaneWorker(connection, { ...defaults, ...options });
    this.run(worker, connection);
    return worker;
  }

  /** @param machine that the worker runs on: a clone of the host, or the host itself. */
  private async startEndpoint(host: string, connection = this.connection, machine = host): Promise<void> {
    const env = this.options.endpointEnvironment ?? { PATH: '' };
    const simulatedHost = urlOfHost(this.sandbox.urls.sim, machine);
    const endpoint = this.sandbox.hosts.endpointSettings(machine);
    if (this.options.workers === 'processes') {
      const role = { host, simulatedHost, endpoint, notesDirectory: this.notes, ...this.scripts };
      this.processes.set(endpointTaskQueue(host), this.workerProcess(role, env));
    } else {
      const powershell = simulatedPowershell(simulatedHost, env);
      this.run(
        await createEndpointWorker(connection, {
          host,
          endpoint,
          settings: this.settings,
          powershell,
          ...this.scripts,
        }),
        connection,
      );
    }
  }

  private followRestarts(): void {
    // Neither is begun before the last one is done, and a rehearsal that ends waits for both.
    this.sandbox.hosts.restarts.on('down', (host) => {
      this.following = this.following.then(() => this.takeDown(host));
    });
    this.sandbox.hosts.restarts.on('up', (host) => {
      this.following = this.following.then(() => this.bringUp(host));
    });
  }

  /** The worker of a host ends with its host: a process by force, one in this process in order. */
  async takeDown(host: string): Promise<void> {
    const queue = endpointTaskQueue(host);
    const gone = this.processes.get(queue);
    this.processes.delete(queue);
    await gone?.retire();
    await this.endWorkersOf(queue);
  }

  /** @param machine that its worker is started on, where that is a clone of the host. */
  async bringUp(host: string, machine?: string): Promise<void> {
    // No two workers of one task queue share a connection.
    const connection = this.options.workers === 'processes' ? this.connection : await this.anotherConnection();
    await this.startEndpoint(host, connection, machine);
  }

  /** Ends what {@link controlPlane} has begun in this process, in order. */
  async endControlPlane(): Promise<void> {
    await this.endWorkersOf(CONTROL_TASK_QUEUE);
  }

  private async endWorkersOf(queue: string): Promise<void> {
    const ending = this.running.filter(({ worker }) => worker.options.taskQueue === queue);
    for (const { worker } of ending) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.all(ending.map(({ done }) => done));
    this.running.splice(0, Infinity, ...this.running.filter((one) => !ending.includes(one)));
  }

  /**
   * Gives the work of a host, or of the control plane, to a new worker: a process is killed, a worker in this process ends in
   * order while the new one works already, as in a roll-out.
   */
  async replaceWorker(host: string | undefined): Promise<void> {
    const queue = host === undefined ? CONTROL_TASK_QUEUE : endpointTaskQueue(host);
    const killed = this.processes.get(queue);
    if (killed) return await killed.killAndRestart();
    const replaced = this.running.filter(({ worker }) => worker.options.taskQueue === queue);
    // No two workers of one task queue share a connection.
    const connection = await this.anotherConnection();
    if (host === undefined) await this.controlPlane({}, connection);
    else await this.startEndpoint(host, connection);
    for (const { worker } of replaced) if (worker.getState() === 'RUNNING') worker.shutdown();
  }

  /** A provider in the sandbox and in the inventory, with workers on its endpoint hosts. */
  async provider(options: ProviderOptions, given: Settings | ((created: Provider) => Settings) = {}): Promise<Upgrade> {
    await this.sandbox.addProvider(options);
    const settings = typeof given === 'function' ? given(this.sandbox.world.provider(options.id)) : given;
    this.writeEntry(options.id, settings);
    const hosts = new Set(this.sandbox.world.provider(options.id).gateways.map(({ host }) => host));
    for (const host of [...hosts].filter((name) => !this.hosts.has(name))) {
      this.hosts.add(host);
      await this.startEndpoint(host);
    }
    const upgrade = new Upgrade(this, options.id, await this.sandbox.state(options.id), settings);
    this.upgrades.push(upgrade);
    return upgrade;
  }

  /** Starts the upgrade of a second entry for the same installation, whose addresses are spelled otherwise. */
  async secondEntry({ provider }: Upgrade): Promise<WorkflowHandle> {
    const again = `${provider}-again`;
    const text = await readFile(path.join(this.inventory, `${provider}.yaml`), 'utf8');
    const other = text
      .replace(`provider: ${provider}\n`, `provider: ${again}\n`)
      .replace(/(operations:\s+url: http:\/\/)127\.0\.0\.1/, '$1localhost');
    await writeFile(path.join(this.inventory, `${again}.yaml`), other);
    return await this.client.workflow.start('upgradeProvider', {
      workflowId: upgradeWorkflowId(again),
      taskQueue: CONTROL_TASK_QUEUE,
      args: [{ provider: again, startedBy: 'ana' }],
    });
  }

  /** Somebody writes the provider's entry anew. */
  changeEntry({ provider }: Upgrade, settings: Settings): void {
    this.writeEntry(provider, settings);
  }

  private writeEntry(provider: string, settings: Settings): void {
    this.sandbox.writeInventory(this.inventory, { timings: TIMINGS, ...settings }, [provider]);
  }

  /**
   * The next upgrade of a provider whose last one is over: the one that follows begins, for its judge, with what is there now.
   *
   * @throws InvariantsBroken of the last one
   */
  async nextUpgrade(last: Upgrade): Promise<Upgrade> {
    await last.expectInvariants();
    const earlier = { entries: this.sandbox.journal.entries().length, runs: await last.runIds() };
    const { provider, settings } = last;
    const upgrade = new Upgrade(this, provider, await this.sandbox.state(provider), settings, earlier);
    this.upgrades.push(upgrade);
    return upgrade;
  }

  /**
   * Judges every upgrade that has not been judged since it ended.
   *
   * @throws InvariantsBroken
   */
  async expectInvariants(): Promise<void> {
    for (const upgrade of this.upgrades) await upgrade.expectInvariants();
  }

  /** Ends the workers of a provider's endpoint hosts, which no other provider may use; for rehearsals of hundreds. */
  async closeHosts(provider: string): Promise<void> {
    await this.following;
    for (const host of new Set(this.sandbox.world.provider(provider).gateways.map(({ host: name }) => name))) {
      await this.takeDown(host);
      this.hosts.delete(host);
    }
  }

  /** Judges what was not judged yet, and ends everything. */
  async close(): Promise<void> {
    try {
      await this.expectInvariants();
    } finally {
      await this.end();
    }
  }

  /** Ends everything, without judging. */
  async end(): Promise<void> {
    open.delete(this);
    this.sandbox.hosts.restarts.removeAllListeners();
    await this.following;
    for (const { worker } of this.running) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.all(this.running.map(({ done }) => done));
    await Promise.all([...this.processes.values()].map((worker) => worker.retire()));
    await this.connection.close();
    await this.client.connection.close();
    await this.sandbox.close();
    await (this.mortal ?? this.temporal).close();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async anotherConnection(): Promise<NativeConnection> {
    const connection = await connectWorker(this.settings);
    this.options.onConnection?.(connection, this.sandbox);
    return connection;
  }

  /** Names of the activities that the workers in this process have. */
  get activities(): string[] {
    return [...new Set(this.running.flatMap(({ worker }) => [...worker.options.activities.keys()]))];
  }

  get settings(): TemporalSettings {
    return this.temporal.settings;
  }

  /** For the `temporal` and `onward` commands. */
  get connectionArguments(): string[] {
    const { connectionOptions, namespace } = this.settings;
    return ['--address', connectionOptions.address ?? '', '--namespace', namespace];
  }

  get seed(): string | undefined {
    return this.options.seed;
  }

  /** Where the scripts of releases lie, for endpoint workers. */
  private get scripts(): { releases?: ReleaseFolder[] } {
    const { knows } = this.options;
    return knows ? { releases: knows.folders } : {};
  }

  private get inventory(): string {
    return path.join(this.folder, 'inventory');
  }

  private get notes(): string {
    return path.join(this.folder, 'notes');
  }

  private run(worker: Worker, connection: NativeConnection): void {
    const done = serve(worker).finally(() => (connection === this.connection ? undefined : connection.close()));
    this.running.push({ worker, done });
  }
}

async function bundleInto(folder: string, workflowsPath: string): Promise<{ codePath: string }> {
  const codePath = path.join(folder, 'workflows.js');
  await writeFile(codePath, await bundle({ workflowsPath, logger: new DefaultLogger('WARN') }));
  return { codePath };
}

/** Nothing of a run that was terminated before it had looked at its newest event: it answers no more. */
async function evidenceUnlessEnded(
  client: Client,
  handle: WorkflowHandle,
  found: Pick<RunEvidence, 'before' | 'begunAt'>,
): Promise<RunEvidence | undefined> {
  try {
    return await evidenceOfRun(client, handle, found);
  } catch (error) {
    const isEnded = (await handle.describe()).status.name === 'TERMINATED';
    if (isEnded && (error instanceof SaysNothing || error instanceof QueryNotRegisteredError)) return undefined;
    throw error;
  }
}

type HistoryEvent = NonNullable<History['events']>[number];

/** The upgrade of one provider, as its operator and its judge see it. */
export class Upgrade {
  private handle: WorkflowHandle<(input: UpgradeInput) => Promise<UpgradeResult>> | undefined;
  /** The provider as each run found it, by run id. */
  private readonly found = new Map<string, SandboxState>();
  private readonly tasksAtStart: number[];
  private readonly firstInstance: string;
  private judged = false;

  /**
   * @param installed the provider before this upgrade.
   * @param earlier what belongs to the provider's upgrades before this one: so many entries of the journal, and these runs.
   */
  constructor(
    private readonly rehearsal: Rehearsal,
    readonly provider: string,
    private readonly installed: SandboxState,
    readonly settings: Settings,
    private readonly earlier: { entries: number; runs: ReadonlySet<string> } = { entries: 0, runs: new Set() },
  ) {
    this.tasksAtStart = openTasks(rehearsal.sandbox, provider);
    const { instances } = rehearsal.sandbox.world.provider(provider);
    const [first] = [...instances].sort((a, b) => a.instanceId - b.instanceId);
    this.firstInstance = first?.resourceId ?? '';
  }

  async start(input: Partial<UpgradeInput> = {}): Promise<void> {
    // What is finished began with another run, and is judged by what that one found.
    const begun = input.finish ? [...this.found.values()][0] : undefined;
    const found = begun ?? (await this.state());
    const handle = await this.rehearsal.client.workflow.start<(input: UpgradeInput) => Promise<UpgradeResult>>(
      'upgradeProvider',
      {
        workflowId: upgradeWorkflowId(this.provider),
        taskQueue: CONTROL_TASK_QUEUE,
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        args: [{ provider: this.provider, ...input }],
      },
    );
    this.handle = handle;
    this.found.set(handle.firstExecutionRunId, found);
    this.judged = false;
  }

  /**
   * Temporal's Reset: from here on the new run is it. What people have said since is said to it again.
   *
   * @param choose the workflow task after which everything is forgotten, by its events' history
   */
  async reset(choose: (events: HistoryEvent[]) => HistoryEvent | undefined): Promise<void> {
    const { client } = this.rehearsal;
    const workflowId = upgradeWorkflowId(this.provider);
    const { runId } = await client.workflow.getHandle(workflowId).describe();
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const task = choose(events ?? []);
    if (!task) throw new Error('There is no workflow task to reset to.');
    const { runId: reset } = await client.workflowService.resetWorkflowExecution({
      namespace: client.options.namespace,
      workflowExecution: { workflowId, runId },
      reason: 'the wrong button',
      requestId: randomUUID(),
      workflowTaskFinishEventId: task.eventId ?? null,
    });
    const before = [...this.found.values()].at(-1);
    if (before) this.found.set(reset, before);
    this.handle = client.workflow.getHandle(workflowId, reset);
    this.judged = false;
  }

  /** The ledger of its installation, which has the name of the instance that was there first when the upgrade was. */
  ledger(): WorkflowHandle {
    return this.rehearsal.client.workflow.getHandle(ledgerWorkflowId(this.firstInstance));
  }

  /** A workflow of Onward's has started it. */
  startedByWorkflow(): void {
    this.findAgain();
    this.judged = false;
  }

  /** By the connection of now. */
  findAgain(): void {
    this.handle = this.rehearsal.client.workflow.getHandle(upgradeWorkflowId(this.provider));
  }

  /**
   * Judges everything that has happened to the provider so far. A run that goes on is given the time to come to a point that
   * has a name, and a look during which it moved is taken again; one that was started by other means than {@link start} is
   * found by its id.
   *
   * @throws InvariantsBroken
   */
  async expectInvariants(): Promise<void> {
    if (this.judged) return;
    for (const began = Date.now(); ; await delay(LOOKS_EVERY_MS)) {
      // However long a look takes, one that begins while there is patience is not the last.
      const waited = Date.now() - began;
      const { moved, evidence } = await this.look();
      if (moved.includes('toItsEnd')) continue;
      const goesOn = evidence.runs.some(({ closed }) => closed === 'RUNNING');
      this.judged = !goesOn;
      try {
        expectInvariantsIn(evidence);
        return;
      } catch (error) {
        const enough = moved.includes('on') ? MOVES_WITHIN_MS : SETTLES_WITHIN_MS;
        if (!(error instanceof InvariantsBroken) || !goesOn || waited > enough) throw error;
      }
    }
  }

  async evidence(): Promise<Evidence> {
    return (await this.look()).evidence;
  }

  /** @returns also how its runs have moved while they were looked at. */
  private async look(): Promise<{ evidence: Evidence; moved: Awaited<ReturnType<typeof hasMoved>>[] }> {
    const { client, sandbox } = this.rehearsal;
    const workflowId = upgradeWorkflowId(this.provider);
    const seen: [handle: WorkflowHandle, run: RunEvidence][] = [];
    const begunInSilence: Evidence['begunInSilence'] = [];
    const begun = new Map<SandboxState, string>();
    for (const runId of await this.runIds()) {
      if (this.earlier.runs.has(runId)) continue;
      const handle = client.workflow.getHandle(workflowId, runId);
      const before = this.found.get(runId) ?? this.installed;
      const begunAt = begun.get(before) ?? (await handle.describe()).startTime.toISOString();
      begun.set(before, begunAt);
      const run = await evidenceUnlessEnded(client, handle, { before, begunAt });
      if (run) seen.push([handle, run]);
      else begunInSilence.push(...(await begunBy(client, handle)));
    }
    const evidence = await evidenceOf(sandbox, this.provider, {
      runs: seen.map(([, run]) => run),
      begunInSilence,
      tasksAtStart: this.tasksAtStart,
      verifiesConsent: provesConnection(this.settings.connectionTest ?? { adapter: 'sandbox' }),
      seed: this.rehearsal.seed,
      after: this.earlier.entries,
    });
    return { evidence, moved: await Promise.all(seen.map(([handle, run]) => hasMoved(handle, run))) };
  }

  /** Of this upgrade and of those before it. */
  async runIds(): Promise<ReadonlySet<string>> {
    const latest = await this.rehearsal.client.workflow
      .getHandle(upgradeWorkflowId(this.provider))
      .describe()
      .catch((error: unknown) => {
        if (error instanceof WorkflowNotFoundError) return undefined;
        throw error;
      });
    return new Set([...this.earlier.runs, ...this.found.keys(), ...(latest ? [latest.runId] : [])]);
  }

  /** Lets the sandbox operator answer until the upgrade is over. */
  async operate(options: Partial<OperatorOptions> = {}): Promise<OperatorEvent[]> {
    return await runOperator({
      upgrade: this.promptly,
      controlUrl: this.rehearsal.sandbox.urls.control(this.provider),
      everyMs: LOOKS_EVERY_MS,
      ...options,
    });
  }

  /** As {@link workflow}; a question that a dead worker has taken along is given up soon. */
  get promptly(): UpgradeHandle {
    const { connection } = this.rehearsal.client;
    const soon = <T>(ask: () => Promise<T>): Promise<T> => connection.withDeadline(Date.now() + PROMPT_MS, ask);
    return {
      query: (name, skip) => soon(() => this.workflow.query<unknown, [number?]>(name, skip)),
      signal: (name, payload) => soon(() => this.workflow.signal(name, payload)),
    };
  }

  /** Answers holds once each with this action, and everything else as well. */
  async operateResolving(action: Hold['actions'][number]): Promise<OperatorEvent[]> {
    return await this.operate({ resolves: () => action });
  }

  /** Of the upgrade of this provider, also where somebody else has started it, such as a fleet. */
  get workflow(): WorkflowHandle<(input: UpgradeInput) => Promise<UpgradeResult>> {
    return this.handle ?? this.rehearsal.client.workflow.getHandle(upgradeWorkflowId(this.provider));
  }

  get sandbox(): Sandbox {
    return this.rehearsal.sandbox;
  }

  result(): Promise<UpgradeResult> {
    return this.workflow.result();
  }

  status(): Promise<UpgradeStatus> {
    return ask<UpgradeStatus>(this.rehearsal.client, this.workflow, QUERY.status);
  }

  audit(): Promise<AuditEntry[]> {
    return inPages((skip) => ask<AuditEntry[]>(this.rehearsal.client, this.workflow, QUERY.audit, skip));
  }

  /** The status as soon as it is as wanted; asks again until then, because nothing else tells. */
  async statusWhen(wanted: (status: UpgradeStatus) => boolean): Promise<UpgradeStatus> {
    for (; ; await aMoment()) {
      const status = await this.status();
      if (wanted(status)) return status;
      if (status.endedAt !== undefined) throw new Error(endedInstead(status));
    }
  }

  state(): Promise<SandboxState> {
    return this.sandbox.state(this.provider);
  }

  /** Changes that really happened to this provider, in their order: `<name> <object>`. */
  effects(...names: string[]): string[] {
    return this.entries({ kind: 'effect' })
      .filter(({ name }) => names.length === 0 || names.includes(name))
      .map(({ name, object }) => `${name} ${object ?? ''}`);
  }

  /** How often each kind of change happened. */
  effectCounts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { name } of this.entries({ kind: 'effect' })) counts[name] = (counts[name] ?? 0) + 1;
    return counts;
  }

  private entries(filter: Partial<JournalEntry>): JournalEntry[] {
    const hosts = new Set(this.sandbox.world.provider(this.provider).gateways.map(({ host }) => host));
    return this.sandbox.journal
      .entries(filter)
      .filter(({ seq }) => seq > this.earlier.entries)
      .filter((entry) => entry.provider === this.provider || (entry.host !== undefined && hosts.has(entry.host)));
  }
}
