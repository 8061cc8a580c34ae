/**
 * What people send to a running upgrade. One flat JSON object each, so that it can be typed into the Temporal UI or CLI;
 * the same name is a signal (recorded even when no worker is up) and an update (answers with the reason of a refusal). With an `id`
 * a message may be sent again, and the query `answer` tells what became of it.
 */
import { z } from 'zod';
import { by, messageId, text } from './fields';

export const consentCompleted = z.strictObject({
  /** Id or name of the application instance. A number is accepted as well. */
  instance: z.union([text('instance', 200), z.int().transform(String)]),
  by,
  id: messageId,
});
export const confirmStep = z.strictObject({
  step: text('step', 100),
  /** Which of the step's gates, where it has several: a store's id, a hostname, `tasks`. */
  item: text('item', 300).optional(),
  by,
  /** What shows that it was done: a ticket, a list of files, a time. */
  evidence: text('evidence'),
  id: messageId,
});
export const resolveHold = z.strictObject({
  step: text('step', 100),
  action: z.enum(['retry', 'rollback', 'doneByHand'], { error: 'action must be retry, rollback or doneByHand' }),
  by,
  reason: text('reason'),
  id: messageId,
});
/** Whether an optional step is done. */
export const decideStep = z.strictObject({
  step: text('step', 100),
  action: z.enum(['run', 'decline'], { error: 'action must be run or decline' }),
  by,
  reason: text('reason'),
  id: messageId,
});
const decision = z.strictObject({ by, reason: text('reason'), id: messageId });
export const approveCrossing = decision;
export const pause = decision;
export const resume = decision;
export const abort = decision;
/** Opens the maintenance window for the rest of this upgrade. */
export const overrideWindow = decision;
/** Takes what one field of the entry is now, where the upgrade holds because it has changed. */
export const takeEntry = z.strictObject({
  /** `operations.url` */
  field: text('field', 200),
  /** Of what whoever sends it has seen: nobody takes anything else. */
  digest: text('digest', 100),
  by,
  reason: text('reason'),
  id: messageId,
});

export const messages = {
  consentCompleted,
  confirmStep,
  resolveHold,
  decideStep,
  approveCrossing,
  pause,
  resume,
  abort,
  overrideWindow,
  takeEntry,
};
export type MessageName = keyof typeof messages;
export const MESSAGE_NAMES = Object.keys(messages) as MessageName[];

export type ConsentCompleted = z.output<typeof consentCompleted>;
export type ConfirmStep = z.output<typeof confirmStep>;
export type DecideStep = z.output<typeof decideStep>;
export type ResolveHold = z.output<typeof resolveHold>;
export type Decision = z.output<typeof decision>;
export type Messages = { [N in MessageName]: z.output<(typeof messages)[N]> };

/** The answer of an update; a refusal is a failure with the reason instead. */
export interface Recorded {
  recorded: true;
  /** What happens now, in one sentence. */
  message: string;
}
