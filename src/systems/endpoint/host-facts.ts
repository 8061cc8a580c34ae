import type { GatewayDatabase, HostDisk, HostFacts } from '../../contract/facts';
import { parseBinding } from './bindings';
import { ownVersions, whyNoVersion } from './site-version';
import { scriptsOf, type ReleaseFolder } from './release-scripts';
import type { Result } from './scripts';
import type { EndpointSettings } from './settings';

/** So many files are named; a result is kept in the history. */
const NAMED_FILES = 20;

/** What was looked at beside what `discover` says. */
export interface Prechecked {
  disk: HostDisk;
  applications: Result<'precheck'>['applications'];
}

/** What the script `discover` said, as the contract has it, and what the worker itself has. */
export function hostFacts(
  host: string,
  { identity, elevated, exposed, sites }: Result<'discover'>,
  { packages }: EndpointSettings,
  releases: ReleaseFolder[],
  prechecked?: Prechecked,
): HostFacts {
  const lookedAt = (site: string, application: string) => {
    const found = prechecked?.applications.find((one) => one.site === site && one.application === application);
    if (!found) return {};
    const unread = found.unread.slice(0, NAMED_FILES).map(({ path, problem }) => `${path} (${problem})`);
    return { bytes: found.bytes, unread };
  };
  return {
    host,
    identity,
    elevated,
    exposed,
    packages: Object.fromEntries(Object.entries(packages).map(([version, { sha256 }]) => [version, sha256])),
    scripts: scriptsOf(releases),
    sites: sites.map(({ name, state, bindings, applications }) => ({
      name,
      state,
      bindings: bindings.map(parseBinding),
      applications: applications.map((application) => ({
        name: application.name,
        physicalPath: application.physicalPath,
        versions: [
          ...ownVersions(application.assemblies ?? []),
          ...(application.webConfigVersion === null ? [] : [application.webConfigVersion]),
        ],
        ...whyNoVersion(application),
        ...lookedAt(name, application.name),
        databases: application.databases.map(gatewayDatabase),
        // For workflows of builds that know of one.
        database: application.databases.map(gatewayDatabase)[0],
      })),
    })),
    ...(prechecked && { disk: prechecked.disk }),
  };
}

function gatewayDatabase({
  dataSource,
  login,
  sysadmin,
}: Omit<GatewayDatabase, 'localDb' | 'sysadmin'> & { sysadmin: number | null }): GatewayDatabase {
  // `(localdb)\MSSQLLocalDB`, in any case (systems.md 4.4).
  return {
    dataSource,
    localDb: /^\(localdb\)\\/i.test(dataSource),
    login,
    sysadmin: sysadmin === null ? null : sysadmin === 1,
  };
}
