import { InvalidArgumentError, Option, type Command } from 'commander';
import { globalsOf, port } from '../kit/arguments';
import type { CliContext } from '../kit/context';
import { PACES, type SandboxCommandOptions, type Sources } from './sandbox-options';

export function addSandbox(program: Command, context: CliContext): void {
  program
    .command('sandbox')
    .description('run a simulated world until Ctrl-C: Operations, APS, Billing, Microsoft and endpoint hosts')
    .option('--data <folder>', 'keep its state there; without it the world is gone at the end')
    .option('--inventory <folder>', 'write an inventory of its providers there')
    .option('--source <provider=version>', 'let a provider start from this version (repeatable)', source, {})
    .addOption(
      new Option('--fleet <number>', 'so many providers instead of the usual ones, on both versions')
        .argParser(fleetSize)
        .conflicts('source'),
    )
    .option(
      '--root <provider>',
      'serve this provider at the root of the ports too, for clients that know only host and port',
    )
    .option('--workers', 'run the workers of its endpoint hosts as well, in the same process')
    .addOption(paceOption())
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--public-host <name>', 'name under which workers reach this machine, where it is not that address')
    .option('--operations-port <port>', 'XML-RPC of Operations', port, 8440)
    .option('--aps-port <port>', 'APS controller, with TLS', port, 6308)
    .option('--billing-port <port>', 'XML-RPC of Billing', port, 5224)
    .option('--microsoft-port <port>', 'Microsoft login, Partner Center and Graph', port, 7443)
    .option('--control-port <port>', 'control API and package file', port, 7080)
    .action(async (_options: SandboxCommandOptions, command: Command) => {
      const options: SandboxCommandOptions = { ...globalsOf(command), ...command.opts<SandboxCommandOptions>() };
      const { runSandbox } = await import('./run-sandbox.js');
      await runSandbox(context, options);
    });
}

export const paceOption = (): Option =>
  new Option('--pace <pace>', 'how long simulated work takes: as little as possible, or long enough to watch')
    .choices(PACES)
    .default('watchable');

export function fleetSize(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 4 || value > 999) {
    throw new InvalidArgumentError('Give a number of providers from 4 to 999.');
  }
  return value;
}

function source(text: string, before: Sources): Sources {
  const [, provider, version] = /^([^=]+)=([^=]+)$/.exec(text) ?? [];
  if (provider === undefined || version === undefined) {
    throw new InvalidArgumentError('Give a provider and a version, with = between them.');
  }
  return { ...before, [provider]: version };
}
