import type { Command } from 'commander';
import {
  checkInventory,
  describeProblem,
  findProvider,
  InvalidInventory,
  inventoryDirectory,
  UnknownProvider,
  type Problem,
} from '../../inventory/inventory';
import { say, type CliContext } from '../kit/context';
import { CliError } from '../kit/cli-error';
import { safeText } from '../kit/text/safe-text';
import { globalsOf, inventoryOption } from '../kit/arguments';

export function addInventory(program: Command, context: CliContext): void {
  const inventory = program.command('inventory').description("work with the providers' entries");
  inventory
    .command('check')
    .description('check every entry, and the files and variables that it refers to, without calling anybody')
    .option(...inventoryOption)
    .action((_options: object, command: Command) => check(context, command));
}

async function check(context: CliContext, command: Command): Promise<void> {
  const options = globalsOf(command);
  const report = await explained(
    checkInventory(command.opts<{ inventory?: string }>().inventory ?? inventoryDirectory(context.env)),
  );
  const count = report.providers.length;
  say(context, options, report, [
    `${report.directory}: ${count} ${count === 1 ? 'provider' : 'providers'}`,
    ...report.providers.map(({ provider }) => `  ${safeText(provider)}`),
    ...report.warnings.map((warning) => `warning: ${safeText(describeProblem(warning), 1000)}`),
    ...(report.problems.length === 0 ? ['No problem was found.'] : []),
  ]);
  if (report.problems.length > 0) throw invalid(report.problems);
}

/** @throws CliError `notFound` when the inventory has no such provider, `usage` with every problem of its entry. */
export async function requireInInventory(directory: string, provider: string): Promise<void> {
  await explained(findProvider(directory, provider));
}

async function explained<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof InvalidInventory) throw invalid(error.problems);
    if (error instanceof UnknownProvider) throw new CliError('notFound', error.message, { cause: error });
    throw error;
  }
}

const invalid = (problems: Problem[]): CliError =>
  new CliError('usage', 'The inventory cannot be used as it is:', { problems: problems.map(describeProblem) });
