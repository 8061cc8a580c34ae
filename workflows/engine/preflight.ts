/**
 * Before anything is touched: reads every system, chooses the path, checks every condition of the release notes, and refuses
 * with all reasons at once. What no system can tell is asked.
 */
import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import { entryOf, type FrozenProfile } from '../../src/contract/entry';
import type { ApplicationInstance, PackageFacts } from '../../src/contract/facts';
import { installationOf, leavesSomething, leftBy, runOf, type Ledger } from '../../src/contract/ledger';
import { operationId, type Operation } from '../../src/contract/operation';
import type { CheckResult } from '../../src/contract/status';
import { withoutRelease } from '../../src/contract/versions';
import { activitiesFor, type Activities } from '../kit/activities';
import { failureType, problemOf } from '../kit/problem';
import { answered, reading, type Reading } from '../kit/reading';
import { settleAll } from '../kit/settle-all';
import { allTemplates } from '../kit/template-pages';
import { meantBy, type Catalogue, type CatalogueAnswer } from './catalogue';
import type { Check, Finding, Readings } from './check';
import { COMMON_CHECKS, requiredVersions } from './common-checks';
import { Installation, asNoted } from './installation';
import { contradicts } from './look-again';
import { PREFLIGHT } from './planned-steps';
import type { PreflightFacts } from './preflight-facts';
import type { Planned } from './run-path';
import type { Upgrade } from './upgrade';

/** What is asked for. */
export interface Asked {
  /** The release; undefined where only one may fit. */
  readonly to: string | undefined;
  /** The version that an unfinished upgrade started from, where no ledger tells. */
  readonly from: string | undefined;
  /** Bring to its end what another run has begun. */
  readonly finish: boolean;
}

/**
 * @param firstRun of the chain that this run belongs to.
 * @throws Refused or AlreadyUpgraded, naming every reason.
 */
export async function runPreflight(
  upgrade: Upgrade,
  catalogue: Catalogue,
  asked: Asked,
  firstRun: string,
): Promise<Planned> {
  const { record, profile } = upgrade;
  record.apply({ type: 'stepEntered', step: PREFLIGHT.name });
  const { choice, ...read } = await readAll(profile, catalogue, asked.to);
  const preflight = new Preflight(upgrade, read, firstRun);
  return asked.finish ? await preflight.ofUnfinished(catalogue, asked) : await preflight.of(choice, catalogue, asked);
}

type ReadSystems = Pick<Readings, 'operations' | 'billing' | 'package' | 'hosts'>;

class Preflight {
  constructor(
    private readonly upgrade: Upgrade,
    private readonly read: ReadSystems,
    private readonly firstRun: string,
  ) {}

  async of(choice: CatalogueAnswer | undefined, catalogue: Catalogue, asked: Asked): Promise<Planned> {
    const { upgrade, read, firstRun } = this;
    const { record, profile, startedBy } = upgrade;
    const readings: Readings = { profile, startedBy, meant: meantBy(choice), problem: choice?.problem, ...read };
    const release = choice?.chosen?.release;
    const checks = [...COMMON_CHECKS, ...(release ? [requiredVersions(release.requirements), ...release.checks] : [])];
    const findings = examined(checks, readings);
    const known = findings.flatMap(({ check, finding }) => resultOf(check, finding));
    record.apply({ type: 'checked', checks: known });
    const refusals = known.filter(({ verdict }) => verdict === 'refusal');
    const initial = this.facts;
    if (refusals.length > 0 || !initial || !choice?.chosen) {
      const unfinished = await this.unfinished();
      // This very operation, before its workflow was reset: what is against it now is what it has done.
      if (unfinished?.holder && runOf(unfinished.holder) === firstRun) return await this.ofUnfinished(catalogue, asked);
      const left = unfinished ? [installationRefusal(leftBy(unfinished))] : [];
      record.apply({ type: 'checked', checks: left });
      const all = [...refusals, ...left];
      throw refuse(upgrade, all, choice?.already === true && all.length === 1);
    }
    const { chosen } = choice;
    const { provider } = profile;
    const { workflowId } = upgrade;
    const confirm = confirming(upgrade);
    const operation: Operation = { provider, from: chosen.from, to: chosen.release.version, firstRun, workflowId };
    const installation = await this.enter(operation);
    return {
      operation,
      installation,
      chosen,
      initial,
      readings,
      finishes: false,
      confirm: async () => {
        const all = [...known, ...(await confirm(findings))];
        const warnings = all.filter(({ verdict }) => verdict === 'warning').length;
        const note = `${all.length} checks; warnings: ${warnings}`;
        record.apply({ type: 'stepMoved', step: PREFLIGHT.name, state: 'done', note });
      },
      judge: async (now) => {
        const found = examined(checks, now);
        const against = found.flatMap(({ check, finding }) =>
          finding.verdict === 'refusal' ? [`${check.name}: ${finding.message}`] : [],
        );
        if (against.length > 0) throw contradicts(against.join(' '));
        await confirm(found);
      },
    };
  }

