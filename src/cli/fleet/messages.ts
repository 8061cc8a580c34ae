/** The messages by which people tell a fleet something: their commands, and how to answer what it asks. */
import { ONWARD } from '../../contract/onward';
import { fleetMessages, fleetWorkflowId, type FleetMessages, type FleetStatus } from '../../contract/fleet';
import type { Calling } from '../kit/context';
import { howToSend, type HowToAnswer } from '../kit/messages/how-to-answer';
import { argument, option, reason, type MessageFamily } from '../kit/messages/message-family';
import { amount, FLEET_HELP, fleetName } from './arguments';

export type FleetKey = { fleet: string };

export const FLEET_MESSAGES: MessageFamily<FleetKey, FleetMessages> = {
  word: 'message',
  under: ['fleet'],
  key: { fleet: { help: FLEET_HELP, read: fleetName } },
  workflowId: ({ fleet }) => fleetWorkflowId(fleet),
  schemas: fleetMessages,
  seeLater: ({ fleet }) => `${ONWARD} fleet report ${fleet} tells what the fleet made of it.`,
  commands: {
    proceed: {
      command: 'proceed',
      help: 'approve the plan, or the next wave',
      fields: { reason },
      examples: ['autumn --reason CAB-12'],
    },
    pause: {
      command: 'pause',
      help: 'start nobody else; those before the crossing stop before their next change',
      fields: { reason },
      examples: ["autumn --reason 'a new build comes tonight'"],
    },
    resume: {
      command: 'resume',
      help: 'go on after a pause',
      fields: { reason },
      examples: ["autumn --reason 'the new build is there'"],
    },
    abort: {
      command: 'abort',
      help: 'start nobody else; those before the crossing roll back, those past it finish',
      fields: { reason },
      examples: ["autumn --reason 'wrong providers'"],
    },
    setMaxParallel: {
      command: 'set-max-parallel',
      help: 'change how many upgrades run at once',
      fields: { maxParallel: argument('number', 'upgrades at once', { read: Number }), reason },
      examples: ["autumn 20 --reason 'the first wave went well'"],
    },
    decideBudget: {
      command: 'decide',
      help: 'say what happens after the failure budget is spent',
      fields: {
        action: argument('action', 'continue (with a new --wave or --run), skipRest (of this wave) or stop'),
        wave: option('amount', 'continue with this budget of a wave: a number or a percentage', { read: amount }),
        run: option('amount', 'continue with this budget of the fleet', { read: amount }),
        reason,
      },
      examples: ["autumn continue --run 10% --reason 'one cause, repaired'", "autumn stop --reason 'not tonight'"],
    },
  },
};

export function howToAnswerFleet(
  { fleet, asks }: Pick<FleetStatus, 'fleet' | 'asks'>,
  calling: Calling,
): HowToAnswer | undefined {
  return asks && howToSend(FLEET_MESSAGES, { fleet }, asks.answer.name, asks.answer.payload, calling);
}
