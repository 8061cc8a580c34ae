/** The commands by which people tell a fleet something: each sends the message of the contract that stands behind it. */
import type { Command } from 'commander';
import { fleetMessages, type FleetMessageName, type FleetMessages } from '../../contract/fleet';
import { say, whoIs, withFleets, type CliContext, type GlobalOptions } from '../kit/context';
import { CliError } from '../kit/cli-error';
import { FLEET_COMMANDS } from './how-to-answer-fleet';
import { withoutWorker } from '../upgrade/messages';
import { byOption, globalsOf, problemsOf } from '../kit/arguments';
import { FLEET_HELP, fleetName } from './status-command';

interface FleetAnswerOptions extends GlobalOptions {
  by?: string;
  signal?: boolean;
  reason?: string;
  wave?: number | string;
  run?: number | string;
}

export function addFleetAnswers(fleet: Command, context: CliContext): void {
  const reasoned: [FleetMessageName, string][] = [
    ['proceed', 'approve the plan, or the next wave'],
    ['pause', 'start nobody else; those before the crossing stop before their next change'],
    ['resume', 'go on after a pause'],
    ['abort', 'start nobody else; those before the crossing roll back, those past it finish'],
  ];
  for (const [name, description] of reasoned) {
    answerCommand(fleet, name, description).action((fleetGiven: string, _options: object, command: Command) =>
      send(context, command, fleetGiven, name, {}),
    );
  }
  answerCommand(fleet, 'setMaxParallel', 'change how many upgrades run at once')
    .argument('<number>', 'upgrades at once', Number)
    .action((fleetGiven: string, maxParallel: number, _options: object, command: Command) =>
      send(context, command, fleetGiven, 'setMaxParallel', { maxParallel }),
    );
  answerCommand(fleet, 'decideBudget', 'say what happens after the failure budget is spent')
    .argument('<action>', 'continue (with a new --wave or --run), skipRest (of this wave) or stop')
    .option('--wave <amount>', 'continue with this budget of a wave: a number or a percentage', amount)
    .option('--run <amount>', 'continue with this budget of the fleet', amount)
    .action((fleetGiven: string, action: string, options: FleetAnswerOptions, command: Command) =>
      send(context, command, fleetGiven, 'decideBudget', { action, wave: options.wave, run: options.run }),
    );
}

const amount = (text: string): number | string => (/^\d+$/.test(text) ? Number(text) : text);

function answerCommand(fleet: Command, name: FleetMessageName, description: string): Command {
  return fleet
    .command(FLEET_COMMANDS[name])
    .description(description)
    .argument('<fleet>', FLEET_HELP, fleetName)
    .option('--reason <text>', 'why, for the audit trail')
    .option(...byOption)
    .option('--signal', 'send it also while no worker is up, and do not wait for what becomes of it');
}

async function send<N extends FleetMessageName>(
  context: CliContext,
  command: Command,
  fleet: string,
  name: N,
  fields: Record<string, unknown>,
): Promise<void> {
  const options: FleetAnswerOptions = { ...globalsOf(command), ...command.opts<FleetAnswerOptions>() };
  const given = { ...fields, reason: options.reason, by: whoIs(options.by, context.env) };
  const payload = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const message = validated(name, payload);
  await withFleets(context, options, async (fleets) => {
    if (options.signal) {
      await fleets.signal(fleet, name, message);
      const text = `Sent as a signal. onward fleet report ${fleet} tells what the fleet made of it.`;
      say(context, options, { fleet, name, sent: 'signal', payload: message }, [text]);
      return;
    }
    const recorded = await fleets.answer(fleet, name, message).catch(withoutWorker);
    say(context, options, { fleet, name, sent: 'signal', payload: message, ...recorded }, [recorded.message]);
  });
}

function validated<N extends FleetMessageName>(name: N, payload: unknown): FleetMessages[N] {
  const parsed = fleetMessages[name].safeParse(payload);
  if (!parsed.success) {
    throw new CliError('usage', 'This message is not valid and was not sent:', {
      problems: problemsOf(parsed.error, payload),
    });
  }
  return parsed.data as FleetMessages[N];
}
