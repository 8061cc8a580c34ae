/**
 * Walks a path: steps before the crossing, the crossing, forward steps, and what the release leaves behind.
 *
 * Before the crossing, a failure, an abort or a cancellation undoes everything, last step first. In the workflow task that
 * begins the import the undo list is sealed; from then on no cancellation reaches a step, and a failed step holds. The same holds
 * from the moment on in which the package is found to be imported although this run has not done it.
 */
import { ApplicationFailure, CancellationScope, TemporalFailure, isCancellation } from '@temporalio/workflow';
import { ONWARD } from '../../src/contract/onward';
import { FAILURE, type ImportedPackage } from '../../src/contract/activities';
import { entryOf } from '../../src/contract/entry';
import type { Ledger } from '../../src/contract/ledger';
import type { Operation } from '../../src/contract/operation';
import type { HoldAction } from '../../src/contract/status';
import { activitiesFor } from '../kit/activities';
import { failureType, problemOf } from '../kit/problem';
import type { NextCall } from '../people/blocker';
import { EntryHolds } from './entry-holds';
import { abortable } from './abortable';
import type { EffectName } from './effects';
import type { Chosen } from './catalogue';
import type { Readings } from './check';
import { factsNoted, type Installation } from './installation';
import { listedOf, wasListed } from './listed-before';
import { contradicts, lookAtProvider, Quiet, type Occasion, type Standing } from './look-again';
import { stepsOf, type AnyStepAfter, type AnyStepBefore, type CrossingFacts } from './path';
import { PREFLIGHT } from './planned-steps';
import type { PreflightFacts } from './preflight-facts';
import type { Applicability, StepContext } from './step';
import { UndoList } from './undo-list';
import type { Upgrade } from './upgrade';

/** What the preflight has found: which upgrade it is, and what is known before it begins. */
export interface Planned {
  readonly operation: Operation;
  readonly installation: Installation;
  readonly chosen: Chosen;
  /** What the preflight saw: conditions are judged by it, wherever their steps stand. */
  readonly initial: PreflightFacts;
  /** What the checks were told. */
  readonly readings: Readings;
  /**
   * The same checks once more, of what has been read since. What was not asked before is asked.
   * @throws what contradicts the upgrade, naming every reason.
   */
  readonly judge: (readings: Readings) => Promise<void>;
  /** Asks people what no system tells. */
  readonly confirm: () => Promise<void>;
  /** The operation was begun by another run, which has ended: it is brought to its end. */
  readonly finishes: boolean;
}

/** One upgrade along one path. */
interface Walk extends Planned {
  readonly upgrade: Upgrade;
  readonly undo: UndoList;
  readonly entryHolds: EntryHolds;
  /** Steps before the crossing that look again, in their order. */
  readonly standing: Standing[];
  readonly quiet: Quiet;
  /** The package in its list that was there before this upgrade; until anything is changed. */
  listedBefore: string | undefined;
  /** Another run, or somebody else, may have gone further than this one knows: instances may be on their way already. */
  goneFurther: boolean;
  /** How often it has waited. */
  waits: number;
}

/**
 * @param asked who wanted to abort it before it could begin.
 * @returns all facts that the steps gave.
 */
export async function runPath(
  upgrade: Upgrade,
  planned: Planned,
  asked?: { by: string; reason: string },
): Promise<PreflightFacts & CrossingFacts> {
  const standing: Standing[] = [];
  const walk: Walk = {
    ...planned,
    upgrade,
    undo: new UndoList(upgrade.record),
    entryHolds: new EntryHolds(upgrade, planned.initial.operations.instances),
    standing,
    quiet: new Quiet(standing),
    listedBefore: planned.finishes ? undefined : listedOf(planned.initial.operations, planned.operation.to),
    goneFurther: false,
    waits: 0,
  };
  if (walk.listedBefore !== undefined)
    upgrade.record.apply({
      type: 'listedBefore',
      warning: `${wasListed(walk.listedBefore)}: it can be aborted until it begins to change anything, and not from then on.`,
    });
  const facts = planned.finishes
    ? await CancellationScope.nonCancellable(() => upToTheCrossing(walk))
    : await phaseBefore(walk, asked);
  return await CancellationScope.nonCancellable(() => phaseAfter(walk, facts));
}

