import type { Command } from 'commander';
import { globalsOf } from '../kit/arguments';
import { withUpgrades, type UpgradeContext } from '../upgrade/upgrades';

export function addSandboxOperator(program: Command, context: UpgradeContext): void {
  program
    .command('sandbox-operator')
    .description(
      'do what the gates of upgrades in a sandbox ask people for, until Ctrl-C; you only say that it is done',
    )
    .argument('[url]', "the sandbox's control API", 'http://127.0.0.1:7080/')
    .action(async (url: string, _options: object, command: Command) => {
      const { workForGates } = await import('./gate-work.js');
      await withUpgrades(context, globalsOf(command), (upgrades) =>
        workForGates({
          upgrades,
          providers: async () => (await upgrades.running()).map(({ provider }) => provider),
          controlUrl: (provider) => new URL(`_sim/providers/${provider}/`, url).href,
          print: (line) => context.stdout.write(`${line}\n`),
          signal: context.interrupted(),
        }),
      );
    });
}
