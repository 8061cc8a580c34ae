/** One simulated host on a real folder, with its control routes and the package to fetch, and activities that run on it. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import fastify from 'fastify';
import { createEndpointActivities, type EndpointDependencies } from '../../activities/endpoint';
import type { EndpointActivities } from '../../src/contract/activities';
import type { FrozenHost, GatewaySite } from '../../src/contract/facts';
import { operationId, type Operation } from '../../src/contract/operation';
import { simulatedPowershell, urlOfHost } from '../../src/sandbox/adapters';
import { Faults, type FaultRule } from '../../src/sandbox/faults';
import { applicationDirectory, hostProgramData } from '../../src/sandbox/hosts/disk';
import { registerHosts } from '../../src/sandbox/hosts/register-hosts';
import { identityOf, type HostSpec, type ReleaseTwins, type SimulatedHosts } from '../../src/sandbox/hosts-port';
import { Journal } from '../../src/sandbox/journal';
import { buildPackage } from '../../src/sandbox/package-file';
import { SimulatedVersions } from '../../src/sandbox/simulated-versions';
import { findExecutable } from '../../src/systems/endpoint/executable';
import type { PowerShell } from '../../src/systems/endpoint/powershell';
import type { SimulatedRelease } from '../../src/contract/simulation';
import { simulation } from '../../workflows/releases/18.4.1/simulation';
import type { Parameters, Result, ScriptName } from '../../src/systems/endpoint/scripts';
import type { EndpointSettings } from '../../src/systems/endpoint/settings';
import { patience } from '../kit/deadlines';

export const HOST = 'gw-host-01';
export const FROM = '18.3';
export const TO = '18.4.1';
export const OPERATION: Operation = {
  provider: 'contoso',
  from: FROM,
  to: TO,
  firstRun: '0199a1c4-5d0e-7b7a-9d3f-5a1f0c9e7d21',
  workflowId: 'upgrade/contoso',
};
/** The same upgrade, started anew. */
export const NEXT: Operation = { ...OPERATION, firstRun: '0199a1c9-2b44-7c10-8e55-0d6b1f4a9c33' };
/** A failure is what a test expects; it needs no log. */
const QUIET = new DefaultLogger('ERROR', () => undefined);
const { target, package: file } = simulation;
/** A later release, for what one upgrade has to leave alone of another. */
const LATER: SimulatedRelease = {
  ...simulation,
  version: '18.5',
  target: { ...target, version: '18.5', packageVersion: '18.5-2', assemblyVersion: '18.5.0.2' },
  package: { ...file, fileName: 'Office_365-18.5-2.app.zip' },
};
/** Of the package's URL: whoever has it can fetch the package. */
export const SIGNATURE = 'sv2026canary0123456789';
const VERSIONS = new SimulatedVersions([simulation, LATER]);
const PACKAGES = [simulation, LATER].map(buildPackage);

type InputOf<F> = F extends (input: infer Input) => unknown ? Input : never;

export type Engine = 'stand-in' | 'PowerShell';
export const GENUINE = findExecutable(process.env['ONWARD_PWSH'] || 'pwsh', process.env);

/** What an activity sees of Temporal. */
export function activityEnvironment(startToCloseTimeoutMs = patience(60_000), attempt = 1): MockActivityEnvironment {
  // The attempts together have all the time that they want.
  const scheduleToCloseTimeoutMs = 0;
  return new MockActivityEnvironment({ startToCloseTimeoutMs, scheduleToCloseTimeoutMs, attempt }, { logger: QUIET });
}

