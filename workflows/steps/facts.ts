/**
 * The facts that steps hand to each other. A step declares which it needs and which it gives; the builder of paths
 * (engine/path) lets no step run before its facts are there.
 */
import type { ImportedPackage } from '../../src/contract/activities';
import type {
  ApplicationInstance,
  BillingFacts,
  GatewaySite,
  HostFacts,
  OperationsFacts,
  ServiceTemplate,
} from '../../src/contract/facts';

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

/** ISO 8601 times by the id of the application instance. */
export type TimeByInstance = Readonly<Record<string, string>>;

export function byInstance(
  instances: readonly ApplicationInstance[],
  times: readonly (string | undefined)[],
): TimeByInstance {
  return Object.fromEntries(
    instances.flatMap(({ id }, index) => {
      const time = times[index];
      return time === undefined ? [] : [[id, time]];
    }),
  );
}

export interface TokensAcquired {
  /** When each consent was given that a connection test has confirmed. Missing where the token is older than the upgrade. */
  readonly consentedAt: TimeByInstance;
}

export interface ParameterRemoved {
  readonly parameterRemoved: true;
}

export interface CustomizationsUpdated {
  readonly customizationsUpdated: true;
}

export interface Validated {
  /** When Test Connection of each instance succeeded. */
  readonly connectionTestedAt: TimeByInstance;
}

export interface ProvisioningStarted {
  readonly provisioningStarted: true;
}

/** What has to stand at the end of every path. Above all, nobody is left switched off. */
export type EndFacts = PreflightFacts & GatewaySites & PackageImported & ProvisioningStarted;
