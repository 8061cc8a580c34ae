/** One fleet as lines for a terminal: how far it is, who needs someone, when it will be done. */
import type { FleetStatus, WaveStatus } from '../../contract/fleet';
import { commandFor, type Display } from '../kit/context';
import { elapsed, formatDuration, formatTime } from '../kit/text/duration';
import { safeLines, safeText } from '../kit/text/safe-text';
import { howToAnswerGate, howToResolve } from '../upgrade/messages';
import type { FleetLook, Needs } from './look';
import { howToAnswerFleet } from './messages';
import { progressBar } from './progress-bar';
import { countsText, FLEET_COLOURS, FLEET_WORDS, fleetEndedFromOutside, totalOf, WAVE_MARKS } from './provider-states';

const WIDEST_BAR = 60;
const NARROWEST_BAR = 10;

export function fleetLines(look: FleetLook, options: Display): string[] {
  const { status } = look;
  return [
    ...headingLines(look, options),
    '',
    ...barLines(status, options),
    ...estimateLines(look, options),
    '',
    ...status.waves.map((wave) => waveLine(wave, options)),
    ...askLines(status, options),
    ...needsLines(status.fleet, look.needs, options),
  ];
}

function headingLines({ status, execution, failure }: FleetLook, { now, paint }: Display): string[] {
  const { fleet, state, startedAt, startedBy, endedAt, maxParallel, paused } = status;
  const length = formatDuration(elapsed(startedAt, endedAt, now));
  const outside = fleetEndedFromOutside(execution, status);
  return [
    `${paint.bold(safeText(fleet))}  ${paint[FLEET_COLOURS[state] ?? 'cyan'](FLEET_WORDS[state])}`,
    `Started ${formatTime(startedAt)} UTC by ${safeText(startedBy, 80)}, ${endedAt === undefined ? 'running for' : 'took'} ${length}, at most ${maxParallel} at once.`,
    ...(outside === undefined ? [] : [paint.red(outside)]),
    ...(failure === undefined ? [] : safeLines(failure, 2000).map((line) => paint.red(line))),
    ...(paused === undefined
      ? []
      : [
          paint.yellow(
            `Paused by ${safeText(paused.by, 80)} since ${formatTime(paused.since)} UTC: ${safeText(paused.reason)}`,
          ),
        ]),
  ];
}

function barLines({ counts, budget, leftOut }: FleetStatus, { paint, width }: Display): string[] {
  const total = totalOf(counts);
  if (total === 0) return [];
  const bar = progressBar(counts, Math.max(NARROWEST_BAR, Math.min(WIDEST_BAR, width - 8)), paint);
  const percent = Math.floor((counts.completed / total) * 100);
  const broken = `${budget.broken} broken, the budget is ${budget.allowed}`;
  return [
    `${bar} ${percent} %`,
    safeText(`${total} providers: ${countsText(counts)}`, width),
    budget.broken > 0 ? paint.red(broken) : broken,
    ...(leftOut === 0 ? [] : [`${leftOut} more were left out`]),
  ];
}

function estimateLines({ estimate, status }: FleetLook, { now }: Display): string[] {
  if (estimate === undefined) return [];
  const { endsAt, basedOn, waitForPeople } = estimate;
  const inTime = formatDuration(Date.parse(endsAt) - now.getTime());
  const stands = ['planned', 'waiting', 'halted', 'paused'].includes(status.state);
  return [
    stands
      ? `About ${inTime} of work is left once it goes on.`
      : `Done about ${formatTime(endsAt)} UTC, in ${inTime}, going by ${basedOn} ${basedOn === 1 ? 'upgrade' : 'upgrades'}.`,
    ...(waitForPeople === 0 ? [] : [`Not counted: ${waitForPeople} that wait for people.`]),
  ];
}

function waveLine({ wave, state, counts, budget, startedAt, endedAt }: WaveStatus, { now, width }: Display): string {
  const time = startedAt === undefined ? '' : `  ${formatDuration(elapsed(startedAt, endedAt, now))}`;
  const broken = budget.broken === 0 ? '' : `  (${budget.broken} broken of ${budget.allowed} allowed)`;
  const word = state === 'waiting' || state === 'soaking' ? `  ${state}` : '';
  return `  ${safeText(`${WAVE_MARKS[state]} wave ${wave}  ${countsText(counts)}${broken}${time}${word}`, width - 2)}`;
}

function askLines(status: FleetStatus, { now, paint, calling }: Display): string[] {
  const { asks } = status;
  const how = howToAnswerFleet(status, calling);
  if (asks === undefined || how === undefined) return [];
  const since = formatDuration(elapsed(asks.since, undefined, now));
  return ['', paint.yellow(`The fleet asks, for ${since}: ${safeText(asks.problem, 1000)}`), `    ${how.onward}`];
}

function needsLines(fleet: string, { count, upgrades }: Needs, { now, paint, calling }: Display): string[] {
  if (count === 0) return [];
  const lines = upgrades.flatMap(({ provider, gates, holds }) => [
    ...holds.flatMap((hold) => [
      `  ${paint.bold(safeText(provider))}  ${paint.red(`${safeText(hold.step)} holds: ${safeText(hold.problem)}`)}`,
      ...howToResolve(provider, hold, calling).map(({ onward }) => `    ${onward}`),
    ]),
    ...gates.flatMap((gate) => [
      `  ${paint.bold(safeText(provider))}  ${safeText(gate.title)}, for ${formatDuration(elapsed(gate.openedAt, undefined, now))}`,
      `    ${howToAnswerGate(provider, gate, calling).onward}`,
    ]),
  ]);
  const more = count - upgrades.length;
  return [
    '',
    paint.yellow(`${count} ${count === 1 ? 'provider needs' : 'providers need'} someone:`),
    ...lines,
    ...(more <= 0
      ? []
      : [
          `  and ${more} more: ${safeText(commandFor(calling, 'fleet', 'providers', fleet, '--state', 'held,parked'))}`,
        ]),
  ];
}
