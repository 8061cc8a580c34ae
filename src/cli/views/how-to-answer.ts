/** Commands that answer a gate or a hold, ready to be copied into a shell. */
import type { MessageName } from '../../contract/messages';
import { upgradeWorkflowId } from '../../contract/provider';
import type { Gate, Hold } from '../../contract/status';
import { commandLine, type Shell } from '../text/shell-quote';

export interface Calling {
  /** How the person calls Onward: `onward`, or `npm run -s onward --` in a clone. */
  onward: string;
  shell: Shell;
  /** Options that name the Temporal server where it is not the default one: `--address`, `--namespace`. */
  connection: string[];
}

export interface HowToAnswer {
  onward: string;
  temporal: string;
}

type Payload = Record<string, string>;

export function howToAnswerGate(provider: string, gate: Gate, calling: Calling): HowToAnswer {
  return howToSend(provider, gate.answer.name, gate.answer.payload, calling);
}

/** One way for each decision that the hold leaves open. */
export function howToResolve(
  provider: string,
  hold: Hold,
  calling: Calling,
): (HowToAnswer & { action: Hold['actions'][number] })[] {
  return hold.actions.map((action) => ({
    action,
    ...howToSend(provider, 'resolveHold', { step: hold.step, action, by: '<who you are>', reason: '<why>' }, calling),
  }));
}

function howToSend(provider: string, name: MessageName, payload: Payload, calling: Calling): HowToAnswer {
  const signal = ['temporal', 'workflow', 'signal', '--workflow-id', upgradeWorkflowId(provider), '--name', name];
  const input = ['--input', JSON.stringify(payload)];
  const onward = [...onwardArguments(provider, name, payload), ...calling.connection];
  return {
    onward: `${calling.onward} ${commandLine(onward, calling.shell)}`,
    temporal: commandLine([...signal, ...input, ...calling.connection], calling.shell),
  };
}

/** The arguments of our own command for a message; `by` is left to its default. */
function onwardArguments(provider: string, name: MessageName, payload: Payload): string[] {
  const option = (flag: string, value: string | undefined): string[] => (value === undefined ? [] : [flag, value]);
  const text = (key: string): string => payload[key] ?? `<${key}>`;
  switch (name) {
    case 'consentCompleted':
      return ['consent', provider, text('instance')];
    case 'confirmStep':
      return [
        ...['confirm', provider, text('step')],
        ...option('--item', payload['item']),
        ...['--evidence', text('evidence')],
      ];
    case 'resolveHold':
      return ['resolve', provider, text('step'), text('action'), '--reason', text('reason')];
    case 'approveCrossing':
      return ['approve', provider, '--reason', text('reason')];
    case 'pause':
    case 'resume':
    case 'abort':
      return [name, provider, '--reason', text('reason')];
  }
}