/**
 * Before anything is changed: where the package was listed before, and still is, there is only forward from here on, and whoever wants to
 * abort is told so at once.
 */
async function closeWayBack(walk: Walk, step: string): Promise<void> {
  if (walk.listedBefore === undefined) return;
  const listed = await findImported(walk, step);
  walk.listedBefore = undefined;
  if (walk.undo.isSealed) return;
  const { record } = walk.upgrade;
  if (listed === undefined) {
    record.apply({ type: 'listedBefore', warning: undefined });
    return;
  }
  walk.undo.seal();
  record.apply({
    type: 'onlyForward',
    reason: `${FAILURE.pastPointOfNoReturn}: ${wasListed(listed.packageVersion)}. It has begun to change things, so there is only forward; pause stops before the next step.`,
  });
}

async function phaseBefore(walk: Walk, asked: { by: string; reason: string } | undefined): Promise<PreflightFacts> {
  const { upgrade } = walk;
  const steps = new StepsBefore(walk);
  try {
    return await abortable(upgrade, () => steps.goOn(), asked);
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error;
    // What was stopped is taken up again where there is no way back: each step looks before it acts.
    return await CancellationScope.nonCancellable(async () => {
      // There was only forward since its first change.
      if (walk.undo.isSealed) return await steps.goOn();
      const { imported, ledger } = await whetherImported(walk, steps.at);
      // Whatever is imported: where nothing was begun, nothing has to be undone. A ledger that was deleted knows of nothing.
      const isUntouched = walk.undo.isEmpty && ledger.begun.length + ledger.requests.length === 0;
      if (imported === undefined || isUntouched) throw await comeBack(walk, error);
      refuseUndo(walk, imported, error);
      return await steps.goOn();
    });
  }
}

/** The steps before the crossing, which may be gone on with where they were stopped. */
class StepsBefore {
  private facts: PreflightFacts;
  private confirmed = false;
  private done = 0;

  constructor(private readonly walk: Walk) {
    this.facts = { ...walk.initial, ...walk.chosen.path.already };
  }

  get at(): string {
    const { before, crossing } = this.walk.chosen.path;
    return this.confirmed ? (before[this.done]?.step.name ?? crossing.step.name) : PREFLIGHT.name;
  }

  async goOn(): Promise<PreflightFacts> {
    const { chosen, confirm } = this.walk;
    if (!this.confirmed) await confirm();
    this.confirmed = true;
    for (const { step } of chosen.path.before.slice(this.done)) {
      this.facts = { ...this.facts, ...(await stepBefore(this.walk, step, this.facts)) };
      this.done += 1;
    }
    return await lookBeforeCrossing(this.walk, this.facts);
  }
}

/** Of an operation that another run has begun: what is imported is gone on with, all else is undone. */
async function upToTheCrossing(walk: Walk): Promise<PreflightFacts> {
  const { chosen, initial, upgrade } = walk;
  const { imported, ledger } = await whetherImported(walk, PREFLIGHT.name);
  if (imported === undefined) {
    const problem = `The upgrade from ${chosen.from} to ${chosen.path.to} was not finished, and its package is not imported.`;
    throw await comeBack(walk, ApplicationFailure.nonRetryable(problem, FAILURE.aborted));
  }
  refuseUndo(walk, imported);
  // Without a request of its own nobody knows how far it came: every step looks for itself.
  if (ledger.requests.length === 0) return await new StepsBefore(walk).goOn();
  let facts: PreflightFacts = { ...initial, ...chosen.path.already, ...factsNoted(ledger) };
  const { isListed } = await carryOut(walk, PREFLIGHT.name, ['retry'], {
    run: async () => ({ isListed: (await findImported(walk, PREFLIGHT.name)) !== undefined }),
  });
  for (const { step } of chosen.path.before) {
    // The import may be yet to come: what has to be quiet for it is seen to once more.
    if (!isListed && keepsQuiet(step)) {
      facts = { ...facts, ...(await stepBefore(walk, step, facts)) };
      continue;
    }
    const { before = [] } = ledger.begun.find((each) => each.step === step.name) ?? {};
    if (step.kind === 'reversible' && step.recall)
      facts = { ...facts, ...step.recall(contextOf(walk, step.name, facts), before) };
    upgrade.record.apply({ type: 'stepMoved', step: step.name, state: 'done', note: 'before this run' });
  }
  // The claims were those of a run that has ended: the hosts may be another upgrade's by now.
  upgrade.record.apply({ type: 'hostsFreed' });
  return isListed ? facts : await lookBeforeCrossing(walk, facts);
}

