import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import type { ApplicationInstance, GatewaySite, HostFacts, IisSite } from '../../src/contract/facts';
import type { PreflightFacts } from '../engine/preflight-facts';
import type { GatewaySites } from './facts';
import { listed } from '../kit/listed';
import { settleAll } from '../kit/settle-all';
import { readingStep, type StepContext } from '../engine/step';
import { parseEndpointUrl } from '../engine/gateway-address';

/** One gateway application as the instances name it, and where it might live. */
interface Candidate {
  hostname: string;
  application: string;
  ip: string;
  instances: ApplicationInstance[];
  matches: { host: string; site: IisSite }[];
}

/**
 * Writes down site, application, hostname and address of every gateway site, as the procedure asks. The site is the one
 * whose https binding has the address that the hostname resolves to (systems.md 4.3); where that is not exactly one site,
 * a person says which. Then `gatewaySiteNames`: the name has to be the one from the installation.
 */
export const collectGatewaySites = readingStep<PreflightFacts & Partial<GatewaySites>, GatewaySites>({
  name: 'collectGatewaySites',
  title: 'Collect gateway site parameters',
  waitsFor: 'an operator, where IIS does not say clearly which site it is, or nobody wrote down its original name',
  run: async (context, { operations, hosts }) => {
    const sites = await collect(context, operations.instances, hosts);
    noteSites(context, sites);
    return { sites };
  },
  again: async (context, { operations, hosts, sites = [] }, before) => {
    if (operations.instances === before.operations.instances) return undefined;
    const known = sites.map((site) => ({ ...site, instances: servedBy(site, operations.instances) }));
    const placed = new Set(known.flatMap(({ instances }) => instances));
    const strangers = operations.instances.filter(({ id }) => !placed.has(id));
    const all = [...known, ...(await collect(context, strangers, hosts))];
    noteSites(context, all);
    return { sites: all };
  },
});

async function collect(
  context: StepContext,
  instances: ApplicationInstance[],
  hosts: HostFacts[],
): Promise<GatewaySite[]> {
  const candidates = await locate(context, instances, hosts);
  const sites = await settleAll(candidates.map((candidate) => chooseSite(context, candidate, hosts)));
  await settleAll(sites.map((site) => verifyName(context, site)));
  return sites;
}

const noteSites = (context: StepContext, sites: GatewaySite[]): void =>
  context.note(listed(sites.map(({ host, site }) => `"${site}" on ${host}`)));

/** Ids of the instances whose end-point URI is that of the site. */
const servedBy = ({ hostname, application }: GatewaySite, instances: ApplicationInstance[]): number[] =>
  instances.flatMap(({ id, endpointUrl }) => {
    const address = parseEndpointUrl(endpointUrl);
    return address?.hostname === hostname && address.application === application ? [id] : [];
  });

async function locate(
  { profile, activities }: StepContext,
  instances: ApplicationInstance[],
  hosts: HostFacts[],
): Promise<Candidate[]> {
  const addressed = instances.map((instance) => ({ instance, address: parseEndpointUrl(instance.endpointUrl) }));
  const wrong = addressed
    .filter(({ address }) => !address)
    .map(({ instance }) => `"${instance.name}" has "${instance.endpointUrl}"`);
  if (wrong.length > 0)
    throw rejected(
      `End-point URIs have to read https://<hostname>/<application>/aps/, but ${listed(wrong)}. Correct the instance's settings.`,
    );

  const known = addressed.flatMap(({ instance, address }) => (address ? [{ instance, ...address }] : []));
  const unlisted = [...new Set(known.map(({ hostname }) => hostname))].filter(
    (hostname) => !profile.gatewayAddresses[hostname],
  );
  const resolved =
    unlisted.length > 0
      ? await activities.network.resolveHostnames(`resolve ${listed(unlisted)}`, { hostnames: unlisted })
      : {};

  const candidates = new Map<string, Candidate>();
  for (const { instance, hostname, application } of known) {
    const key = `${hostname}/${application}`;
    const found = candidates.get(key) ?? {
      hostname,
      application,
      ip: addressOf(hostname, profile.gatewayAddresses, resolved),
      instances: [],
      matches: [],
    };
    found.instances.push(instance);
    candidates.set(key, found);
  }
  return [...candidates.values()].map((candidate) => ({ ...candidate, matches: matching(candidate, hosts) }));
}

