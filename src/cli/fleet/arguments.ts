/** Arguments and options that several commands of fleets share. */
import { InvalidArgumentError } from 'commander';
import { plainName } from '../../contract/provider';
import { problemsOf } from '../kit/arguments';

export const FLEET_HELP = 'name of the fleet';

export function fleetName(text: string): string {
  const parsed = plainName.safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError(`A fleet's name: ${problemsOf(parsed.error, text).join('; ')}.`);
  return parsed.data;
}

/** What is no number is for the check of the whole request. */
export const amount = (text: string): number | string => (/^\d+$/.test(text) ? Number(text) : text);
