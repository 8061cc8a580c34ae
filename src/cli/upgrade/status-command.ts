import type { Command } from 'commander';
import { callingOf, paintFor, say, withUpgrades, type CliContext, type GlobalOptions } from '../kit/context';
import { asCliError } from '../kit/cli-error';
import { withScreen } from '../kit/screen';
import { formatTime } from '../kit/text/duration';
import { safeText } from '../kit/text/safe-text';
import type { Upgrades, UpgradeSummary } from './upgrades';
import { statusLines } from './status-view';
import { watchUpgrade } from '../kit/watch';
import { globalsOf, intervalOption, PROVIDER_HELP, providerName } from '../kit/arguments';
import { requireCompleted } from './end-of-upgrade';

interface StatusOptions extends GlobalOptions {
  watch?: boolean;
  interval: number;
}

export function addStatus(program: Command, context: CliContext): void {
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

async function status(context: CliContext, options: StatusOptions, provider: string | undefined): Promise<void> {
  await withUpgrades(context, options, async (upgrades) => {
    if (provider === undefined) {
      const running = await upgrades.running();
      say(context, options, running, summaryLines(running));
    } else if (options.watch) {
      await watch(upgrades, context, options, provider);
    } else {
      await show(upgrades, context, options, provider);
    }
  });
}

async function show(upgrades: Upgrades, context: CliContext, options: StatusOptions, provider: string): Promise<void> {
  try {
    const view = await upgrades.view(provider);
    const paint = paintFor(context.stdout, context.env);
    const look = {
      now: context.now(),
      paint,
      width: context.stdout.columns ?? 120,
      calling: callingOf(context, options),
    };
    say(context, options, view, statusLines(view, look));
  } catch (error) {
    if (asCliError(error).kind !== 'noWorker') throw error;
    const summary = await upgrades.summary(provider);
    say(context, options, { summary }, ['What the server itself knows:', ...summaryLines([summary])]);
    throw error;
  }
}

async function watch(upgrades: Upgrades, context: CliContext, options: StatusOptions, provider: string): Promise<void> {
  const view = await withScreen(context.stdout, options.json === true, (screen) =>
    watchUpgrade(upgrades, provider, context, {
      screen,
      intervalMs: options.interval,
      calling: callingOf(context, options),
    }),
  );
  if (options.json) say(context, options, view, []);
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
