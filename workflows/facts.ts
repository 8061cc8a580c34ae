/**
 * The facts that steps hand to each other. A step declares which it needs and which it gives; the builder of paths
 * (pipeline/path) lets no step run before its facts are there.
 */
import type { ImportedPackage } from '../src/contract/activities';
import type { BillingFacts, GatewaySite, HostFacts, OperationsFacts, ServiceTemplate } from '../src/contract/facts';

/** What the preflight hands to the first step of the path. */
export interface PreflightFacts {
  readonly operations: OperationsFacts;
  readonly billing: BillingFacts;
  readonly hosts: HostFacts[];
}

export interface GatewaySites {
  /** Each gateway application once, however many instances it serves. */
  readonly sites: GatewaySite[];
}

export interface ProvisioningStopped {
  /** The templates that were active before, and only those. */
  readonly stopped: Pick<ServiceTemplate, 'id' | 'name'>[];
}

export interface TasksDrained {
  readonly tasksDrained: true;
}

export interface EndpointsUpgraded {
  readonly endpointsUpgraded: true;
}

export interface CrossingApproved {
  readonly crossingApproved: true;
}

export interface PackageImported {
  readonly imported: ImportedPackage;
}

export interface InstancesUpgraded {
  readonly instancesUpgraded: true;
}

export interface TokensAcquired {
  readonly tokensAcquired: true;
}

export interface ParameterRemoved {
  readonly parameterRemoved: true;
}

export interface CustomizationsUpdated {
  readonly customizationsUpdated: true;
}

export interface Validated {
  readonly validated: true;
}

export interface ProvisioningStarted {
  readonly provisioningStarted: true;
}

/** What has to stand at the end of every path. Above all, nobody is left switched off. */
export type EndFacts = PreflightFacts & GatewaySites & PackageImported & ProvisioningStarted;