/**
 * Asked before anything is undone, whatever the history says: a Reset, a Terminate or a lost server may have left a run that
 * does not know that it has crossed. While nobody can tell, nothing is undone.
 */
async function whetherImported(walk: Walk, at: string): Promise<{ imported: string | undefined; ledger: Ledger }> {
  const { chosen, installation, undo } = walk;
  const { to } = chosen.path;
  return await untilTold(walk, at, async () => {
    const ledger = await installation.enter();
    if (ledger.requests.length > 0) return { ledger, imported: `the import of version ${to} has begun` };
    const listed = await findImported(walk, at);
    if (listed) return { ledger, imported: isListed(listed) };
    undo.addOthers(
      begunByOthers(walk, ledger),
      stepsOf(chosen.path).map(({ step }) => step.name),
    );
    return { ledger, imported: undefined };
  });
}

const isListed = ({ packageVersion }: ImportedPackage): string => `version ${packageVersion} is in the package list`;

/** While nobody can tell, a person is asked again and again. */
async function untilTold<Told>(walk: Walk, at: string, ask: () => Promise<Told>): Promise<Told> {
  const { upgrade, chosen } = walk;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof TemporalFailure)) throw error;
      const problem = `Nothing is undone before it is known whether version ${chosen.path.to} is imported: ${problemOf(error)}`;
      await upgrade.people.hold(at, problem, ['retry']);
      walk.waits += 1;
    }
  }
}

async function findImported(walk: Walk, at: string): Promise<ImportedPackage | undefined> {
  const { profile } = walk.upgrade;
  const { to } = walk.chosen.path;
  const { operations } = walk.entryHolds.around(at, activitiesFor(profile.timings), false);
  const entry = entryOf(profile, 'operations', 'aps');
  return await operations.findImported(`look whether ${to} is imported`, { entry, version: to });
}

/** What other runs of this operation have begun: where this one knows of it as well, it undoes it by itself. */
function begunByOthers(walk: Walk, ledger: Ledger): { step: string; undo: () => Promise<void> }[] {
  const { chosen, initial, installation, finishes } = walk;
  return chosen.path.before.flatMap(({ step }) => {
    const noted = ledger.begun.find((each) => each.step === step.name);
    if (!noted || step.kind !== 'reversible') return [];
    const known = { ...initial, ...chosen.path.already, ...factsNoted(ledger) };
    const { name } = step;
    const { what, before } = noted;
    const { record } = walk.upgrade;
    const undo = async (): Promise<void> => {
      if (what !== undefined) record.apply({ type: 'switchedOff', what });
      const { undo: back } = await step.begin(contextOf(walk, name, known), known as never);
      await back();
      await installation.settled(name);
    };
    const byHand = async (problem: string): Promise<void> => {
      await step.isOn?.(contextOf(walk, name, known), before);
      await installation.settled(name);
      if (what !== undefined) record.apply({ type: 'switchedOn', what });
      else
        record.apply({
          type: 'kept',
          step: name,
          what: `what could not be undone, and a person has seen to: ${problem}`,
        });
    };
    return [{ step: name, undo: finishes ? () => untilUndone(walk, name, undo, byHand) : undo }];
  });
}

/**
 * Who finishes an upgrade leaves it to nobody: what cannot be undone holds, until it can or a person has done it by hand. Its host may be
 * gone for good.
 */
async function untilUndone(
  walk: Walk,
  step: string,
  undo: () => Promise<void>,
  byHand: (problem: string) => Promise<void>,
): Promise<void> {
  for (let attempt = undo; ;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TemporalFailure)) throw error;
      const problem = problemOf(error);
      const action = await walk.upgrade.people.hold(step, `It is not undone: ${problem}`, ['retry', 'doneByHand']);
      await requireNotImported(walk, step);
      attempt = action === 'doneByHand' ? () => byHand(problem) : undo;
    }
  }
}

