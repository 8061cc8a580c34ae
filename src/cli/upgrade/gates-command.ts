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
    const { waiting, silent, problem } = await askEach(upgrades, asked, () => context.now());
    const calling = callingOf(context, options, options.shell);
    const lines = [
      ...(waiting.length === 0 && silent.length > 0 ? [] : gatesLines(waiting, displayFor(context, calling))),
      ...(silent.length === 0
        ? []
        : [
            'Of these the server only knows how many people are waited for, because no worker has told more:',
            ...summaryLines(silent),
          ]),
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

/** Questions without an answer may take so long in all: where no worker is there, each waits for its deadline. */
const IN_VAIN_MS = 10_000;

/** One that cannot answer hides no other. */
async function askEach(
  upgrades: Upgrades,
  asked: UpgradeSummary[],
  now: () => Date,
): Promise<{ waiting: Waiting[]; silent: UpgradeSummary[]; problem: CliError | undefined }> {
  const waiting: Waiting[] = [];
  const silent: UpgradeSummary[] = [];
  let problem: CliError | undefined;
  let inVain = 0;
  for (const summary of asked) {
    const { provider } = summary;
    const began = now().getTime();
    try {
      if (inVain >= IN_VAIN_MS) silent.push(summary);
      else {
        const { gates: open, holds } = (await upgrades.view(provider)).status;
        waiting.push({ provider, gates: open, holds });
      }
    } catch (error) {
      const told = asCliError(error);
      if (told.kind === 'unreachable') throw error;
      inVain += now().getTime() - began;
      silent.push(summary);
      problem ??= told;
    }
  }
  return { waiting, silent, problem };
}

const withCommands = ({ provider, gates: open, holds }: Waiting, calling: Calling): object => ({
  provider,
  gates: open.map((gate) => ({ ...gate, commands: howToAnswerGate(provider, gate, calling) })),
  holds: holds.map((hold) => ({ ...hold, commands: howToResolve(provider, hold, calling) })),
});
