/**
 * What people say to an upgrade, and what becomes of it. One function judges every answer, whether it came as a signal or as
 * an update; a bad one changes nothing.
 */
import { FAILURE } from '../../src/contract/activities';
import type { messages, Messages } from '../../src/contract/messages';
import type { MessageOf, Verdict } from '../kit/messages';
import type { WaitingPoints } from '../people/waiting-points';
import type { UpgradeRecord } from './upgrade-record';

/** An abort, or a cancellation, that is not refused at once. */
export const LOOKED_INTO =
  'It is looked into first: ledger and package list are read before the first undo. Everything done so far is undone, unless the import has begun or the package is listed by then: then what has begun goes on.';

const PAST = `${FAILURE.pastPointOfNoReturn}: the package import has begun`;

export class Answers {
  private abort: ((by: string, reason: string) => void) | undefined;
  private isOver = false;

  constructor(
    private readonly record: UpgradeRecord,
    private readonly people: WaitingPoints,
  ) {}

  /** What an accepted `abort` does; nothing accepts it while there is no such thing. */
  onAbort(abort: ((by: string, reason: string) => void) | undefined): void {
    this.abort = abort;
  }

  /** From here on every answer is refused: the upgrade is about to end. */
  close(): void {
    this.isOver = true;
  }

  judge(message: MessageOf<typeof messages>): Verdict {
    if (this.isOver) return { refused: 'The upgrade takes no more answers: it is about to end.' };
    switch (message.name) {
      case 'consentCompleted':
        return this.people.answerConsent(message.payload.instance, message.payload.by);
      case 'confirmStep':
        return this.people.answer('confirmStep', message.payload);
      case 'decideStep': {
        const { reason, ...decision } = message.payload;
        return this.people.answer('decideStep', { ...decision, evidence: reason });
      }
      case 'approveCrossing':
        return this.unlessRollingBack(() => this.approve(message.payload));
      case 'resolveHold':
        return this.people.resolve(message.payload.step, message.payload.action, message.payload.by, () =>
          message.payload.action === 'rollback' && (this.record.crossed || this.record.forwardOnly)
            ? `${this.record.forwardOnly ?? PAST}, there is only forward.`
            : `This step cannot be resolved by ${message.payload.action}.`,
        );
      case 'pause':
        return this.unlessRollingBack(() => this.pause(message.payload));
      case 'resume':
        return this.unlessRollingBack(() => this.resume(message.payload));
      case 'abort':
        return this.unlessRollingBack(() => this.judgeAbort(message.payload));
      case 'takeEntry':
        return this.people.takeEntry(message.payload);
      case 'overrideWindow':
        return this.unlessRollingBack(() => this.overrideWindow(message.payload));
    }
  }

  /** What an undo asks for is answered; nothing else of an upgrade that goes back is to be decided. */
  private unlessRollingBack(judge: () => Verdict): Verdict {
    if (this.record.isRollingBack)
      return { refused: 'What the upgrade has done is being undone; only what the undo asks for can be answered.' };
    return judge();
  }

  private approve({ by, reason }: Messages['approveCrossing']): Verdict {
    const { startedBy, begunBy = [] } = this.record.status;
    if ([startedBy, ...begunBy].some((one) => one !== undefined && samePerson(by, one)))
      return {
        refused: `${by} started this upgrade; someone else has to approve the crossing.`,
        subject: 'approveCrossing',
      };
    return this.people.approve(by, reason);
  }

  private pause({ by, reason }: Messages['pause']): Verdict {
    const { paused } = this.record.status;
    if (paused) return { refused: `Paused already, by ${paused.by} since ${paused.since}.` };
    this.record.apply({ type: 'paused', by, reason });
    return { accepted: 'The upgrade stops before its next changing call.' };
  }

  private resume({ by }: Messages['resume']): Verdict {
    if (!this.record.isPaused) return { refused: 'The upgrade is not paused.' };
    this.record.apply({ type: 'resumed' });
    return { accepted: `${by} lets the upgrade go on.` };
  }

  private judgeAbort({ by, reason }: Messages['abort']): Verdict {
    if (this.record.crossed)
      return { refused: `${PAST}, nothing can be undone any more. Use pause to stop before the next step.` };
    if (this.record.forwardOnly !== undefined) return { refused: this.record.forwardOnly };
    if (!this.abort) return { refused: 'Nothing has been changed yet; abort is possible once the first step runs.' };
    this.abort(by, reason);
    return { accepted: LOOKED_INTO };
  }

  private overrideWindow({ by, reason }: Messages['overrideWindow']): Verdict {
    const { window } = this.record.status;
    if (!window) return { refused: 'This provider has no maintenance windows.' };
    if (this.record.crossed) return { refused: 'The crossing has begun: from there on no window is waited for.' };
    if (window.overridden) return { refused: `${window.overridden.by} has opened it already.` };
    this.record.apply({ type: 'windowOverridden', by, reason });
    return { accepted: `${by} opens the maintenance window for the rest of this upgrade.` };
  }
}

const samePerson = (a: string, b: string): boolean => legible(a) === legible(b);

/** A name as a reader sees it: neither width nor case nor what is invisible makes it another person's. */
const legible = (name: string): string =>
  name
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}|\p{Cc}|\p{Cf}/gu, '')
    .trim()
    .toLowerCase();
