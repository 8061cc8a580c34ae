/** Endpoint hosts without disks, for tests of the rest of the sandbox: a gateway application is of the version it is told. */
import { EventEmitter } from 'node:events';
import type { RegisterHosts } from '../../src/sandbox/hosts-port';
import { withoutRelease } from '../../src/contract/versions';

export interface StandInHosts {
  register: RegisterHosts;
  /** Every gateway application is of this version from now on. */
  upgradeAll(version: string): void;
}

export function standInHosts(): StandInHosts {
  let all: string | undefined;
  return {
    upgradeAll: (version) => {
      all = version;
    },
    register: async (_, world) => {
      const served = (host: string, site: string, application: string): string => {
        const found = world
          .hosts()
          .find(({ name }) => name === host)
          ?.sites.find((other) => other.site === site)
          ?.applications.find((other) => other.application === application);
        if (!found) throw new Error(`no application ${application} in site ${site} on host ${host}`);
        return all ?? withoutRelease(found.packageVersion);
      };
      return {
        servedVersion: async (host, site, application) => served(host, site, application),
        applicationState: async (host, site, application) => ({ version: served(host, site, application) }),
        endpointSettings: () => ({ workDirectory: '/nowhere', packages: world.packages() }),
        clone: () => {},
        clonesOf: () => [],
        refresh: async () => {},
        restarts: new EventEmitter(),
        close: async () => {},
      };
    },
  };
}