async function requireNotImported(walk: Walk, step: string): Promise<void> {
  const listed = await untilTold(walk, step, () => findImported(walk, step));
  if (!listed) return;
  const problem = `${isListed(listed)} since this upgrade began to undo, and what is imported cannot be rolled back. Run ${ONWARD} finish.`;
  throw ApplicationFailure.nonRetryable(problem, FAILURE.pastPointOfNoReturn);
}

/** @returns the failure that ends the workflow. */
async function comeBack(walk: Walk, cause: TemporalFailure): Promise<TemporalFailure> {
  const { upgrade, undo, installation } = walk;
  await undo.run((step) => requireNotImported(walk, step));
  await leave(upgrade, installation);
  return undo.explain(cause, upgrade.profile.provider);
}

/** @param cause why something was to be undone, where it was. */
function refuseUndo(walk: Walk, imported: string, cause?: TemporalFailure): void {
  const { upgrade, undo } = walk;
  walk.goneFurther = true;
  const why = cause && (isCancellation(cause) ? 'The upgrade was cancelled' : problemOf(cause));
  undo.seal();
  upgrade.record.apply({
    type: 'undoRefused',
    reason: `${why === undefined ? '' : `${why} But nothing is undone. `}${FAILURE.pastPointOfNoReturn}: ${imported}, and what is imported cannot be rolled back. The upgrade goes on.`,
    cancelled: cause !== undefined && isCancellation(cause),
  });
}

/** What cannot be noted stands in the audit trail; whoever comes next finds that this run has ended. */
async function leave({ record }: Upgrade, installation: Installation): Promise<void> {
  try {
    await installation.leave(record.notUndone);
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error;
    const detail = `The ledger of the installation could not be told that the upgrade is over: ${problemOf(error)}`;
    record.apply({ type: 'noted', entry: { by: 'upgrade', what: 'ledger', verdict: 'done', detail } });
  }
}

/**
 * What the crossing rests on, as it is now. The last round finds nothing new and waits for nothing, so that nothing in it is old. A
 * failure holds, whatever the provider wants of others: people have agreed to cross by now. Where another run may have gone
 * further, nothing is judged: instances may be on their way already.
 */
async function lookBeforeCrossing(walk: Walk, facts: PreflightFacts): Promise<PreflightFacts> {
  const { chosen, goneFurther } = walk;
  const { name } = (chosen.path.before.at(-1) ?? chosen.path.crossing).step;
  const holding = <Given extends object>(step: string, run: (attempt: number) => Promise<Given>): Promise<Given> =>
    carryOut(walk, step, whileReversible(walk, ['retry', 'rollback']), { run, holds: 'always' });
  let now = facts;
  let restless = 0;
  for (let news = true; news;) {
    const { waits } = walk;
    if (restless === MOST_ROUNDS) {
      restless = 0;
      // Who retries wants it looked at anew.
      await holding(name, (attempt) => (attempt === 1 ? Promise.reject(isRestless()) : Promise.resolve({})));
    }
    const seen = await lookOnce(walk, name, goneFurther ? 'growth' : 'crossing', now, holding);
    now = seen.facts;
    news = seen.news;
    await pass(walk, 'crossing');
    restless = walk.waits === waits ? restless + 1 : 0;
    if (walk.waits !== waits) news = true;
  }
  return now;
}

/** @returns undefined where the look has failed, and others are to be made all the same. */
type Looking = <Given extends object>(step: string, look: () => Promise<Given>) => Promise<Given | undefined>;

/** Everything that the crossing rests on, once. @returns whether anything had to be done or waited for. */
async function lookOnce(
  walk: Walk,
  at: string,
  occasion: Occasion,
  facts: PreflightFacts,
  looking: Looking,
): Promise<{ facts: PreflightFacts; news: boolean }> {
  let now = (await looking(at, () => lookAround(walk, at, facts, occasion))) ?? facts;
  let news = false;
  for (const { step, again } of walk.standing) {
    const given = (await looking(step, async () => ({ ...(await again(now)) }))) ?? {};
    if (Object.keys(given).length > 0) news = true;
    now = { ...now, ...given };
  }
  return { facts: now, news };
}

