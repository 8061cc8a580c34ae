import type { Command } from 'commander';
import { globalsOf } from '../kit/arguments';
import { printResult, type GlobalOptions } from '../kit/context';
import { asText } from '../kit/documents/document';
import { writeReport } from '../kit/documents/write-report';
import { onwardVersion } from '../kit/version';
import { FLEET_HELP, fleetName } from './arguments';
import { withFleets, type FleetContext } from './fleets';
import { readReport } from './report';
import { reportDocument } from './report-document';
import { reportPage } from './report-page';

interface FleetReportOptions extends GlobalOptions {
  html?: string;
}

export function addFleetReport(fleet: Command, context: FleetContext): void {
  fleet
    .command('report')
    .description('tell what became of every provider, how long it took, and what failed for which cause')
    .argument('<fleet>', FLEET_HELP, fleetName)
    .option(
      '--html <file>',
      'write it as one page with a picture, which needs nothing else; an existing file is replaced',
    )
    .action((name: string, _options: object, command: Command) =>
      report(context, { ...globalsOf(command), ...command.opts<FleetReportOptions>() }, name),
    );
}

async function report(context: FleetContext, options: FleetReportOptions, name: string): Promise<void> {
  const found = await withFleets(context, options, (fleets) =>
    readReport(fleets, name, { now: context.now(), onwardVersion: onwardVersion() }),
  );
  const { html } = options;
  if (html === undefined) {
    printResult(context, options, found, [asText(reportDocument(found)).trimEnd()]);
    return;
  }
  await writeReport(html, reportPage(found), '--html');
  printResult(context, options, { fleet: name, html }, [`Written to ${html}.`]);
}
