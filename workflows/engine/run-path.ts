/**
 * Walks a path: steps before the crossing, the crossing, forward steps, and what the release leaves behind.
 *
 * Before the crossing, a failure, an abort or a cancellation undoes everything, last step first. In the workflow task that
 * schedules the import the undo list is sealed; from then on no cancellation reaches a step, and a failed step holds.
 */
import { CancellationScope, TemporalFailure, isCancellation } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import type { Operation } from '../../src/contract/operation';
import type { HoldAction } from '../../src/contract/status';
import { activitiesFor } from '../kit/activities';
import { failureType, problemOf } from '../kit/problem';
import { EntryHolds } from './entry-holds';
import { abortable } from './abortable';
import type { Chosen } from './catalogue';
import type { AnyStepAfter, AnyStepBefore, CrossingFacts } from './path';
import type { PreflightFacts } from './preflight-facts';
import type { Applicability, StepContext } from './step';
import { UndoList } from './undo-list';
import type { Upgrade } from './upgrade';

/** One upgrade along one path. */
interface Walk {
  readonly upgrade: Upgrade;
  readonly operation: Operation;
  readonly chosen: Chosen;
  readonly undo: UndoList;
  readonly entryHolds: EntryHolds;
  /** What the preflight saw: conditions are judged by it, wherever their steps stand. */
  readonly initial: PreflightFacts;
}

/** @returns all facts that the steps gave. */
export async function runPath(
  upgrade: Upgrade,
  operation: Operation,
  chosen: Chosen,
  initial: PreflightFacts,
): Promise<PreflightFacts & CrossingFacts> {
  const walk: Walk = {
    upgrade,
    operation,
    chosen,
    undo: new UndoList(upgrade.record),
    entryHolds: new EntryHolds(upgrade),
    initial,
  };
  const facts = await phaseBefore(walk);
  return await CancellationScope.nonCancellable(() => phaseAfter(walk, facts));
}

async function phaseBefore(walk: Walk): Promise<PreflightFacts> {
  const { upgrade, chosen, undo } = walk;
  try {
    return await abortable(upgrade, async () => {
      let facts: PreflightFacts = { ...walk.initial, ...chosen.path.already };
      for (const { step } of chosen.path.before) facts = { ...facts, ...(await stepBefore(walk, step, facts)) };
      await upgrade.checkpoint('crossing');
      return facts;
    });
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error;
    await CancellationScope.nonCancellable(() => undo.run());
    throw undo.explain(error, upgrade.profile.provider);
  }
}

/** Called in the same workflow task as the end of the phase before: nothing is awaited before the seal. */
async function phaseAfter(walk: Walk, facts: PreflightFacts): Promise<PreflightFacts & CrossingFacts> {
  const { upgrade, chosen, undo } = walk;
  const { record } = upgrade;
  const { path, release } = chosen;
  const { step: crossing } = path.crossing;
  const context = contextOf(walk, crossing.name);
  record.apply({ type: 'stepEntered', step: crossing.name });
  undo.seal();
  record.apply({ type: 'crossed', step: crossing.name });
  const given = await carryOut(upgrade, crossing.name, ['retry', 'doneByHand'], {
    run: (attempt) => crossing.run(context, facts as never, attempt),
    verify: () => crossing.verify(context, facts as never),
  });
  record.apply({ type: 'stepMoved', step: crossing.name, state: 'done' });
  upgrade.notify(
    'crossed',
    `${upgrade.profile.provider} is past the point of no return`,
    `Version ${path.to} is imported. From here on there is only forward.`,
  );

  let known = { ...facts, ...given };
  for (const step of [...path.after.map((placed) => placed.step), ...release.leavesBehind])
    known = { ...known, ...(await stepAfter(walk, step, known)) };
  const [left] = record.switchedOff;
  // A path that leaves something off does not compile, so this is a defect: the workflow task fails, and nothing is lost.
  if (left) throw new Error(`${left.what} is still switched off, since ${left.since}`);
  return known;
}

