/**
 * Walks a path: reversible steps, the crossing, forward steps.
 *
 * Before the crossing, a failure, an abort or a cancellation undoes everything, last step first. In the workflow task that
 * schedules the import the undo list is sealed; from then on no cancellation reaches a step, and a failed step holds.
 */
import { CancellationScope, TemporalFailure, isCancellation, workflowInfo } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import type { Notice } from '../../src/contract/activities';
import type { ProviderProfile } from '../../src/contract/provider';
import type { StepName } from '../../src/contract/status';
import { abortable } from './abortable';
import { activitiesFor } from '../kit/activities';
import type { People, HoldAction } from '../people/answers';
import type { EndFacts, PreflightFacts } from '../steps/facts';
import type { AnyStepAfter, AnyStepBefore, UpgradePath, Versions } from './path';
import { failureType, problemOf } from '../kit/problem';
import type { StepContext } from './step';
import { UndoList } from './undo-list';
import type { UpgradeRecord } from '../upgrade/upgrade-record';

export interface Upgrade {
  readonly profile: ProviderProfile;
  readonly record: UpgradeRecord;
  readonly people: People;
  /** Tells people; never fails. */
  readonly tell: (kind: Notice['kind'], subject: string, body: string) => void;
}

/** @returns all facts that the steps gave. */
export async function runPath(upgrade: Upgrade, path: UpgradePath, initial: PreflightFacts): Promise<EndFacts> {
  const undo = new UndoList(upgrade.record);
  const facts = await reversiblePhase(upgrade, path, initial, undo);
  const end = await CancellationScope.nonCancellable(() => forwardPhase(upgrade, path, facts, undo));
  // The builder has checked that every path gives these.
  return end as EndFacts;
}

async function reversiblePhase(upgrade: Upgrade, path: UpgradePath, initial: object, undo: UndoList): Promise<object> {
  const { people } = upgrade;
  try {
    return await abortable(people, async () => {
      let facts = initial;
      for (const step of path.before) facts = { ...facts, ...(await stepBefore(upgrade, path, step, facts, undo)) };
      await people.checkpoint('crossing');
      return facts;
    });
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error;
    people.closes('what it has done is being undone');
    await CancellationScope.nonCancellable(() => undo.run());
    throw undo.explain(error);
  }
}

/** Called in the same workflow task as the end of the reversible phase: nothing is awaited before the seal. */
async function forwardPhase(upgrade: Upgrade, path: UpgradePath, facts: object, undo: UndoList): Promise<object> {
  const { record } = upgrade;
  const { crossing } = path;
  const context = contextOf(upgrade, path, crossing.name);
  record.enterStep(crossing.name);
  undo.seal();
  record.crosses(crossing.name);
  const given = await carryOut(upgrade, crossing.name, ['retry', 'doneByHand'], {
    run: (attempt) => crossing.run(context, facts as never, attempt),
    verify: () => crossing.verify(context, facts as never),
  });
  record.moveStep(crossing.name, 'done');
  upgrade.tell(
    'crossed',
    `${upgrade.profile.provider} is past the point of no return`,
    `Version ${path.to} is imported. From here on there is only forward.`,
  );

  let known: object = { ...facts, ...given };
  for (const step of path.after) known = { ...known, ...(await stepAfter(upgrade, path, step, known)) };
  return known;
}

async function stepBefore(
  upgrade: Upgrade,
  path: UpgradePath,
  step: AnyStepBefore,
  facts: object,
  undo: UndoList,
): Promise<object> {
  const { people, record } = upgrade;
  await people.checkpoint(step.kind === 'reading' ? 'look' : 'change');
  const context = contextOf(upgrade, path, step.name);
  record.enterStep(step.name);
  try {
    // What a step does first may fail as well, and what a person did by hand cannot be verified before it.
    const attempts = await carryOut(upgrade, step.name, ['retry', 'rollback'], {
      run: () => attemptsBefore(step, context, facts, undo),
    });
    const given = await carryOut(upgrade, step.name, actionsBefore(step), attempts);
    record.moveStep(step.name, 'done');
    return given;
  } catch (error) {
    if (error instanceof TemporalFailure)
      record.moveStep(step.name, 'failed', isCancellation(error) ? 'stopped' : problemOf(error));
    throw error;
  }
}

async function attemptsBefore(
  step: AnyStepBefore,
  context: StepContext,
  facts: object,
  undo: UndoList,
): Promise<Attempts> {
  if (step.kind === 'reading') return { run: () => step.run(context, facts as never) };
  const begun = await step.begin(context, facts as never);
  undo.add(step.name, begun.undo);
  return begun;
}

async function stepAfter(upgrade: Upgrade, path: UpgradePath, step: AnyStepAfter, facts: object): Promise<object> {
  const { people, record } = upgrade;
  await people.checkpoint();
  const context = contextOf(upgrade, path, step.name);
  record.enterStep(step.name);
  const { verify } = step.kind === 'forward' ? step : {};
  const given = await carryOut(upgrade, step.name, verify ? ['retry', 'doneByHand'] : ['retry'], {
    run: () => step.run(context, facts as never),
    ...(verify ? { verify: () => verify(context, facts as never) } : {}),
  });
  record.moveStep(step.name, 'done');
  return given;
}

interface Attempts<Given extends object = object> {
  run(attempt: number): Promise<Given>;
  verify?(): Promise<Given>;
}

/** Runs until it succeeds; in between, where a failure may hold, an operator decides. */
async function carryOut<Given extends object>(
  upgrade: Upgrade,
  step: StepName,
  actions: HoldAction[],
  attempts: Attempts<Given>,
): Promise<Given> {
  const { people, record, profile } = upgrade;
  for (let attempt = 1; ; attempt++) {
    try {
      return await attempts.run(attempt);
    } catch (error) {
      if (!holds(error, record.status.crossed, profile)) throw error;
      let action = await people.hold(step, problemOf(error), actions);
      while (action === 'doneByHand' && attempts.verify) {
        try {
          return await attempts.verify();
        } catch (refusal) {
          if (!holds(refusal, record.status.crossed, profile)) throw refusal;
          action = await people.hold(step, `It is not done yet: ${problemOf(refusal)}`, actions);
        }
      }
      if (action === 'rollback') throw error;
    }
  }
}

/** Anything but a `TemporalFailure` is a defect of ours: the workflow task fails and is repeated after a fix. */
function holds(error: unknown, crossed: boolean, profile: ProviderProfile): error is TemporalFailure {
  if (!(error instanceof TemporalFailure)) return false;
  if (crossed) return true;
  if (isCancellation(error)) return false;
  return profile.onFailureBeforeCrossing === 'hold' || failureType(error) === FAILURE.noBackup;
}

const actionsBefore = (step: AnyStepBefore): HoldAction[] =>
  step.kind === 'reversible' ? ['retry', 'doneByHand', 'rollback'] : ['retry', 'rollback'];

function contextOf({ profile, record, people }: Upgrade, { from, to }: Versions, step: StepName): StepContext {
  return {
    profile,
    activities: activitiesFor(profile.timings),
    operation: {
      provider: profile.provider,
      from,
      to,
      firstRun: workflowInfo().firstExecutionRunId,
      workflowId: record.status.workflowId,
    },
    from,
    to,
    note: (text) => record.note(step, text),
    checkpoint: () => people.checkpoint(),
    ask: (request) => people.ask(step, request),
    awaitsHost: (awaited) => record.awaitsHost(awaited),
    provisioning: (state) => record.provisioning(state),
  };
}
