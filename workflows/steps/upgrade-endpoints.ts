import { ApplicationFailure, isCancellation } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import type { DeployedVersion, GatewaySite, SiteBackup } from '../../src/contract/facts';
import type { EndpointHost } from '../../src/contract/provider';
import { claimHosts, sitesByHost, type ClaimedHost } from './claim-hosts';
import type { EndpointsUpgraded, GatewaySites, TasksDrained } from './facts';
import { settleAll } from '../kit/settle-all';
import { problemOf } from '../kit/problem';
import { reversibleStep, type StepContext } from '../engine/step';

/** The sites of one host; they share its one iisreset. */
interface HostUpgrade {
  host: EndpointHost;
  sites: SiteUpgrade[];
}
interface SiteUpgrade {
  site: GatewaySite;
  /** When it was looked at last. */
  deployed: DeployedVersion;
  /** Set once the copy is taken and verified; without it the site is not touched. */
  backup?: SiteBackup | undefined;
}

/**
 * Upgrades every gateway site with setup.cmd and restarts the Internet services once per host, after its last site
 * (procedure step 3). Hosts work side by side, the sites of a host one after another. Every site is backed up first:
 * no backup, no undo, so the step holds rather than go on without one. What is on the new version already is left as it is.
 *
 * A host belongs to one upgrade at a time, from here until that one has crossed or ended: its Internet services are restarted
 * for all of its sites at once, and what is undone later must not undo another's work.
 */
export const upgradeEndpoints = reversibleStep<GatewaySites & TasksDrained, HostUpgrade[], EndpointsUpgraded>({
  name: 'upgradeEndpoints',
  title: 'Upgrade the endpoint',
  procedure: '3. Upgrade the Office 365 application endpoint',
  waitsFor: 'nobody, unless a site cannot be backed up',
  undoes: 'restores every changed site from its backup, then one iisreset per host',
  prepare: async (context, { sites }) => {
    const claimed = await claimHosts(context, sitesByHost(context, sites));
    return await Promise.all(claimed.map((host) => lookAtSites(context, host)));
  },
  run: async (context, _, hosts) => {
    await settleAll(hosts.map((work) => upgradeHost(context, work)));
    const sites = hosts.flatMap((work) => work.sites);
    const upgraded = sites.filter(({ backup }) => backup).length;
    const before = sites.length - upgraded;
    context.note(`${upgraded} sites upgraded${before > 0 ? `, ${before} on ${context.to} already` : ''}`);
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

/** A site that this very operation has set up before its workflow was reset is new, and has its copy. */
async function lookAtSites(context: StepContext, { host, sites, versions }: ClaimedHost): Promise<HostUpgrade> {
  const work: SiteUpgrade[] = [];
  for (const [index, site] of sites.entries()) {
    const deployed = versions[index]?.deployed ?? 'mixed';
    work.push(deployed === 'new' ? { site, deployed, backup: await backUp(context, host, site) } : { site, deployed });
  }
  return { host, sites: work };
}

async function upgradeHost(context: StepContext, { host, sites }: HostUpgrade): Promise<void> {
  const { profile, operation } = context;
  const endpoint = context.activities.endpoint(host);
  const staged = await endpoint.stagePackage(`stage the package on ${host.name}`, {
    host,
    packageUrl: profile.package.url,
    sha256: profile.package.sha256,
    operation,
  });
  for (const work of sites) {
    const { site } = work;
    if (work.deployed === 'new' && !work.backup) continue;
    await context.checkpoint();
    work.backup ??= await backUp(context, host, site);
    if (!work.backup) {
      // Somebody has done it by hand while the step held.
      work.deployed = 'new';
      continue;
    }
    await context.checkpoint();
    context.note(`setup of "${site.site}" on ${host.name}`);
    await endpoint.runSetup(`setup.cmd for "${site.site}" on ${host.name}`, { host, site, staged, operation });
  }
  await endpoint.resetIis(`iisreset on ${host.name}`, { host, operation, purpose: 'upgrade' });
}

async function backUp(context: StepContext, host: EndpointHost, site: GatewaySite): Promise<SiteBackup | undefined> {
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

async function verifyUpgraded(context: StepContext, { host, sites }: HostUpgrade): Promise<void> {
  const { activities, from, to } = context;
  const versions = await activities.endpoint(host).detectSites(`read versions on ${host.name}`, {
    host,
    sites: sites.map(({ site }) => site),
    from,
    to,
  });
  for (const [index, work] of sites.entries()) work.deployed = versions[index]?.deployed ?? work.deployed;
  const left = sites.filter((_, index) => versions[index]?.deployed !== 'new');
  if (left.length > 0)
    throw ApplicationFailure.nonRetryable(
      `Not on ${context.to} after setup.cmd: ${left.map(({ site }) => `"${site.site}" on ${host.name}`).join(', ')}. Read the setup log on the host.`,
      FAILURE.unexpectedState,
    );
}

/** @throws also where this operation has nothing to go back to, once everything else is undone: such a rollback is not whole. */
async function restoreHost(context: StepContext, { host, sites }: HostUpgrade): Promise<void> {
  const { activities, operation, from, to } = context;
  const endpoint = activities.endpoint(host);
  const changed = sites.flatMap(({ site, backup }) => (backup ? [{ site, backup }] : []));
  for (const { site, backup } of changed)
    await endpoint.restoreSite(`restore "${site.site}" on ${host.name}`, { host, site, backup, operation });
  if (changed.length > 0)
    await endpoint.resetIis(`iisreset on ${host.name} after the restore`, { host, operation, purpose: 'rollback' });
  const beyond = sites.filter(({ deployed, backup }) => deployed !== 'old' && !backup);
  if (beyond.length === 0) return;
  const states = beyond.map(
    ({ site, deployed }) => `"${site.site}" ${deployed === 'new' ? `is on ${to}` : 'has files of both versions'}`,
  );
  throw ApplicationFailure.nonRetryable(
    `On ${host.name} ${states.join(' and ')}, which was not this upgrade's doing, so it has no copy to go back to ${from}. See what older upgrades have left in the folder backups of ${host.workDirectory}.`,
    FAILURE.noBackup,
  );
}
