/** The plan of a fleet for people: who is upgraded in which wave, what their paths do, who is left out and why. */
import type { FleetPath, FleetPlan, FleetRequest } from '../../contract/fleet';
import type { Document, Section } from '../kit/documents/document';
import { formatDuration } from '../kit/text/duration';
import type { WaveProvider } from './fleets';

/** Longest line of ids, so that a wave of thousands can still be read. */
const LINE = 100;

export function planDocument(
  { fleet, request, waves = [], leftOut, paths }: FleetPlan,
  providers: WaveProvider[],
): Document {
  const used = paths.filter(({ from }) => providers.some((provider) => provider.from === from));
  return {
    title: `Plan of the fleet ${fleet}`,
    sections: [
      { title: 'Terms', facts: requestFacts(request) },
      ...waves.map(({ wave, providers: count }) => ({
        title: `Wave ${wave}: ${count} ${count === 1 ? 'provider' : 'providers'}`,
        table: { head: ['From', 'Providers'], rows: byVersion(providers.filter((each) => each.wave === wave)) },
      })),
      ...used.map(pathSection),
      leftOutSection(leftOut),
    ],
  };
}

export function requestFacts(request: FleetRequest): [label: string, value: string][] {
  const { providers, waves, maxParallel, budget, soak, approval, parkAfter, maintenance } = request;
  const approvals = [...(approval.plan ? ['the plan'] : []), ...(approval.waves ? ['every wave'] : [])];
  return [
    ['Started by', request.startedBy],
    ['Selected', JSON.stringify(providers)],
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
  const versions = [...new Set(providers.map(({ from }) => from))].sort();
  return versions.flatMap((version) =>
    lines(providers.filter(({ from }) => from === version).map(({ provider }) => provider)).map((line) => [
      version,
      line,
    ]),
  );
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

const PHASES: Record<FleetPath['steps'][number]['phase'], string> = {
  reversible: 'can be undone',
  lasting: 'stays, whatever happens',
  crossing: 'POINT OF NO RETURN',
  forward: 'only forward',
};

function pathSection({ from, to, steps }: FleetPath): Section {
  return {
    title: `What happens to a provider on ${from}, up to ${to}`,
    table: {
      head: ['Step', 'Waits for', 'What undoes it', 'Phase'],
      rows: steps.map(({ title, waitsFor, undo, phase }) => [title, waitsFor, undo, PHASES[phase]]),
    },
  };
}
