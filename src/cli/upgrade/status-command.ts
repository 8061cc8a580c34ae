import type { Command } from 'commander';
import { globalsOf, intervalOption, PROVIDER_HELP, providerName } from '../kit/arguments';
import { asCliError } from '../kit/cli-error';
import { callingOf, displayFor, printResult, type GlobalOptions } from '../kit/context';
import { formatTime } from '../kit/text/duration';
import { safeText } from '../kit/text/safe-text';
import { watchOnScreen } from '../kit/watch';
import { requireCompleted } from './end-of-upgrade';
import { statusLines } from './status-view';
import { type UpgradeContext, type Upgrades, type UpgradeSummary, withUpgrades } from './upgrades';
import { watchedUpgrade } from './watched-upgrade';

interface StatusOptions extends GlobalOptions {
  watch?: boolean;
  interval: number;
}

export function addStatus(program: Command, context: UpgradeContext): void {
  program
    .command('status')
    .description(
      'show one upgrade: its steps, how long they took, and who is waited for; without a provider, all that run',
    )
    .argument('[provider]', PROVIDER_HELP, providerName)
    .option('--watch', 'show its progress until it is over; with --json, wait and print the end')
    .addOption(intervalOption())
    .action((provider: string | undefined, _options: StatusOptions, command: Command) =>
      status(context, { ...globalsOf(command), ...command.opts<StatusOptions>() }, provider),
    );
}

async function status(context: UpgradeContext, options: StatusOptions, provider: string | undefined): Promise<void> {
  await withUpgrades(context, options, async (upgrades) => {
    if (provider === undefined) {
      const running = await upgrades.running();
      printResult(context, options, running, summaryLines(running));
    } else if (options.watch) {
      await watch(upgrades, context, options, provider);
    } else {
      await show(upgrades, context, options, provider);
    }
  });
}

async function show(
  upgrades: Upgrades,
  context: UpgradeContext,
  options: StatusOptions,
  provider: string,
): Promise<void> {
  try {
    const view = await upgrades.view(provider);
    printResult(context, options, view, statusLines(view, displayFor(context, callingOf(context, options))));
  } catch (error) {
    if (asCliError(error).kind !== 'noWorker') throw error;
    const summary = await upgrades.summary(provider);
    printResult(context, options, { summary }, ['What the server itself knows:', ...summaryLines([summary])]);
    throw error;
  }
}

async function watch(
  upgrades: Upgrades,
  context: UpgradeContext,
  options: StatusOptions,
  provider: string,
): Promise<void> {
  const view = await watchOnScreen(watchedUpgrade(upgrades, provider), context, {
    silent: options.json === true,
    intervalMs: options.interval,
    calling: callingOf(context, options),
  });
  if (options.json) printResult(context, options, view, []);
  requireCompleted(view);
}

/** One line per upgrade, from search attributes alone. */
export function summaryLines(summaries: UpgradeSummary[]): string[] {
  if (summaries.length === 0) return ['No upgrade is running.'];
  return summaries.map(({ provider, execution, path, state, step, crossed, openGates, startedAt }) =>
    [
      safeText(provider),
      safeText(path ?? 'path not known yet'),
      execution === 'running'
        ? safeText(state ?? 'starting')
        : `${execution}${state === undefined ? '' : ` (${safeText(state)})`}`,
      ...(step === undefined ? [] : [`at ${safeText(step)}`]),
      crossed === true ? 'point of no return passed' : 'point of no return not passed',
      `${openGates ?? 0} waiting for a person`,
      `started ${formatTime(startedAt)} UTC`,
    ].join(', '),
  );
}
