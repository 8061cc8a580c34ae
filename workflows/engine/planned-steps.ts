/** Steps as a plan tells them, before anything is done. */
import type { Change, PlannedStep, Question, StepPhase } from '../../src/contract/status';
import { listed } from '../kit/listed';
import { effectOf, type EffectName, type Foreseen } from './effects';
import { listedOf } from './listed-before';
import type { AnyStepAfter, AnyStepBefore, UpgradePath } from './path';
import type { PreflightFacts } from './preflight-facts';
import type { AnyRelease } from './release';
import type { Applicability, ForwardStep, Heading } from './step';

const READS_ONLY = 'nothing to undo: reads only';
const FORWARD_ONLY = 'none: forward only';

/** What the engine itself does at both ends of every path has these headings. */
const LEFT_BEHIND = 'After the procedure';

/** The first step of every upgrade: it changes nothing, and comes before the path is known. */
export const PREFLIGHT: Heading = {
  name: 'preflight',
  title: 'Preflight',
  waitsFor: 'nobody, unless no system can tell what a condition hangs on',
};
export const plannedPreflight = (): PlannedStep =>
  planned(
    PREFLIGHT,
    'Dependencies, important notes and known limitations of the release notes',
    'reversible',
    READS_ONLY,
  );

/** @param foreseen with it the plan says which conditional steps apply, and what each is done to. */
export const plannedPath = (
  { before, crossing, after }: UpgradePath,
  { leavesBehind }: AnyRelease,
  foreseen?: Foreseen,
): PlannedStep[] => [
  ...before.map(({ heading, step }) =>
    closedBy(foreseen, planned(step, heading, phaseOf(step), undoOf(step), foreseen)),
  ),
  planned(crossing.step, crossing.heading, 'crossing', 'none: the point of no return', foreseen),
  ...after.map(({ heading, step }) => planned(step, heading, 'forward', FORWARD_ONLY, foreseen)),
  ...leavesBehind.map((step: ForwardStep<never, object>) =>
    planned(step, LEFT_BEHIND, 'forward', FORWARD_ONLY, foreseen),
  ),
];

const phaseOf = ({ kind }: AnyStepBefore): StepPhase => (kind === 'lasting' ? 'lasting' : 'reversible');

function undoOf(step: AnyStepBefore): string {
  switch (step.kind) {
    case 'reading':
      return READS_ONLY;
    case 'reversible':
      return step.undoes;
    case 'lasting':
      return `none, it stays: ${step.keeps}`;
  }
}

/** Where the package is listed already, whatever would be undone stays. */
function closedBy(foreseen: Foreseen | undefined, step: PlannedStep): PlannedStep {
  const version = foreseen && listedOf(foreseen.facts.operations, foreseen.to);
  if (version === undefined || step.undoneBy === undefined) return step;
  return {
    ...step,
    undo: `none: ${version} is in the package list already, and what is imported cannot be rolled back`,
    undoneBy: [],
  };
}

function planned(
  step: Heading &
    Partial<Pick<AnyStepBefore | AnyStepAfter, 'applicability' | 'changes'>> & { undoneBy?: readonly EffectName[] },
  procedure: string,
  phase: StepPhase,
  undo: string,
  foreseen?: Foreseen,
): PlannedStep {
  const { name, title, waitsFor, applicability, changes = [], undoneBy, asks, takes } = step;
  return {
    name,
    title,
    procedure,
    phase,
    waitsFor,
    undo,
    ...requirementOf(applicability, foreseen?.facts),
    changes: changes.map((effect) => changeOf(effect, foreseen)),
    ...(undoneBy ? { undoneBy: undoneBy.map((effect) => effectOf(effect).call) } : {}),
    ...(foreseen ? { asks: [...choiceOf(applicability), ...(asks?.(foreseen) ?? [])] } : {}),
    ...(foreseen && takes ? { takes: takes(foreseen) } : {}),
  };
}

function changeOf(name: EffectName, foreseen: Foreseen | undefined): Change {
  const { on, ...told } = effectOf(name);
  return {
    system: told.system,
    call: told.call,
    effect: told.effect,
    ...(foreseen ? { on: listed(on(foreseen)) } : {}),
  };
}

/** Of an optional step: whether it is done. */
const choiceOf = (applicability: Applicability<object> | undefined): Question[] =>
  applicability?.choice ? [{ asked: 'operator', what: applicability.choice.question, times: 1 }] : [];

function requirementOf(
  applicability: Applicability<object> | undefined,
  facts: PreflightFacts | undefined,
): Pick<PlannedStep, 'requirement' | 'because' | 'applies'> {
  if (!applicability) return { requirement: 'mandatory' };
  const { condition, choice } = applicability;
  if (choice) return { requirement: 'optional', because: choice.question };
  const { because, holds } = condition;
  const applies = facts && holds(facts);
  return { requirement: 'conditional', because, ...(applies === undefined ? {} : { applies }) };
}
