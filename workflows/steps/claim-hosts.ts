/**
 * A host belongs to one upgrade at a time, from the first step that changes it until that one has upgraded its instances or ended: its
 * Internet services are restarted for all of its sites at once, which must not fall into the instance upgrades of another, and what is
 * undone later must not undo another's work.
 */
import { ONWARD } from '../../src/contract/onward';
import type { FrozenHost, GatewaySite, HostClaim, SiteVersion } from '../../src/contract/facts';
import { contradicts } from '../engine/look-again';
import { listed } from '../kit/listed';
import type { PreflightFacts } from '../engine/preflight-facts';
import type { StepContext } from '../engine/step';
import type { GatewaySites } from './facts';

/** The sites of one host; they share its one iisreset. */
export interface ClaimedHost {
  readonly host: FrozenHost;
  readonly sites: readonly { readonly site: GatewaySite; readonly version: SiteVersion }[];
}

/**
 * The endpoint hosts of these sites, claimed for this upgrade, with the versions of the sites as they are now. One after the
 * other, in the same order in every upgrade: two that wait for each other's hosts would wait for ever. Safe to repeat.
 *
 * @param taken what becomes of a host that is another upgrade's: who has claimed hosts already must not wait for one more, since that
 * might come earlier in the order. So it fails.
 */
export async function claimHosts(
  context: StepContext<'claimHost'>,
  facts: PreflightFacts & GatewaySites,
  taken: 'wait' | 'fail' = 'wait',
): Promise<ClaimedHost[]> {
  const claimed: ClaimedHost[] = [];
  for (const { host, sites: served } of byHost(facts)) claimed.push(await claimHost(context, host, served, taken));
  return claimed;
}

/** Each host is the machine that the preflight has seen: a copy of it that serves its task queue is refused. */
function byHost({ hosts, machines = {}, sites }: PreflightFacts & GatewaySites): {
  host: FrozenHost;
  sites: GatewaySite[];
}[] {
  // One that does not answer now is the machine that it was: whoever calls it hears of its silence.
  const silent = Object.entries(machines).map(([host, identity]) => ({ host, identity }));
  const known = [...hosts, ...silent.filter(({ host }) => !hosts.some((one) => one.host === host))];
  const unseen = [...new Set(sites.map(({ host }) => host))].filter((name) => !known.some(({ host }) => host === name));
  if (unseen.length > 0)
    throw contradicts(
      `${listed(unseen)} served gateway sites of this provider, and did not answer when this run began, or left the inventory. Bring its worker back; where this run ends before that, run ${ONWARD} finish.`,
    );
  return known
    .map(({ host: name, identity }) => ({
      host: { name, identity },
      sites: sites.filter((site) => site.host === name),
    }))
    .filter((work) => work.sites.length > 0)
    .sort((a, b) => (a.host.name < b.host.name ? -1 : 1));
}

/** One of them; waits while another upgrade still needs it. Safe to repeat, and looks at the versions again. */
export async function claimHost(
  context: StepContext<'claimHost'>,
  host: FrozenHost,
  sites: GatewaySite[],
  taken: 'wait' | 'fail' = 'wait',
): Promise<ClaimedHost> {
  const { activities, operation } = context;
  for (;;) {
    const answer = await activities
      .endpoint(host)
      .claimHost(`claim ${host.name} and read its versions`, { host, sites, operation });
    if ('versions' in answer) return { host, sites: withVersions(host, sites, answer.versions) };
    if (taken === 'fail')
      throw contradicts(
        `${host.name} belongs to ${answer.takenBy.workflowId} until ${UNTIL}, and now serves a gateway site of this provider that has come since. Retry when it is free.`,
      );
    await awaitOwner(context, host, answer.takenBy);
    // Its slot in a fleet may be another's by now, and may be what the other has waited for.
    await context.checkpoint();
  }
}

const UNTIL = 'that has upgraded its instances or ended';

async function awaitOwner(context: StepContext, host: FrozenHost, claim: HostClaim): Promise<void> {
  const { claims } = context.activities;
  context.awaitHost({ host: host.name, upgrade: claim.workflowId });
  context.note(`waits for ${host.name}, which belongs to ${claim.workflowId} until ${UNTIL}`);
  try {
    await claims.awaitClaimEnd(`wait for ${host.name}: ${claim.workflowId} has it until ${UNTIL}`, {
      host: host.name,
      claim,
    });
  } finally {
    context.awaitHost(undefined);
  }
}

const withVersions = (
  host: FrozenHost,
  sites: readonly GatewaySite[],
  versions: readonly SiteVersion[],
): ClaimedHost['sites'] =>
  sites.map((site, index) => {
    const version = versions[index];
    if (!version)
      throw new Error(`claimHost of ${host.name} told the versions of ${versions.length} of ${sites.length} sites`);
    return { site, version };
  });
