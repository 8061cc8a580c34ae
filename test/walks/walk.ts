/**
 * A random walk: one upgrade, and everything that happens to it. All of it is drawn from a seed before the upgrade starts,
 * so that a walk that fails can be walked again, also with some of its events left out.
 */
import type { MessageName } from '../../src/contract/messages';
import type { Hold } from '../../src/contract/status';
import type { FaultRule } from '../../src/sandbox/faults';
import type { ProviderOptions } from '../../src/sandbox/world/spec';
import type { Settings } from '../kit/rehearsal/rehearsal';

/** What a seed has drawn: the same for walks of one upgrade and of a fleet. */
export interface Drawn {
  seed: number;
  world: object;
  /** In the order in which they happen. */
  events: { afterCalls: number; act: { kind: string } }[];
}

export interface Walk extends Drawn {
  world: WalkWorld;
  /** In the order in which they happen. */
  events: WalkEvent[];
}

export interface WalkWorld {
  /** Whose endpoint hosts are called {@link HOST_NAMES}; each run has hosts of its own. */
  provider: Omit<ProviderOptions, 'id'>;
  settings: Settings;
  operator: {
    /** How long a gate stays open before the operator answers it, in milliseconds. */
    delayMs: number;
    /** What the operator decides about the first hold, the second, and so on. */
    decisions: Hold['actions'];
    /** Whether the operator declines the steps that may be declined. */
    declines: boolean;
  };
  /** Whether an upgrade that was undone is started once more. */
  startsAgain: boolean;
}

export const HOST_NAMES = ['a', 'b'] as const;

export interface WalkEvent {
  /** It happens when the provider's systems have been called so often, or when nothing else happens any more. */
  afterCalls: number;
  act: Act;
}

export type Act =
  /** The next calls of this name fail in this way. */
  | { kind: 'fault'; rule: Omit<FaultRule, 'id' | 'provider'> }
  /** Somebody answers one of the gates that are open: after doing the work, or without; a step that may be declined is, without. */
  | { kind: 'answer'; gate: number; worked: boolean; twice: boolean }
  /** Somebody says something, whether or not it fits. */
  | { kind: 'say'; name: MessageName; payload: unknown }
  /** Somebody else adds to the provider, whatever the upgrade waits for: an instance, a task, a template, or one that is sold again. */
  | { kind: 'grow'; what: 'instance' | 'task' | 'template' | 'offer'; nth: number }
  /** Temporal's own cancellation. */
  | { kind: 'cancel' }
  /** Temporal's Terminate; somebody finishes at once what it has left. */
  | { kind: 'terminate' }
  /** Temporal's Reset, to one of the workflow tasks so far. */
  | { kind: 'reset'; nth: number }
  /** Somebody starts an upgrade of another entry for the same installation. */
  | { kind: 'secondEntry' }
  /** Somebody starts the upgrade while it is there. */
  | { kind: 'start' }
  /** The worker of a host, or of the control plane, gives way to another. */
  | { kind: 'replaceWorker'; host?: string }
  /** The worker of a host gives way to one on a clone of it, until somebody notices. */
  | { kind: 'clone'; host: string };

/** Who starts all upgrades, and so must not approve the crossing. */
export const STARTER = 'ana';

/** For people: the world, and one numbered line per event. */
export function shownWalk({ seed, world, events }: Drawn): string {
  const lines = events.map(
    ({ afterCalls, act: { kind, ...rest } }, index) =>
      `  ${index}. after ${afterCalls} calls: ${kind} ${shortened(JSON.stringify(rest))}`,
  );
  return [`Walk ${seed}, in the world ${JSON.stringify(world)}`, ...lines].join('\n');
}

const LONGEST = 300;
const shortened = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
