/** `onward preflight` and `onward plan`: a look at one provider that changes nothing. */
import type { Command } from 'commander';
import { preflightInput, type PreflightReport } from '../../contract/preflight';
import { byOption, globalsOf, problemsOf, PROVIDER_HELP, providerName } from '../kit/arguments';
import { CliError } from '../kit/cli-error';
import { displayFor, callingOf, printResult, whoAsks, type Display, type GlobalOptions } from '../kit/context';
import { withScreen } from '../kit/screen';
import { safeText } from '../kit/text/safe-text';
import { planLines, preflightLines } from './preflight-view';
import { withUpgrades, type UpgradeContext } from './upgrades';

interface LookOptions extends GlobalOptions {
  to?: string;
  by?: string;
}

export function addPreflight(program: Command, context: UpgradeContext): void {
  looking(
    program
      .command('preflight')
      .description(
        'look at one provider before its upgrade: what stands against it, what people will be asked, what will be off; changes nothing',
      )
      .addHelpText(
        'after',
        `
It finds what the preflight of an upgrade finds, by the same checks. Exit code 0: nothing stands against the upgrade; warnings
do not count. Exit code 3: an upgrade that began now would be refused, for the reasons that are listed.`,
      ),
    context,
    (report, display) => preflightLines(report, display),
  );
}

export function addPlan(program: Command, context: UpgradeContext): void {
  looking(
    program
      .command('plan')
      .description('print the steps that an upgrade would take, and which call changes what; changes nothing')
      .addHelpText(
        'after',
        `
Exit code 3: an upgrade that began now would be refused. Where nobody can tell which upgrade is meant, there is no plan.`,
      ),
    context,
    (report, display) => planLines(report, display),
  );
}

function looking(
  command: Command,
  context: UpgradeContext,
  linesOf: (report: PreflightReport, display: Display) => string[],
): void {
  command
    .argument('<provider>', PROVIDER_HELP, providerName)
    .option('--to <release>', 'the release to upgrade to; may be left out while only one fits what the provider runs')
    .option(...byOption)
    .action(async (provider: string, _options: LookOptions, self: Command) => {
      const options: LookOptions = { ...globalsOf(self), ...self.opts<LookOptions>() };
      const report = await look(context, options, provider);
      const display = displayFor(context, callingOf(context, options));
      printResult(context, options, report, linesOf(report, display));
      requireClear(report);
    });
}

async function look(context: UpgradeContext, options: LookOptions, provider: string): Promise<PreflightReport> {
  const { to } = options;
  const given = { provider, startedBy: whoAsks(options.by, context.env), ...(to === undefined ? {} : { to }) };
  const input = preflightInput.safeParse(given);
  if (!input.success)
    throw new CliError('usage', 'Nothing was looked at:', { problems: problemsOf(input.error, given) });
  const interrupted = context.interrupted();
  return await withUpgrades(context, options, (upgrades) =>
    withScreen(context.stderr, options.json === true, async (screen) => {
      let said = '';
      const report = await upgrades.lookBefore(
        input.data,
        (waitsFor) => {
          const line = waitsFor.length === 0 ? '' : `Waiting for ${safeText(waitsFor.join(', '))} ...`;
          if (line === said) return;
          said = line;
          screen.draw([line]);
          if (line !== '') screen.appendPlain([line]);
        },
        interrupted,
      );
      screen.draw([]);
      return report;
    }),
  );
}

/** @throws CliError `refused`: the exit code tells the verdict. */
function requireClear({ provider, verdict, checks }: PreflightReport): void {
  if (verdict === 'clear') return;
  const against = checks.filter((check) => check.verdict === 'refusal').length;
  throw new CliError(
    'refused',
    `An upgrade of ${provider} would be refused now: ${against} ${against === 1 ? 'reason stands' : 'reasons stand'} against it.`,
    { hint: 'Nothing was changed. Put right what is listed, and look again.' },
  );
}
