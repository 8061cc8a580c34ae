import type { BillingFacts, HostFacts, OperationsFacts } from '../../src/contract/facts';
import { answered, type Reading } from '../kit/reading';

/** What the preflight hands to the first step of every path. */
export interface PreflightFacts {
  readonly operations: OperationsFacts;
  readonly billing: BillingFacts;
  readonly hosts: HostFacts[];
  /** Only of who finishes an upgrade: which machine each host was when that one began, also of those that do not answer now. */
  readonly machines?: Record<string, HostFacts['identity']>;
}

/** Undefined where Operations or Billing did not answer: hosts may be silent, and are refused by their own check. */
export function factsOf({
  operations,
  billing,
  hosts,
}: {
  readonly [Fact in 'operations' | 'billing']: Reading<PreflightFacts[Fact]>;
} & { readonly hosts: readonly Reading<HostFacts>[] }): PreflightFacts | undefined {
  if (!answered(operations) || !answered(billing)) return undefined;
  return {
    operations: operations.value,
    billing: billing.value,
    hosts: hosts.filter(answered).map(({ value }) => value),
  };
}
