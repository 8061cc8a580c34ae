import { Option, type Command } from 'commander';
import { globalsOf, PROVIDER_HELP, providerName } from '../kit/arguments';
import { printResult, type GlobalOptions } from '../kit/context';
import { asMarkdown, asText } from '../kit/documents/document';
import { writeReport } from '../kit/documents/write-report';
import { safeJson } from '../kit/text/safe-text';
import { onwardVersion } from '../kit/version';
import { evidenceDocument } from './evidence-document';
import { evidencePack, type EvidencePack } from './evidence-pack';
import { withUpgrades, type UpgradeContext } from './upgrades';

const FORMATS = ['text', 'markdown', 'json'] as const;

interface ReportOptions extends GlobalOptions {
  format: (typeof FORMATS)[number];
  output?: string;
}

export function addReport(program: Command, context: UpgradeContext): void {
  program
    .command('report')
    .description(
      'write the evidence pack of an upgrade: steps and their length, who answered what, checks, holds, inputs, versions, result',
    )
    .argument('<provider>', PROVIDER_HELP, providerName)
    .addOption(new Option('--format <format>', 'form of the report').choices(FORMATS).default('text'))
    .option('--output <file>', 'write it there instead of the terminal; an existing file is replaced')
    .action((provider: string, _options: ReportOptions, command: Command) =>
      report(context, { ...globalsOf(command), ...command.opts<ReportOptions>() }, provider),
    );
}

async function report(context: UpgradeContext, options: ReportOptions, provider: string): Promise<void> {
  const pack = await withUpgrades(context, options, async (upgrades) => {
    const { status } = await upgrades.view(provider);
    const [audit, record] = [await upgrades.audit(provider), await upgrades.record(provider)];
    return evidencePack(status, audit, record, { now: context.now(), onwardVersion: onwardVersion() });
  });
  const text = render(pack, options.json ? 'json' : options.format);
  if (options.output === undefined) {
    context.stdout.write(text);
    return;
  }
  await writeReport(options.output, text, '--output');
  printResult(context, options, { provider, output: options.output }, [`Written to ${options.output}.`]);
}

function render(pack: EvidencePack, format: ReportOptions['format']): string {
  if (format === 'json') return `${safeJson(pack, 2)}\n`;
  const document = evidenceDocument(pack);
  return format === 'markdown' ? asMarkdown(document) : asText(document);
}
