/** Steps as a plan tells them, before anything is done. */
import type { PlannedStep, StepPhase } from '../../src/contract/status';
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

/** @param facts with them the plan says which conditional steps apply. */
export const plannedPath = (
  { before, crossing, after }: UpgradePath,
  { leavesBehind }: AnyRelease,
  facts?: PreflightFacts,
): PlannedStep[] => [
  ...before.map(({ heading, step }) => planned(step, heading, phaseOf(step), undoOf(step), facts)),
  planned(crossing.step, crossing.heading, 'crossing', 'none: the point of no return'),
  ...after.map(({ heading, step }) => planned(step, heading, 'forward', FORWARD_ONLY, facts)),
  ...leavesBehind.map((step: ForwardStep<never, object>) => planned(step, LEFT_BEHIND, 'forward', FORWARD_ONLY, facts)),
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

function planned(
  { name, title, waitsFor, applicability }: Heading & Pick<AnyStepBefore | AnyStepAfter, 'applicability'>,
  procedure: string,
  phase: StepPhase,
  undo: string,
  facts?: PreflightFacts,
): PlannedStep {
  return { name, title, procedure, phase, waitsFor, undo, ...requirementOf(applicability, facts) };
}

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
