import { ApplicationFailure, isCancellation } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import { packageOf } from '../../src/contract/entry';
import type {
  DeployedVersion,
  FrozenHost,
  GatewaySite,
  ServicesRestarted,
  SetupResult,
  SiteBackup,
} from '../../src/contract/facts';
import { sameName } from '../../src/contract/names';
import type { PreflightFacts } from '../engine/preflight-facts';
import { reversibleStep, type StepContext } from '../engine/step';
import { listed } from '../kit/listed';
import { problemOf } from '../kit/problem';
import { settleAll } from '../kit/settle-all';
import { claimHost, claimHosts, type ClaimedHost } from './claim-hosts';
import type { EndpointsUpgraded, GatewaySites } from './facts';

const CHANGES = ['claimHost', 'stagePackage', 'backupSite', 'runSetup', 'resetIis'] as const;
const UNDONE_BY = ['restoreSite', 'resetIis'] as const;
type Changes = (typeof CHANGES | typeof UNDONE_BY)[number];
type Context = StepContext<Changes>;
/** Assumption: what backup and setup of one site take, about; for plans. */
const SITE_SECONDS = 5 * 60;

/** The sites of one host; they share its one iisreset. */
interface HostSites {
  host: FrozenHost;
  sites: SiteWork[];
  /** By what was done last; a retry claims it again, as somebody may have removed the claim. */
  claimed: boolean;
  /** URLs of gateways of which a person has said that they answer. */
  answering?: string[];
}
interface SiteWork {
  site: GatewaySite;
  /** When the step began. */
  deployed: DeployedVersion;
  /** Set once the copy is taken and verified; without it the site is not touched. */
  backup?: SiteBackup | undefined;
  /** A person has seen what setup.cmd said. */
  seen?: true;
}

/**
 * Upgrades every gateway site with setup.cmd and restarts the Internet services once per host, after its last site
 * ("upgrade the application endpoint"). Hosts work side by side, the sites of a host one after another. Every site is backed up
 * first: no backup, no undo, so the step holds rather than go on without one. What is on the new version already is left as it is.
 */
export const upgradeEndpoints = reversibleStep<PreflightFacts & GatewaySites, HostSites[], EndpointsUpgraded, Changes>({
  changes: CHANGES,
  undoneBy: UNDONE_BY,
  name: 'upgradeEndpoints',
  title: 'Upgrade the endpoint',
  waitsFor:
    'nobody, unless a site cannot be backed up, setup.cmd speaks of trouble, or a host cannot reach its gateway',
  // Of which host each is, is not known yet: about as long as all of them on one.
  takes: ({ facts }) => new Set(facts.operations.instances.map(({ endpointUrl }) => endpointUrl)).size * SITE_SECONDS,
  undoes: 'restores every changed site from its backup, then one iisreset per host',
  prepare: async (context, facts) => {
    const work: HostSites[] = [];
    for (const claimed of await claimHosts(context, facts)) work.push(await workOn(context, claimed));
    return work;
  },
  run: async (context, _, hosts) => {
    await settleAll(hosts.map((work) => upgradeHost(context, work)));
    const sites = hosts.flatMap((work) => work.sites);
    const upgraded = sites.filter(({ backup }) => backup).length;
    const before = sites.length - upgraded;
    context.note(`${upgraded} sites upgraded${before > 0 ? `, ${before} on ${context.to} already` : ''}`);
    return { endpointsUpgraded: true };
  },
  again: async (context, facts, hosts, takesIn) => {
    const known = hosts.flatMap((work) => work.sites.map(({ site }) => site));
    const added = facts.sites.filter((site) => !known.some((one) => isSame(one, site)));
    for (const claimed of await claimHosts(context, { ...facts, sites: added }, 'fail')) {
      const work = await workOn(context, claimed);
      await takesIn([work]);
      const there = hosts.find(({ host }) => host.name === work.host.name);
      if (there) there.sites.push(...work.sites);
      else hosts.push(work);
      await upgradeHost(context, work);
    }
    await settleAll(hosts.map((work) => verifyUpgraded(context, work)));
    return added.length > 0 ? { endpointsUpgraded: true } : undefined;
  },
  verify: async (context, _, hosts) => {
    await settleAll(hosts.map((work) => verifyUpgraded(context, work)));
    return { endpointsUpgraded: true };
  },
  undo: async (context, _, hosts) => {
    await settleAll(hosts.map((work) => restoreHost(context, work)));
  },
});

const isSame = (one: GatewaySite, other: GatewaySite): boolean =>
  one.host === other.host && sameName(one.site, other.site) && sameName(one.application, other.application);

async function workOn(context: Context, { host, sites }: ClaimedHost): Promise<HostSites> {
  const work = sites.map(({ site, version }): SiteWork => ({ site, deployed: version.deployed }));
  // Set up, or half set up, by this very operation before its workflow was reset or ended by force: then there is its copy.
  for (const each of work) if (each.deployed !== 'old') each.backup = await backUp(context, host, each.site);
  return { host, sites: work, claimed: true };
}

