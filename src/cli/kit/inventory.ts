/** What is wrong with the inventory, in the words of the command line. */
import {
  describeProblem,
  findProvider,
  InvalidInventory,
  UnknownProvider,
  type Problem,
} from '../../inventory/inventory';
import { CliError } from './cli-error';

/** @throws CliError `notFound` when the inventory has no such provider, `usage` with every problem of its entry. */
export async function requireInInventory(directory: string, provider: string): Promise<void> {
  await readInventory(findProvider(directory, provider));
}

/** What is read of an inventory, or the error of it for the terminal. */
export async function readInventory<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof InvalidInventory) throw invalidInventory(error.problems);
    if (error instanceof UnknownProvider) throw new CliError('notFound', error.message, { cause: error });
    throw error;
  }
}

export const invalidInventory = (problems: Problem[]): CliError =>
  new CliError('usage', 'The inventory cannot be used as it is:', { problems: problems.map(describeProblem) });
