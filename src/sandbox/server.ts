/** A whole sandbox in this process: its world, its systems on their ports, its journal. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { SimulatedRelease } from '../contract/simulation';
import { certificates } from './certificates';
import { Faults, Latencies } from './faults';
import { registerHosts } from './hosts/register-hosts';
import type { RegisterHosts, ReleaseTwins, SimulatedHosts } from './hosts-port';
import { writeInventory, type ProviderProfileInput } from './inventory';
import { Journal } from './journal';
import { buildPackage, type PackageFile } from './package-file';
import { apsServer } from './servers/aps';
import { ApsTokens } from './servers/aps-tokens';
import { billingServer } from './servers/billing';
import { controlServer, registerControl } from './servers/control';
import { microsoftServer } from './servers/microsoft';
import { operationsServer } from './servers/operations';
import { rootProvider } from './servers/root-provider';
import { Transactions } from './servers/transactions';
import { Wire } from './servers/wire';
import { SimulatedVersions } from './simulated-versions';
import { sandboxUrls, type SandboxPorts, type SandboxSystem, type SandboxUrls } from './urls';
import { defaultProviders } from './world/defaults';
import type { ProviderOptions } from './world/spec';
import { QUICK, type Timings } from './world/timings';
import { Impossible, UnknownObject, World, type ProviderSnapshot } from './world/world';

export interface SandboxOptions {
  /** What versions there are and how they behave, the oldest release first: what `workflows/releases` says for the sandbox. */
  releases: readonly SimulatedRelease[];
  /** State, journal, certificates and the hosts' disks. Without it a temporary folder, removed at the end. */
  dataDirectory?: string;
  /** For providers that name no seed of their own. */
  seed?: string;
  /** Those that the data directory does not hold already; by default {@link defaultProviders}. */
  providers?: ProviderOptions[];
  /** Id of the provider that is served at the root of the ports as well; where there is only one, that is it. */
  root?: string;
  /** 0 for any free one, which is the default. */
  ports?: Partial<SandboxPorts>;
  /** Address to listen on; 127.0.0.1 by default. */
  host?: string;
  /** Name under which others reach this machine; the address by default. */
  publicHost?: string;
  timings?: Partial<Timings>;
  /** The endpoint hosts; those of `./hosts` by default. */
  hosts?: RegisterHosts;
}

/** A provider's state for comparison: what its operators see, and what its gateway applications serve. */
export interface SandboxState extends ProviderSnapshot {
  gateways: { host: string; site: string; application: string; state: unknown }[];
}

export interface Sandbox {
  urls: SandboxUrls;
  ports: SandboxPorts;
  journal: Journal;
  faults: Faults;
  latencies: Latencies;
  world: World;
  hosts: SimulatedHosts;
  /** One per release, in their order. */
  packages: readonly PackageFile[];
  /** PEM file of the authority behind the APS controller's certificate. */
  caFile: string;
  dataDirectory: string;
  /** Canonical: equal states give equal JSON. */
  state(provider: string): Promise<SandboxState>;
  addProvider(options: ProviderOptions): Promise<void>;
  /** One inventory file per provider, or only for those named; returns their paths. */
  writeInventory(directory: string, overrides?: Partial<ProviderProfileInput>, only?: string[]): string[];
  close(): Promise<void>;
}

const ANY_PORT: SandboxPorts = { operations: 0, aps: 0, billing: 0, microsoft: 0, control: 0 };

export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const dataDirectory = options.dataDirectory ?? mkdtempSync(path.join(os.tmpdir(), 'onward-sandbox-'));
  const forget = () => {
    if (options.dataDirectory === undefined) rmSync(dataDirectory, { recursive: true, force: true });
  };
  try {
    return await start(options, dataDirectory, forget);
  } catch (error) {
    forget();
    throw error;
  }
}