/**
 * Before another request for the import, which may come days after the first. There is no way back, so nothing holds by itself: whatever
 * contradicts is named at once, and what is waited for is waited for when nothing does.
 */
async function lookBeforeRequest(walk: Walk, facts: PreflightFacts): Promise<PreflightFacts> {
  const { name } = walk.chosen.path.crossing.step;
  const quiet = walk.standing.filter((each) => each.keepsQuiet).map(({ step }) => step);
  let now = facts;
  for (let restless = 0; restless < MOST_ROUNDS;) {
    const { waits } = walk;
    const problems: string[] = [];
    const seen = await lookOnce(walk, name, 'crossing', now, async (step, look) => {
      if (problems.length > 0 && quiet.includes(step)) return undefined;
      try {
        return await look();
      } catch (error) {
        if (!(error instanceof TemporalFailure)) throw error;
        problems.push(problemOf(error));
        return undefined;
      }
    });
    now = seen.facts;
    if (problems.length > 0) throw contradicts(problems.join(' '));
    await pass(walk, 'crossing');
    if (!seen.news && walk.waits === waits) return now;
    restless = walk.waits === waits ? restless + 1 : 0;
  }
  throw isRestless();
}

/** So often in a row something is done again that needs no person; then a person looks who undoes it. */
const MOST_ROUNDS = 5;
const isRestless = (): ApplicationFailure =>
  contradicts(
    `What this upgrade switches off or waits for comes back at once, ${MOST_ROUNDS} times in a row: active service templates, open tasks or new sites. Find who does it, and retry.`,
  );

/** Called in the same workflow task as the end of the phase before: nothing is awaited before the seal. */
async function phaseAfter(walk: Walk, facts: PreflightFacts): Promise<PreflightFacts & CrossingFacts> {
  const { upgrade, chosen, undo } = walk;
  const { record } = upgrade;
  const { path, release } = chosen;
  const { step: crossing } = path.crossing;
  const context = contextOf(walk, crossing.name, facts);
  record.apply({ type: 'stepEntered', step: crossing.name });
  undo.seal();
  record.apply({ type: 'crossed', step: crossing.name });
  let now = facts;
  const lookAgain = async (): Promise<void> => {
    now = await lookBeforeRequest(walk, now);
  };
  const given = await carryOut(walk, crossing.name, ['retry', 'doneByHand'], {
    run: () => crossing.run(context, now as never, lookAgain),
    verify: () => crossing.verify(context, now as never),
  });
  record.apply({ type: 'stepMoved', step: crossing.name, state: 'done' });
  upgrade.notify(
    'crossed',
    `${upgrade.profile.provider} is past the point of no return`,
    `Version ${path.to} is imported. From here on there is only forward.`,
  );

  const steps = [...path.after.map((placed) => placed.step), ...release.leavesBehind];
  let known = { ...now, ...given };
  for (const [index, step] of steps.entries()) {
    if (isOfInstances(step)) known = await takeIn(walk, step.name, steps.slice(0, index), known);
    known = { ...known, ...(await stepAfter(walk, step, known)) };
  }
  known = await lookBeforeEnd(walk, steps, known);
  const [left] = record.switchedOff;
  // A path that leaves something off does not compile, so this is a defect: the workflow task fails, and nothing is lost.
  if (left) throw new Error(`${left.what} is still switched off, since ${left.since}`);
  await leave(upgrade, walk.installation);
  return known;
}

/**
 * It is over when every instance that the system lists is on the new version, when all that was done for instances was done for each,
 * and when what the steps did still stands. A person may accept what contradicts.
 */
async function lookBeforeEnd<Known extends PreflightFacts>(
  walk: Walk,
  steps: readonly AnyStepAfter[],
  facts: Known,
): Promise<Known> {
  const last = steps.at(-1)?.name ?? walk.chosen.path.crossing.step.name;
  let known = facts;
  for (;;) {
    const now = await carryOut(walk, last, ['retry', 'doneByHand'], {
      run: () => lookAround(walk, last, known, 'end'),
      verify: () => Promise.resolve(known),
    });
    const grown = now !== known;
    known = now;
    if (grown) known = await forInstances(walk, steps, known);
    if (!grown && (await allStands(walk, steps, known))) return known;
  }
}

