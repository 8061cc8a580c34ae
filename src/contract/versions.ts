/**
 * Versions of the Office 365 application and of Odin Automation, as the release notes name them.
 *
 * Operations prints a package version as `<version>-<release>` (`18.4.1-12`); only the part before the last `-`
 * takes part in any decision (systems.md section 0).
 */

/** Versions that the release notes allow to start from. */
export const SOURCE_VERSIONS = ['18.3', '18.4'] as const;
export type SourceVersion = (typeof SOURCE_VERSIONS)[number];

/** The version that every path of these release notes leads to. */
export const TARGET_VERSION = '18.4.1';

/** Odin Automation releases that the application package requires ("Dependencies and Pre-Requisites"). */
export const SUPPORTED_PLATFORMS = ['7.2', '7.3', '7.4', '8.0'] as const;
export type SupportedPlatform = (typeof SUPPORTED_PLATFORMS)[number];

/** `18.4.1-12` -> `18.4.1`; a version without a release is returned as it is. */
export function withoutRelease(packageVersion: string): string {
  const dash = packageVersion.lastIndexOf('-');
  return dash > 0 ? packageVersion.slice(0, dash) : packageVersion;
}

/** `oa-8.0-1216` -> `8.0`; undefined when the text is no build of Odin Automation (systems.md 1.7). */
export function platformOfBuild(build: string): string | undefined {
  const match = /^(?:oa|cb)-(\d+\.\d+)-\d+$/.exec(build.trim());
  return match?.[1];
}