async function start(options: SandboxOptions, dataDirectory: string, forget: () => void): Promise<Sandbox> {
  mkdirSync(dataDirectory, { recursive: true });
  // A host refuses folders that are reached through a link.
  const canonical = realpathSync(dataDirectory);
  const within = (name: string) => path.join(canonical, name);
  const address = options.host ?? '127.0.0.1';
  const timings: Timings = { ...QUICK, ...options.timings };
  const journal = new Journal(within('journal.jsonl'));
  const faults = new Faults();
  const latencies = new Latencies();
  const versions = new SimulatedVersions(options.releases);
  const world = new World({ versions, journal, timings, stateDirectory: within('state') });
  for (const provider of options.providers ?? defaultProviders(options.releases)) {
    const known = world.providers().some(({ id }) => id === provider.id);
    if (!known) world.create({ ...(options.seed !== undefined && { seed: options.seed }), ...provider });
  }
  if (options.root !== undefined && !world.providers().some(({ id }) => id === options.root)) {
    throw new UnknownObject(`there is no provider '${options.root}' for the root of the ports`);
  }
  const wire = new Wire(journal, faults, latencies);
  const tokens = new ApsTokens(world);
  const tls = await certificates(within('tls'));
  const packages = options.releases.map(buildPackage);

  const publicHost = options.publicHost ?? address;
  const ports: SandboxPorts = { ...ANY_PORT, ...options.ports };
  const control = controlServer();
  const hosts = await (options.hosts ?? registerHosts)(control, {
    journal,
    faults,
    hostsDirectory: within('hosts'),
    versions: versions.all,
    hosts: () => world.hosts(),
    packages: () => {
      const urls = sandboxUrls(publicHost, ports, packages);
      return Object.fromEntries(
        packages.map(({ version, sha256 }) => [version, { url: urls.package(version), sha256 }]),
      );
    },
    timings,
    releaseTwins: twinsOf(options.releases),
  });
  const transactions = new Transactions(() => world.now());
  const root = rootProvider(world, options.root);
  const controllerUri = (provider: string) => sandboxUrls(publicHost, ports, packages).aps(provider);
  const apps: Record<SandboxSystem, FastifyInstance> = {
    operations: operationsServer({ world, wire, hosts, tokens, transactions, controllerUri, root }),
    aps: apsServer({ world, wire, tokens, tls, root }),
    billing: billingServer({ world, wire, root }),
    microsoft: microsoftServer(world, wire),
    control,
  };
  const state = async (id: string): Promise<SandboxState> => {
    world.settle(world.provider(id));
    const gateways = world.provider(id).gateways.map(async ({ host, site, application }) => ({
      host,
      site,
      application,
      state: await hosts.applicationState(host, site, application),
    }));
    return { ...world.snapshot(id), gateways: await Promise.all(gateways) };
  };
  const addProvider = async (wanted: ProviderOptions) => {
    const provider = world.create(wanted);
    await hosts.refresh();
    return provider;
  };
  const setListening = async (name: string, listening: boolean): Promise<void> => {
    const system = (Object.keys(apps) as SandboxSystem[]).find((other) => other === name && other !== 'control');
    if (!system) throw new UnknownObject(`there is no system '${name}' that can be stopped`);
    if (apps[system].server.listening === listening) throw new Impossible(`${name} is in that state already`);
    await (listening ? openPort(apps[system], ports[system], address) : closePort(apps[system]));
  };
  registerControl(control, {
    world,
    wire,
    journal,
    faults,
    latencies,
    tokens,
    packages,
    hosts,
    state,
    addProvider,
    setListening,
  });
  const close = async () => {
    wire.close();
    await hosts.close();
    await Promise.all(Object.values(apps).map((app) => app.close()));
    world.flush();
    forget();
  };
  try {
    for (const system of Object.keys(apps) as SandboxSystem[]) {
      await apps[system].listen({ port: ports[system], host: address });
      ports[system] = (apps[system].server.address() as AddressInfo).port;
    }
  } catch (error) {
    await close();
    throw error;
  }
  const urls = sandboxUrls(publicHost, ports, packages);
  return {
    urls,
    ports,
    journal,
    faults,
    latencies,
    world,
    hosts,
    packages,
    caFile: tls.caFile,
    dataDirectory: canonical,
    state,
    addProvider: async (wanted) => {
      await addProvider(wanted);
    },
    writeInventory: (directory, overrides, only = world.providers().map(({ id }) => id)) =>
      writeInventory(
        directory,
        only.map((id) => world.provider(id)),
        {
          urls,
          caFile: tls.caFile,
          packages,
          secretsDirectory: within('secrets'),
          ...(overrides && { overrides }),
        },
      ),
    close,
  };
}

function closePort(app: FastifyInstance): Promise<void> {
  return new Promise((resolve, reject) => {
    app.server.close((error) => (error ? reject(error) : resolve()));
    app.server.closeAllConnections();
  });
}

function openPort(app: FastifyInstance, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    app.server.once('error', reject);
    app.server.listen({ port, host }, () => {
      app.server.off('error', reject);
      resolve();
    });
  });
}

const twinsOf = (releases: readonly SimulatedRelease[]): ReleaseTwins =>
  Object.fromEntries(
    releases.flatMap(({ version, scripts = {} }) =>
      Object.entries(scripts).map(([name, script]) => [`${version}/${name}`, script]),
    ),
  );
