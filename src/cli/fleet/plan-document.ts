/** The plan of a fleet for people: who is upgraded in which wave, what their paths do, who is left out and why. */
import type { FleetPath, FleetPlan, FleetRequest } from '../../contract/fleet';
import type { Document, Section } from '../kit/documents/document';
import { formatDuration } from '../kit/text/duration';
import { PHASE_WORDS, whenDone } from '../kit/text/step-words';
import type { WaveProvider } from './fleets';

/** Longest line of ids, so that a wave of thousands can still be read. */
const LINE = 100;

export function planDocument(
  { fleet, request, waves = [], leftOut, paths }: FleetPlan,
  providers: WaveProvider[],
): Document {
  return {
    title: `Plan of the fleet ${fleet}`,
    sections: [
      { title: 'Terms', facts: requestFacts(request) },
      ...waves.map(({ wave, providers: count }) => ({
        title: `Wave ${wave}: ${count} ${count === 1 ? 'provider' : 'providers'}`,
        table: { head: ['From', 'To', 'Providers'], rows: byVersion(providers.filter((each) => each.wave === wave)) },
      })),
      ...paths.map(pathSection),
      leftOutSection(leftOut),
    ],
  };
}

export function requestFacts(request: FleetRequest): [label: string, value: string][] {
  const { providers, to, waves, maxParallel, budget, soak, approval, parkAfter, maintenance } = request;
  const approvals = [...(approval.plan ? ['the plan'] : []), ...(approval.waves ? ['every wave'] : [])];
  return [
    ['Started by', request.startedBy],
    ['Selected', JSON.stringify(providers)],
    ['Upgraded to', to ?? providers.notYetOn ?? "the release that follows each provider's version"],
    ['Waves', waves.join(', then ')],
    ['At once', `at most ${maxParallel}`],
    ['Failure budget', `${budget.wave} of a wave, ${budget.run} of all`],
    ['Soak between waves', soak === 0 ? 'none' : formatDuration(soak * 1000)],
    ['Waits for approval of', approvals.join(' and ') || 'nothing'],
    ['Gives up its slot', `after ${formatDuration(parkAfter * 1000)} of waiting for people`],
    ...(maintenance === undefined
      ? []
      : ([['Windows of those without own', JSON.stringify(maintenance)]] as [string, string][])),
  ];
}

export function leftOutSection(leftOut: FleetPlan['leftOut']): Section {
  return {
    title: 'Left out',
    table: {
      head: ['Why', 'Providers'],
      rows: leftOut.flatMap(({ reason, providers }) => lines(providers).map((line) => [reason, line])),
    },
    otherwise: 'Nobody who was selected.',
  };
}

function byVersion(providers: WaveProvider[]): string[][] {
  const ways = new Map(providers.map(({ from, to }) => [`${from} ${to}`, { from, to }]));
  return [...ways.keys()].sort().flatMap((key) => {
    const { from = '', to = '' } = ways.get(key) ?? {};
    const ids = providers.filter((each) => each.from === from && each.to === to).map(({ provider }) => provider);
    return lines(ids).map((line) => [from, to, line]);
  });
}

function lines(ids: string[]): string[] {
  const all: string[] = [];
  for (const id of ids) {
    const last = all.at(-1);
    if (last === undefined || last.length + id.length + 2 > LINE) all.push(id);
    else all[all.length - 1] = `${last}, ${id}`;
  }
  return all;
}

function pathSection({ from, to, starts, steps }: FleetPath): Section {
  return {
    title: `What happens to a provider on ${starts.join(' or ') || from}, up to ${to}`,
    table: {
      head: ['Step', 'Done', 'Waits for', 'What undoes it', 'Phase'],
      rows: steps.map((step) => [step.title, whenDone(step), step.waitsFor, step.undo, PHASE_WORDS[step.phase]]),
    },
  };
}
