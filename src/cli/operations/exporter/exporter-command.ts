import { Option, type Command } from 'commander';
import { globalsOf, inventoryOption, port, seconds } from '../../kit/arguments';
import type { CliContext } from '../../kit/context';
import type { ExporterOptions } from './run-exporter';

export function addExporter(program: Command, context: CliContext): void {
  program
    .command('exporter')
    .description('serve metrics of upgrades, fleets, tokens and task queues for Prometheus, until Ctrl-C')
    .option('--port <port>', 'port to listen on', port, 9465)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .addOption(
      new Option('--interval <seconds>', 'time between two looks at the Temporal server')
        .argParser(seconds)
        .default(30_000, '30'),
    )
    .option(...inventoryOption)
    .addHelpText(
      'after',
      `
One exporter for each namespace is enough. It asks the Temporal server, and changes nothing; of the inventory it reads the names
of endpoint hosts. What each metric means: docs/monitoring.md.`,
    )
    .action(async (_options: ExporterOptions, command: Command) => {
      const { runExporter } = await import('./run-exporter.js');
      await runExporter(context, { ...globalsOf(command), ...command.opts<ExporterOptions>() });
    });
}
