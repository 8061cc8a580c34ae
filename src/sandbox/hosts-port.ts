/**
 * What the world and the simulated endpoint hosts ask of each other.
 *
 * The world knows which hosts exist and what was installed there at first; the hosts own their disks (real folders) and
 * everything that happened to them since. `src/sandbox/hosts/register-hosts.ts` exports `registerHosts: RegisterHosts`.
 */
import { createHash } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { FastifyInstance } from 'fastify';
import type { HostIdentity } from '../contract/facts';
import type { SimulatedScript, SimulatedVersion } from '../contract/simulation';
import type { EndpointSettings } from '../systems/endpoint/settings';
import type { Faults } from './faults';
import type { Journal } from './journal';

/** A database as the connection string of a gateway application names it (systems.md 4.4). */
export interface HostDatabase {
  /** `(LocalDB)\MSSQLLocalDB` or the name of a SQL Server. */
  dataSource: string;
  name: string;
  /** SQL login, or the Windows identity of the application pool. */
  login: string;
  /** What IS_SRVROLEMEMBER('sysadmin') says. */
  sysadmin: 1 | 0 | null;
  /** How web.config has the connection string; without it, in plain text. */
  connectionString?: 'plain' | 'encrypted' | 'missing';
}

export interface HostApplication {
  /** Provider whose instances it serves. */
  provider: string;
  /** Name of the gateway application: the path without the slash. */
  application: string;
  /** Installed at first, `18.3-9`. */
  packageVersion: string;
  /** Of its files at first, `18.3.0.9`. */
  assemblyVersion: string;
  database: HostDatabase;
  /** As IIS calls it, `NetworkService`; without it the pool runs as the login of the database. */
  poolIdentity?: string;
}

export interface HostSite {
  /** Name in IIS now; it differs from `installedAs` where somebody has renamed the site. */
  site: string;
  installedAs: string;
  hostname: string;
  ip: string;
  /** https bindings; `*` binds all addresses. */
  bindings: { address: string; port: number; hostHeader: string }[];
  /** Empty for a site that has nothing to do with Office 365. */
  applications: HostApplication[];
  /** Its certificate is of an authority that its own host does not know. */
  untrusted?: boolean;
}

export interface HostSpec {
  name: string;
  identity: HostIdentity;
  elevated: boolean;
  /** On its drive, in bytes; plenty without it. */
  freeBytes?: number;
  /** In DNS; none without it. */
  domain?: string;
  /** What Windows there calls accounts, by what they are asked for: `S-1-5-20`, `contoso.local\\GW-HOST-01$`. */
  accounts?: Record<string, string>;
  sites: HostSite[];
}

/** A machine of its own for each name. */
export function identityOf(name: string): HostIdentity {
  const uuid = (of: string) =>
    createHash('sha256')
      .update(`${of} ${name}`)
      .digest('hex')
      .slice(0, 32)
      .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  return { computerName: name.toUpperCase(), machineGuid: uuid('Windows of'), smbiosUuid: uuid('the hardware of') };
}

/** What the hosts see of the sandbox. */
export interface HostsWorld {
  journal: Journal;
  faults: Faults;
  /** Folder that the hosts' disks live in, one folder per host; it survives a restart of the sandbox. */
  hostsDirectory: string;
  /** By them a host tells what version files of an assembly version are of. */
  versions: readonly Pick<SimulatedVersion, 'version' | 'assemblyVersion'>[];
  /** Hosts of all providers; a host that two providers share appears once. */
  hosts(): HostSpec[];
  /** What the configuration of every host allows. */
  packages(): EndpointSettings['packages'];
  /** How long setup.cmd, iisreset and a restart take. */
  timings: { setupMs: number; iisResetMs: number; hostRestartMs: number };
  /** What the releases' own scripts do, for hosts without a genuine PowerShell. */
  releaseTwins?: ReleaseTwins | undefined;
}

/** What the releases' own scripts do, by release and script: `18.5/install-runtime`. */
export type ReleaseTwins = Record<string, SimulatedScript>;

export interface SimulatedHosts {
  /**
   * Version that the gateway application answers with when the APS controller calls it: `18.4.1`, `18.3`, or `mixed`
   * where the files are of several versions. Rejects when there is no such host, site or application.
   */
  servedVersion(host: string, site: string, application: string): Promise<string>;
  /** Everything of the gateway application that an upgrade may change, for comparison: versions and a digest of its files. */
  applicationState(host: string, site: string, application: string): Promise<unknown>;
  /** What the worker of this host, or of a clone, has for its configuration. */
  endpointSettings(host: string): EndpointSettings;
  /**
   * Copies the host as it is now, disk and all: the same sites, the same name, another UUID of SMBIOS. A worker that runs there
   * serves whatever task queue it is told to.
   */
  clone(host: string, name: string): void;
  /** Names of the copies of a host. */
  clonesOf(host: string): string[];
  /** The provider's hosts were added while the sandbox runs: lay out their disks. */
  refresh(): Promise<void>;
  /** Tells of hosts that restart, as it happens: their workers are stopped and started by whoever runs them. */
  readonly restarts: Restarts;
  close(): Promise<void>;
}

/** `down` and `up` with the name of the host. While it is down no script runs there, and what ran is dead. */
export type Restarts = EventEmitter<{ down: [host: string]; up: [host: string] }>;

/** Adds the routes `/_sim/hosts/...` and lays out the disks of hosts that have none yet. */
export type RegisterHosts = (app: FastifyInstance, world: HostsWorld) => Promise<SimulatedHosts>;
