import type { Command } from 'commander';
import { upgradeInput } from '../../contract/upgrade-input';
import { byOption, globalsOf, intervalOption, problemsOf, PROVIDER_HELP, providerName } from '../kit/arguments';
import { CliError } from '../kit/cli-error';
import { callingOf, commandFor, printResult, whoIs, type GlobalOptions } from '../kit/context';
import { requireInInventory } from '../kit/inventory';
import { watchOnScreen } from '../kit/watch';
import { requireCompleted } from './end-of-upgrade';
import { withUpgrades, type UpgradeContext } from './upgrades';
import { watchedUpgrade } from './watched-upgrade';

interface StartOptions extends GlobalOptions {
  by?: string;
  to?: string;
  from?: string;
  inventory?: string;
  wait?: boolean;
  watch?: boolean;
  interval: number;
}

export function addStart(program: Command, context: UpgradeContext): void {
  program
    .command('start')
    .description('start the upgrade of one provider')
    .argument('<provider>', PROVIDER_HELP, providerName)
    .option('--to <release>', 'the release to upgrade to; may be left out while only one fits what the provider runs')
    .option(...byOption)
    .option('--inventory <folder>', "check the provider's entry in this inventory first; the worker reads its own")
    .option('--wait', 'come back when the upgrade is over; the exit code tells how it ended')
    .option('--watch', 'show its progress until it is over')
    .addOption(intervalOption())
    .action((provider: string, _options: StartOptions, command: Command) => start(context, command, provider));
}

export function addFinish(program: Command, context: UpgradeContext): void {
  program
    .command('finish')
    .description(
      'bring an upgrade to its end that was terminated, reset or lost: forward once the package is imported, else back',
    )
    .argument('<provider>', PROVIDER_HELP, providerName)
    .option(...byOption)
    .option('--to <release>', 'the release that it leads to, where no ledger tells any more')
    .option('--from <version>', 'the version that it started from, where no ledger tells any more')
    .option('--wait', 'come back when it is over; the exit code tells how it ended')
    .option('--watch', 'show its progress until it is over')
    .addOption(intervalOption())
    .action((provider: string, _options: StartOptions, command: Command) =>
      start(context, command, provider, { finish: true }),
    );
}

async function start(
  context: UpgradeContext,
  command: Command,
  provider: string,
  how: { finish?: true } = {},
): Promise<void> {
  const options: StartOptions = { ...globalsOf(command), ...command.opts<StartOptions>() };
  const startedBy = whoIs(options.by, context.env);
  const { to, from } = options;
  const given = {
    provider,
    startedBy,
    ...how,
    ...(to === undefined ? {} : { to }),
    ...(from === undefined ? {} : { from }),
  };
  const input = upgradeInput.safeParse(given);
  if (!input.success) throw new CliError('usage', 'Nothing was started:', { problems: problemsOf(input.error, given) });
  if (options.inventory !== undefined) await requireInInventory(options.inventory, provider);
  await withUpgrades(context, options, async (upgrades) => {
    const started = { provider, startedBy, ...(await upgrades.start(input.data)) };
    const waits = options.wait === true || options.watch === true;
    const line = `Started ${started.workflowId}, run ${started.runId}.`;
    if (!waits) {
      printResult(context, options, started, [
        line,
        `Follow it with ${commandFor(callingOf(context, options), 'status', provider, '--watch')}.`,
      ]);
      return;
    }
    const silent = options.json === true || options.watch !== true;
    if (!silent) context.stdout.write(`${line}\n`);
    const view = await watchOnScreen(watchedUpgrade(upgrades, provider), context, {
      silent,
      intervalMs: options.interval,
      calling: callingOf(context, options),
    });
    if (options.json) printResult(context, options, { ...started, ...view }, []);
    requireCompleted(view);
  });
}
