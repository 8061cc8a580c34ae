/**
 * The typed builder of upgrade paths.
 *
 *     upgradePath(terms, { from: exactly('18.3') })
 *       .reversible('2. Stop provisioning', stopProvisioning)
 *       .pointOfNoReturn('4. Upgrade the application', importPackage)
 *       .forward('9. Start provisioning', startProvisioning)
 *       .build()
 *
 * A path that puts an undo past the point of no return, orders a step before the facts it needs, leaves something switched off, or
 * leaves an obligation of its release unmet, or to somebody who may decline it, does not compile.
 */
import type { ImportedPackage } from '../../src/contract/activities';
import type { PreflightFacts } from './preflight-facts';
import type { Claimable, CrossingStep, ForwardStep, LastingStep, ReadingStep, ReversibleStep } from './step';
import type { Terms } from './terms';
import type { Versions } from './versions';

type StepBefore<Facts, Gives> = ReadingStep<Facts, Gives> | ReversibleStep<Facts, Gives> | LastingStep<Facts, Gives>;
type StepAfter<Facts, Gives> = ReadingStep<Facts, Gives> | ForwardStep<Facts, Gives>;

/** A step in its place: the heading is the procedure's own, with the numbers of this path. */
export interface Placed<Step> {
  readonly heading: string;
  readonly step: Step;
}

/** Steps of a finished path, with the types of their facts erased: the builder has checked them. */
export type AnyStepBefore = StepBefore<never, object>;
export type AnyStepAfter = StepAfter<never, object>;
export type AnyCrossing = CrossingStep<never, CrossingFacts>;

/** What every crossing gives. */
export interface CrossingFacts {
  readonly imported: ImportedPackage;
}

/** A finished path. `Owed` are the facts that stand at its end. */
export interface UpgradePath<Owed = unknown> {
  /** Versions that it starts from. */
  readonly from: Versions;
  /** The version that it leads to. */
  readonly to: string;
  /** Facts that hold at its start because of the version that it starts from. */
  readonly already: object;
  readonly before: readonly Placed<AnyStepBefore>[];
  readonly crossing: Placed<AnyCrossing>;
  readonly after: readonly Placed<AnyStepAfter>[];
  /** Never set: keeps a path of one release from being taken for one of another, whose obligations are more. */
  readonly owed?: Owed;
}

/** Where a path starts. */
export interface Start<Already extends object> {
  readonly from: Versions;
  /** What the version that it starts from has brought, such as tokens that exist since then; with the sentence that says so. */
  readonly already?: { readonly facts: Already & Claimable<Already>; readonly because: string };
}

/** What nobody may decline: a step that gives what the release owes. */
type Obliging<Gives, Owed> = [keyof Gives & keyof Owed] extends [never] ? unknown : { readonly mayBeDeclined?: never };

// Function properties, not methods: only their parameters are compared strictly, and the builder lives by that.
export interface BeforeCrossing<Facts, Owed> {
  readonly reversible: <Gives extends object>(
    heading: string,
    step: (ReadingStep<Facts, Gives> | ReversibleStep<Facts, Gives>) & Obliging<Gives, Owed>,
  ) => BeforeCrossing<Facts & Gives, Owed>;
  readonly lasting: <Gives extends object>(
    heading: string,
    step: LastingStep<Facts, Gives> & Obliging<Gives, Owed>,
  ) => BeforeCrossing<Facts & Gives, Owed>;
  readonly pointOfNoReturn: <Gives extends CrossingFacts>(
    heading: string,
    step: CrossingStep<Facts, Gives>,
  ) => AfterCrossing<Facts & Gives, Owed>;
}

export interface AfterCrossing<Facts, Owed> {
  readonly forward: <Gives extends object>(
    heading: string,
    step: StepAfter<Facts, Gives> & Obliging<Gives, Owed>,
  ) => AfterCrossing<Facts & Gives, Owed>;
  /** Does not compile where an obligation is unmet, or something is left switched off: the last line of the error names it. */
  readonly build: (this: Finished<Facts, Owed>) => UpgradePath<Owed>;
}

type NamesAfter<Key, Prefix extends string> = Key extends `${Prefix}:${infer Name}` ? Name : never;
/** Names of what is switched off, and not on again. */
type StillOff<Facts> = Exclude<NamesAfter<keyof Facts, 'off'>, NamesAfter<keyof Facts, 'on'>>;
type Finished<Facts, Owed> = [StillOff<Facts>] extends [never]
  ? AfterCrossing<Owed, Owed>
  : { readonly [What in StillOff<Facts> as `switch ${What} on again`]: never };

export function upgradePath<Owed, Already extends object = object>(
  { version }: Terms<Owed>,
  { from, already }: Start<Already>,
): BeforeCrossing<PreflightFacts & Already, Owed> {
  return beforeCrossing({ from, to: version, already: already?.facts ?? {} }, []);
}

type Ends = Pick<UpgradePath, 'from' | 'to' | 'already'>;

function beforeCrossing<Facts, Owed>(
  ends: Ends,
  before: readonly Placed<AnyStepBefore>[],
): BeforeCrossing<Facts, Owed> {
  return {
    reversible: (heading, step) => beforeCrossing(ends, [...before, { heading, step }]),
    lasting: (heading, step) => beforeCrossing(ends, [...before, { heading, step }]),
    pointOfNoReturn: (heading, step) => afterCrossing({ ...ends, before, crossing: { heading, step }, after: [] }),
  };
}

function afterCrossing<Facts, Owed>(path: UpgradePath<Owed>): AfterCrossing<Facts, Owed> {
  return {
    forward: (heading, step) => afterCrossing({ ...path, after: [...path.after, { heading, step }] }),
    build: () => path,
  };
}

/** All steps of a path, in their order. */
export const stepsOf = ({
  before,
  crossing,
  after,
}: UpgradePath): Placed<AnyStepBefore | AnyCrossing | AnyStepAfter>[] => [...before, crossing, ...after];
