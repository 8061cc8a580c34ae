import { inventoryDirectory } from '../../../inventory/inventory';
import { CliError } from '../../kit/cli-error';
import { paintFor, printResult, type CliContext, type GlobalOptions } from '../../kit/context';
import { settingsFor } from '../../kit/temporal/connect';
import { safeLines, safeText } from '../../kit/text/safe-text';
import { examine } from './examine';
import type { Finding } from './finding';

export interface DoctorOptions extends GlobalOptions {
  inventory?: string;
}

/** @throws CliError `failure` where something is wrong: the exit code tells the verdict. */
export async function runDoctor(context: CliContext, options: DoctorOptions): Promise<void> {
  const findings = await examine({
    settings: () => settingsFor(options),
    inventoryDirectory: options.inventory ?? inventoryDirectory(context.env),
  });
  const wrong = findings.filter(({ verdict }) => verdict === 'problem').length;
  printResult(context, options, { wrong, findings }, linesOf(findings, context));
  if (wrong > 0) throw new CliError('failure', `${wrong} ${wrong === 1 ? 'thing is' : 'things are'} wrong.`);
}

function linesOf(findings: readonly Finding[], context: CliContext): string[] {
  const paint = paintFor(context.stdout, context.env);
  const of = (verdict: Finding['verdict']): Finding[] => findings.filter((finding) => finding.verdict === verdict);
  const told = (heading: string, some: Finding[]): string[] =>
    some.length === 0
      ? []
      : [
          heading,
          ...some.flatMap(({ about, message }) => {
            const [first = '', ...rest] = safeLines(message, 2000);
            return [`  ${paint.bold(safeText(about))}: ${first}`, ...rest.map((line) => `  ${line}`)];
          }),
          '',
        ];
  return [
    ...told(paint.red('Wrong: upgrades do not run, or not to their end.'), of('problem')),
    ...told(paint.yellow('To know:'), of('warning')),
    ...told(paint.green('In order:'), of('pass')),
  ].slice(0, -1);
}
