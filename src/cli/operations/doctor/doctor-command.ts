/** `onward doctor`: is everything there that upgrades rest on, and where not, what to do. */
import type { Command } from 'commander';
import { globalsOf, inventoryOption } from '../../kit/arguments';
import type { CliContext } from '../../kit/context';
import type { DoctorOptions } from './run-doctor';

export function addDoctor(program: Command, context: CliContext): void {
  program
    .command('doctor')
    .description(
      'look whether everything is there that upgrades rest on: server, task queues, clock, keys, inventory, systems; changes nothing',
    )
    .option(...inventoryOption)
    .addHelpText(
      'after',
      `
Exit code 0: nothing is wrong; warnings do not count. Exit code 1: what is listed is wrong.
Systems are looked at from the machine where the command runs, with the variables and files that it has there.`,
    )
    .action(async (_options: DoctorOptions, command: Command) => {
      const { runDoctor } = await import('./run-doctor.js');
      await runDoctor(context, { ...globalsOf(command), ...command.opts<DoctorOptions>() });
    });
}
