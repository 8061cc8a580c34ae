/** The commands by which people answer: each sends the message of the contract that stands behind it. */
import { Option, type Command } from 'commander';
import { messages, type MessageName, type Messages } from '../../contract/messages';
import { say, whoIs, withUpgrades, type CliContext, type GlobalOptions } from '../kit/context';
import { asCliError, CliError } from '../kit/cli-error';
import { byOption, globalsOf, PROVIDER_HELP, providerName, signalOption, validated } from '../kit/arguments';

interface AnswerOptions extends GlobalOptions {
  by?: string;
  signal?: boolean;
  item?: string;
  evidence?: string;
  reason?: string;
}

export function addAnswers(program: Command, context: CliContext): void {
  answerCommand(program, 'consent', 'say that an administrator of the partner account has consented')
    .argument('<instance>', 'id or name of the application instance')
    .action((provider: string, instance: string, options: AnswerOptions, command: Command) =>
      send(context, command, provider, 'consentCompleted', { instance }),
    );

  answerCommand(program, 'confirm', 'say that the manual part of a step is done')
    .argument('<step>', 'name of the step, as onward gates shows it')
    .option('--item <item>', 'which gate of the step, where it has several')
    .option('--evidence <text>', 'what shows that it was done: a ticket, a list of files, a time')
    .action((provider: string, step: string, { item, evidence }: AnswerOptions, command: Command) =>
      send(context, command, provider, 'confirmStep', { step, item, evidence }),
    );

  answerCommand(program, 'resolve', 'decide what happens to a step that failed and holds')
    .argument('<step>', 'name of the step, as onward gates shows it')
    .argument('<action>', 'retry, rollback (before the point of no return) or doneByHand')
    .addOption(reasonOption())
    .action((provider: string, step: string, action: string, { reason }: AnswerOptions, command: Command) =>
      send(context, command, provider, 'resolveHold', { step, action, reason }),
    );

  const decisions = [
    [
      'approve',
      'approveCrossing',
      'allow the package import, the point of no return; never by who started the upgrade',
    ],
    ['pause', 'pause', 'let the running step finish, then start no other one'],
    ['resume', 'resume', 'go on after a pause'],
    ['abort', 'abort', 'undo everything and end the upgrade; refused after the point of no return'],
    [
      'override-window',
      'overrideWindow',
      'go on although the maintenance window is closed, for the rest of this upgrade',
    ],
  ] as const;
  for (const [verb, name, description] of decisions) {
    answerCommand(program, verb, description)
      .addOption(reasonOption())
      .action((provider: string, { reason }: AnswerOptions, command: Command) =>
        send(context, command, provider, name, { reason }),
      );
  }
}

function answerCommand(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .argument('<provider>', PROVIDER_HELP, providerName)
    .option(...byOption)
    .option(...signalOption);
}

const reasonOption = (): Option => new Option('--reason <text>', 'why, for the audit trail');

async function send<N extends MessageName>(
  context: CliContext,
  command: Command,
  provider: string,
  name: N,
  fields: Record<string, string | undefined>,
): Promise<void> {
  const options: AnswerOptions = { ...globalsOf(command), ...command.opts<AnswerOptions>() };
  const message = validated<unknown>(messages[name], fields, whoIs(options.by, context.env)) as Messages[N];
  await withUpgrades(context, options, async (upgrades) => {
    if (options.signal) {
      await upgrades.signal(provider, name, message);
      const text = `Sent as a signal. onward audit ${provider} tells what the upgrade made of it.`;
      say(context, options, { provider, name, sent: 'signal', payload: message }, [text]);
      return;
    }
    const recorded = await upgrades.answer(provider, name, message).catch(withoutWorker);
    say(context, options, { provider, name, sent: 'signal', payload: message, ...recorded }, [recorded.message]);
  });
}

/** Who is asked before anything is sent did not answer. */
export function withoutWorker(error: unknown): never {
  const { kind, message } = asCliError(error);
  if (kind !== 'noWorker') throw error;
  throw new CliError('noWorker', message, {
    hint: 'Nothing was sent. With --signal it is kept until a worker is up.',
    cause: error,
  });
}