export function hostSpec(overrides: Partial<HostSpec> = {}): HostSpec {
  const binding = (address: string) => [{ address, port: 443, hostHeader: '' }];
  const application = (number: string) => ({
    provider: 'contoso',
    application: `Office365GatewayApplication${number}`,
    packageVersion: VERSIONS.of(FROM).packageVersion,
    assemblyVersion: VERSIONS.of(FROM).assemblyVersion,
  });
  const local = {
    dataSource: '(LocalDB)\\MSSQLLocalDB',
    name: 'Gateway',
    login: 'IIS APPPOOL\\Gateway',
    sysadmin: null,
  };
  const full = { dataSource: 'sql01.hosting.local', name: 'Gateway', login: 'o365gateway', sysadmin: 1 as const };
  return {
    name: HOST,
    identity: identityOf(HOST),
    elevated: true,
    sites: [
      {
        site: 'Office365 Gateway 01',
        installedAs: 'Office365 Gateway 01',
        hostname: 'gateway01.contoso.local',
        ip: '10.1.2.11',
        bindings: binding('10.1.2.11'),
        applications: [{ ...application('01'), database: local }],
      },
      {
        site: 'Office365 Gateway 02',
        installedAs: 'Office365 Gateway 02',
        hostname: 'gateway02.contoso.local',
        ip: '10.1.2.12',
        bindings: binding('10.1.2.12'),
        applications: [{ ...application('02'), database: full }],
      },
      {
        site: 'Intranet',
        installedAs: 'Intranet',
        hostname: 'intranet.contoso.local',
        ip: '10.1.2.13',
        bindings: binding('*'),
        applications: [],
      },
    ],
    ...overrides,
  };
}

/** A worker that differs from that of the host. */
export type WorkerOptions = Partial<EndpointDependencies> & { environment?: () => MockActivityEnvironment };

export interface HostWorldOptions {
  spec?: HostSpec;
  directory?: string;
  setupMs?: number;
  hostRestartMs?: number;
  releaseTwins?: ReleaseTwins;
}

export class HostWorld {
  private constructor(
    readonly url: string,
    readonly journal: Journal,
    readonly faults: Faults,
    readonly hosts: SimulatedHosts,
    readonly spec: HostSpec,
    readonly directory: string,
    private readonly stop: () => Promise<void>,
  ) {}

  static async start({
    spec = hostSpec(),
    directory,
    setupMs = 0,
    hostRestartMs = 0,
    releaseTwins,
  }: HostWorldOptions = {}): Promise<HostWorld> {
    const hostsDirectory = directory ?? (await realpath(await mkdtemp(path.join(tmpdir(), 'onward-hosts-'))));
    const journal = new Journal();
    const faults = new Faults();
    const app = fastify();
    app.get<{ Params: { file: string } }>('/packages/:file', async ({ params }, reply) =>
      reply.type('application/zip').send(PACKAGES.find(({ fileName }) => fileName === params.file)?.body),
    );
    const hosts = await registerHosts(app, {
      journal,
      faults,
      hostsDirectory,
      versions: VERSIONS.all,
      hosts: () => [spec],
      packages: () => {
        const { port } = app.server.address() as AddressInfo;
        return Object.fromEntries(
          PACKAGES.map(({ version, sha256, fileName }) => [
            version,
            { url: `http://127.0.0.1:${port}/packages/${fileName}?sig=${SIGNATURE}`, sha256 },
          ]),
        );
      },
      timings: { setupMs, iisResetMs: 0, hostRestartMs },
      releaseTwins,
    });
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const stop = async () => {
      await hosts.close();
      await app.close();
    };
    return new HostWorld(`http://127.0.0.1:${port}`, journal, faults, hosts, spec, hostsDirectory, stop);
  }

  async end({ keepDisk = false } = {}): Promise<void> {
    await this.stop();
    if (!keepDisk) await rm(this.directory, { recursive: true, force: true });
  }

  get host(): FrozenHost {
    return { name: HOST, identity: this.spec.identity };
  }
  get workDirectory(): string {
    return this.settings.workDirectory;
  }
  /** What the worker of the host has for its configuration. */
  get settings(): EndpointSettings {
    return this.hosts.endpointSettings(HOST);
  }
  /** The package that leads to the operation's version. */
  packageOf(operation: Operation): { sha256: string; operation: Operation } {
    return { sha256: this.settings.packages[operation.to]?.sha256 ?? '', operation };
  }
  get claimFile(): string {
    return path.join(hostProgramData(this.directory, HOST), 'Onward', 'claim.json');
  }

  fault(call: string, kind: FaultRule['kind'], more: Partial<FaultRule> = {}): void {
    this.faults.add({ system: 'host', host: HOST, call, kind, ...more });
  }

