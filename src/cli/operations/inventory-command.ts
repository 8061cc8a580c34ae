import type { Command } from 'commander';
import { checkInventory, describeProblem, inventoryDirectory } from '../../inventory/inventory';
import { globalsOf, inventoryOption } from '../kit/arguments';
import { printResult, type CliContext } from '../kit/context';
import { invalidInventory, readInventory } from '../kit/inventory';
import { safeText } from '../kit/text/safe-text';
import { addDraft } from './draft-command';
import type { ReleasesContext } from './releases-command';

export function addInventory(program: Command, context: ReleasesContext): void {
  const inventory = program.command('inventory').description("work with the providers' entries");
  inventory
    .command('check')
    .description('check every entry, and the files and variables that it refers to, without calling anybody')
    .option(...inventoryOption)
    .action((_options: object, command: Command) => check(context, command));
  addDraft(inventory, context);
}

async function check(context: CliContext, command: Command): Promise<void> {
  const options = globalsOf(command);
  const report = await readInventory(
    checkInventory(command.opts<{ inventory?: string }>().inventory ?? inventoryDirectory(context.env)),
  );
  const count = report.providers.length;
  printResult(context, options, report, [
    `${report.directory}: ${count} ${count === 1 ? 'provider' : 'providers'}`,
    ...report.providers.map(({ provider }) => `  ${safeText(provider)}`),
    ...report.warnings.map((warning) => `warning: ${safeText(describeProblem(warning), 1000)}`),
    ...(report.problems.length === 0 ? ['No problem was found.'] : []),
  ]);
  if (report.problems.length > 0) throw invalidInventory(report.problems);
}
