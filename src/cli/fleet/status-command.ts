import { InvalidArgumentError, type Command } from 'commander';
import { ONWARD } from '../../contract/onward';
import { FLEET_PROVIDER_STATES, type FleetProviderState } from '../../contract/fleet';
import { globalsOf, intervalOption } from '../kit/arguments';
import { asCliError } from '../kit/cli-error';
import { callingOf, displayFor, printResult, type GlobalOptions } from '../kit/context';
import { asText } from '../kit/documents/document';
import { elapsed, formatDuration, formatTime } from '../kit/text/duration';
import { safeText } from '../kit/text/safe-text';
import { watchOnScreen } from '../kit/watch';
import { FLEET_HELP, fleetName } from './arguments';
import { requireAllUpgraded } from './end-of-fleet';
import { type FleetContext, type FleetSummary, type WaveProvider, withFleets } from './fleets';
import { lookAt, soakOf } from './look';
import { STATE_LOOKS } from './provider-states';
import { fleetLines } from './status-view';
import { watchedFleet } from './watched-fleet';

interface StatusOptions extends GlobalOptions {
  watch?: boolean;
  interval: number;
}
interface ProvidersOptions extends GlobalOptions {
  state?: FleetProviderState[];
  wave?: number;
}

export function addFleetStatus(fleet: Command, context: FleetContext): void {
  fleet
    .command('list')
    .description('list the fleets that the server remembers')
    .action((_options: object, command: Command) => list(context, globalsOf(command)));
  fleet
    .command('status')
    .description('show a fleet: how far it is, who needs someone, and when it will be done')
    .argument('<fleet>', FLEET_HELP, fleetName)
    .option('--watch', 'show its progress until it is over; with --json, wait and print the end')
    .addOption(intervalOption())
    .action((name: string, _options: object, command: Command) =>
      status(context, { ...globalsOf(command), ...command.opts<StatusOptions>() }, name),
    );
  fleet
    .command('providers')
    .description('list the providers of a fleet with their waves and states')
    .argument('<fleet>', FLEET_HELP, fleetName)
    .option('--state <states>', `only those in these states: ${FLEET_PROVIDER_STATES.join(', ')}`, states)
    .option('--wave <number>', 'only those of this wave', Number)
    .action((name: string, _options: object, command: Command) =>
      providers(context, { ...globalsOf(command), ...command.opts<ProvidersOptions>() }, name),
    );
}

function states(text: string): FleetProviderState[] {
  return text.split(',').map((word) => {
    const state = FLEET_PROVIDER_STATES.find((each) => each === word.trim());
    if (state === undefined) throw new InvalidArgumentError(`Give some of ${FLEET_PROVIDER_STATES.join(', ')}.`);
    return state;
  });
}

async function list(context: FleetContext, options: GlobalOptions): Promise<void> {
  await withFleets(context, options, async (fleets) => {
    const found = await fleets.list();
    printResult(context, options, found, listLines(found));
  });
}

/** From search attributes alone. */
function listLines(found: FleetSummary[]): string[] {
  if (found.length === 0) return ['There is no fleet.'];
  return found.map(({ fleet, execution, state, closedAt }) =>
    [
      safeText(fleet),
      execution === 'running' ? safeText(state ?? 'starting') : `${safeText(state ?? '')} (${execution})`,
      ...(closedAt === undefined ? [] : [`ended ${formatTime(closedAt)} UTC`]),
    ].join(', '),
  );
}

async function status(context: FleetContext, options: StatusOptions, name: string): Promise<void> {
  const calling = callingOf(context, options);
  await withFleets(context, options, async (fleets) => {
    if (options.watch !== true) {
      const look = await lookAt(fleets, name, soakOf(await fleets.plan(name)), context.now());
      printResult(context, options, look, fleetLines(look, displayFor(context, calling)));
      return;
    }
    const look = await watchOnScreen(await watchedFleet(fleets, name, context), context, {
      silent: options.json === true,
      intervalMs: options.interval,
      calling,
    });
    if (options.json) printResult(context, options, look, []);
    requireAllUpgraded(look);
  }).catch((error: unknown) => withoutWorker(context, options, name, error));
}

/** What the server itself knows is shown, and the exit code still says that no worker answers. */
async function withoutWorker(
  context: FleetContext,
  options: GlobalOptions,
  name: string,
  error: unknown,
): Promise<never> {
  if (asCliError(error).kind !== 'noWorker') throw error;
  await withFleets(context, options, async (fleets) => {
    const summaries = (await fleets.list()).filter(({ fleet }) => fleet === name);
    printResult(context, options, { summary: summaries[0] }, [
      'What the server itself knows:',
      ...listLines(summaries),
    ]);
  });
  throw error;
}

async function providers(context: FleetContext, options: ProvidersOptions, name: string): Promise<void> {
  await withFleets(context, options, async (fleets) => {
    const { status: found } = await fleets.view(name);
    const all = await fleets.providers(found);
    const wanted = all.filter(
      ({ state, wave }) =>
        (options.state?.includes(state) ?? true) && (options.wave === undefined || wave === options.wave),
    );
    const table = { head: ['Provider', 'Wave', 'From', 'State', 'Took', 'Cause', 'Problem'], rows: wanted.map(row) };
    const title = `${wanted.length} of ${all.length} providers of ${name}`;
    printResult(context, options, wanted, [
      asText({ title: `Fleet ${name}`, sections: [{ title, table, otherwise: 'Nobody.' }] }),
      ...(wanted.length === 0
        ? []
        : [`${ONWARD} status <provider> shows one of them, ${ONWARD} gates what it asks for.`]),
    ]);
  });

  function row({ provider, wave, from, state, startedAt, endedAt, cause = '', problem = '' }: WaveProvider): string[] {
    const took = startedAt === undefined ? '' : formatDuration(elapsed(startedAt, endedAt, context.now()));
    return [provider, String(wave), from, STATE_LOOKS[state].word, took, cause, problem];
  }
}
