/** The messages by which people answer an upgrade: their commands, and how to answer what it asks. */
import { ONWARD } from '../../contract/onward';
import { isTakeable } from '../../contract/entry';
import { messages, type Messages } from '../../contract/messages';
import { upgradeWorkflowId } from '../../contract/provider';
import type { Gate, Hold } from '../../contract/status';
import { PROVIDER_HELP, providerName } from '../kit/arguments';
import type { Calling } from '../kit/context';
import { howToSend, type HowToAnswer } from '../kit/messages/how-to-answer';
import { argument, option, reason, type MessageFamily } from '../kit/messages/message-family';

export type UpgradeKey = { provider: string };

const STEP_HELP = `name of the step, as ${ONWARD} gates shows it`;

export const UPGRADE_MESSAGES: MessageFamily<UpgradeKey, Messages> = {
  word: 'answer',
  under: [],
  key: { provider: { help: PROVIDER_HELP, read: providerName } },
  workflowId: ({ provider }) => upgradeWorkflowId(provider),
  schemas: messages,
  seeLater: ({ provider }) => `${ONWARD} audit ${provider} tells what the upgrade made of it.`,
  commands: {
    consentCompleted: {
      command: 'consent',
      help: 'say that an administrator of the partner account has consented',
      fields: { instance: argument('instance', 'id or name of the application instance') },
      examples: ['contoso 2'],
    },
    confirmStep: {
      command: 'confirm',
      help: 'say that the manual part of a step is done',
      fields: {
        step: argument('step', STEP_HELP),
        item: option('item', 'which gate of the step, where it has several'),
        evidence: option('text', 'what shows that it was done: a ticket, a list of files, a time', {
          placeholder: '<evidence>',
        }),
      },
      examples: ['contoso updateCustomizations --item main-store --evidence CHG-7'],
    },
    resolveHold: {
      command: 'resolve',
      help: 'decide what happens to a step that failed and holds',
      fields: {
        step: argument('step', STEP_HELP),
        action: argument('action', 'retry, rollback (before the point of no return) or doneByHand'),
        reason,
      },
      examples: ["contoso drainTasks retry --reason 'task 7 is repaired'"],
    },
    decideStep: {
      command: 'decide',
      help: 'say whether an optional step is done',
      fields: {
        step: argument('step', STEP_HELP),
        action: argument('action', 'run or decline'),
        reason,
      },
      examples: ["contoso announceNewPlans decline --reason 'no reseller wants them'"],
    },
    approveCrossing: {
      command: 'approve',
      help: 'allow the package import, the point of no return; never by who started the upgrade',
      fields: { reason },
      examples: ['contoso --reason CAB-12'],
    },
    pause: {
      command: 'pause',
      help: 'let the running step finish, then start no other one',
      fields: { reason },
      examples: ["contoso --reason 'the night shift is over'"],
    },
    resume: {
      command: 'resume',
      help: 'go on after a pause',
      fields: { reason },
      examples: ["contoso --reason 'somebody is there again'"],
    },
    abort: {
      command: 'abort',
      help: 'undo everything and end the upgrade; refused after the point of no return',
      fields: { reason },
      examples: ["contoso --reason 'wrong day'"],
    },
    overrideWindow: {
      command: 'override-window',
      help: 'go on although the maintenance window is closed, for the rest of this upgrade',
      fields: { reason },
      examples: ['contoso --reason CAB-12'],
    },
    takeEntry: {
      command: 'take',
      help: 'take what one field of the inventory is now, where the upgrade holds because it has changed',
      fields: {
        field: argument('field', `which field, as ${ONWARD} gates shows it`),
        digest: argument('digest', `its digest, as ${ONWARD} gates shows it: nothing else is taken`),
        reason,
      },
      examples: ["contoso operations.url 3f1c9a7e02b4 --reason 'the management node has moved'"],
    },
  },
};

export function howToAnswerGate(provider: string, { answer }: Pick<Gate, 'answer'>, calling: Calling): HowToAnswer {
  return howToSend(UPGRADE_MESSAGES, { provider }, answer.name, answer.payload, calling);
}

/** One way for each decision that the hold leaves open, and for each field of the entry that may be taken. */
export function howToResolve(
  provider: string,
  { step, actions, changed = [] }: Pick<Hold, 'step' | 'actions' | 'changed'>,
  calling: Calling,
): (HowToAnswer & { action: Hold['actions'][number] | `take ${string}` })[] {
  const said = { by: '<who you are>', reason: '<why>' };
  return [
    ...changed
      .filter(({ field }) => isTakeable(field))
      .map((change) => ({
        action: `take ${change.field}` as const,
        ...howToSend(UPGRADE_MESSAGES, { provider }, 'takeEntry', { ...change, ...said }, calling),
      })),
    ...actions.map((action) => ({
      action,
      ...howToSend(UPGRADE_MESSAGES, { provider }, 'resolveHold', { step, action, ...said }, calling),
    })),
  ];
}
