/** The commands about consents: the 90 days of every refresh token, from the upgrade on. */
import type { Command } from 'commander';
import { globalsOf, PROVIDER_HELP, providerName } from '../kit/arguments';
import { CliError } from '../kit/cli-error';
import { callingOf, displayFor, printResult, withConnection, type GlobalOptions } from '../kit/context';
import { addMessageCommands } from '../kit/messages/message-commands';
import type { ConsentContext } from './consents';
import { consentsLines } from './consents-view';
import { GUARD_MESSAGES } from './messages';

/** Of guards whose status cannot be read. */
const NAMED = 5;

export function addConsents(program: Command, context: ConsentContext): void {
  program
    .command('consents')
    .description('list the consents that are guarded, and when their refresh tokens end; the most urgent first')
    .argument('[provider]', `${PROVIDER_HELP}; without it, all`, providerName)
    .action((provider: string | undefined, _options: GlobalOptions, command: Command) =>
      list(context, globalsOf(command), provider),
    );
  addMessageCommands(program, context, GUARD_MESSAGES, (options) => context.connectConsents(options));
}

async function list(context: ConsentContext, options: GlobalOptions, provider: string | undefined): Promise<void> {
  await withConnection(context.connectConsents(options), async (consents) => {
    const { consents: found, unreadable } = await consents.list(provider);
    if (found.length > 0 || unreadable.length === 0)
      printResult(context, options, found, consentsLines(found, displayFor(context, callingOf(context, options))));
    if (unreadable.length > 0)
      throw new CliError('failure', `The status of ${unreadable.length} guards cannot be read, such as:`, {
        problems: unreadable.slice(0, NAMED),
      });
  });
}