/** Instances that have come are brought as far as the others before the next step is done for all. */
async function takeIn<Known extends PreflightFacts>(
  walk: Walk,
  at: string,
  done: readonly AnyStepAfter[],
  known: Known,
): Promise<Known> {
  const now = await carryOut(walk, at, ['retry'], { run: () => lookAround(walk, at, known, 'growth') });
  return now === known ? known : await forInstances(walk, done, now);
}

async function forInstances<Known extends PreflightFacts>(
  walk: Walk,
  steps: readonly AnyStepAfter[],
  facts: Known,
): Promise<Known> {
  let known = facts;
  for (const step of steps.filter(isOfInstances)) known = { ...known, ...(await stepAfter(walk, step, known)) };
  return known;
}

/** @returns whether nothing had to be done again. */
async function allStands(walk: Walk, steps: readonly AnyStepAfter[], facts: object): Promise<boolean> {
  const { waits } = walk;
  for (const step of steps) {
    if (step.kind !== 'forward' || !step.stands) continue;
    const { run, stands, name } = step;
    const context = contextOf(walk, name, facts);
    await carryOut(walk, name, ['retry', 'doneByHand'], {
      run: async (attempt) => {
        // Who retries wants it as the step had left it.
        if (attempt > 1) await run(context, facts as never);
        else await stands(context, facts as never);
        return {};
      },
      verify: () => Promise.resolve({}),
    });
  }
  return walk.waits === waits;
}

const isOfInstances = (step: AnyStepAfter): boolean => step.kind === 'forward' && step.ofInstances === true;

/** The provider as it is now. */
async function lookAround<Known extends PreflightFacts>(
  { upgrade: { profile }, operation: { from, to }, readings: before, judge, finishes, entryHolds }: Walk,
  step: string,
  facts: Known,
  occasion: Occasion,
): Promise<Known> {
  const activities = entryHolds.around(step, activitiesFor(profile.timings));
  const readings = { ...before, profile };
  // What has been imported has to come to its end, whatever it stands on by now.
  const judged = finishes && occasion !== 'crossing' ? () => Promise.resolve() : judge;
  return await lookAtProvider(facts, { occasion, activities, readings, from, to, judge: judged });
}

async function stepBefore(walk: Walk, step: AnyStepBefore, facts: object): Promise<object> {
  const { upgrade } = walk;
  const { record } = upgrade;
  const { name } = step;
  const leftOut = await leftOutBefore(walk, step);
  if (leftOut) return leftOut;
  await pass(walk, step.kind === 'reading' ? 'look' : 'change');
  const context = contextOf(walk, name, facts);
  record.apply({ type: 'stepEntered', step: name });
  try {
    // What a step does first may fail as well, and what a person did by hand cannot be verified before it.
    const { again, ...attempts } = await carryOut(walk, name, whileReversible(walk, ['retry', 'rollback']), {
      run: () => attemptsBefore(walk, step, context, facts),
    });
    const given = await carryOut(walk, name, whileReversible(walk, actionsBefore(step)), attempts);
    if (again) stand(walk, step, facts, given, again);
    record.apply({ type: 'stepMoved', step: name, state: 'done' });
    return given;
  } catch (error) {
    if (error instanceof TemporalFailure)
      record.apply({
        type: 'stepMoved',
        step: name,
        state: 'failed',
        note: isCancellation(error) ? 'stopped' : problemOf(error),
      });
    throw error;
  }
}

async function attemptsBefore(
  walk: Walk,
  step: AnyStepBefore,
  context: StepContext<EffectName>,
  facts: object,
): Promise<Attempts & LooksAgain> {
  const { undo, installation, upgrade } = walk;
  const againOf = ({ again }: Extract<AnyStepBefore, { kind: 'reading' | 'lasting' }>): LooksAgain =>
    again ? { again: (now, known) => again(context, now as never, known as never) } : {};
  switch (step.kind) {
    case 'reading':
      return { run: () => step.run(context, facts as never), ...againOf(step) };
    case 'lasting':
      // It may have acted although it fails.
      upgrade.record.apply({ type: 'kept', step: step.name, what: step.keeps });
      return {
        run: () => step.run(context, facts as never),
        verify: () => step.verify(context, facts as never),
        ...againOf(step),
      };
    case 'reversible': {
      await closeWayBack(walk, step.name);
      const begun = await step.begin(context, facts as never);
      const { undo: takeBack, again, ...attempts } = begun;
      const undone = async (): Promise<void> => {
        await takeBack();
        await installation.settled(step.name);
      };
      if (!undo.isSealed) undo.add(step.name, undone);
      return { ...attempts, ...(again ? { again: (now) => again(now as never) } : {}) };
    }
  }
}

