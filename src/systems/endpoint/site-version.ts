/** Which version the files of a gateway application are of. */
import { FAILURE } from '../../contract/activities';
import type { DeployedVersion, SiteVersion } from '../../contract/facts';
import { isBefore, isOfRelease } from '../../contract/versions';
import { SystemError } from '../system-error';
import type { InspectedSite } from './scripts';

/**
 * Assumption: the application's own assemblies begin with its name. Others in the same folder are libraries with versions
 * of their own.
 */
const OWN_ASSEMBLY = /^(office365|o365)/i;
const OWN_NAMES = 'Office365*.dll, O365*.dll';
/** What a compiler writes where nobody says a version: it tells nothing of the release. */
const UNSAID: ReadonlySet<string> = new Set(['0.0.0.0', '1.0.0.0']);

/**
 * `old` or `new` when all own assemblies and web.config agree, else `mixed`: what a setup that died leaves behind.
 *
 * @param from Version that the upgrade starts from, `18.3`.
 * @param to Version that it leads to, `18.4.1`.
 * @param host Name of its endpoint host, for whoever reads the failure.
 * @throws SystemError `UnexpectedState` where there is no such application, or where its files are of a third version.
 */
export function siteVersion(site: InspectedSite, from: string, to: string, host: string): SiteVersion {
  if (site.assemblies === null) throw unexpected(host, site, whyNoFiles(site));
  const assemblyVersions = ownVersions(site.assemblies);
  const webConfigVersion = site.webConfigVersion ?? undefined;
  const all = webConfigVersion === undefined ? assemblyVersions : [...assemblyVersions, webConfigVersion];
  const strange = all.filter((version) => !isBefore(version, { from, to }) && !isOfRelease(version, to));
  if (strange.length > 0) {
    throw unexpected(host, site, `has files of version ${strange.join(', ')}, neither ${from} nor ${to}`);
  }
  const sorts = new Set(all.map((version): DeployedVersion => (isOfRelease(version, to) ? 'new' : 'old')));
  const [only] = sorts;
  const deployed = only !== undefined && sorts.size === 1 && assemblyVersions.length > 0 ? only : 'mixed';
  return { deployed, assemblyVersions, webConfigVersion };
}

/** Of the application's own assemblies, each once. */
export const ownVersions = (assemblies: { file: string; version: string | null }[]): string[] =>
  [
    ...new Set(
      assemblies
        .filter(({ file }) => OWN_ASSEMBLY.test(file))
        .flatMap(({ version }) => (version === null || UNSAID.has(version) ? [] : version)),
    ),
  ].sort();

/** Why nobody can say of which version the files of an application are, whatever its web.config says. */
export function whyNoVersion({ assemblies, physicalPath }: Pick<InspectedSite, 'assemblies' | 'physicalPath'>): {
  noVersion?: string;
} {
  if (assemblies === null) return { noVersion: `has no folder: ${physicalPath ?? ''} does not exist` };
  if (ownVersions(assemblies).length > 0) return {};
  const own = assemblies.filter(({ file }) => OWN_ASSEMBLY.test(file));
  return {
    noVersion:
      own.length === 0
        ? `has no assembly of its own in bin (${OWN_NAMES})`
        : `has no version in its own assemblies (${own.map(({ file }) => file).join(', ')})`,
  };
}

function whyNoFiles(site: InspectedSite): string {
  if (site.bindings === null) return 'does not exist: IIS has no such site, unless under another name';
  if (site.physicalPath === null) return 'does not exist: the site has no such application';
  return `has no folder: ${site.physicalPath} does not exist`;
}

function unexpected(host: string, { site, application }: InspectedSite, problem: string): SystemError {
  return new SystemError({
    type: FAILURE.unexpectedState,
    system: host,
    call: 'the gateway application',
    object: `${site}/${application}`,
    problem,
    next: 'Look at the site on the host and put it right, then retry.',
  });
}
