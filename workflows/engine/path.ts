/**
 * The typed builder of upgrade paths.
 *
 *     upgradePath({ from: '18.3', to: '18.4.1' })
 *       .reversible(stopProvisioning)
 *       .pointOfNoReturn(importPackage)
 *       .forward(startProvisioning)
 *       .build()
 *
 * A path that puts an undo past the point of no return, orders a step before the facts it needs, or ends without
 * switching provisioning on again does not compile.
 */
import type { EndFacts, PreflightFacts } from '../steps/facts';
import type { CrossingStep, ForwardStep, ReadingStep, ReversibleStep } from './step';

type StepBefore<Facts, Gives> = ReadingStep<Facts, Gives> | ReversibleStep<Facts, Gives>;
type StepAfter<Facts, Gives> = ReadingStep<Facts, Gives> | ForwardStep<Facts, Gives>;

/** Steps of a finished path, with the types of their facts erased: the builder has checked them. */
export type AnyStepBefore = StepBefore<never, object>;
export type AnyStepAfter = StepAfter<never, object>;
export type AnyCrossing = CrossingStep<never, object>;

export interface Versions {
  readonly from: string;
  readonly to: string;
}

/** A finished path. */
export interface UpgradePath extends Versions {
  readonly before: readonly AnyStepBefore[];
  readonly crossing: AnyCrossing;
  readonly after: readonly AnyStepAfter[];
}

// Function properties, not methods: only their parameters are compared strictly, and the builder lives by that.
export interface BeforeCrossing<Facts> {
  readonly reversible: <Gives extends object>(step: StepBefore<Facts, Gives>) => BeforeCrossing<Facts & Gives>;
  readonly pointOfNoReturn: <Gives extends object>(step: CrossingStep<Facts, Gives>) => AfterCrossing<Facts & Gives>;
}

export interface AfterCrossing<Facts> {
  readonly forward: <Gives extends object>(step: StepAfter<Facts, Gives>) => AfterCrossing<Facts & Gives>;
  readonly build: (this: AfterCrossing<EndFacts>) => UpgradePath;
}

export function upgradePath(versions: Versions): BeforeCrossing<PreflightFacts> {
  return beforeCrossing<PreflightFacts>(versions, []);
}

function beforeCrossing<Facts>(versions: Versions, before: readonly AnyStepBefore[]): BeforeCrossing<Facts> {
  return {
    reversible: (step) => beforeCrossing(versions, [...before, step]),
    pointOfNoReturn: (crossing) => afterCrossing({ ...versions, before, crossing, after: [] }),
  };
}

function afterCrossing<Facts>(path: UpgradePath): AfterCrossing<Facts> {
  return {
    forward: (step) => afterCrossing({ ...path, after: [...path.after, step] }),
    build: () => path,
  };
}
