/** Arguments and options that several commands share, checked before anything is sent. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { ZodError } from 'zod';
import { ONWARD } from '../../contract/onward';
import { plainName } from '../../contract/provider';
import { BY_HELP, type GlobalOptions } from './context';

export const WHERE_HELP_IS = `${ONWARD} --help lists the commands, ${ONWARD} help <command> its options.`;
export const PROVIDER_HELP = 'id of the provider in the inventory';

export function providerName(text: string): string {
  const parsed = plainName.safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError(`A provider's id: ${problemsOf(parsed.error, text).join('; ')}.`);
  return parsed.data;
}

/** Seconds on the command line, milliseconds in the program. */
export function seconds(text: string): number {
  const value = Number(text);
  if (!(value >= 0.1 && value <= 3600)) throw new InvalidArgumentError('Give a number of seconds from 0.1 to 3600.');
  return value * 1000;
}

export function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65535) {
    throw new InvalidArgumentError('Give a port from 1 to 65535, or 0 for any that is free.');
  }
  return value;
}

export const inventoryOption = [
  '--inventory <folder>',
  "folder of the providers' entries (default: ONWARD_INVENTORY, else the folder inventory here)",
] as const;

export const byOption = ['--by <person>', BY_HELP] as const;
export const intervalOption = (): Option =>
  new Option('--interval <seconds>', 'time between two looks at the upgrade').argParser(seconds).default(2000, '2');

export function globalsOf(command: Command): GlobalOptions {
  return command.optsWithGlobals<GlobalOptions>();
}

/** Every problem that zod found in `input`, each with the field that it is about. */
export function problemsOf(error: ZodError, input: unknown): string[] {
  return error.issues.map(({ path, message }) => {
    const field = path.join('.');
    if (field === '') return message;
    if (valueAt(input, path) === undefined) return `${field} is missing`;
    return message.startsWith(field) ? message : `${field}: ${message}`;
  });
}

function valueAt(input: unknown, path: PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], input);
}
