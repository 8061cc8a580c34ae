/**
 * Before anything is touched: reads every system, chooses the path, checks every condition of the release notes, and refuses
 * with all reasons at once. What no system can tell is asked.
 */
import { ApplicationFailure, TemporalFailure, isCancellation } from '@temporalio/workflow';
import { ONWARD } from '../../src/contract/onward';
import { FAILURE } from '../../src/contract/activities';
import { entryOf } from '../../src/contract/entry';
import type { ApplicationInstance } from '../../src/contract/facts';
import { instancesOf, leavesSomething, leftBy, runOf, type FoundLedger, type Ledger } from '../../src/contract/ledger';
import { operationId, type Operation } from '../../src/contract/operation';
import type { CheckResult } from '../../src/contract/status';
import { withoutRelease } from '../../src/contract/versions';
import { activitiesFor, type Activities } from '../kit/activities';
import { problemOf } from '../kit/problem';
import { answered, type Reading } from '../kit/reading';
import { settleAll } from '../kit/settle-all';
import { meantBy, type Catalogue } from './catalogue';
import type { Check, Readings } from './check';
import { checksOf, examine, examined, type Examination, type Found } from './examination';
import { Installation, asNoted } from './installation';
import { contradicts } from './look-again';
import { PREFLIGHT } from './planned-steps';
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
  const seen = await examine(profile, catalogue, { ...asked, startedBy: upgrade.startedBy });
  const preflight = new Preflight(upgrade, seen, firstRun);
  return asked.finish ? await preflight.ofUnfinished(catalogue, asked) : await preflight.of(catalogue, asked);
}

class Preflight {
  private found: Promise<FoundLedger | undefined> | undefined;

  constructor(
    private readonly upgrade: Upgrade,
    private readonly seen: Examination,
    private readonly firstRun: string,
  ) {}

  async of(catalogue: Catalogue, asked: Asked): Promise<Planned> {
    const { upgrade, firstRun } = this;
    const { record, profile } = upgrade;
    const { choice, checks, readings, found: findings, results: known, facts: initial } = this.seen;
    record.apply({ type: 'checked', checks: known });
    const refusals = known.filter(({ verdict }) => verdict === 'refusal');
    if (refusals.length > 0 || !initial || !choice?.chosen) {
      const unfinished = await this.unfinished(refusals);
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
      judge: judging(checks, confirm),
    };
  }

  /**
   * What has begun has to come to its end, whatever it stands on: where something tells that it has, nothing is checked, and only a new
   * import rests on what is found.
   */
  async ofUnfinished(catalogue: Catalogue, asked: Asked): Promise<Planned> {
    const { upgrade, firstRun } = this;
    const { record, profile, startedBy, workflowId } = upgrade;
    const { readings, facts: initial } = this.seen;
    if (!initial) throw this.refuseBecause('systemsAnswer', [readings.operations, readings.billing].flatMap(silence));
    const known = (await this.readLedger())?.kept;
    const holder = known?.ledger.holder;
    const { provider } = profile;
    if (holder && holder.provider !== provider)
      throw this.refuseBecause('installation', [
        `What is unfinished on this installation belongs to ${operationId(holder)}: run \`${ONWARD} finish ${holder.provider}\`.`,
      ]);
    const meant = holder ?? (await this.ofWhatIsFound(initial.operations.instances, catalogue, asked));
    if ('problem' in meant) throw this.refuseBecause('installation', [meant.problem]);
    const { problem, chosen } = catalogue.unfinished(meant.from, meant.to);
    if (!chosen) throw this.refuseBecause('upgradePath', [problem]);
    if (!holder) this.requireChecks(initial.operations.instances, meant.from);
    const operation: Operation = holder
      ? { ...holder, workflowId, ...(holder.firstRun === firstRun ? {} : { finishedBy: firstRun }) }
      : { provider, from: meant.from, to: meant.to, firstRun, workflowId };
    const installation = await this.enter(operation, holder === undefined);
    const begunBy = known?.ledger.startedBy ?? [];
    if (profile.approval.beforeCrossing && startedBy === undefined && begunBy.length === 0)
      throw this.refuseBecause('fourEyes', [
        'The crossing of this provider needs an approval by someone other than who finishes it: start it with "startedBy".',
      ]);
    const detail = holder
      ? `Goes on with ${operationId(holder)}, as its ledger tells it.`
      : `Goes on with an upgrade from ${meant.from} to ${meant.to} whose ledger is lost, from what is found.`;
    record.apply({ type: 'finishes', operation: operationId(operation), begunBy, detail });
    record.apply({ type: 'stepMoved', step: PREFLIGHT.name, state: 'done', note: detail });
    // Who may finish it was seen to above.
    const checks = checksOf(chosen.release).filter(({ name }) => name !== 'fourEyes');
    return {
      operation,
      installation,
      chosen,
      initial: known ? asNoted(initial, known.ledger) : initial,
      readings: { ...readings, meant: meantBy({ chosen }), problem: undefined },
      finishes: true,
      confirm: async () => undefined,
      judge: judging(checks, confirming(upgrade)),
    };
  }

