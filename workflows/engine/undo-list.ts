/** What has been done and how to undo it, until the crossing seals it. */
import { ApplicationFailure, CancelledFailure, type TemporalFailure, isCancellation } from '@temporalio/workflow';
import { ONWARD } from '../../src/contract/onward';
import { FAILURE } from '../../src/contract/activities';
import { problemOf } from '../kit/problem';
import type { Upgrade } from './upgrade';

export class UndoList {
  private entries: { step: string; undo: () => Promise<void> }[] = [];
  private sealed = false;

  constructor(private readonly record: Upgrade['record']) {}

  /** Register before the step acts: it may have acted although it failed. */
  add(step: string, undo: () => Promise<void>): void {
    if (this.sealed) throw pastPointOfNoReturn(`nothing can be registered to undo ${step}`);
    this.entries.push({ step, undo });
  }

  /** Takes in what another run of this operation has begun, each where it stands on the path. */
  addOthers(others: readonly { step: string; undo: () => Promise<void> }[], path: readonly string[]): void {
    const unknown = others.filter(({ step }) => this.entries.every((entry) => entry.step !== step));
    for (const { step, undo } of unknown) this.add(step, undo);
    this.entries.sort((a, b) => path.indexOf(a.step) - path.indexOf(b.step));
  }

  get isSealed(): boolean {
    return this.sealed;
  }

  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  /** From here on nothing can be added or run. */
  seal(): void {
    this.sealed = true;
    this.entries = [];
  }

  /**
   * Undoes everything, last step first. What cannot be undone is named and does not keep the rest from being undone.
   *
   * @param mayUndo asked before each but the first, since an undo may wait for days: what it throws stands against this step.
   */
  async run(mayUndo: (step: string) => Promise<void>): Promise<void> {
    if (this.sealed) throw pastPointOfNoReturn('nothing can be undone');
    const { record } = this;
    record.apply({ type: 'rollbackBegun' });
    let isFirst = true;
    for (let entry = this.entries.pop(); entry; entry = this.entries.pop()) {
      const { step, undo } = entry;
      record.apply({ type: 'stepMoved', step, state: 'undoing' });
      try {
        if (!isFirst) await mayUndo(step);
        isFirst = false;
        await undo();
        record.apply({ type: 'stepMoved', step, state: 'undone' });
      } catch (error) {
        const problem = problemOf(error);
        record.apply({ type: 'notUndone', step, problem });
        record.apply({ type: 'stepMoved', step, state: 'failed', note: `not undone: ${problem}` });
      }
    }
    for (const { what, since } of record.switchedOff)
      record.apply({ type: 'notUndone', step: what, problem: `it is still switched off, since ${since}` });
  }

  /** The failure that ends the workflow: why it was undone, what could not be, and what stays. */
  explain(cause: TemporalFailure, provider: string): TemporalFailure {
    const { notUndone, kept } = this.record;
    const stays = kept.length === 0 ? '' : ` What stays, as far as it was done: ${kept.join('; ')}.`;
    if (isCancellation(cause) && notUndone.length === 0)
      return new CancelledFailure(
        `The upgrade of ${provider} was cancelled; everything done so far was undone.${stays}`,
      );
    const type =
      cause instanceof ApplicationFailure && cause.type === FAILURE.aborted ? FAILURE.aborted : FAILURE.stepFailed;
    const outcome =
      notUndone.length === 0
        ? 'Everything done so far was undone; the upgrade may be started again.'
        : `Not undone: ${notUndone.join('; ')}. See to what stands against it, then run ${ONWARD} finish ${provider}: it undoes the rest, and where that is impossible a person decides.`;
    return ApplicationFailure.create({
      type,
      nonRetryable: true,
      message: `${sentence(isCancellation(cause) ? 'The upgrade was cancelled' : problemOf(cause))} ${outcome}${stays}`,
      details: [{ provider, notUndone: [...notUndone], kept: [...kept] }],
      cause,
    });
  }
}

/** People end their reasons with or without a full stop. */
const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

const pastPointOfNoReturn = (what: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(`The package import has begun: ${what}.`, FAILURE.pastPointOfNoReturn);
