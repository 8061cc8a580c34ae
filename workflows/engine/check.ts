/**
 * What the preflight looks at before anything is touched: every refusal, warning and "make sure" of the release notes. Pure:
 * what the systems said goes in, findings come out.
 */
import type { BillingFacts, HostFacts, OperationsFacts, PackageFacts } from '../../src/contract/facts';
import type { FrozenProfile } from '../../src/contract/entry';
import { listed } from '../kit/listed';
import { answered, type Reading } from '../kit/reading';
import { factsOf } from './preflight-facts';
import type { Condition } from './step';

export interface Readings {
  readonly profile: FrozenProfile;
  readonly startedBy: string | undefined;
  /** The upgrade that is meant; undefined where there is none, or where Operations did not say what is installed. */
  readonly meant: MeantUpgrade | undefined;
  /** Why there is none. */
  readonly problem: string | undefined;
  readonly operations: Reading<OperationsFacts>;
  readonly billing: Reading<BillingFacts>;
  /** Undefined where it is not known which package is meant, or where the inventory has none of it. */
  readonly package: Reading<PackageFacts> | undefined;
  readonly hosts: Reading<HostFacts>[];
}

export interface MeantUpgrade {
  readonly from: string;
  readonly to: string;
  /** Names of the steps of its path. */
  readonly steps: readonly string[];
  /** Scripts of the release that its steps run on the endpoint hosts. */
  readonly scripts: readonly string[];
}

export type Finding = {
  /** Where it is another sentence than that of the check. */
  source?: string;
} & (
  | { verdict: 'pass' | 'warning' | 'refusal'; message: string }
  | { verdict: 'ask'; item: string; message: string; instructions: string }
);

export interface Check {
  readonly name: string;
  /** The sentence, or the part, of the release notes that it stands for. */
  readonly source: string;
  readonly examine: (readings: Readings) => Finding[];
}

export const pass = (message: string): Finding => ({ verdict: 'pass', message });
export const warning = (message: string): Finding => ({ verdict: 'warning', message });
export const refusal = (message: string): Finding => ({ verdict: 'refusal', message });

/** A check of what Operations said; `systemsAnswer` reports when it said nothing. */
export const ofOperations =
  (examine: (facts: OperationsFacts, readings: Readings) => Finding[]) =>
  (readings: Readings): Finding[] =>
    answered(readings.operations) ? examine(readings.operations.value, readings) : [];

/** The check where the condition holds, or where nobody knows whether it does: of a step that is left out elsewhere. */
export const checkOnlyWhere = ({ because, holds }: Condition, check: Check): Check => ({
  ...check,
  examine: (readings) => {
    const facts = factsOf(readings);
    return facts && holds(facts) === false ? [pass(`Only for ${because}.`)] : check.examine(readings);
  },
});

export const quoted = (things: readonly { name: string }[]): string => listed(things.map(({ name }) => `"${name}"`));
