import { ApplicationFailure, isCancellation } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import type { GatewaySite, HostClaim, SiteBackup, SiteVersion } from '../../src/contract/facts';
import { packageOf, type EndpointHost } from '../../src/contract/provider';
import type { EndpointsUpgraded, GatewaySites, TasksDrained } from './facts';
import { settleAll } from '../kit/settle-all';
import { problemOf } from '../kit/problem';
import { reversibleStep, type StepContext } from '../engine/step';

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
 * (procedure step 3). Hosts work side by side, the sites of a host one after another. Every site is backed up first:
 * no backup, no undo, so the step holds rather than go on without one.
 *
 * A host belongs to one upgrade at a time, from here until that one has crossed or ended: its Internet services are restarted
 * for all of its sites at once, and what is undone later must not undo another's work.
 */
export const upgradeEndpoints = reversibleStep<GatewaySites & TasksDrained, HostSites[], EndpointsUpgraded>({
  name: 'upgradeEndpoints',
  title: 'Upgrade the endpoint',
  procedure: '3. Upgrade the Office 365 application endpoint',
  waitsFor: 'nobody, unless a site cannot be backed up',
  undoes: 'restores every changed site from its backup, then one iisreset per host',
  prepare: async (context, { sites }) => await claimInOrder(context, byHost(context, sites)),
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

function byHost({ profile }: StepContext, sites: GatewaySite[]): { host: EndpointHost; sites: GatewaySite[] }[] {
  return profile.endpointHosts
    .map((host) => ({ host, sites: sites.filter((site) => site.host === host.name) }))
    .filter((work) => work.sites.length > 0);
}

/** One after the other, in the same order in every upgrade: two that wait for each other's hosts would wait for ever. */
async function claimInOrder(
  context: StepContext,
  hosts: { host: EndpointHost; sites: GatewaySite[] }[],
): Promise<HostSites[]> {
  const claimed: HostSites[] = [];
  for (const work of hosts.sort((a, b) => (a.host.name < b.host.name ? -1 : 1)))
    claimed.push(await claim(context, work.host, work.sites));
  return claimed;
}

async function claim(context: StepContext, host: EndpointHost, sites: GatewaySite[]): Promise<HostSites> {
  const { activities, upgrade, firstRun: run, from, to } = context;
  for (;;) {
    const answer = await activities
      .endpoint(host)
      .claimHost(`claim ${host.name} and read its versions`, { host, sites, upgrade, run, from, to });
    if ('versions' in answer) return { host, sites: withVersions(host, sites, answer.versions) };
    const { takenBy } = answer;
    await awaitOwner(context, host, takenBy);
    // Its slot in a fleet may be another's by now, and may be what the other has waited for.
    await context.checkpoint();
  }
}

async function awaitOwner(context: StepContext, host: EndpointHost, claim: HostClaim): Promise<void> {
  const { claims } = context.activities;
  const until = `${claim.upgrade} has crossed or ended`;
  context.awaitsHost({ host: host.name, upgrade: claim.upgrade });
  context.note(`waits for ${host.name}, which belongs to ${claim.upgrade} until that has crossed or ended`);
  try {
    await claims.awaitClaimEnd(`wait for ${host.name} until ${until}`, { host: host.name, claim });
  } finally {
    context.awaitsHost(undefined);
  }
}

function withVersions(host: EndpointHost, sites: GatewaySite[], versions: SiteVersion[]): SiteWork[] {
  return sites.map((site, index) => {
    const version = versions[index];
    if (!version)
      throw new Error(`claimHost of ${host.name} told the versions of ${versions.length} of ${sites.length} sites`);
    return { site, version };
  });
}

async function upgradeHost(context: StepContext, { host, sites }: HostSites): Promise<void> {
  const { profile, upgrade, from, to } = context;
  const endpoint = context.activities.endpoint(host);
  const source = packageOf(profile, to);
  const staged = await endpoint.stagePackage(`stage the package on ${host.name}`, {
    host,
    packageUrl: source.url,
    sha256: source.sha256,
    upgrade,
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
        upgrade,
        from,
        to,
      });
    }
  }
  await endpoint.resetIis(`iisreset on ${host.name}`, { host, upgrade, purpose: 'upgrade' });
}

async function backUp(context: StepContext, host: EndpointHost, site: GatewaySite): Promise<SiteBackup> {
  const { activities, upgrade, from, to } = context;
  try {
    return await activities
      .endpoint(host)
      .backupSite(`back up "${site.site}" on ${host.name}`, { host, site, upgrade, from, to });
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
  const { activities, from, to } = context;
  const versions = await activities.endpoint(host).detectSites(`read versions on ${host.name}`, {
    host,
    sites: sites.map(({ site }) => site),
    from,
    to,
  });
  const left = sites.filter((_, index) => versions[index]?.deployed !== 'new');
  if (left.length > 0)
    throw ApplicationFailure.nonRetryable(
      `Not on ${context.to} after setup.cmd: ${left.map(({ site }) => `"${site.site}" on ${host.name}`).join(', ')}. Read the setup log on the host.`,
      FAILURE.unexpectedState,
    );
}

async function restoreHost(context: StepContext, { host, sites }: HostSites): Promise<void> {
  const { activities, upgrade } = context;
  const endpoint = activities.endpoint(host);
  const changed = sites.flatMap(({ site, backup }) => (backup ? [{ site, backup }] : []));
  for (const { site, backup } of changed)
    await endpoint.restoreSite(`restore "${site.site}" on ${host.name}`, { host, site, backup, upgrade });
  if (changed.length > 0)
    await endpoint.resetIis(`iisreset on ${host.name} after the restore`, { host, upgrade, purpose: 'rollback' });
}
