/**
 * One release of the vendor's, as its notes say it: a value. `workflows/releases/<version>/` holds one each, and nothing else
 * in Onward knows a version.
 */
import type { SurveyedProvider } from '../../src/contract/activities';
import type { OperationsFacts } from '../../src/contract/facts';
import type { SimulatedRelease } from '../../src/contract/simulation';
import type { Check } from './check';
import type { CrossingFacts, UpgradePath } from './path';
import type { PreflightFacts } from './preflight-facts';
import type { ForwardStep } from './step';
import type { Terms } from './terms';
import type { Versions } from './versions';

/** Something beside the application whose version has to fit: the platform, its panel, a companion application. */
export interface Requirement {
  /** For people: `Odin Automation`. */
  readonly component: string;
  readonly versions: Versions;
  /** What the systems say of it; undefined where none does, and then a person is asked. */
  readonly read: (facts: OperationsFacts) => string | undefined;
  /** For people: where it is to be seen. */
  readonly where: string;
  /** The sentence of the release notes. */
  readonly source: string;
}

/** Why some providers are no targets of a fleet, as far as a survey can tell. */
export interface Exclusion {
  readonly applies: (provider: SurveyedProvider) => boolean;
  /** "it has an instance in ..." */
  readonly reason: string;
}

export interface Release<Owed = unknown> extends Terms<Owed> {
  readonly requirements: readonly Requirement[];
  readonly checks: readonly Check[];
  readonly exclusions: readonly Exclusion[];
  readonly paths: readonly UpgradePath<NoInfer<Owed>>[];
  /** What the engine begins, or ends, once all else is done: it outlives the upgrade. */
  readonly leavesBehind: readonly ForwardStep<PreflightFacts & CrossingFacts & NoInfer<Owed>, object>[];
  /** What the sandbox needs to simulate it. */
  readonly simulation: SimulatedRelease;
}

/** A release with the types of its facts erased: the compiler has checked them where it was defined. */
export interface AnyRelease extends Omit<Release, 'obligations' | 'owed' | 'leavesBehind'> {
  readonly obligations: Readonly<Record<string, string>>;
  readonly leavesBehind: readonly ForwardStep<never, object>[];
}

export const defineRelease = <Owed>(release: Release<Owed>): AnyRelease => release;
