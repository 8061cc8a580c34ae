/**
 * What is read of a provider, and what stands against its upgrade: the same for an upgrade, which begins with it, and for whoever only
 * looks. Reads, and changes nothing.
 */
import { entryOf, type FrozenProfile } from '../../src/contract/entry';
import type { PackageFacts } from '../../src/contract/facts';
import type { CheckResult } from '../../src/contract/status';
import { activitiesFor } from '../kit/activities';
import { answered, reading as readingOf, type Reading } from '../kit/reading';
import { allTemplates } from '../kit/template-pages';
import { meantBy, type Catalogue, type CatalogueAnswer } from './catalogue';
import type { Check, Finding, Readings } from './check';
import { COMMON_CHECKS, requiredVersions } from './common-checks';
import { factsOf, type PreflightFacts } from './preflight-facts';
import type { Release } from './release';

export interface Found {
  readonly check: Check;
  readonly finding: Finding;
}

export interface Examination {
  /** Undefined where Operations did not say what is installed. */
  readonly choice: CatalogueAnswer | undefined;
  /** Those of the release that is meant, and those of every release. */
  readonly checks: readonly Check[];
  readonly readings: Readings;
  readonly found: readonly Found[];
  /** What was found, but for what a person is asked. */
  readonly results: CheckResult[];
  /** Undefined where a system that matters did not answer. */
  readonly facts: PreflightFacts | undefined;
}

/**
 * @param asked the release, undefined where only one may fit; who starts the upgrade; whether it is one to finish.
 * @param reading how each system is read: whoever waits for it may want to say so.
 */
export async function examine(
  profile: FrozenProfile,
  catalogue: Catalogue,
  { to, startedBy, finish = false }: { to: string | undefined; startedBy: string | undefined; finish?: boolean },
  reading: typeof readingOf = readingOf,
): Promise<Examination> {
  // What has begun has to come to its end, whatever its hosts have room for.
  const packages = finish ? {} : { packages: to === undefined ? Object.keys(profile.packages) : [to] };
  const { choice, ...read } = await readAll(profile, catalogue, to, packages, reading);
  const readings: Readings = { profile, startedBy, meant: meantBy(choice), problem: choice?.problem, ...read };
  const checks = checksOf(choice?.chosen?.release);
  const found = examined(checks, readings);
  return {
    choice,
    checks,
    readings,
    found,
    results: found.flatMap(({ check, finding }) => resultOf(check, finding)),
    facts: factsOf(read),
  };
}

/** @param release undefined where it is not known which is meant. */
export const checksOf = (release: Pick<Release, 'requirements' | 'checks'> | undefined): Check[] => [
  ...COMMON_CHECKS,
  ...(release ? [requiredVersions(release.requirements), ...release.checks] : []),
];

export const examined = (checks: readonly Check[], readings: Readings): Found[] =>
  checks.flatMap((check) => check.examine(readings).map((finding) => ({ check, finding })));

const resultOf = ({ name, source }: Check, finding: Finding): CheckResult[] =>
  finding.verdict === 'ask'
    ? []
    : [{ name, source: finding.source ?? source, verdict: finding.verdict, message: finding.message }];

/**
 * Reads everything at once; a system that does not answer does not hide what the others say. The package is read last: which
 * one is meant follows from what is installed.
 */
async function readAll(
  profile: FrozenProfile,
  catalogue: Catalogue,
  to: string | undefined,
  packages: { packages?: string[] },
  reading: typeof readingOf,
): Promise<{ choice: CatalogueAnswer | undefined } & Pick<Readings, 'operations' | 'billing' | 'package' | 'hosts'>> {
  const { operations, billing, endpoint } = activitiesFor(profile.timings);
  const [operationsFacts, billingFacts, ...hosts] = await Promise.all([
    reading('Operations', async () => {
      const systems = { entry: entryOf(profile, 'operations', 'aps') };
      const { templates, left, ...facts } = await operations.readOperations(
        'read versions, instances and templates',
        systems,
      );
      const page = { templates, ...(left ? { left } : {}) };
      return { ...facts, templates: await allTemplates(operations, systems, page) };
    }),
    reading('Billing', () =>
      billing.readBilling('read billing service templates', {
        entry: entryOf(profile, 'billing'),
        plans: profile.plans,
      }),
    ),
    ...profile.endpointHosts.map((host) =>
      reading(host.name, () => endpoint(host).readHost(`read endpoint host ${host.name}`, { host, ...packages })),
    ),
  ]);
  const choice = answered(operationsFacts)
    ? catalogue.choose(
        operationsFacts.value.instances.map(({ packageVersion }) => packageVersion),
        to,
      )
    : undefined;
  // Where nothing is to be upgraded, no package is missed.
  const file = await readPackage(profile, choice ? choice.chosen?.release.version : to, reading);
  return { choice, operations: operationsFacts, billing: billingFacts, package: file, hosts };
}

async function readPackage(
  profile: FrozenProfile,
  version: string | undefined,
  reading: typeof readingOf,
): Promise<Reading<PackageFacts> | undefined> {
  if (version === undefined || !profile.packages[version]) return undefined;
  const { network } = activitiesFor(profile.timings);
  return await reading('package', () =>
    network.hashPackage(`verify the package of ${version}`, {
      entry: entryOf(profile, `packages.${version}`),
      version,
    }),
  );
}
