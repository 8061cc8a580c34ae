/**
 * What a release says for the sandbox: the versions that a simulated world may hold, how an instance of each behaves, and the
 * package that the vendor delivers. The sandbox knows nothing of versions but this.
 */

import type { FailureType, HostScriptParameters } from './activities';
import type { HostScriptResult } from './facts';

/** One version of the Office 365 application, as it answers where it is installed. */
export interface SimulatedVersion {
  /** `18.4.1` */
  readonly version: string;
  /** As Operations prints it, `18.4.1-12`; the numbers after the dash are invented (systems.md 1.8). */
  readonly packageVersion: string;
  /** Version of the gateway application's assemblies and of its web.config: what setup.cmd of this version leaves behind. */
  readonly assemblyVersion: string;
  /**
   * How an instance signs in to Microsoft: with a stored user, or with a refresh token that an administrator's consent gives. An
   * instance that comes from the first to the second has no token until somebody consents, and its *Test Connection* fails.
   */
  readonly signIn: 'storedUser' | 'refreshToken';
  /** Service parameters that its billing service templates carry beside `aps_defaults_o365`, such as `o365_based_on_email` (systems.md 3.3). */
  readonly parameters: readonly string[];
  /** Older versions of the endpoint that serve it as well: their gateway sites need no upgrade. */
  readonly servedBy?: readonly string[];
  /** Build of Odin Automation of a provider that starts on it, where the release after it needs a newer one than usual. */
  readonly build?: string;
}

/** The file that the vendor delivers (systems.md 1.4.2, 1.8). */
export interface SimulatedPackage {
  /** `Office_365-18.4.1-12.app.zip` */
  readonly fileName: string;
  /** When the vendor packed it, ISO 8601 in UTC: stands in APP-META.xml. */
  readonly packagedAt: string;
  /** The oldest version whose instances its upgrade rule accepts: `18.3` of `<upgrade match="version =gt= 18.3"/>`. */
  readonly upgradesFrom: string;
  /** Name of the zip inside that holds setup.cmd and the gateway application's files. */
  readonly webArchive: string;
}

/** A package of another application in the APS package list (systems.md 2.3). */
export interface SimulatedCompanion {
  /** Its package id, a URI. */
  readonly application: string;
  readonly name: string;
  /** `<version>-<release>` */
  readonly packageVersion: string;
}

/** Of a feature of Windows. */
export type FeatureState = 'Available' | 'InstallPending' | 'Installed';

/**
 * What a script of the release does to a host, done by the sandbox itself where there is no genuine PowerShell. The script is the
 * original (src/systems/endpoint/scripts/run-script.ps1): this takes the same parameters, says the same, and is tested against it.
 */
export type SimulatedScript = (
  host: ScriptedHost,
  parameters: HostScriptParameters,
) => Omit<HostScriptResult, 'bootTime'> | Promise<Omit<HostScriptResult, 'bootTime'>>;

/** What such a script may ask of Windows; PowerShell has the same through the sandbox's module. */
export interface ScriptedHost {
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

export interface SimulatedRelease {
  /** Version that it leads to, `18.4.1`. */
  readonly version: string;
  /** Versions that a world may start on, the oldest first. */
  readonly sources: readonly [SimulatedVersion, ...SimulatedVersion[]];
  readonly target: SimulatedVersion;
  readonly package: SimulatedPackage;
  /** Other applications that a provider on one of the sources has in its package list. */
  readonly companions?: readonly SimulatedCompanion[];
  /** By the name of the script, without `.ps1`. */
  readonly scripts?: Readonly<Record<string, SimulatedScript>>;
}