async function stepBefore(walk: Walk, step: AnyStepBefore, facts: object): Promise<object> {
  const { upgrade } = walk;
  const { record } = upgrade;
  const { name } = step;
  const leftOut = await leftOutBefore(walk, step);
  if (leftOut) return leftOut;
  await upgrade.checkpoint(step.kind === 'reading' ? 'look' : 'change');
  const context = contextOf(walk, name);
  record.apply({ type: 'stepEntered', step: name });
  try {
    // What a step does first may fail as well, and what a person did by hand cannot be verified before it.
    const attempts = await carryOut(upgrade, name, ['retry', 'rollback'], {
      run: () => attemptsBefore(walk, step, context, facts),
    });
    const given = await carryOut(upgrade, name, actionsBefore(step), attempts);
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
  { undo, upgrade: { record } }: Walk,
  step: AnyStepBefore,
  context: StepContext,
  facts: object,
): Promise<Attempts> {
  switch (step.kind) {
    case 'reading':
      return { run: () => step.run(context, facts as never) };
    case 'lasting':
      // It may have acted although it fails.
      record.apply({ type: 'kept', step: step.name, what: step.keeps });
      return { run: () => step.run(context, facts as never), verify: () => step.verify(context, facts as never) };
    case 'reversible': {
      const begun = await step.begin(context, facts as never);
      undo.add(step.name, begun.undo);
      return begun;
    }
  }
}

async function stepAfter(walk: Walk, step: AnyStepAfter, facts: object): Promise<object> {
  const { upgrade } = walk;
  const { record } = upgrade;
  const { name } = step;
  const leftOut = await leftOutOf(walk, step);
  if (leftOut) return leftOut;
  await upgrade.checkpoint();
  const context = contextOf(walk, name);
  record.apply({ type: 'stepEntered', step: name });
  const { verify } = step.kind === 'forward' ? step : {};
  const given = await carryOut(upgrade, name, verify ? ['retry', 'doneByHand'] : ['retry'], {
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
}

/** Runs until it succeeds; in between, where a failure may hold, an operator decides. */
async function carryOut<Given extends object>(
  upgrade: Upgrade,
  step: string,
  actions: HoldAction[],
  attempts: Attempts<Given>,
): Promise<Given> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attempts.run(attempt);
    } catch (error) {
      if (!holds(error, upgrade)) throw error;
      let action = await decide(upgrade, step, problemOf(error), actions);
      while (action === 'doneByHand' && attempts.verify) {
        try {
          return await attempts.verify();
        } catch (refusal) {
          if (!holds(refusal, upgrade)) throw refusal;
          action = await decide(upgrade, step, `It is not done yet: ${problemOf(refusal)}`, actions);
        }
      }
      if (action === 'rollback') throw error;
    }
  }
}

/** A decision to go on is obeyed when nothing stands against the next call. */
async function decide(upgrade: Upgrade, step: string, problem: string, actions: HoldAction[]): Promise<HoldAction> {
  const action = await upgrade.people.hold(step, problem, actions);
  if (action !== 'rollback') await upgrade.checkpoint();
  return action;
}

/** Anything but a `TemporalFailure` is a defect of ours: the workflow task fails and is repeated after a fix. */
function holds(error: unknown, { record, profile }: Upgrade): error is TemporalFailure {
  if (!(error instanceof TemporalFailure)) return false;
  if (record.crossed) return true;
  // Whether to go on in spite of a changed entry has been decided where it was met.
  if (isCancellation(error) || failureType(error) === FAILURE.entryChanged) return false;
  return profile.onFailureBeforeCrossing === 'hold' || FOR_A_PERSON.includes(failureType(error));
}

/** Failures after which an undo would not be whole, or would be another machine's: whatever the provider's settings, a person decides. */
const FOR_A_PERSON: unknown[] = [FAILURE.noBackup, FAILURE.anotherHost];

const actionsBefore = ({ kind }: AnyStepBefore): HoldAction[] =>
  kind === 'reading' ? ['retry', 'rollback'] : ['retry', 'doneByHand', 'rollback'];

function contextOf(walk: Walk, step: string): StepContext {
  const { upgrade, operation } = walk;
  const { profile, record, people, checkpoint } = upgrade;
  return {
    profile,
    activities: walk.entryHolds.around(step, activitiesFor(profile.timings)),
    operation,
    from: operation.from,
    to: operation.to,
    note: (note) => record.apply({ type: 'stepNoted', step, note }),
    checkpoint: () => checkpoint(),
    ask: (request) => people.ask(step, request),
    awaitHost: (awaited) => record.apply({ type: 'hostAwaited', awaited }),
    switched: (what, state) => record.apply({ type: state === 'off' ? 'switchedOff' : 'switchedOn', what }),
  };
}
