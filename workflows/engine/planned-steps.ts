/** Steps as a plan tells them, before anything is done. */
import type { UpgradePlan } from '../../src/contract/status';
import type { UpgradePath } from './path';
import type { Heading } from './step';

export type PlannedStep = UpgradePlan['steps'][number];

const READS_ONLY = 'nothing to undo: reads only';

/** Steps that change nothing, and come before the path is known. */
export const plannedReading = (headings: readonly Heading[]): PlannedStep[] =>
  headings.map((heading) => planned(heading, 'reversible', READS_ONLY));

export const plannedPath = ({ before, crossing, after }: UpgradePath): PlannedStep[] => [
  ...before.map((step) => planned(step, 'reversible', step.kind === 'reversible' ? step.undoes : READS_ONLY)),
  planned(crossing, 'crossing', 'none: the point of no return'),
  ...after.map((step) => planned(step, 'forward', 'none: forward only')),
];

const planned = (
  { name, title, procedure, waitsFor }: Heading,
  phase: PlannedStep['phase'],
  undo: string,
): PlannedStep => ({ name, title, procedure, phase, waitsFor, undo });