  powershell(engine: Engine): PowerShell {
    const own = engine === 'stand-in' ? { ONWARD_PWSH: '', PATH: '' } : { ONWARD_PWSH: GENUINE };
    return simulatedPowershell(urlOfHost(this.url, HOST), { ...process.env, ...own });
  }

  /** A script as activities run it. */
  async run<N extends ScriptName>(
    engine: Engine,
    script: N,
    parameters: Omit<Parameters[N], 'workDirectory' | 'identity'>,
  ): Promise<Result<N>> {
    const told = { workDirectory: this.workDirectory, identity: this.host.identity, ...parameters };
    const powershell = this.powershell(engine);
    return (await powershell.run(script, told as unknown as Parameters[N], patience(60_000))).result;
  }

  /** The host belongs to this operation from now on, whoever had it before; `undefined`: to none. */
  async claim(operation: Operation | undefined, engine: Engine = 'stand-in'): Promise<void> {
    const replaces = existsSync(this.claimFile) ? readFileSync(this.claimFile, 'utf8') : '';
    const claim = operation === undefined ? '' : JSON.stringify({ operation: operationId(operation) });
    await this.run(engine, 'claim', { claim, replaces });
  }

  /** The activities as a worker runs them, each in an activity's context of its own. */
  activities(engine: Engine, { environment = () => activityEnvironment(), ...worker }: WorkerOptions = {}) {
    const activities = createEndpointActivities({
      powershell: this.powershell(engine),
      settings: this.settings,
      ...worker,
    });
    return new Proxy(activities, {
      get:
        <N extends keyof EndpointActivities>(target: EndpointActivities, name: N) =>
        (input: InputOf<EndpointActivities[N]>) =>
          environment().run(target[name] as (input: unknown) => Promise<unknown>, input),
    });
  }

  /** The gateway site as the procedure's step 1 has written it down; counted from 0. */
  planned(index: number): GatewaySite {
    const site = this.spec.sites[index];
    const application = site?.applications[0]?.application;
    if (site === undefined || application === undefined) throw new Error(`The host has no gateway site ${index}`);
    return {
      host: HOST,
      site: site.installedAs,
      application,
      hostname: site.hostname,
      ip: site.ip,
      instances: [index + 1],
    };
  }

  /** Resolves when the journal has a call of that name. */
  async journalled(call: string): Promise<void> {
    const until = Date.now() + patience(20_000);
    while (!this.calls().some((name) => name.startsWith(call))) {
      if (Date.now() > until) throw new Error(`The journal has no call of ${call}: ${this.calls().join(', ')}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** A change to the host that nobody told Onward of. */
  async post(route: string, body: unknown): Promise<unknown> {
    const response = await fetch(`${this.url}/_sim/hosts/${HOST}/${route}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${route}: HTTP ${response.status}`);
    return await response.json();
  }

  /** A Windows command that somebody gives by hand. */
  windows(command: string, parameters: object): Promise<unknown> {
    return this.post(`windows/${encodeURIComponent(command)}`, parameters);
  }

  /** Folder of a gateway application. */
  folder(index: number): string {
    const site = this.spec.sites[index];
    if (site === undefined) throw new Error(`The host has no site ${index}`);
    return applicationDirectory(this.directory, HOST, site, this.planned(index).application);
  }

  state(index: number): Promise<unknown> {
    const { site, application } = this.planned(index);
    return this.hosts.applicationState(HOST, site, application);
  }

  served(index: number): Promise<string> {
    const { site, application } = this.planned(index);
    return this.hosts.servedVersion(HOST, site, application);
  }

  effects(): string[] {
    return this.journal.entries({ kind: 'effect' }).map(({ name, object }) => `${name} ${object}`);
  }

  calls(): string[] {
    return this.journal
      .entries({ kind: 'call' })
      .map(({ name, outcome }) => (outcome === 'ok' ? name : `${name}: ${outcome}`));
  }

  /** The journal without what no two runs share. */
  story(): string[] {
    return this.journal
      .entries()
      .map(({ kind, name, object, outcome, provider }) =>
        [kind, name, object, outcome, provider].filter((part) => part !== undefined).join(' '),
      );
  }
}
