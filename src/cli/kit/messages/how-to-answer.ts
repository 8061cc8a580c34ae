/** Commands that send a message, ready to be copied into a shell. */
import { commandFor, type Calling } from '../context';
import { safeJson, safeText } from '../text/safe-text';
import { commandLine } from '../text/shell-quote';
import { fieldsOf, type Field, type MessageFamily } from './message-family';

export interface HowToAnswer {
  onward: string;
  temporal: string;
}

/** @param payload as the workflow asks for it: placeholders stand in angle brackets. `by` is left to our command's default. */
export function howToSend<Key extends Record<string, string>, Messages>(
  family: MessageFamily<Key, Messages>,
  key: Key,
  name: keyof Messages & string,
  payload: Record<string, string>,
  calling: Calling,
): HowToAnswer {
  const { shell, connection } = calling;
  const own = [
    ...[...family.under, family.commands[name].command, ...Object.values(key)],
    ...fieldsOf(family, name).flatMap(([field, of]) => wordsOf(field, of, payload[field])),
  ];
  const signal = ['temporal', 'workflow', 'signal', '--workflow-id', family.workflowId(key), '--name', name];
  const temporal = [...signal, '--input', safeJson(payload), ...connection];
  return {
    onward: safeText(commandFor(calling, ...own), LONGEST),
    temporal: safeText(commandLine(temporal, shell), LONGEST),
  };
}

function wordsOf(name: string, { on, value, placeholder }: Field, given: string | undefined): string[] {
  if (on === 'argument') return [given ?? `<${value}>`];
  const shown = given ?? placeholder;
  return shown === undefined ? [] : [`--${name}`, shown];
}

/** A command that was cut would be worse than none: no answer is longer. */
const LONGEST = 20_000;