interface LooksAgain {
  readonly again?: (facts: object, known: object) => Promise<object | undefined>;
}

/**
 * From here on the step looks again where the upgrade is about to change something. It is shown at work only where it is. What it has
 * given last it knows better than whoever asks: the step that is about to act has the facts of its own beginning.
 */
function stand(
  { standing }: Walk,
  step: AnyStepBefore,
  facts: object,
  given: object,
  again: NonNullable<LooksAgain['again']>,
): void {
  let own = given;
  let known = { ...facts, ...own };
  standing.push({
    step: step.name,
    keepsQuiet: keepsQuiet(step),
    again: async (now) => {
      const merged = { ...known, ...now, ...own };
      const newer = await again(merged, known);
      own = { ...own, ...newer };
      known = { ...merged, ...own };
      return newer;
    },
  });
}

const keepsQuiet = (step: AnyStepBefore): boolean => step.kind !== 'lasting' && step.keepsQuiet === true;

async function stepAfter(walk: Walk, step: AnyStepAfter, facts: object): Promise<object> {
  const { record } = walk.upgrade;
  const { name } = step;
  const leftOut = await leftOutOf(walk, step);
  if (leftOut) return leftOut;
  await pass(walk);
  const context = contextOf(walk, name, facts);
  record.apply({ type: 'stepEntered', step: name });
  const { verify } = step.kind === 'forward' ? step : {};
  const given = await carryOut(walk, name, verify ? ['retry', 'doneByHand'] : ['retry'], {
    run: () => step.run(context, facts as never),
    ...(verify ? { verify: () => verify(context, facts as never) } : {}),
  });
  record.apply({ type: 'stepMoved', step: name, state: 'done' });
  return given;
}

/** As {@link leftOutOf}; one that is stopped while it is decided about has failed. */
async function leftOutBefore(walk: Walk, step: AnyStepBefore): Promise<object | undefined> {
  try {
    return await leftOutOf(walk, step);
  } catch (error) {
    if (error instanceof TemporalFailure)
      walk.upgrade.record.apply({ type: 'stepMoved', step: step.name, state: 'failed', note: 'stopped' });
    throw error;
  }
}

/** The facts that hold without the step, where its condition does not hold or a person has declined it. */
async function leftOutOf(
  { upgrade: { record, people }, initial }: Walk,
  { name, title, applicability }: { name: string; title: string; applicability?: Applicability<object> },
): Promise<object | undefined> {
  if (!applicability) return undefined;
  const { condition, choice, otherwise } = applicability;
  if (condition) {
    const holds = condition.holds(initial);
    if (holds === true) return undefined;
    if (holds === false) {
      record.apply({ type: 'stepMoved', step: name, state: 'skipped', note: `only for ${condition.because}` });
      return otherwise;
    }
  }
  record.apply({ type: 'stepEntered', step: name });
  const { by, evidence, action } = await people.ask(name, {
    asked: 'operator',
    title: `Decide whether to do: ${title}`,
    instructions: choice
      ? choice.question
      : `It is only for ${condition.because}, and no system tells whether this is one.`,
    evidence: 'Your reason; it is kept.',
    answeredBy: 'decideStep',
  });
  if (action !== 'decline') return undefined;
  record.apply({ type: 'stepMoved', step: name, state: 'declined', note: `${by} declined it: ${evidence}` });
  return otherwise;
}

interface Attempts<Given extends object = object> {
  run(attempt: number): Promise<Given>;
  verify?(): Promise<Given>;
  /** Also where the provider wants that a failure before the crossing is undone at once. */
  holds?: 'always';
}

