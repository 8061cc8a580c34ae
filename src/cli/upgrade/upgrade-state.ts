import type { StepState, UpgradeState, UpgradeStatus } from '../../contract/status';
import type { ExecutionStatus } from '../kit/execution';

export const STATE_WORDS: Record<UpgradeState, string> = {
  starting: 'starting',
  running: 'running',
  waiting: 'waiting for people',
  held: 'held: a failed step waits for a decision',
  paused: 'paused',
  waitingForWindow: 'waiting for its maintenance window',
  rollingBack: 'rolling back',
  completed: 'completed',
  rolledBack: 'rolled back: everything is as it was before',
  refused: 'refused: nothing was touched',
  rollbackIncomplete: 'rolled back in part: a person has to look',
};

export const STEP_MARKS: Record<StepState, string> = {
  pending: '·',
  running: '▸',
  waiting: '?',
  held: '!',
  done: '✔',
  skipped: '-',
  declined: '-',
  undoing: '↶',
  undone: '↶',
  failed: '✘',
};

export const STEP_WORDS: Record<StepState, string> = {
  pending: '',
  running: 'running',
  waiting: 'waiting for a person',
  held: 'held',
  done: '',
  skipped: 'skipped',
  declined: 'declined',
  undoing: 'being undone',
  undone: 'undone',
  failed: 'failed',
};

const FINAL: readonly UpgradeState[] = ['completed', 'rolledBack', 'refused', 'rollbackIncomplete'];

export const isFinal = (status: Pick<UpgradeStatus, 'state'>): boolean => FINAL.includes(status.state);

/** How a workflow ended that did not end by itself; undefined when it did, or when it still runs. */
export function endedFromOutside(execution: ExecutionStatus, status: Pick<UpgradeStatus, 'state'>): string | undefined {
  if (isFinal(status)) return undefined;
  if (execution === 'terminated') return 'The workflow was terminated: nothing was undone, and nobody goes on with it.';
  if (execution === 'timedOut') return 'The workflow timed out on the server: nothing was undone.';
  if (execution === 'failed' || execution === 'cancelled') return `The workflow ${execution} before it was finished.`;
  return undefined;
}
