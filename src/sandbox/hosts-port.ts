/**
 * What the world and the simulated endpoint hosts ask of each other.
 *
 * The world knows which hosts exist and what was installed there at first; the hosts own their disks (real folders) and
 * everything that happened to them since. `src/sandbox/hosts/register-hosts.ts` exports `registerHosts: RegisterHosts`.
 */
import type { EventEmitter } from 'node:events';
import type { FastifyInstance } from 'fastify';
import type { FailureType, HostScriptParameters } from '../contract/activities';
import type { HostScriptResult } from '../contract/facts';
import type { Faults } from './faults';
import type { FeatureState } from './hosts/installed';
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
}

export interface HostApplication {
  /** Provider whose instances it serves. */
  provider: string;
  /** Name of the gateway application: the path without the slash. */
  application: string;
  /** Installed at first, `18.3-9`. */
  packageVersion: string;
  database: HostDatabase;
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
}

export interface HostSpec {
  name: string;
  computerName: string;
  elevated: boolean;
  sites: HostSite[];
}

/** What the hosts see of the sandbox. */
export interface HostsWorld {
  journal: Journal;
  faults: Faults;
  /** Folder that the hosts' disks live in, one folder per host; it survives a restart of the sandbox. */
  hostsDirectory: string;
  /** Hosts of all providers; a host that two providers share appears once. */
  hosts(): HostSpec[];
  /** How long setup.cmd, iisreset and a restart take. */
  timings: { setupMs: number; iisResetMs: number; hostRestartMs: number };
  /** What the releases' own scripts do, for hosts without a genuine PowerShell. */
  releaseTwins?: ReleaseTwins | undefined;
}

/**
 * What the scripts of releases do to a host, done by the sandbox itself for the stand-in of PowerShell, by release and script:
 * `18.5/install-runtime`. The script is the original (src/systems/endpoint/scripts/run-script.ps1): a twin takes the same
 * parameters, says the same, and is tested against it.
 */
export type ReleaseTwins = Record<string, ReleaseTwin>;
export type ReleaseTwin = (host: TwinHost, parameters: HostScriptParameters) => TwinSaid | Promise<TwinSaid>;
export type TwinSaid = Omit<HostScriptResult, 'bootTime'>;

/** What such a script may ask of Windows; PowerShell has the same through windows.psm1. */
export interface TwinHost {
  /** Get-WindowsFeature */
  featureState(name: string): FeatureState;
  /** Install-WindowsFeature. */
  installFeature(name: string): Promise<{ restartNeeded: boolean }>;
  /** Get-ItemProperty of a key below `HKLM:`; undefined where there is none. */
  registryValue(key: string, name: string): string | number | undefined;
  /** New-Item and Set-ItemProperty. */
  setRegistryValue(key: string, name: string, value: string | number): void;
  /** The script ends itself with a failure of that kind, as `Fail` does. */
  fail(kind: FailureType, message: string): never;
}

export interface SimulatedHosts {
  /**
   * Version that the gateway application answers with when the APS controller calls it: `18.4.1`, `18.3`, or `mixed`
   * where the files are of several versions. Rejects when there is no such host, site or application.
   */
  servedVersion(host: string, site: string, application: string): Promise<string>;
  /** Everything of the gateway application that an upgrade may change, for comparison: versions and a digest of its files. */
  applicationState(host: string, site: string, application: string): Promise<unknown>;
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
