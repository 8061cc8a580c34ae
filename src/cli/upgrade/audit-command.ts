import type { Command } from 'commander';
import { globalsOf, PROVIDER_HELP, providerName } from '../kit/arguments';
import { paintFor, printResult } from '../kit/context';
import { auditLines } from './audit-view';
import { withUpgrades, type UpgradeContext } from './upgrades';

export function addAudit(program: Command, context: UpgradeContext): void {
  program
    .command('audit')
    .description('print the audit trail of an upgrade: what happened, who said what, what was refused and why')
    .argument('<provider>', PROVIDER_HELP, providerName)
    .action(async (provider: string, _options: object, command: Command) => {
      const options = globalsOf(command);
      await withUpgrades(context, options, async (upgrades) => {
        const entries = await upgrades.audit(provider);
        printResult(context, options, entries, auditLines(entries, paintFor(context.stdout, context.env)));
      });
    });
}
