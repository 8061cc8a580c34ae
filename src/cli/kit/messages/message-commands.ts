/** The commands by which people send messages, made of the table of their family. */
import { Argument, Option, type Command } from 'commander';
import { byOption, globalsOf, problemsOf } from '../arguments';
import { asCliError, CliError } from '../cli-error';
import { printResult, whoIs, withConnection, type CliContext, type GlobalOptions } from '../context';
import type { Mailbox } from './mailbox';
import { fieldsOf, type Field, type MessageFamily } from './message-family';

interface MessageOptions extends GlobalOptions {
  by?: string;
  signal?: boolean;
}

/** What is connected to a server that has such workflows. */
export interface Recipients<Key, Messages> {
  readonly messages: Mailbox<Key, Messages>;
  close(): Promise<void>;
}

/** Adds one command for each message of the family. */
export function addMessageCommands<Key extends Record<string, string>, Messages>(
  parent: Command,
  context: CliContext,
  family: MessageFamily<Key, Messages>,
  connect: (options: GlobalOptions) => Promise<Recipients<Key, Messages>>,
): void {
  for (const name of Object.keys(family.commands) as (keyof Messages & string)[]) {
    const { command: word, help, examples } = family.commands[name];
    const command = parent.command(word).description(help);
    for (const [key, { help: about, read }] of Object.entries(family.key)) addArgument(command, key, about, read);
    for (const [field, { on, value, help: about, read }] of fieldsOf(family, name))
      if (on === 'argument') addArgument(command, value, about, read);
      else addOption(command, `--${field} <${value}>`, about, read);
    const calls = examples.map((example) => `  ${['onward', ...family.under, word].join(' ')} ${example}`);
    command
      .option(...byOption)
      .option('--signal', 'send it also while no worker is up, and do not wait for what becomes of it')
      .addHelpText('after', ['\nFor example:', ...calls].join('\n'))
      .action(() => send(context, command, family, name, connect));
  }
}

function addArgument(command: Command, name: string, help: string, read: Field['read']): void {
  const argument = new Argument(`<${name}>`, help);
  command.addArgument(read === undefined ? argument : argument.argParser((text) => read(text)));
}

function addOption(command: Command, flags: string, help: string, read: Field['read']): void {
  const option = new Option(flags, help);
  command.addOption(read === undefined ? option : option.argParser((text) => read(text)));
}

async function send<Key extends Record<string, string>, Messages, Name extends keyof Messages & string>(
  context: CliContext,
  command: Command,
  family: MessageFamily<Key, Messages>,
  name: Name,
  connect: (options: GlobalOptions) => Promise<Recipients<Key, Messages>>,
): Promise<void> {
  const options: MessageOptions = { ...globalsOf(command), ...command.opts<MessageOptions>() };
  const { key, fields } = givenTo(command, family, name);
  const message = validated(family, name, { ...fields, by: whoIs(options.by, context.env) });
  const sent = { ...key, name, sent: 'signal', payload: message };
  await withConnection(connect(options), async ({ messages }) => {
    if (options.signal) {
      await messages.sendWithoutWaiting(key, name, message);
      printResult(context, options, sent, [`Sent as a signal. ${family.seeLater(key)}`]);
      return;
    }
    const recorded = await messages.send(key, name, message).catch(withoutWorker);
    printResult(context, options, { ...sent, ...recorded }, [recorded.message]);
  });
}

/** What the command line says: for whom, and each field that is given. */
function givenTo<Key extends Record<string, string>, Messages>(
  command: Command,
  family: MessageFamily<Key, Messages>,
  name: keyof Messages & string,
): { key: Key; fields: Record<string, unknown> } {
  const values = [...(command.processedArgs as unknown[])];
  const options = command.opts<Record<string, unknown>>();
  const key = Object.fromEntries(Object.keys(family.key).map((part) => [part, values.shift()]));
  const fields = fieldsOf(family, name).map(([field, { on }]) => [
    field,
    on === 'argument' ? values.shift() : options[field],
  ]);
  return { key: key as Key, fields: Object.fromEntries(fields) as Record<string, unknown> };
}

/** The message as its schema wants it, without the fields that nobody gave. */
function validated<Key extends Record<string, string>, Messages, Name extends keyof Messages & string>(
  { schemas, word }: MessageFamily<Key, Messages>,
  name: Name,
  fields: Record<string, unknown>,
): Messages[Name] {
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const parsed = schemas[name].safeParse(given);
  if (parsed.success) return parsed.data;
  throw new CliError('usage', `This ${word} is not valid and was not sent:`, {
    problems: problemsOf(parsed.error, given),
  });
}

/** Who is asked before anything is sent did not answer. */
function withoutWorker(error: unknown): never {
  const { kind, message } = asCliError(error);
  if (kind !== 'noWorker') throw error;
  throw new CliError('noWorker', message, {
    hint: 'Nothing was sent. With --signal it is kept until a worker is up.',
    cause: error,
  });
}
