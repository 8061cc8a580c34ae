import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import type { ApplicationInstance, GatewaySite, HostFacts, IisSite } from '../../src/contract/facts';
import { sameName } from '../../src/contract/names';
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
 * whose https binding serves the hostname at the address that it resolves to (systems.md 4.3); where that is not exactly one
 * site, a person says which. Then `gatewaySiteNames`: the name has to be the one from the installation.
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
    return address && sameName(address.hostname, hostname) && sameName(address.application, application) ? [id] : [];
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
    (hostname) => listedAddress(hostname, profile.gatewayAddresses) === undefined,
  );
  const resolved =
    unlisted.length > 0
      ? await activities.network.resolveHostnames(`resolve ${listed(unlisted)}`, { hostnames: unlisted })
      : {};

  const candidates = new Map<string, Candidate>();
  for (const { instance, hostname, application } of known) {
    const key = `${hostname}/${application}`.toLowerCase();
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

/** As the inventory has it, however its name is written there. */
const listedAddress = (hostname: string, listed: Record<string, string>): string | undefined =>
  Object.entries(listed).find(([name]) => sameName(name, hostname))?.[1];

function addressOf(hostname: string, listed: Record<string, string>, resolved: Record<string, string[]>): string {
  const known = listedAddress(hostname, listed);
  const [ip, ...others] = known === undefined ? (resolved[hostname] ?? []) : [known];
  if (ip !== undefined && others.length === 0) return ip;
  throw rejected(
    ip === undefined
      ? `${hostname} does not resolve. Give its address, as the management node resolves it, in gatewayAddresses of the inventory.`
      : `${hostname} resolves to several addresses (${[ip, ...others].join(', ')}). Give the right one in gatewayAddresses of the inventory.`,
  );
}

/**
 * Sites with the application that IIS would hand a request for this name at this address and port 443. A binding with the name as its
 * host header goes before one without, and one to the address before one to all; of those alike each counts, so that a person decides.
 */
export function matching(
  { hostname, application, ip }: Pick<Candidate, 'hostname' | 'application' | 'ip'>,
  hosts: Pick<HostFacts, 'host' | 'sites'>[],
): Candidate['matches'] {
  const fit = ({ bindings }: IisSite): number =>
    Math.max(
      -1,
      ...bindings
        .filter(({ address, port }) => port === 443 && (address === ip || address === '*'))
        .filter(({ hostHeader }) => hostHeader === '' || sameName(hostHeader, hostname))
        .map(({ address, hostHeader }) => (hostHeader === '' ? 0 : 2) + (address === '*' ? 0 : 1)),
    );
  const serving = hosts.flatMap(({ host, sites }) =>
    sites
      .filter(({ applications }) => applications.some(({ name }) => sameName(name, application)))
      .map((site) => ({ host, site, fit: fit(site) })),
  );
  const best = Math.max(0, ...serving.map((each) => each.fit));
  return serving.filter((each) => each.fit === best).map(({ host, site }) => ({ host, site }));
}

async function chooseSite(context: StepContext, candidate: Candidate, hosts: HostFacts[]): Promise<GatewaySite> {
  const { hostname, application, ip, instances, matches } = candidate;
  const [only] = matches;
  const chosen = only && matches.length === 1 ? only : await askForSite(context, candidate, hosts);
  return {
    host: chosen.host,
    site: chosen.site.name,
    // As IIS spells it.
    application: chosen.site.applications.find(({ name }) => sameName(name, application))?.name ?? application,
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
    all.filter(({ host, site }) => sameName(text, `${host}/${site.name}`) || sameName(text, site.name));
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
  const installed = context.profile.installedSites.find((entry) => sameName(entry.hostname, hostname));
  if (installed && !sameName(installed.site, site))
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

const rejected = (message: string): ApplicationFailure => ApplicationFailure.nonRetryable(message, FAILURE.rejected);
