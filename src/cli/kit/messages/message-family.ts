/** How the messages of one kind of workflow look on the command line: one table, of which commands and hints are made. */
import type { ZodType } from 'zod';

/** One field of a message, as an argument or an option of its command. */
export interface Field {
  on: 'argument' | 'option';
  /** What stands in angle brackets: the argument, or the value of the option. */
  value: string;
  help: string;
  /** Shown in a command that is to be copied, where nothing is known of the field; without it the option is left out there. */
  placeholder?: string;
  /** Makes the field of what was typed. What it cannot be made of is for the schema to judge. */
  read?: (text: string) => unknown;
}

export const argument = (value: string, help: string, more: Pick<Field, 'read'> = {}): Field => ({
  on: 'argument',
  value,
  help,
  ...more,
});
export const option = (value: string, help: string, more: Pick<Field, 'placeholder' | 'read'> = {}): Field => ({
  on: 'option',
  value,
  help,
  ...more,
});
export const reason = option('text', 'why, for the audit trail', { placeholder: '<why>' });

/** Of every message: who says so, which each command asks for in the same way, and its id, which nobody types. */
type NotAsked = 'by' | 'id';

export interface MessageCommand<Message> {
  /** Name of the command. */
  command: string;
  help: string;
  /** Every field of the message, in the order of the command line: arguments first. */
  fields: { readonly [F in Exclude<keyof Message, NotAsked>]-?: Field };
  /** What may follow the name of the command. */
  examples: readonly string[];
}

export interface MessageFamily<Key extends Record<string, string>, Messages> {
  /** What such a message is called: `answer`. */
  word: string;
  /** Words before the name of the command: `fleet`. */
  under: readonly string[];
  /** Says which workflow is meant: the first arguments of every command. */
  key: { readonly [K in keyof Key]: { help: string; read?: (text: string) => string } };
  workflowId(key: Key): string;
  schemas: { readonly [N in keyof Messages]: ZodType<Messages[N]> };
  commands: { readonly [N in keyof Messages]: MessageCommand<Messages[N]> };
  /** Tells, after a message that nobody waited for, where to see what became of it. */
  seeLater(key: Key): string;
}

/** The fields of one message that people give, in the order of the command line. */
export function fieldsOf<Key extends Record<string, string>, Messages>(
  family: MessageFamily<Key, Messages>,
  name: keyof Messages & string,
): [name: string, field: Field][] {
  const fields: Readonly<Record<string, Field>> = family.commands[name].fields;
  return Object.entries(fields);
}
