import type { Command } from 'commander';
import { globalsOf } from '../kit/arguments';
import type { CliContext } from '../kit/context';
import type { ReplayCommandOptions } from './run-replay';

const RUNNING = "ExecutionStatus = 'Running' AND WorkflowType IN ('upgradeProvider', 'guardConsent')";

export function addReplay(program: Command, context: CliContext): void {
  program
    .command('replay')
    .description("replay what the server's workflows have done with the workflow code that is here; changes nothing")
    .option('--query <filter>', 'which workflows, as in `temporal workflow list --query`', RUNNING)
    .addHelpText(
      'after',
      `
Run it in the checkout that is to be rolled out, before its workers start: a workflow whose history does not replay would
stop where it is (docs/changing-a-workflow.md).`,
    )
    .action(async (_options: object, command: Command) => {
      // Loads the SDK's native core, which hardly any other command needs.
      const { runReplay } = await import('./run-replay.js');
      await runReplay(context, { ...globalsOf(command), ...command.opts<ReplayCommandOptions>() });
    });
}