async function upgradeHost(context: Context, work: HostSites): Promise<void> {
  const { profile, operation, to } = context;
  const { host, sites } = work;
  if (!work.claimed) await claimHost(context, host, sitesOf(work));
  work.claimed = false;
  const { sha256 } = packageOf(profile, to);
  const endpoint = context.activities.endpoint(host);
  const ended: { each: SiteWork; result: SetupResult }[] = [];
  await endpoint.stagePackage(`stage the package on ${host.name}`, { host, sha256, operation });
  for (const each of sites) {
    const { site } = each;
    if (each.deployed === 'new' && !each.backup) continue;
    await context.checkpoint();
    each.backup ??= await backUp(context, host, site);
    // Somebody has done it by hand while the step held.
    if (!each.backup) continue;
    await context.lookAgain();
    context.note(`setup of "${site.site}" on ${host.name}`);
    const summary = `setup.cmd for "${site.site}" on ${host.name}`;
    ended.push({ each, result: await endpoint.runSetup(summary, { host, site, sha256, operation }) });
  }
  const unrested = ended.filter(({ result }) => result.restartWanted);
  if (unrested.length > 0)
    throw ApplicationFailure.nonRetryable(
      `A restart of ${host.name} is wanted: setup.cmd ended with exit code ${listed(unrested.map(({ each, result }) => `${result.exitCode} for "${each.site.site}"`))}, and the files are those of ${to}. Restart ${host.name}, then retry: setup.cmd is not run again.`,
      FAILURE.restartWanted,
    );
  await context.lookAgain('noCheckpoint');
  const restarted = await endpoint.resetIis(`iisreset on ${host.name}`, { host, operation, purpose: 'upgrade' });
  for (const { each, result } of ended) await showRemarks(context, host, each, result);
  for (const gateway of restarted.cannotTell) await askWhetherItAnswers(context, work, gateway);
}

/** What setup.cmd said counts although its files are there: the database of the gateway may not be. */
async function showRemarks(
  context: Context,
  host: FrozenHost,
  each: SiteWork,
  { exitCode, remarks }: SetupResult,
): Promise<void> {
  if (remarks.length === 0 || each.seen) return;
  const { site, hostname } = each.site;
  await context.ask({
    item: `setup-${hostname}`,
    asked: 'operator',
    title: `What setup.cmd said for "${site}" on ${host.name} is in order`,
    instructions: `setup.cmd ended with exit code ${exitCode} and the files are those of ${context.to}, but it said:\n\n${remarks.map((line) => `    ${line}`).join('\n')}\n\nWhere a database has drifted from its data-tier application, it was not upgraded (KB 125792): have that put right first. If it cannot be, abort: nothing was imported yet.`,
    evidence: 'What you looked at, and what it said.',
  });
  each.seen = true;
}

async function askWhetherItAnswers(
  context: Context,
  work: HostSites,
  { url, address, problem }: ServicesRestarted['cannotTell'][number],
): Promise<void> {
  if (work.answering?.includes(url)) return;
  await context.ask({
    item: `answers-${url}`,
    asked: 'operator',
    title: `${url} answers at ${address}`,
    instructions: `${work.host.name} cannot reach ${address} (${problem}), so it does not know whether the gateway application answers after iisreset. Open ${url} from the management node: without the controller's certificate it says 401 or 403.`,
    evidence: 'From where you asked, and what it said.',
  });
  work.answering = [...(work.answering ?? []), url];
}

async function backUp(context: Context, host: FrozenHost, site: GatewaySite): Promise<SiteBackup | undefined> {
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

async function verifyUpgraded(context: Context, { host, sites }: HostSites): Promise<void> {
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

/**
 * Looks again first: while the step held, a person may have set up by hand what has no copy to go back to.
 *
 * @throws also where this operation has nothing to go back to, once everything else is undone: such a rollback is not whole.
 */
async function restoreHost(context: Context, work: HostSites): Promise<void> {
  const { activities, operation, from, to } = context;
  const { host, sites } = work;
  const endpoint = activities.endpoint(host);
  const found = await claimHost(context, host, sitesOf(work));
  const changed = sites.flatMap(({ site, backup }) => (backup ? [{ site, backup }] : []));
  for (const { site, backup } of changed)
    await endpoint.restoreSite(`restore "${site.site}" on ${host.name}`, { host, site, backup, operation });
  // Restarts nothing where this operation has done nothing. Another run of it may have restored, and have been ended before the restart.
  await endpoint.resetIis(`iisreset on ${host.name} after the restore`, { host, operation, purpose: 'rollback' });
  const beyond = found.sites.filter(({ version }, index) => version.deployed !== 'old' && !sites[index]?.backup);
  if (beyond.length === 0) return;
  const states = beyond.map(
    ({ site, version }) =>
      `"${site.site}" ${version.deployed === 'new' ? `is on ${to}` : 'has files of both versions'}`,
  );
  throw ApplicationFailure.nonRetryable(
    `On ${host.name} ${states.join(' and ')}, which was not this upgrade's doing, so it has no copy to go back to ${from}. See what older upgrades have left in the folder backups of the worker there.`,
    FAILURE.noBackup,
  );
}

const sitesOf = ({ sites }: HostSites): GatewaySite[] => sites.map(({ site }) => site);
