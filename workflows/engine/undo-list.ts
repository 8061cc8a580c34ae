/** What has been done and how to undo it, until the crossing seals it. */
import { ApplicationFailure, CancelledFailure, type TemporalFailure, isCancellation } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import type { StepName } from '../../src/contract/status';
import { problemOf } from '../kit/problem';
import type { UpgradeRecord } from '../upgrade/upgrade-record';

export class UndoList {
  private entries: { step: StepName; undo: () => Promise<void> }[] = [];
  private sealed = false;

  constructor(private readonly record: Pick<UpgradeRecord, 'status' | 'enterPhase' | 'moveStep'>) {}

  /** Register before the step acts: it may have acted although it failed. */
  add(step: StepName, undo: () => Promise<void>): void {
    if (this.sealed) throw pastPointOfNoReturn(`nothing can be registered to undo ${step}`);
    this.entries.push({ step, undo });
  }

  /** From here on nothing can be added or run. */
  seal(): void {
    this.sealed = true;
    this.entries = [];
  }

  /** Undoes everything, last step first. What cannot be undone is named and does not keep the rest from being undone. */
  async run(): Promise<void> {
    if (this.sealed) throw pastPointOfNoReturn('nothing can be undone');
    this.record.enterPhase('rollingBack');
    for (let entry = this.entries.pop(); entry; entry = this.entries.pop()) {
      const { step, undo } = entry;
      try {
        await undo();
        this.record.moveStep(step, 'undone');
      } catch (error) {
        const problem = problemOf(error);
        this.record.status.notUndone.push(`${step}: ${problem}`);
        this.record.moveStep(step, 'failed', `not undone: ${problem}`);
      }
    }
  }

  /** The failure that ends the workflow: why it was undone, and what could not be. */
  explain(cause: TemporalFailure): TemporalFailure {
    const { notUndone, provider } = this.record.status;
    if (isCancellation(cause) && notUndone.length === 0)
      return new CancelledFailure(`The upgrade of ${provider} was cancelled; everything done so far was undone.`);
    const type =
      cause instanceof ApplicationFailure && cause.type === FAILURE.aborted ? FAILURE.aborted : FAILURE.stepFailed;
    const outcome =
      notUndone.length === 0
        ? 'Everything done so far was undone; the upgrade may be started again.'
        : `Undo these by hand before anything else: ${notUndone.join('; ')}.`;
    return ApplicationFailure.create({
      type,
      nonRetryable: true,
      message: `${sentence(isCancellation(cause) ? 'The upgrade was cancelled' : problemOf(cause))} ${outcome}`,
      details: [{ provider, notUndone }],
      cause,
    });
  }
}

/** People end their reasons with or without a full stop. */
const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

const pastPointOfNoReturn = (what: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(`The package import has begun: ${what}.`, FAILURE.pastPointOfNoReturn);
