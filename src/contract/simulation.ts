/**
 * What a release says for the sandbox: the versions that a simulated world may hold, how an instance of each behaves, and the
 * package that the vendor delivers. The sandbox knows nothing of versions but this.
 */

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
  /** Whether its billing service templates carry the service parameter `o365_based_on_email` (systems.md 3.3). */
  readonly emailParameter: boolean;
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

export interface SimulatedRelease {
  /** Version that it leads to, `18.4.1`. */
  readonly version: string;
  /** Versions that a world may start on, the oldest first. */
  readonly sources: readonly [SimulatedVersion, ...SimulatedVersion[]];
  readonly target: SimulatedVersion;
  readonly package: SimulatedPackage;
  /** Other applications that a provider on one of the sources has in its package list. */
  readonly companions?: readonly SimulatedCompanion[];
}