  /**
   * Without a ledger, and with every instance where it was, the package list alone tells of an upgrade: somebody else may have imported the
   * package, and none have begun. It goes forward only, so what refuses a start refuses this as well.
   */
  private requireChecks(instances: readonly ApplicationInstance[], from: string): void {
    if (instances.some(({ packageVersion }) => withoutRelease(packageVersion) !== from)) return;
    const { results } = this.seen;
    this.upgrade.record.apply({ type: 'checked', checks: results });
    const refusals = results.filter(({ verdict }) => verdict === 'refusal');
    if (refusals.length > 0) throw refuse(this.upgrade, refusals, false);
  }

  private get ledger(): Activities['ledger'] {
    return activitiesFor(this.upgrade.profile.timings).ledger;
  }

  /** @throws Refused where another upgrade holds the installation, or has left something. */
  private async enter(operation: Operation, isLost = false): Promise<Installation> {
    const found = await this.readLedger();
    if (!found) throw this.refuseBecause('installation', ['There is no application instance to upgrade.']);
    const { startedBy } = this.upgrade;
    const entrant = { installation: found.installation, operation, instances: this.instances, startedBy };
    const installation = new Installation(this.ledger, entrant, isLost);
    await this.orRefuse(installation.enter());
    return installation;
  }

  /**
   * Decided once, so that it is the same ledger for the whole run. Undefined where no instance tells.
   * @param besides what refuses the upgrade already.
   */
  private readLedger(besides?: CheckResult[]): Promise<FoundLedger | undefined> {
    const { provider } = this.upgrade.profile;
    const { instances } = this;
    return (this.found ??=
      instances.length === 0
        ? Promise.resolve(undefined)
        : this.orRefuse(this.ledger.readLedger('read the ledger', { provider, instances }), besides));
  }

  private get instances(): string[] {
    const { operations } = this.seen.readings;
    return answered(operations) ? instancesOf(operations.value.instances) : [];
  }

  /**
   * Nothing is touched where nobody can tell to whom the installation belongs, or what is left there.
   * @param besides what refuses the upgrade already.
   */
  private async orRefuse<Told>(told: Promise<Told>, besides?: CheckResult[]): Promise<Told> {
    try {
      return await told;
    } catch (error) {
      if (!(error instanceof TemporalFailure) || isCancellation(error)) throw error;
      throw this.refuseBecause('installation', [problemOf(error)], besides);
    }
  }

  /** A refusal must not hide that an upgrade is unfinished: what is found may be what that one has left. */
  private async unfinished(refusals: CheckResult[]): Promise<Ledger | undefined> {
    const { firstRun } = this;
    const known = (await this.readLedger(refusals))?.kept;
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
      const look = operations.findImported(`look whether ${version} is imported`, { entry, version });
      if (await this.orRefuse(look)) return version;
    }
    return undefined;
  }

  private refuseBecause(name: string, problems: string[], besides: CheckResult[] = []): ApplicationFailure {
    const checks = problems.map((problem) => ({ ...installationRefusal(problem), name }));
    this.upgrade.record.apply({ type: 'checked', checks });
    return refuse(this.upgrade, [...besides, ...checks], false);
  }
}

const silence = (each: Reading<unknown>): string[] =>
  answered(each) ? [] : [`${each.what} does not answer: ${each.problem}`];

export const installationRefusal = (message: string): CheckResult => ({
  name: 'installation',
  source: 'Onward: one upgrade at a time on one installation, and each to its end',
  verdict: 'refusal',
  message,
});

/** The checks once more; what no system tells is asked, unless it was. */
const judging =
  (checks: readonly Check[], confirm: ReturnType<typeof confirming>) =>
  async (now: Readings): Promise<void> => {
    const found = examined(checks, now);
    const against = found.flatMap(({ check, finding }) =>
      finding.verdict === 'refusal' ? [`${check.name}: ${finding.message}`] : [],
    );
    if (against.length > 0) throw contradicts(against.join(' '));
    await confirm(found);
  };

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
