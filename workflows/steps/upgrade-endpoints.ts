import { ApplicationFailure, isCancellation } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import type { GatewaySite, SiteBackup, SiteVersion } from '../../src/contract/facts';
import type { EndpointHost } from '../../src/contract/provider';
import { reversibleStep, type StepContext } from '../engine/step';
import { problemOf } from '../kit/problem';
import { settleAll } from '../kit/settle-all';
import { claimHosts } from './claim-hosts';
import type { EndpointsUpgraded, GatewaySites } from './facts';
import { requirePackage } from './package';

/** The sites of one host; they share its one iisreset. */
interface HostSites {
  host: EndpointHost;
  sites: SiteWork[];
}
interface SiteWork {
  site: GatewaySite;
  version: SiteVersion;
  /** Set once the copy is taken and verified; without it the site is not touched. */
  backup?: SiteBackup;
}

/**
 * Upgrades every gateway site with setup.cmd and restarts the Internet services once per host, after its last site
 * ("upgrade the application endpoint"). Hosts work side by side, the sites of a host one after another. Every site is backed up first:
 * no backup, no undo, so the step holds rather than go on without one.
 */
export const upgradeEndpoints = reversibleStep<GatewaySites, HostSites[], EndpointsUpgraded>({
  name: 'upgradeEndpoints',
  title: 'Upgrade the endpoint',
  waitsFor: 'nobody, unless a site cannot be backed up',
  undoes: 'restores every changed site from its backup, then one iisreset per host',
  prepare: async (context, { sites }) =>
    (await claimHosts(context, sites)).map(({ host, sites: served }) => ({
      host,
      sites: served.map((each) => ({ ...each })),
    })),
  run: async (context, _, hosts) => {
    await settleAll(hosts.map((work) => upgradeHost(context, work)));
    context.note(`${hosts.flatMap(({ sites }) => sites).length} sites upgraded`);
    return { endpointsUpgraded: true };
  },
  verify: async (context, _, hosts) => {
    await settleAll(hosts.map((work) => verifyUpgraded(context, work)));
    return { endpointsUpgraded: true };
  },
  undo: async (context, _, hosts) => {
    await settleAll(hosts.map((work) => restoreHost(context, work)));
  },
});

async function upgradeHost(context: StepContext, { host, sites }: HostSites): Promise<void> {
  const { profile, operation, to } = context;
  const file = requirePackage(profile, to);
  const endpoint = context.activities.endpoint(host);
  const staged = await endpoint.stagePackage(`stage the package on ${host.name}`, {
    host,
    packageUrl: file.url,
    sha256: file.sha256,
    operation,
  });
  for (const work of sites) {
    const { site, version } = work;
    if (version.deployed !== 'new') {
      await context.checkpoint();
      work.backup ??= await backUp(context, host, site);
      await context.checkpoint();
      context.note(`setup of "${site.site}" on ${host.name}`);
      await endpoint.runSetup(`setup.cmd for "${site.site}" on ${host.name}`, {
        host,
        site,
        staged,
        operation,
      });
    }
  }
  await endpoint.resetIis(`iisreset on ${host.name}`, { host, operation, purpose: 'upgrade' });
}

async function backUp(context: StepContext, host: EndpointHost, site: GatewaySite): Promise<SiteBackup> {
  const { activities, operation } = context;
  try {
    return await activities
      .endpoint(host)
      .backupSite(`back up "${site.site}" on ${host.name}`, { host, site, operation });
  } catch (error) {
    if (isCancellation(error)) throw error;
    throw ApplicationFailure.create({
      type: FAILURE.noBackup,
      nonRetryable: true,
      message: `"${site.site}" on ${host.name} could not be backed up, so it was not touched: ${problemOf(error)} Repair the cause and retry.`,
      ...(error instanceof Error ? { cause: error } : {}),
    });
  }
}

async function verifyUpgraded(context: StepContext, { host, sites }: HostSites): Promise<void> {
  const { activities, operation } = context;
  const versions = await activities.endpoint(host).detectSites(`read versions on ${host.name}`, {
    host,
    sites: sites.map(({ site }) => site),
    operation,
  });
  const left = sites.filter((_, index) => versions[index]?.deployed !== 'new');
  if (left.length > 0)
    throw ApplicationFailure.nonRetryable(
      `Not on ${context.to} after setup.cmd: ${left.map(({ site }) => `"${site.site}" on ${host.name}`).join(', ')}. Read the setup log on the host.`,
      FAILURE.unexpectedState,
    );
}

async function restoreHost(context: StepContext, { host, sites }: HostSites): Promise<void> {
  const { activities, operation } = context;
  const endpoint = activities.endpoint(host);
  const changed = sites.flatMap(({ site, backup }) => (backup ? [{ site, backup }] : []));
  for (const { site, backup } of changed)
    await endpoint.restoreSite(`restore "${site.site}" on ${host.name}`, { host, site, backup, operation });
  if (changed.length > 0)
    await endpoint.resetIis(`iisreset on ${host.name} after the restore`, { host, operation, purpose: 'rollback' });
}
