/**
 * Before anything is touched: reads every system, chooses the path, checks every condition of the release notes, and refuses
 * with all reasons at once. What no system can tell is asked.
 */
import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import type { PackageFacts } from '../../src/contract/facts';
import { entryOf, type FrozenProfile } from '../../src/contract/entry';
import type { CheckResult } from '../../src/contract/status';
import { activitiesFor } from '../kit/activities';
import { answered, reading, type Reading } from '../kit/reading';
import { settleAll } from '../kit/settle-all';
import { allTemplates } from '../kit/template-pages';
import { meantBy, type Catalogue, type CatalogueAnswer, type Chosen } from './catalogue';
import type { Check, Finding, Readings } from './check';
import { COMMON_CHECKS, requiredVersions } from './common-checks';
import { contradicts } from './look-again';
import { PREFLIGHT } from './planned-steps';
import type { PreflightFacts } from './preflight-facts';
import type { Upgrade } from './upgrade';

export interface Preflighted {
  chosen: Chosen;
  facts: PreflightFacts;
  /** What the checks were told. */
  readings: Readings;
  /**
   * The same checks once more, of what has been read since. What was not asked before is asked.
   * @throws what contradicts the upgrade, naming every reason.
   */
  judge: (readings: Readings) => Promise<void>;
}

/**
 * @param to the release that was asked for; undefined where only one may fit.
 * @throws Refused or AlreadyUpgraded, naming every reason.
 */
export async function runPreflight(
  upgrade: Upgrade,
  catalogue: Catalogue,
  to: string | undefined,
): Promise<Preflighted> {
  const { record, people, profile, startedBy } = upgrade;
  const { name: step } = PREFLIGHT;
  record.apply({ type: 'stepEntered', step });
  const { choice, ...read } = await readAll(profile, catalogue, to);
  const { operations, billing, hosts } = read;
  const readings: Readings = { profile, startedBy, meant: meantBy(choice), problem: choice?.problem, ...read };
  const release = choice?.chosen?.release;
  const checks = [...COMMON_CHECKS, ...(release ? [requiredVersions(release.requirements), ...release.checks] : [])];
  const findings = examined(checks, readings);
  const known = findings.flatMap(({ check, finding }) => resultOf(check, finding));
  record.apply({ type: 'checked', checks: known });
  const reasons = known
    .filter(({ verdict }) => verdict === 'refusal')
    .map(({ name, message }) => `${name}: ${message}`);
  if (reasons.length > 0 || !answered(operations) || !answered(billing) || !choice?.chosen)
    throw refuse(upgrade, reasons, choice?.already === true && reasons.length === 1);

  const asked = new Set<string>();
  const confirm = async ({ check: { name, source }, finding }: Found): Promise<CheckResult[]> => {
    if (finding.verdict !== 'ask' || asked.has(finding.item)) return [];
    asked.add(finding.item);
    const { by, evidence } = await people.ask(step, {
      item: finding.item,
      asked: 'operator',
      title: finding.message,
      instructions: finding.instructions,
      evidence: 'What you looked at, and what it said.',
    });
    const result: CheckResult = {
      name,
      source: finding.source ?? source,
      verdict: 'pass',
      message: `${by} confirmed: ${finding.message} (${evidence})`,
    };
    record.apply({ type: 'checked', checks: [result] });
    return [result];
  };
  const confirmed = await settleAll(findings.map(confirm));
  const all = [...known, ...confirmed.flat()];
  const warnings = all.filter(({ verdict }) => verdict === 'warning').length;
  record.apply({ type: 'stepMoved', step, state: 'done', note: `${all.length} checks; warnings: ${warnings}` });
  return {
    chosen: choice.chosen,
    facts: {
      operations: operations.value,
      billing: billing.value,
      hosts: hosts.filter(answered).map(({ value }) => value),
    },
    readings,
    judge: async (now) => {
      const found = examined(checks, now);
      const against = found.flatMap(({ check, finding }) =>
        finding.verdict === 'refusal' ? [`${check.name}: ${finding.message}`] : [],
      );
      if (against.length > 0) throw contradicts(against.join(' '));
      await settleAll(found.map(confirm));
    },
  };
}

interface Found {
  check: Check;
  finding: Finding;
}

const examined = (checks: readonly Check[], readings: Readings): Found[] =>
  checks.flatMap((check) => check.examine(readings).map((finding) => ({ check, finding })));

const resultOf = ({ name, source }: Check, finding: Finding): CheckResult[] =>
  finding.verdict === 'ask'
    ? []
    : [{ name, source: finding.source ?? source, verdict: finding.verdict, message: finding.message }];

/** @param already it runs the release already, and nothing else is against it. */
function refuse({ record, profile: { provider } }: Upgrade, reasons: string[], already: boolean): ApplicationFailure {
  const note = `${reasons.length} reasons against this upgrade`;
  record.apply({ type: 'stepMoved', step: PREFLIGHT.name, state: 'failed', note });
  return ApplicationFailure.nonRetryable(
    `The upgrade of ${provider} is refused; nothing was touched.\n${reasons.map((reason) => `- ${reason}`).join('\n')}`,
    already ? FAILURE.alreadyUpgraded : FAILURE.refused,
    { provider, reasons },
  );
}

/**
 * Reads everything at once; a system that does not answer does not hide what the others say. The package is read last: which
 * one is meant follows from what is installed.
 */
async function readAll(
  profile: FrozenProfile,
  catalogue: Catalogue,
  to: string | undefined,
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
      reading(host.name, () => endpoint(host).readHost(`read endpoint host ${host.name}`, { host })),
    ),
  ]);
  const choice = answered(operationsFacts)
    ? catalogue.choose(
        operationsFacts.value.instances.map(({ packageVersion }) => packageVersion),
        to,
      )
    : undefined;
  // Where nothing is to be upgraded, no package is missed.
  const file = await readPackage(profile, choice ? choice.chosen?.release.version : to);
  return { choice, operations: operationsFacts, billing: billingFacts, package: file, hosts };
}

async function readPackage(
  profile: FrozenProfile,
  version: string | undefined,
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