  /** Nothing is checked: what has begun has to come to its end, whatever it stands on. */
  async ofUnfinished(catalogue: Catalogue, asked: Asked): Promise<Planned> {
    const { upgrade, read, firstRun } = this;
    const { record, profile, startedBy, workflowId } = upgrade;
    const initial = this.facts;
    const { operations, billing } = read;
    if (!initial) throw this.refuseBecause('systemsAnswer', [operations, billing].flatMap(silence));
    const { identity } = this;
    const known =
      identity === undefined ? undefined : await this.ledger.readLedger('read the ledger', { installation: identity });
    const holder = known?.ledger.holder;
    const { provider } = profile;
    if (holder && holder.provider !== provider)
      throw this.refuseBecause('installation', [
        `What is unfinished on this installation belongs to ${operationId(holder)}: run \`onward finish ${holder.provider}\`.`,
      ]);
    const meant = holder ?? (await this.ofWhatIsFound(initial.operations.instances, catalogue, asked));
    if ('problem' in meant) throw this.refuseBecause('installation', [meant.problem]);
    const { problem, chosen } = catalogue.unfinished(meant.from, meant.to);
    if (!chosen) throw this.refuseBecause('upgradePath', [problem]);
    const operation: Operation = holder
      ? { ...holder, workflowId, ...(holder.firstRun === firstRun ? {} : { finishedBy: firstRun }) }
      : { provider, from: meant.from, to: meant.to, firstRun, workflowId };
    const installation = await this.enter(operation, holder === undefined);
    if (known) this.requireHosts(known.ledger, chosen.release.version);
    if (profile.approval.beforeCrossing && startedBy === undefined && holder === undefined)
      throw this.refuseBecause('fourEyes', [
        'The crossing of this provider needs an approval by someone other than who finishes it: start it with "startedBy".',
      ]);
    const detail = holder
      ? `Goes on with ${operationId(holder)}, as its ledger tells it.`
      : `Goes on with an upgrade from ${meant.from} to ${meant.to} whose ledger is lost, from what is found.`;
    record.apply({ type: 'finishes', operation: operationId(operation), detail });
    record.apply({ type: 'stepMoved', step: PREFLIGHT.name, state: 'done', note: detail });
    const nothing = async (): Promise<void> => undefined;
    return {
      operation,
      installation,
      chosen,
      initial: known ? { ...initial, hosts: asNoted(initial.hosts, known.ledger) } : initial,
      readings: { profile, startedBy, meant: meantBy({ chosen }), problem: undefined, ...read },
      finishes: true,
      confirm: nothing,
      judge: nothing,
    };
  }

  /** What was set up on a host cannot be undone, nor instances be upgraded through it, while it does not answer. */
  private requireHosts({ begun, requests }: Ledger, to: string): void {
    const { hosts, operations } = this.read;
    const isNeeded =
      requests.length === 0
        ? begun.length > 0
        : answered(operations) &&
          operations.value.instances.some(({ packageVersion }) => withoutRelease(packageVersion) !== to);
    const silent = isNeeded ? hosts.flatMap(silence) : [];
    if (silent.length > 0)
      throw this.refuseBecause('systemsAnswer', [
        ...silent,
        'Without these hosts what was set up there can be neither undone nor used. Bring their workers back, then finish again.',
      ]);
  }

  private get facts(): PreflightFacts | undefined {
    const { operations, billing, hosts } = this.read;
    if (!answered(operations) || !answered(billing)) return undefined;
    return {
      operations: operations.value,
      billing: billing.value,
      hosts: hosts.filter(answered).map(({ value }) => value),
    };
  }

  private get identity(): string | undefined {
    const { operations } = this.read;
    return answered(operations) ? installationOf(operations.value.instances) : undefined;
  }

  private get ledger(): Activities['ledger'] {
    return activitiesFor(this.upgrade.profile.timings).ledger;
  }

