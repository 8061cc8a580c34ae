/** How the states of a fleet's providers, of its waves and of itself are shown. */
import type { Colors } from 'picocolors/types';
import type { FleetProviderState, FleetState, FleetStatus, WaveStatus } from '../../contract/fleet';
import type { ExecutionStatus } from '../kit/execution';

type Colour = Exclude<keyof Colors, 'isColorSupported'>;

export interface StateLook {
  word: string;
  colour: Colour;
  /** In a progress bar: the states are told apart without colours, too. */
  block: string;
}

/** In the order in which they are told. */
export const STATE_LOOKS: Record<FleetProviderState, StateLook> = {
  completed: { word: 'completed', colour: 'green', block: '█' },
  running: { word: 'running', colour: 'cyan', block: '▓' },
  parked: { word: 'parked', colour: 'yellow', block: '▒' },
  held: { word: 'held', colour: 'red', block: '!' },
  failed: { word: 'failed', colour: 'red', block: '✘' },
  unreachable: { word: 'unreachable', colour: 'red', block: '?' },
  skipped: { word: 'skipped', colour: 'magenta', block: '-' },
  pending: { word: 'pending', colour: 'dim', block: '░' },
};
export const SHOWN_STATES = Object.keys(STATE_LOOKS) as FleetProviderState[];

export const FLEET_WORDS: Record<FleetState, string> = {
  planning: 'planning',
  planned: 'planned: waits for the approval of its plan',
  running: 'running',
  soaking: 'soaking: watches the last wave',
  waiting: 'waiting for people',
  halted: 'halted: the failure budget is spent',
  paused: 'paused',
  aborting: 'aborting',
  completed: 'completed',
  stopped: 'stopped',
  aborted: 'aborted',
};

export const FLEET_COLOURS: Partial<Record<FleetState, Colour>> = {
  planned: 'yellow',
  waiting: 'yellow',
  paused: 'yellow',
  halted: 'red',
  aborting: 'magenta',
  aborted: 'magenta',
  stopped: 'magenta',
  completed: 'green',
};

export const WAVE_MARKS: Record<WaveStatus['state'], string> = {
  pending: '·',
  waiting: '?',
  running: '▸',
  soaking: '~',
  done: '✔',
};

/** `702 completed, 12 running, 3 held`: every state that somebody is in. */
export function countsText(counts: FleetStatus['counts']): string {
  const parts = SHOWN_STATES.filter((state) => counts[state] > 0).map(
    (state) => `${counts[state]} ${STATE_LOOKS[state].word}`,
  );
  return parts.length === 0 ? 'none' : parts.join(', ');
}

export const totalOf = (counts: FleetStatus['counts']): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

const FINAL: readonly FleetState[] = ['completed', 'stopped', 'aborted'];

/** How a fleet's workflow ended that did not end by itself; undefined when it did, or when it still runs. */
export function fleetEndedFromOutside(
  execution: ExecutionStatus,
  { state }: Pick<FleetStatus, 'state'>,
): string | undefined {
  if (FINAL.includes(state)) return undefined;
  if (execution === 'terminated') {
    return 'The fleet was terminated: it starts nobody else. Upgrades that it has started go on by themselves.';
  }
  if (execution === 'failed' || execution === 'cancelled' || execution === 'timedOut') {
    return `The fleet's workflow ended (${execution}) before it was done.`;
  }
  return undefined;
}
