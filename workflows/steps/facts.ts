/**
 * The facts that steps hand to each other. A step declares which it needs and which it gives; the builder of paths
 * (engine/path) lets no step run before its facts are there. What a release obliges its paths to are names of such facts.
 */
import type { ApplicationInstance, GatewaySite } from '../../src/contract/facts';

export interface GatewaySites {
  /** Each gateway application once, however many instances it serves. */
  readonly sites: GatewaySite[];
}

/** Something is switched off; `before` is what has to be switched on again. */
export type Off<What extends string, Before> = { readonly [Fact in `off:${What}`]: Before };
/** It is as it was before. */
export type On<What extends string> = { readonly [Fact in `on:${What}`]: true };

export interface TasksDrained {
  /** How often the upgrade had waited when the tasks were processed: what a person has confirmed is good until it waits again. */
  readonly tasksDrained: { readonly waits: number };
}

export interface EndpointsUpgraded {
  readonly endpointsUpgraded: true;
}

export interface CrossingApproved {
  readonly crossingApproved: true;
}

export interface InstancesUpgraded {
  /** Their ids. */
  readonly instancesUpgraded: readonly number[];
}

/** ISO 8601 times by the id of the application instance. */
export type TimeByInstance = Readonly<Record<string, string>>;

export function byInstance<Time extends string | null>(
  instances: readonly ApplicationInstance[],
  times: readonly Time[],
): Readonly<Record<string, Time>> {
  return Object.fromEntries(instances.map(({ id }, index) => [id, times[index] as Time]));
}

export interface EveryInstanceHasToken {
  /** When each consent was given that *Test Connection* has confirmed; null where the token is older than the upgrade. */
  readonly everyInstanceHasToken: { readonly consentedAt: Readonly<Record<string, string | null>> };
}

/** A service parameter is on no billing template any more. */
export type ParameterGone<Parameter extends string> = { readonly [Fact in `gone:${Parameter}`]: true };

export interface CustomizationsUpdated {
  readonly customizationsUpdated: true;
}

export interface Validated {
  /** When Test Connection of each instance succeeded. */
  readonly connectionTestedAt: TimeByInstance;
}

export interface ConsentsGuarded {
  /** Ids of their instances. */
  readonly consentsGuarded: readonly number[];
}

/** What a release needs of its endpoint hosts is there. */
export type HostsHave<What extends string> = { readonly [Fact in `hosts have:${What}`]: true };