  /** @throws Refused where another upgrade holds the installation, or has left something. */
  private async enter(operation: Operation, isLost = false): Promise<Installation> {
    const { identity } = this;
    if (identity === undefined)
      throw this.refuseBecause('installation', ['There is no application instance to upgrade.']);
    const installation = new Installation(this.ledger, identity, operation, isLost);
    try {
      await installation.enter();
      return installation;
    } catch (error) {
      if (failureType(error) !== FAILURE.refused) throw error;
      throw this.refuseBecause('installation', [problemOf(error)]);
    }
  }

  /** A refusal must not hide that an upgrade is unfinished: what is found may be what that one has left. */
  private async unfinished(): Promise<Ledger | undefined> {
    const { identity, firstRun } = this;
    if (identity === undefined) return undefined;
    const known = await this.ledger.readLedger('read the ledger', { installation: identity });
    if (!known?.ledger.holder || !leavesSomething(known.ledger)) return undefined;
    return known.holderRuns && runOf(known.ledger.holder) !== firstRun ? undefined : known.ledger;
  }

  /** Which upgrade is unfinished, where its ledger is lost. */
  private async ofWhatIsFound(
    instances: readonly ApplicationInstance[],
    catalogue: Catalogue,
    { to: wanted, from: given }: Asked,
  ): Promise<{ from: string; to: string } | { problem: string }> {
    const to = await this.newestImported(wanted === undefined ? catalogue.versions : [wanted]);
    if (to === undefined)
      return {
        problem: `No ledger tells of an unfinished upgrade, and ${wanted === undefined ? 'no release that Onward knows' : `version ${wanted}`} is imported: nothing is past its point of no return. Look whether service templates are inactive that were active, then start the upgrade anew.`,
      };
    const others = [...new Set(instances.map(({ packageVersion }) => withoutRelease(packageVersion)))].filter(
      (version) => version !== to,
    );
    const [from = given, ...more] = others;
    if (from === undefined || more.length > 0)
      return {
        problem: `No ledger tells which version the unfinished upgrade to ${to} started from${more.length > 0 ? `; instances run ${others.join(', ')}` : ', and every instance runs it'}. Say it by "from".`,
      };
    return { from, to };
  }

  /** What is imported and not enabled counts as well. @param versions the oldest first. */
  private async newestImported(versions: readonly string[]): Promise<string | undefined> {
    const { profile } = this.upgrade;
    const { operations } = activitiesFor(profile.timings);
    for (const version of [...versions].reverse()) {
      const entry = entryOf(profile, 'operations', 'aps');
      if (await operations.findImported(`look whether ${version} is imported`, { entry, version })) return version;
    }
    return undefined;
  }

  private refuseBecause(name: string, problems: string[]): ApplicationFailure {
    const checks = problems.map((problem) => ({ ...installationRefusal(problem), name }));
    this.upgrade.record.apply({ type: 'checked', checks });
    return refuse(this.upgrade, checks, false);
  }
}

const silence = (each: Reading<unknown>): string[] =>
  answered(each) ? [] : [`${each.what} does not answer: ${each.problem}`];

const installationRefusal = (message: string): CheckResult => ({
  name: 'installation',
  source: 'Onward: one upgrade at a time on one installation, and each to its end',
  verdict: 'refusal',
  message,
});

interface Found {
  check: Check;
  finding: Finding;
}

const examined = (checks: readonly Check[], readings: Readings): Found[] =>
  checks.flatMap((check) => check.examine(readings).map((finding) => ({ check, finding })));

/** Asks what no system can tell, each thing once. */
function confirming({ record, people }: Upgrade): (findings: readonly Found[]) => Promise<CheckResult[]> {
  const asked = new Set<string>();
  const confirm = async ({ check: { name, source }, finding }: Found): Promise<CheckResult[]> => {
    if (finding.verdict !== 'ask' || asked.has(finding.item)) return [];
    asked.add(finding.item);
    try {
      const { by, evidence } = await people.ask(PREFLIGHT.name, {
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
    } catch (error) {
      // Nobody has answered: it was stopped, and may be gone on with.
      asked.delete(finding.item);
      throw error;
    }
  };
  return async (findings) => (await settleAll(findings.map(confirm))).flat();
}

const resultOf = ({ name, source }: Check, finding: Finding): CheckResult[] =>
  finding.verdict === 'ask'
    ? []
    : [{ name, source: finding.source ?? source, verdict: finding.verdict, message: finding.message }];

/** @param already it runs the release already, and nothing else is against it. */
function refuse(
  { record, profile: { provider } }: Upgrade,
  refusals: CheckResult[],
  already: boolean,
): ApplicationFailure {
  const reasons = refusals.map(({ name, message }) => `${name}: ${message}`);
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
