import { Option, type Command } from 'commander';
import { DEFAULT_IDS } from '../../sandbox/world/defaults';
import { globalsOf, port } from '../kit/arguments';
import { BY_HELP, type CliContext } from '../kit/context';
import { fleetSize, paceOption } from '../operations/sandbox-command';
import type { DemoOptions } from './options';

export function addDemo(program: Command, context: CliContext): void {
  program
    .command('demo')
    .description('show a complete upgrade of a simulated provider on a real Temporal server on this machine')
    .option('--auto', "let the sandbox's operator answer every gate; else you do, with the commands that are shown")
    .addOption(
      new Option('--provider <id>', 'contoso: 3 instances, 2 gateway sites; fabrikam: 2 instances, 1 site').choices(
        DEFAULT_IDS,
      ),
    )
    .option('--from <version>', "version to upgrade from (default: the provider's usual one)")
    .addOption(
      new Option(
        '--fleet <number>',
        'upgrade so many simulated providers as a fleet, always in a new world; needs --auto',
      )
        .argParser(fleetSize)
        .conflicts(['provider', 'from']),
    )
    .option('--stay', 'with --fleet: leave everything running at the end, to look around, until Ctrl-C')
    .option('--fresh', 'begin anew in a new world, whatever the last one is at')
    .addOption(paceOption())
    .option('--by <person>', BY_HELP)
    .option('--port <port>', 'port of the Temporal server (default: 7233)', port)
    .option('--ui-port <port>', 'port of the Temporal UI (default: 8233)', port)
    .option('--free-ports', 'take any free ports for everything')
    .addHelpText(
      'after',
      `
State is kept in .onward/, of the clone or else of the current folder: after Ctrl-C the same command goes on with the same upgrade. After a completed
upgrade it begins anew. The first run on a machine without a Temporal CLI fetches or builds one, which takes minutes.
Exit code 0: the upgrade completed, or every upgrade of the fleet.`,
    )
    .action(async (_options: DemoOptions, command: Command) => {
      const options: DemoOptions = { ...globalsOf(command), ...command.opts<DemoOptions>() };
      if (options.fleet !== undefined) {
        const { runFleetDemo } = await import('./run-fleet-demo.js');
        await runFleetDemo(context, { ...options, fleet: options.fleet });
        return;
      }
      const { runDemo } = await import('./run-demo.js');
      await runDemo(context, options);
    });
}
