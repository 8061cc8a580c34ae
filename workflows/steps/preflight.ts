/**
 * Before anything is touched: reads every system, checks every condition of the release notes, and refuses with all
 * reasons at once. What no system can tell is asked.
 */
import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import type { ProviderProfile } from '../../src/contract/provider';
import type { CheckResult } from '../../src/contract/status';
import { TARGET_VERSION } from '../../src/contract/versions';
import type { PreflightFacts } from './facts';
import { activitiesFor } from '../kit/activities';
import { answered, reading } from '../kit/reading';
import type { UpgradePath } from '../engine/path';
import type { Upgrade } from '../engine/run-path';
import type { Heading } from '../engine/step';
import { CHECKS, choosePath, type Readings } from './preflight-checks';

export const preflight: Heading = {
  name: 'preflight',
  title: 'Preflight',
  procedure: 'Dependencies, important notes and known limitations of the release notes',
  waitsFor: 'nobody, unless no system can tell which Microsoft cloud an instance uses',
};

/**
 * @returns the path to take and the facts to begin it with.
 * @throws Refused, naming every reason.
 */
export async function runPreflight(
  upgrade: Upgrade,
  paths: readonly UpgradePath[],
): Promise<{ path: UpgradePath; facts: PreflightFacts }> {
  const { record, people, profile } = upgrade;
  record.enterStep('preflight');
  const surveyed: Readings = { profile, paths, startedBy: record.status.startedBy, ...(await survey(profile)) };
  const findings = CHECKS.flatMap((check) => check.examine(surveyed).map((finding) => ({ check, finding })));
  record.found(
    findings.flatMap(({ check: { name, source }, finding }): CheckResult[] =>
      finding.verdict === 'ask' ? [] : [{ name, source, verdict: finding.verdict, message: finding.message }],
    ),
  );

  const refusals = record.status.checks.filter(({ verdict }) => verdict === 'refusal');
  const { operations, billing, hosts } = surveyed;
  const path = answered(operations) ? choosePath(operations.value, paths) : undefined;
  if (refusals.length > 0 || !answered(operations) || !answered(billing) || !path || 'problem' in path) {
    throw refuse(
      upgrade,
      refusals.map(({ name, message }) => `${name}: ${message}`),
    );
  }

  await Promise.all(
    findings.map(async ({ check: { name, source }, finding }) => {
      if (finding.verdict !== 'ask') return;
      const { by, evidence } = await people.ask('preflight', {
        item: finding.item,
        asked: 'operator',
        title: finding.message,
        instructions: finding.instructions,
        evidence: 'What you looked at, and what it said.',
      });
      record.found([{ name, source, verdict: 'pass', message: `${by} confirmed: ${finding.message} (${evidence})` }]);
    }),
  );
  const warnings = record.status.checks.filter(({ verdict }) => verdict === 'warning').length;
  record.moveStep('preflight', 'done', `${record.status.checks.length} checks; warnings: ${warnings}`);
  return {
    path,
    facts: {
      operations: operations.value,
      billing: billing.value,
      hosts: hosts.filter(answered).map(({ value }) => value),
    },
  };
}

function refuse({ record }: Upgrade, reasons: string[]): ApplicationFailure {
  record.moveStep('preflight', 'failed', `${reasons.length} reasons against this upgrade`);
  return ApplicationFailure.nonRetryable(
    `The upgrade of ${record.status.provider} is refused; nothing was touched.\n${reasons.map((reason) => `- ${reason}`).join('\n')}`,
    FAILURE.refused,
    { provider: record.status.provider, reasons },
  );
}

/** Reads everything at once; a system that does not answer does not hide what the others say. */
async function survey(
  profile: ProviderProfile,
): Promise<Pick<Readings, 'operations' | 'billing' | 'package' | 'hosts'>> {
  const { operations, billing, network, endpoint } = activitiesFor(profile.timings);
  const [operationsFacts, billingFacts, packageFacts, ...hosts] = await Promise.all([
    reading('Operations', () =>
      operations.readOperations('read versions, instances and templates', {
        operations: profile.operations,
        aps: profile.aps,
      }),
    ),
    reading('Billing', () =>
      billing.readBilling('read billing service templates', { billing: profile.billing, plans: profile.plans }),
    ),
    reading('package', async () => {
      const source = profile.packages[TARGET_VERSION];
      if (!source)
        throw ApplicationFailure.nonRetryable(`The inventory names no package of version ${TARGET_VERSION}.`);
      return network.hashPackage('verify the package', { url: source.url, caFile: source.caFile });
    }),
    ...profile.endpointHosts.map((host) =>
      reading(host.name, () => endpoint(host).readHost(`read endpoint host ${host.name}`, { host })),
    ),
  ]);
  return { operations: operationsFacts, billing: billingFacts, package: packageFacts, hosts };
}
