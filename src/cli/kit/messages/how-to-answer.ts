/** Commands that answer a gate or a hold, ready to be copied into a shell. */
import type { MessageName } from '../../../contract/messages';
import { upgradeWorkflowId } from '../../../contract/provider';
import type { Gate, Hold } from '../../../contract/status';
import { safeJson, safeText } from '../text/safe-text';
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
  const onward = onwardArguments(provider, name, payload);
  return howToRun({ workflowId: upgradeWorkflowId(provider), name, payload, onward }, calling);
}

/** @param message what is sent to which workflow, and the arguments of our own command for it */
export function howToRun(
  message: { workflowId: string; name: string; payload: Payload; onward: string[] },
  calling: Calling,
): HowToAnswer {
  const { workflowId, name, payload } = message;
  const signal = ['temporal', 'workflow', 'signal', '--workflow-id', workflowId, '--name', name];
  const onward = [...message.onward, ...calling.connection];
  const temporal = [...signal, '--input', safeJson(payload), ...calling.connection];
  return {
    onward: safeText(`${calling.onward} ${commandLine(onward, calling.shell)}`, LONGEST),
    temporal: safeText(commandLine(temporal, calling.shell), LONGEST),
  };
}

/** A command that was cut would be worse than none: no answer is longer. */
const LONGEST = 20_000;

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
    case 'overrideWindow':
      return ['override-window', provider, '--reason', text('reason')];
  }
}
