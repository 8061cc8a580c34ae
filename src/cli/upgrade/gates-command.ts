import { Option, type Command } from 'commander';
import { globalsOf, PROVIDER_HELP, providerName } from '../kit/arguments';
import { asCliError, type CliError } from '../kit/cli-error';
import { type Calling, callingOf, type GlobalOptions, displayFor, printResult } from '../kit/context';
import { SHELLS, type Shell } from '../kit/text/shell-quote';
import { gatesLines, type Waiting } from './gates-view';
import { howToAnswerGate, howToResolve } from './messages';
import { summaryLines } from './status-command';
import { type UpgradeContext, type Upgrades, type UpgradeSummary, withUpgrades } from './upgrades';

interface GatesOptions extends GlobalOptions {
  shell?: Shell;
}

export function addGates(program: Command, context: UpgradeContext): void {
  program
    .command('gates')
    .description('list everything that waits for a person, with what to do and how to answer')
    .argument('[provider]', `${PROVIDER_HELP}; without it, all upgrades that run`, providerName)
    .addOption(
      new Option('--shell <shell>', 'quote the commands for this shell (powershell: 7.3 or newer)').choices(SHELLS),
    )
    .action((provider: string | undefined, _options: GatesOptions, command: Command) =>
      gates(context, { ...globalsOf(command), ...command.opts<GatesOptions>() }, provider),
    );
}

async function gates(context: UpgradeContext, options: GatesOptions, provider: string | undefined): Promise<void> {
  await withUpgrades(context, options, async (upgrades) => {
    const asked = provider === undefined ? await upgrades.running() : [await upgrades.summary(provider)];
    const { waiting, silent, problem } = await askEach(upgrades, asked);
    const calling = callingOf(context, options, options.shell);
    const lines = [
      ...(waiting.length === 0 && silent.length > 0 ? [] : gatesLines(waiting, displayFor(context, calling))),
      ...(silent.length === 0
        ? []
        : ['Without a worker, the server only knows how many people are waited for:', ...summaryLines(silent)]),
    ];
    printResult(
      context,
      options,
      { upgrades: waiting.map((one) => withCommands(one, calling)), unanswered: silent },
      lines,
    );
    if (problem !== undefined) throw problem;
  });
}

/** Once no worker has answered, none is asked again: each question would wait for its deadline. */
async function askEach(
  upgrades: Upgrades,
  asked: UpgradeSummary[],
): Promise<{ waiting: Waiting[]; silent: UpgradeSummary[]; problem?: CliError }> {
  const waiting: Waiting[] = [];
  for (const [index, { provider }] of asked.entries()) {
    try {
      const { status } = await upgrades.view(provider);
      waiting.push({ provider, gates: status.gates, holds: status.holds });
    } catch (error) {
      const problem = asCliError(error);
      if (problem.kind !== 'noWorker') throw error;
      return { waiting, silent: asked.slice(index), problem };
    }
  }
  return { waiting, silent: [] };
}

const withCommands = ({ provider, gates: open, holds }: Waiting, calling: Calling): object => ({
  provider,
  gates: open.map((gate) => ({ ...gate, commands: howToAnswerGate(provider, gate, calling) })),
  holds: holds.map((hold) => ({ ...hold, commands: howToResolve(provider, hold, calling) })),
});
