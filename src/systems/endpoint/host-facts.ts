import type { GatewayDatabase, HostFacts } from '../../contract/facts';
import { parseBinding } from './bindings';
import { ownVersions } from './site-version';
import { scriptsOf, type ReleaseFolder } from './release-scripts';
import type { Result } from './scripts';
import type { EndpointSettings } from './settings';

/** What the script `discover` said, as the contract has it, and what the worker itself has. */
export function hostFacts(
  host: string,
  { identity, elevated, exposed, sites }: Result<'discover'>,
  { packages }: EndpointSettings,
  releases: ReleaseFolder[],
): HostFacts {
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
        database: application.database === null ? undefined : gatewayDatabase(application.database),
      })),
    })),
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
