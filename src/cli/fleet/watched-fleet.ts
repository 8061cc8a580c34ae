/** A fleet, as something to watch until it is over. */
import type { Calling, CliContext } from '../kit/context';
import { formatDuration } from '../kit/text/duration';
import { safeText } from '../kit/text/safe-text';
import type { Watched } from '../kit/watch';
import type { Fleets } from './fleets';
import { lookAt, soakOf, type FleetLook } from './look';
import { howToAnswerFleet } from './messages';
import { countsText, FLEET_WORDS, fleetEndedFromOutside } from './provider-states';
import { fleetLines } from './status-view';

export async function watchedFleet(
  fleets: Fleets,
  name: string,
  context: Pick<CliContext, 'now'>,
): Promise<Watched<FleetLook>> {
  const soak = soakOf(await fleets.plan(name));
  return {
    view: () => lookAt(fleets, name, soak, context.now()),
    lines: fleetLines,
    changes: (before, next, { now, calling }) => ({
      done: doneLines(before, next, now),
      asked: askedLines(before, next, calling),
    }),
    goesOn: `the fleet ${name} goes on`,
  };
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

export function askedLines(before: FleetLook | undefined, { status }: FleetLook, calling: Calling): string[] {
  const how = howToAnswerFleet(status, calling);
  if (status.asks === undefined || how === undefined || before?.status.asks?.since === status.asks.since) return [];
  return [`The fleet asks: ${safeText(status.asks.problem, 1000)}`, `    ${how.onward}`, `    ${how.temporal}`];
}
