/**
 * Activities on an endpoint host, run by the worker that lives there. PowerShell gives the facts and does the work; what
 * they mean is decided here and in src/systems/endpoint. Every activity looks before it acts, so that it is safe to repeat
 * after an outcome that nobody knows.
 */
import type { EndpointActivities } from '../src/contract/activities';
import { hostFacts } from '../src/systems/endpoint/host-facts';
import { productReleases, type ReleaseFolder } from '../src/systems/endpoint/release-scripts';
import { siteVersion } from '../src/systems/endpoint/site-version';
import { backUpSite } from './back-up-site';
import { claimHost } from './host-claims';
import { onHost, type HostWorker } from './host-work';
import { precheckHost } from './precheck-host';
import { resetIis } from './reset-iis';
import { restartHost } from './restart-host';
import { restoreSite } from './restore-site';
import { runHostScript } from './run-host-script';
import { runSetup } from './run-setup';
import { stagePackage } from './stage-package';
import { Turns } from './turns';

export interface EndpointDependencies extends Omit<HostWorker, 'turns'> {
  /** Folder that it was read from, which has to be as well protected as what it names; none where it is no file. */
  settingsFolder?: string | undefined;
  /** Releases that may bring scripts; those of the product by default. */
  releases?: ReleaseFolder[] | undefined;
  /** Whether its worker is being ended. */
  isEnding?: (() => boolean) | undefined;
}

/** Who does not hold the host yet lets who does go first. */
const ASKS = { comesFirst: false };

export function createEndpointActivities({
  settingsFolder = '',
  releases = productReleases(),
  isEnding = () => false,
  ...dependencies
}: EndpointDependencies): EndpointActivities {
  const { settings } = dependencies;
  const worker = { ...dependencies, turns: new Turns(isEnding) };
  return {
    readHost: ({ host: { name }, packages }) =>
      onHost(
        worker,
        { name },
        async (work) => {
          const seen = await work.run('discover', { settings: settingsFolder });
          return hostFacts(name, seen, settings, releases, packages && (await precheckHost(work, seen, packages)));
        },
        ASKS,
      ),
    claimHost: (input) => onHost(worker, input.host, (work) => claimHost(work, input), ASKS),
    detectSites: ({ host, sites, from, to }) =>
      onHost(worker, host, async ({ inspect }) => {
        const seen = await inspect(sites);
        return seen.sites.map((site) => siteVersion(site, from, to, host.name));
      }),
    backupSite: (input) => onHost(worker, input.host, (work) => backUpSite(work, input)),
    stagePackage: (input) => onHost(worker, input.host, (work) => stagePackage(work, input)),
    runSetup: (input) => onHost(worker, input.host, (work) => runSetup(work, input)),
    resetIis: (input) => onHost(worker, input.host, (work) => resetIis(work, input)),
    runHostScript: (input) => onHost(worker, input.host, (work) => runHostScript(work, releases, input)),
    restartHost: (input) => onHost(worker, input.host, (work) => restartHost(work, input)),
    restoreSite: (input) => onHost(worker, input.host, (work) => restoreSite(work, input)),
  };
}
