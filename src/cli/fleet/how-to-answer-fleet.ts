/** Commands that send a message to a fleet, ready to be copied into a shell. */
import { fleetWorkflowId, type FleetMessageName, type FleetStatus } from '../../contract/fleet';
import { howToRun, type Calling, type HowToAnswer } from '../kit/messages/how-to-answer';

/** The commands of `onward fleet`, by the message that they send. */
export const FLEET_COMMANDS: Record<FleetMessageName, string> = {
  proceed: 'proceed',
  pause: 'pause',
  resume: 'resume',
  abort: 'abort',
  setMaxParallel: 'set-max-parallel',
  decideBudget: 'decide',
};

/** @param payload as the fleet asks for it: placeholders stand in angle brackets. */
export function howToSendFleet(
  fleet: string,
  name: FleetMessageName,
  payload: Record<string, string>,
  calling: Calling,
): HowToAnswer {
  const option = (flag: string, value: string | undefined): string[] => (value === undefined ? [] : [flag, value]);
  const own = [
    ...['fleet', FLEET_COMMANDS[name], fleet],
    ...(name === 'setMaxParallel' ? [payload['maxParallel'] ?? '<maxParallel>'] : []),
    ...(name === 'decideBudget' ? [payload['action'] ?? '<action>'] : []),
    ...option('--wave', payload['wave']),
    ...option('--run', payload['run']),
    ...['--reason', payload['reason'] ?? '<why>'],
  ];
  return howToRun({ workflowId: fleetWorkflowId(fleet), name, payload, onward: own }, calling);
}

export function howToAnswerFleet(
  { fleet, asks }: Pick<FleetStatus, 'fleet' | 'asks'>,
  calling: Calling,
): HowToAnswer | undefined {
  return asks && howToSendFleet(fleet, asks.answer.name, asks.answer.payload, calling);
}
