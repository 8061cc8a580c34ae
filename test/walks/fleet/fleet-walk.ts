/** A random walk of a fleet: some providers, and everything that happens to them, drawn before the fleet starts. */
import type { FleetInput, FleetMessageName } from '../../../src/contract/fleet';
import type { MessageName } from '../../../src/contract/messages';
import type { Hold } from '../../../src/contract/status';
import type { FaultRule } from '../../../src/sandbox/faults';
import type { ProviderOptions } from '../../../src/sandbox/world/spec';
import type { Settings } from '../../kit/rehearsal/rehearsal';
import type { Drawn } from '../walk';

export interface FleetWalk extends Drawn {
  world: FleetWalkWorld;
  events: { afterCalls: number; act: FleetAct }[];
}

export interface FleetWalkWorld {
  /** In the order of the fleet. */
  members: WalkProvider[];
  /** No member; it shares {@link SHARED_HOST} with some of them, and somebody may start its upgrade alone. */
  outsider?: WalkProvider;
  fleet: Omit<FleetInput, 'name' | 'startedBy' | 'providers'>;
  operator: {
    /** How long a gate stays open before the operator answers it, in milliseconds. */
    delayMs: number;
    /** What the operator decides about the first hold, the second, and so on. */
    decisions: Hold['actions'];
  };
}

export interface WalkProvider {
  /** With one gateway; its host is {@link SHARED_HOST} or {@link OWN_HOST}. */
  provider: Omit<ProviderOptions, 'id'>;
  settings: Settings;
}

/** Each run of a walk has hosts of its own; this one is the same for all providers of it. */
export const SHARED_HOST = 'shared';
export const OWN_HOST = 'own';

/** A member is meant by its place, counted from 0. */
export type FleetAct =
  /** The next calls of this name, of this member or of its one host, fail in this way. */
  | { kind: 'fault'; member: number; rule: Omit<FaultRule, 'id' | 'provider'> }
  /** Somebody says something to the fleet, whether or not it fits. */
  | { kind: 'say'; name: FleetMessageName; payload: object }
  /** Somebody says something to the upgrade of a member. */
  | { kind: 'sayTo'; member: number; name: MessageName; payload: object }
  /** Temporal's own cancellation of the fleet. */
  | { kind: 'cancel' }
  /** The worker of a member's host, or of the control plane, gives way to another. */
  | { kind: 'replaceWorker'; member?: number }
  | { kind: 'startOutsider' };
