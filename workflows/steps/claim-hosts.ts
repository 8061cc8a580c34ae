/**
 * Endpoint hosts, each claimed for one operation before anything on it is changed: never two upgrades at once on one host. A
 * claim lasts until its upgrade has crossed or ended; to claim a host again is to read its versions again.
 */
import type { GatewaySite, HostClaim, SiteVersion } from '../../src/contract/facts';
import type { EndpointHost } from '../../src/contract/provider';
import type { StepContext } from '../engine/step';

/** A host with those of its sites that are the provider's. */
export interface HostSites {
  host: EndpointHost;
  sites: GatewaySite[];
}

/** Hosts without a site are left out. */
export function sitesByHost({ profile }: Pick<StepContext, 'profile'>, sites: GatewaySite[]): HostSites[] {
  return profile.endpointHosts
    .map((host) => ({ host, sites: sites.filter((site) => site.host === host.name) }))
    .filter((work) => work.sites.length > 0);
}

/** What a host's sites were on when it was claimed. */
export interface ClaimedHost extends HostSites {
  /** In the order of `sites`. */
  versions: SiteVersion[];
}

type ClaimContext = Pick<StepContext, 'activities' | 'operation' | 'note' | 'checkpoint' | 'awaitsHost'>;

/** One after the other, in the same order in every upgrade: two that wait for each other's hosts would wait for ever. */
export async function claimHosts(context: ClaimContext, hosts: HostSites[]): Promise<ClaimedHost[]> {
  const claimed: ClaimedHost[] = [];
  for (const work of hosts.toSorted((a, b) => (a.host.name < b.host.name ? -1 : 1)))
    claimed.push({ ...work, versions: await claim(context, work) });
  return claimed;
}

async function claim(context: ClaimContext, { host, sites }: HostSites): Promise<SiteVersion[]> {
  const { activities, operation } = context;
  for (;;) {
    const answer = await activities
      .endpoint(host)
      .claimHost(`claim ${host.name} and read its versions`, { host, sites, operation });
    if ('versions' in answer) {
      if (answer.versions.length === sites.length) return answer.versions;
      throw new Error(
        `claimHost of ${host.name} told the versions of ${answer.versions.length} of ${sites.length} sites`,
      );
    }
    await awaitOwner(context, host, answer.takenBy);
    // Its slot in a fleet may be another's by now, and may be what the other has waited for.
    await context.checkpoint();
  }
}

async function awaitOwner(context: ClaimContext, host: EndpointHost, claim: HostClaim): Promise<void> {
  const { claims } = context.activities;
  const until = `${claim.workflowId} has crossed or ended`;
  context.awaitsHost({ host: host.name, upgrade: claim.workflowId });
  context.note(`waits for ${host.name}, which belongs to ${claim.workflowId} until that has crossed or ended`);
  try {
    await claims.awaitClaimEnd(`wait for ${host.name} until ${until}`, { host: host.name, claim });
  } finally {
    context.awaitsHost(undefined);
  }
}
