import { InvalidArgumentError, Option, type Command } from 'commander';
import { setTimeout as delay } from 'node:timers/promises';
import { ONWARD } from '../../contract/onward';
import { byOption, globalsOf, intervalOption } from '../kit/arguments';
import { CliError } from '../kit/cli-error';
import { callingOf, commandFor, printResult, whoIs, type GlobalOptions } from '../kit/context';
import { asText } from '../kit/documents/document';
import { isOver } from '../kit/execution';
import { howToSend } from '../kit/messages/how-to-answer';
import { parseDuration } from '../kit/text/duration';
import { watchOnScreen } from '../kit/watch';
import { amount } from './arguments';
import { requireAllUpgraded } from './end-of-fleet';
import { type FleetContext, type Fleets, type FleetView, withFleets } from './fleets';
import { FLEET_MESSAGES } from './messages';
import { planDocument } from './plan-document';
import { fleetRequest, type FleetFlags } from './request';
import { watchedFleet } from './watched-fleet';

interface FleetStartOptions extends FleetFlags, GlobalOptions {
  file?: string;
  by?: string;
  watch?: boolean;
  interval: number;
}

const FILE_HELP = `
The same as a file, YAML or JSON; an option replaces what the file says:

  name: autumn
  providers:                  # all conditions have to hold
    labels: { region: emea }
    sourceVersion: '<version>'
  to: '<release>'             # may be left out while only one fits what a provider runs
  waves: [1, 5%, 25%, rest]
  maxParallel: 10
  budget: { wave: 10%, run: 5% }
  soak: 86400                 # seconds
  approval: { plan: true, waves: false }
  parkAfter: 1800
  maintenance:                # for providers whose entry has none
    timeZone: Europe/Madrid
    windows: [{ days: [sat, sun], from: '22:00', to: '06:00' }]
    blackoutDates: ['2026-12-24']`;

export function addFleetStart(fleet: Command, context: FleetContext): void {
  requestOptions(
    fleet
      .command('plan')
      .description(`plan a fleet and print the plan; nothing is changed until you say ${ONWARD} fleet proceed`),
  ).action((_options: object, command: Command) => plan(context, optionsOf(command)));
  requestOptions(fleet.command('start').description('start a fleet'))
    .option('--watch', 'show its progress until it is over')
    .addOption(intervalOption())
    .action((_options: object, command: Command) => start(context, optionsOf(command)));
}

const optionsOf = (command: Command): FleetStartOptions => ({
  ...globalsOf(command),
  ...command.opts<FleetStartOptions>(),
});

function requestOptions(command: Command): Command {
  return command
    .option('--file <file>', 'read the request from this file')
    .option('--name <name>', 'name of the fleet, which becomes its workflow id fleet/<name>')
    .option(
      '--provider <id>',
      'take this provider (repeatable)',
      listed<string>((text) => text),
    )
    .option('--label <name=value>', 'take providers with this label (repeatable: all have to hold)', label)
    .option('--source-version <version>', 'take providers on this version')
    .option('--all', 'take everybody who does not run it yet')
    .option('--to <release>', 'the release to upgrade to; may be left out while only one fits what a provider runs')
    .option(
      '--wave <size>',
      'size of a wave, one after the other: a number, a percentage or rest (repeatable)',
      listed(amount),
    )
    .option('--max-parallel <number>', 'upgrades that run at once', Number)
    .option(
      '--budget-wave <amount>',
      'stop starting when so many of a wave are broken: a number or a percentage',
      amount,
    )
    .option('--budget-run <amount>', 'the same for the whole fleet', amount)
    .option('--soak <time>', 'watch a finished wave for so long before the next: 90s, 15m, 2h, 1d', time)
    .option('--park-after <time>', 'who waits for people for so long gives its slot away', time)
    .addOption(
      new Option('--approve <what>', `wait for ${ONWARD} fleet proceed: plan, waves, or plan,waves`).argParser((text) =>
        text.split(',').map((part) => part.trim()),
      ),
    )
    .option(...byOption)
    .addHelpText('after', FILE_HELP);
}

async function start(context: FleetContext, options: FleetStartOptions): Promise<void> {
  const input = await requestOf(context, options);
  await withFleets(context, options, async (fleets) => {
    const started = { fleet: input.name, ...(await fleets.start(input)) };
    const line = `Started ${started.workflowId}, run ${started.runId}.`;
    if (options.watch !== true) {
      printResult(context, options, started, [
        line,
        `Follow it with ${commandFor(callingOf(context, options), 'fleet', 'status', input.name, '--watch')}.`,
      ]);
      return;
    }
    if (!options.json) context.stdout.write(`${line}\n`);
    const look = await watchOnScreen(await watchedFleet(fleets, input.name, context), context, {
      silent: options.json === true,
      intervalMs: options.interval,
      calling: callingOf(context, options),
    });
    if (options.json) printResult(context, options, { ...started, ...look }, []);
    requireAllUpgraded(look);
  });
}

async function plan(context: FleetContext, options: FleetStartOptions): Promise<void> {
  const given = await requestOf(context, options);
  const input = { ...given, approval: { ...given.approval, plan: true } };
  const { name } = input;
  await withFleets(context, options, async (fleets) => {
    await fleets.start(input);
    const view = await planned(fleets, name, context);
    const [found, providers] = [await fleets.plan(name), await fleets.providers(view.status)];
    const calling = callingOf(context, options);
    const [proceed, abort] = (['proceed', 'abort'] as const).map(
      (message) =>
        howToSend(FLEET_MESSAGES, { fleet: name }, message, { by: '<who you are>', reason: '<why>' }, calling).onward,
    );
    printResult(context, options, { ...found, providers, commands: { proceed, abort } }, [
      asText(planDocument(found, providers)),
      ...(isOver(view)
        ? ['There is nothing to upgrade: the fleet is over.']
        : [`Nothing has been changed yet. To go on:\n    ${proceed}`, `To drop it:\n    ${abort}`]),
    ]);
  });
}

const LOOK_MS = 500;

async function planned(fleets: Fleets, name: string, context: FleetContext): Promise<FleetView> {
  const interrupted = context.interrupted();
  for (;;) {
    const view = await fleets.view(name);
    if (view.failure !== undefined) {
      throw new CliError('failure', `The fleet ${name} could not be planned:`, { problems: [view.failure] });
    }
    if (view.status.state !== 'planning') return view;
    await delay(LOOK_MS, undefined, { signal: interrupted }).catch(() => undefined);
    if (interrupted.aborted) {
      throw new CliError('interrupted', `The fleet ${name} goes on planning, and then waits for an answer.`, {
        hint: `${ONWARD} fleet status ${name} shows it, ${ONWARD} fleet abort ${name} drops it.`,
      });
    }
  }
}

const requestOf = (context: FleetContext, options: FleetStartOptions): ReturnType<typeof fleetRequest> =>
  fleetRequest(options, { file: options.file, by: options.by, user: () => whoIs(undefined, context.env) });

const listed =
  <T>(read: (text: string) => T) =>
  (text: string, before: T[] = []): T[] => [...before, read(text)];

function label(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError('Give a name and a value, such as region=emea.');
  }
  return { ...before, [name]: value };
}

function time(text: string): number {
  const seconds = parseDuration(text);
  if (seconds === undefined) throw new InvalidArgumentError('Give a time such as 90s, 15m, 2h or 1d.');
  return seconds;
}
