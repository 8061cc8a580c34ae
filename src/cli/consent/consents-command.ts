/** The commands about consents: the 90 days of every refresh token, from the upgrade on. */
import type { Command } from 'commander';
import { guardMessages, type GuardMessageName, type GuardMessages } from '../../contract/consent';
import { callingOf, paintFor, say, whoIs, type CliContext, type GlobalOptions } from '../kit/context';
import type { Consents, ConsentKey } from './consents';
import { consentsLines } from './consents-view';
import { byOption, globalsOf, PROVIDER_HELP, providerName, signalOption, validated } from '../kit/arguments';

interface RenewalOptions extends GlobalOptions {
  by?: string;
  signal?: boolean;
  at?: string;
  evidence?: string;
}

export function addConsents(program: Command, context: CliContext): void {
  program
    .command('consents')
    .description('list the consents that are guarded, and when their refresh tokens end; the most urgent first')
    .argument('[provider]', `${PROVIDER_HELP}; without it, all`, providerName)
    .action((provider: string | undefined, _options: GlobalOptions, command: Command) =>
      list(context, globalsOf(command), provider),
    );
  renewalCommand(program, 'renew', 'say that an administrator of the partner account has consented anew')
    .option('--at <time>', 'when, where it was not just now: 2026-11-03, or 2026-11-03T10:00:00Z')
    .action((provider: string, instance: string, { at }: RenewalOptions, command: Command) =>
      send(context, command, { provider, instance }, 'consentRenewed', { at }),
    );
  renewalCommand(program, 'confirm-renewal', 'say that Test Connection succeeds, where Onward cannot test by itself')
    .option('--evidence <text>', 'the message that was shown, and when')
    .action((provider: string, instance: string, { evidence }: RenewalOptions, command: Command) =>
      send(context, command, { provider, instance }, 'confirmRenewal', { evidence }),
    );
}

function renewalCommand(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .argument('<provider>', PROVIDER_HELP, providerName)
    .argument('<instance>', 'id of the application instance, as onward consents shows it')
    .option(...byOption)
    .option(...signalOption);
}

async function list(context: CliContext, options: GlobalOptions, provider: string | undefined): Promise<void> {
  await withConsents(context, options, async (consents) => {
    const found = await consents.list(provider);
    const look = {
      now: context.now(),
      paint: paintFor(context.stdout, context.env),
      calling: callingOf(context, options),
    };
    say(context, options, found, consentsLines(found, look));
  });
}

async function send<N extends GuardMessageName>(
  context: CliContext,
  command: Command,
  consent: ConsentKey,
  name: N,
  fields: Record<string, string | undefined>,
): Promise<void> {
  const options: RenewalOptions = { ...globalsOf(command), ...command.opts<RenewalOptions>() };
  const message = validated<unknown>(guardMessages[name], fields, whoIs(options.by, context.env)) as GuardMessages[N];
  await withConsents(context, options, async (consents) => {
    if (options.signal) {
      await consents.signal(consent, name, message);
      const text = 'Sent as a signal. onward consents tells what the guard made of it.';
      say(context, options, { ...consent, name, sent: 'signal', payload: message }, [text]);
      return;
    }
    const recorded = await consents.answer(consent, name, message);
    say(context, options, { ...consent, name, sent: 'signal', payload: message, ...recorded }, [recorded.message]);
  });
}

async function withConsents(
  context: CliContext,
  options: GlobalOptions,
  run: (consents: Consents) => Promise<void>,
): Promise<void> {
  const consents = await context.connectConsents(options);
  try {
    await run(consents);
  } finally {
    await consents.close();
  }
}
