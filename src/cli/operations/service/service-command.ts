import type { Command } from 'commander';
import { globalsOf } from '../../kit/arguments';
import type { CliContext } from '../../kit/context';
import type { InstallOptions, ServiceOptions } from './run-service';
import { RELEASE } from './winsw';

const DRY_RUN = ['--dry-run', 'print what would be written and run, and do nothing'] as const;

export function addService(program: Command, context: CliContext): void {
  const service = program
    .command('service')
    .description('the worker of an endpoint host as a Windows service (docs/windows-host.md)');
  service
    .command('install')
    .description('install the service and start it; it runs in this installation of Onward')
    .option('--host <name>', 'name of this host in the inventory')
    .option('--wrapper <file>', `WinSW-x64.exe of ${RELEASE}`)
    .option('--wrapper-sha256 <hash>', 'what the wrapper has to be, where it is another build of WinSW 2')
    .option(
      '--environment <file>',
      'settings of the worker, NAME=value in each line (default: worker.env in %ProgramData%\\Onward)',
    )
    .option('--account <name>', 'group managed service account, DOMAIN\\name$ (default: LocalSystem)')
    .option(...DRY_RUN)
    .action(async (_options: InstallOptions, command: Command) => {
      const { installService } = await import('./run-service.js');
      await installService(context, { ...globalsOf(command), ...command.opts<InstallOptions>() });
    });
  service
    .command('uninstall')
    .description('stop the service and remove it; its settings and logs stay')
    .option(...DRY_RUN)
    .action(async (_options: ServiceOptions, command: Command) => {
      const { uninstallService } = await import('./run-service.js');
      await uninstallService(context, { ...globalsOf(command), ...command.opts<ServiceOptions>() });
    });
  service
    .command('status')
    .description('say whether the service is there and runs; exit code 1 where it does not')
    .action(async (_options: ServiceOptions, command: Command) => {
      const { serviceStatus } = await import('./run-service.js');
      await serviceStatus(context, globalsOf(command));
    });
}