/** Runs until it succeeds; in between, where a failure may hold, an operator decides. */
async function carryOut<Given extends object>(
  walk: Walk,
  step: string,
  actions: HoldAction[],
  attempts: Attempts<Given>,
): Promise<Given> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attempts.run(attempt);
    } catch (error) {
      if (!holds(error, walk, attempts)) throw error;
      let action = await decide(walk, step, problemOf(error), actions);
      while (action === 'doneByHand' && attempts.verify) {
        try {
          return await attempts.verify();
        } catch (refusal) {
          if (!holds(refusal, walk, attempts)) throw refusal;
          action = await decide(walk, step, `It is not done yet: ${problemOf(refusal)}`, actions);
        }
      }
      if (action === 'rollback') throw error;
    }
  }
}

/** A decision to go on is obeyed when nothing stands against the next call. */
async function decide(walk: Walk, step: string, problem: string, actions: HoldAction[]): Promise<HoldAction> {
  const action = await walk.upgrade.people.hold(step, problem, actions);
  walk.waits += 1;
  if (action !== 'rollback') await pass(walk);
  return action;
}

/** Returns when the way is free. */
async function pass(walk: Walk, next?: NextCall): Promise<void> {
  if (await walk.upgrade.checkpoint(next)) walk.waits += 1;
}

/** Anything but a `TemporalFailure` is a defect of ours: the workflow task fails and is repeated after a fix. */
function holds(
  error: unknown,
  { upgrade: { record, profile } }: Walk,
  { holds: always }: Pick<Attempts, 'holds'>,
): error is TemporalFailure {
  if (!(error instanceof TemporalFailure)) return false;
  if (record.crossed) return true;
  if (isCancellation(error)) return false;
  if (record.forwardOnly !== undefined) return true;
  // Whether to go on in spite of a changed entry has been decided where it was met.
  if (failureType(error) === FAILURE.entryChanged) return false;
  return (
    always !== undefined || profile.onFailureBeforeCrossing === 'hold' || FOR_A_PERSON.includes(failureType(error))
  );
}

/**
 * Failures after which an undo would not be whole, or would be another machine's: whatever the provider's settings, a person decides. What
 * Windows does at its next start may replace files that were restored before.
 */
const FOR_A_PERSON: unknown[] = [FAILURE.noBackup, FAILURE.anotherHost, FAILURE.restartWanted];

const actionsBefore = ({ kind }: AnyStepBefore): HoldAction[] =>
  kind === 'reading' ? ['retry', 'rollback'] : ['retry', 'doneByHand', 'rollback'];

const whileReversible = ({ undo }: Walk, actions: HoldAction[]): HoldAction[] =>
  undo.isSealed ? actions.filter((action) => action !== 'rollback') : actions;

function contextOf(walk: Walk, step: string, facts: object): StepContext<EffectName> {
  const { upgrade, operation, installation, quiet } = walk;
  const { profile, record, people } = upgrade;
  return {
    profile,
    activities: walk.entryHolds.around(step, activitiesFor(profile.timings)),
    operation,
    installation,
    from: operation.from,
    to: operation.to,
    note: (note) => record.apply({ type: 'stepNoted', step, note }),
    warn: (message) =>
      record.apply({ type: 'checked', checks: [{ name: step, source: 'Onward', verdict: 'warning', message }] }),
    checkpoint: () => pass(walk),
    lookAgain: async (besides) => {
      for (let again = true, restless = 0; again;) {
        if (restless === MOST_ROUNDS) throw isRestless();
        const { waits } = walk;
        if (besides === undefined) await pass(walk);
        const acted = await quiet.look(facts as PreflightFacts);
        restless = walk.waits === waits ? restless + 1 : 0;
        again = acted || walk.waits !== waits;
      }
    },
    forwardOnly: () => record.forwardOnly,
    waits: () => walk.waits,
    hosts: {
      areFree: () => record.hostsFree,
      say: (state) => record.apply({ type: state === 'free' ? 'hostsFreed' : 'hostsHeld' }),
    },
    ask: async (request) => {
      const answer = await people.ask(step, request);
      walk.waits += 1;
      return answer;
    },
    awaitHost: (awaited) => {
      if (awaited) walk.waits += 1;
      record.apply({ type: 'hostAwaited', awaited });
    },
    switched: (what, state) => record.apply({ type: state === 'off' ? 'switchedOff' : 'switchedOn', what }),
  };
}
