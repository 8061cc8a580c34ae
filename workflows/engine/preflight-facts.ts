import type { BillingFacts, HostFacts, OperationsFacts } from '../../src/contract/facts';

/** What the preflight hands to the first step of every path. */
export interface PreflightFacts {
  readonly operations: OperationsFacts;
  readonly billing: BillingFacts;
  readonly hosts: HostFacts[];
}