function addressOf(hostname: string, listed: Record<string, string>, resolved: Record<string, string[]>): string {
  const [ip, ...others] = listed[hostname] === undefined ? (resolved[hostname] ?? []) : [listed[hostname]];
  if (ip !== undefined && others.length === 0) return ip;
  throw rejected(
    ip === undefined
      ? `${hostname} does not resolve. Give its address, as the management node resolves it, in gatewayAddresses of the inventory.`
      : `${hostname} resolves to several addresses (${[ip, ...others].join(', ')}). Give the right one in gatewayAddresses of the inventory.`,
  );
}

/** Sites with the application whose https binding has this address; a binding to all addresses counts only alone. */
function matching({ hostname, application, ip }: Candidate, hosts: HostFacts[]): Candidate['matches'] {
  const serving = hosts.flatMap(({ host, sites }) =>
    sites
      .filter(({ applications }) => applications.some(({ name }) => same(name, application)))
      .map((site) => ({ host, site })),
  );
  const exact = serving.filter(({ site }) => site.bindings.some(({ address }) => address === ip));
  if (exact.length > 0) return exact;
  return serving.filter(({ site }) =>
    site.bindings.some(
      ({ address, hostHeader }) => address === '*' && (hostHeader === '' || same(hostHeader, hostname)),
    ),
  );
}

async function chooseSite(context: StepContext, candidate: Candidate, hosts: HostFacts[]): Promise<GatewaySite> {
  const { hostname, application, ip, instances, matches } = candidate;
  const [only] = matches;
  const chosen = only && matches.length === 1 ? only : await askForSite(context, candidate, hosts);
  return {
    host: chosen.host,
    site: chosen.site.name,
    application,
    hostname,
    ip,
    instances: instances.map(({ id }) => id),
  };
}

/** The evidence of the answer names the site: `<host>/<site>`, or the site alone where only one host has it. */
async function askForSite(
  context: StepContext,
  candidate: Candidate,
  hosts: HostFacts[],
): Promise<{ host: string; site: IisSite }> {
  const { hostname, application, ip, matches } = candidate;
  const all = hosts.flatMap(({ host, sites }) => sites.map((site) => ({ host, site })));
  const list = (matches.length > 0 ? matches : all).map(({ host, site }) => `${host}/${site.name}`).join(', ');
  const named = (text: string) =>
    all.filter(({ host, site }) => same(text, `${host}/${site.name}`) || same(text, site.name));
  const { evidence } = await context.ask({
    item: hostname,
    asked: 'operator',
    title: `Which IIS site serves https://${hostname}/${application}/ (${ip})?`,
    instructions: `${matches.length === 0 ? 'No site' : 'More than one site'} has an https binding to ${ip} and the application ${application}. Open IIS Manager on the endpoint host and find the site. Sites: ${list}.`,
    evidence: 'The site, as <host>/<site name>.',
    verify: ({ evidence: text }) =>
      Promise.resolve(
        named(text).length === 1 ? undefined : `"${text}" names ${named(text).length} sites; give one of ${list}.`,
      ),
  });
  const [chosen] = named(evidence);
  if (!chosen) throw rejected(`"${evidence}" names no site any more.`);
  return chosen;
}

async function verifyName(context: StepContext, { host, site, hostname }: GatewaySite): Promise<void> {
  const installed = context.profile.installedSites.find((entry) => same(entry.hostname, hostname));
  if (installed && installed.site !== site)
    throw rejected(
      `The gateway site of ${hostname} on ${host} is called "${site}" but was installed as "${installed.site}". Give it its original name back in IIS Manager, then start the upgrade again.`,
    );
  if (installed) return;
  await context.ask({
    item: `name-${hostname}`,
    asked: 'operator',
    title: `Gateway site "${site}" on ${host} still has the name it was installed with`,
    instructions: `The inventory does not say under which name the site of ${hostname} was installed, and setup.cmd needs that name. If "${site}" is not the original name, rename it back in IIS Manager, abort, and start again.`,
    evidence: 'Where the original name is written down.',
  });
}

const same = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase();
const rejected = (message: string): ApplicationFailure => ApplicationFailure.nonRetryable(message, FAILURE.rejected);
