/** Follows a fleet until it is over. */
import { paintFor, type CliContext } from '../kit/context';
import { formatDuration } from '../kit/text/duration';
import { safeText } from '../kit/text/safe-text';
import { isOver } from '../upgrade/upgrade-state';
import { watch, type WatchOptions } from '../kit/watch';
import type { Fleets } from './fleets';
import { howToAnswerFleet } from './how-to-answer-fleet';
import { lookAt, soakOf, type FleetLook } from './look';
import { countsText, FLEET_WORDS, fleetEndedFromOutside } from './provider-states';
import { fleetLines } from './status-view';

/** The last look, once the fleet is over. Throws as `watch` does. */
export async function watchFleet(
  fleets: Fleets,
  name: string,
  context: CliContext,
  options: WatchOptions,
): Promise<FleetLook> {
  const { calling } = options;
  const paint = paintFor(context.stdout, context.env);
  const width = context.stdout.columns ?? 100;
  const soak = soakOf(await fleets.plan(name));
  return watch<FleetLook>(
    {
      look: () => lookAt(fleets, name, soak, context.now()),
      isOver,
      lines: (look, now) => fleetLines(look, { now, paint, width, calling }),
      changes: (before, next, now) => ({
        done: doneLines(before, next, now),
        asked: askedLines(before, next, calling),
      }),
      goesOn: `the fleet ${name} goes on`,
    },
    context,
    options,
  );
}

/** What changed between two looks, for a terminal that appends. */
export function doneLines(
  before: FleetLook | undefined,
  { status, execution, estimate }: FleetLook,
  now: Date,
): string[] {
  const old = before?.status;
  const counts = countsText(status.counts);
  const outside = fleetEndedFromOutside(execution, status);
  const left =
    estimate === undefined ? '' : `; about ${formatDuration(Date.parse(estimate.endsAt) - now.getTime())} left`;
  return [
    ...(old?.state === status.state ? [] : [`Fleet ${FLEET_WORDS[status.state]}.`]),
    ...status.waves
      .filter(
        ({ wave, state }) => state !== 'pending' && old?.waves.find((each) => each.wave === wave)?.state !== state,
      )
      .map(({ wave, state, counts: inWave }) => `Wave ${wave} ${state}: ${countsText(inWave)}.`),
    ...(old !== undefined && countsText(old.counts) === counts ? [] : [`${counts}${left}`]),
    ...(outside !== undefined && before?.execution !== execution ? [outside] : []),
  ];
}

export function askedLines(
  before: FleetLook | undefined,
  { status }: FleetLook,
  calling: WatchOptions['calling'],
): string[] {
  const how = howToAnswerFleet(status, calling);
  if (status.asks === undefined || how === undefined || before?.status.asks?.since === status.asks.since) return [];
  return [`The fleet asks: ${safeText(status.asks.problem, 1000)}`, `    ${how.onward}`, `    ${how.temporal}`];
}
