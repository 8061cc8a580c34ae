import type { GatewayDatabase, HostFacts } from '../../contract/facts';
import { parseBinding } from './bindings';
import type { Result } from './scripts';

/** What the script `discover` said, as the contract has it. */
export function hostFacts(host: string, { computerName, elevated, sites }: Result<'discover'>): HostFacts {
  return {
    host,
    computerName,
    elevated,
    sites: sites.map(({ name, state, bindings, applications }) => ({
      name,
      state,
      bindings: bindings.map(parseBinding),
      applications: applications.map((application) => ({
        name: application.name,
        physicalPath: application.physicalPath,
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
