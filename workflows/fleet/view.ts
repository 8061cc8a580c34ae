/** What the queries of a fleet answer. */
import {
  fleetWorkflowId,
  type FleetPath,
  type FleetPlan,
  type FleetStatus,
  type WaveStatus,
} from '../../src/contract/fleet';
import type { Catalogue } from '../engine/catalogue';
import type { UpgradePath } from '../engine/path';
import { plannedPath, plannedPreflight } from '../engine/planned-steps';
import type { AnyRelease } from '../engine/release';
import { now } from '../kit/now';
import { targetOf } from './judge-survey';
import { asks } from './advance';
import { budgetOf, countsOf, measuredOf, partsOf, stateOf, total, type FleetProgress } from './fleet-state';

export function statusOf(state: FleetProgress): FleetStatus {
  const { request, startedAt, endedAt, maxParallel, paused, auditEntries, leftOut, parts, waves = [] } = state;
  const question = questionOf(state);
  return {
    fleet: request.name,
    workflowId: fleetWorkflowId(request.name),
    state: stateOf(state),
    startedAt,
    startedBy: request.startedBy,
    ...(endedAt === undefined ? {} : { endedAt }),
    maxParallel,
    counts: countsOf(parts),
    leftOut: total(leftOut, ({ providers }) => providers.length),
    budget: budgetOf(state),
    waves: waves.map((_, index) => waveOf(state, index + 1)),
    ...(paused ? { paused } : {}),
    ...(question ? { asks: question } : {}),
    measured: measuredOf(state),
    auditEntries,
  };
}

export function planOf(state: FleetProgress, catalogue: Catalogue): FleetPlan {
  const { request, waves, leftOut } = state;
  const target = targetOf(request);
  return {
    fleet: request.name,
    request,
    ...(waves
      ? {
          waves: waves.map((_, index) => {
            const parts = partsOf(state, index + 1);
            return {
              wave: index + 1,
              providers: total(parts, ({ providers }) => providers),
              parts: parts.map(({ workflowId }) => workflowId),
            };
          }),
        }
      : {}),
    leftOut,
    paths: catalogue.releases
      .filter(({ version }) => target === undefined || version === target)
      .flatMap((release) => release.paths.map((path) => pathOf(path, release, startsOn(path, state, catalogue))))
      .filter(({ starts }) => !waves || starts.length > 0),
  };
}

/** The versions of those providers that are on the path. */
const startsOn = (path: UpgradePath, { ways = [] }: FleetProgress, catalogue: Catalogue): string[] =>
  ways.filter(({ from, to }) => catalogue.choose([from], to).chosen?.path === path).map(({ from }) => from);

const pathOf = (path: UpgradePath, release: AnyRelease, starts: string[]): FleetPath => ({
  from: path.from.description,
  to: release.version,
  starts,
  steps: [plannedPreflight(), ...plannedPath(path, release)],
});

function waveOf(state: FleetProgress, wave: number): WaveStatus {
  const parts = partsOf(state, wave);
  const progress = state.waves?.[wave - 1];
  const { startedAt, endedAt } = progress ?? {};
  return {
    wave,
    state: progress?.state ?? 'pending',
    parts: parts.map(({ workflowId }) => workflowId),
    counts: countsOf(parts),
    budget: budgetOf(state, wave),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(endedAt === undefined ? {} : { endedAt }),
  };
}

function questionOf(state: FleetProgress): FleetStatus['asks'] {
  const what = asks(state);
  const { asksSince, halted, waves = [] } = state;
  if (what === undefined) return undefined;
  const since = asksSince ?? now();
  const reasoned = { by: '<who>', reason: '<why>' };
  const wave = waves.findIndex((each) => each.state === 'waiting') + 1;
  switch (what) {
    case 'plan':
      return {
        what,
        since,
        problem: 'The plan waits for an approval.',
        answer: { name: 'proceed', payload: reasoned },
      };
    case 'wave':
      return {
        what,
        since,
        problem: `Wave ${wave} waits for an approval.`,
        answer: { name: 'proceed', payload: reasoned },
      };
    case 'budget':
      return {
        what,
        since,
        problem: halted?.problem ?? 'The budget is spent.',
        answer: {
          name: 'decideBudget',
          payload: { action: '<continue | skipRest | stop>', wave: '<new budget>', run: '<new budget>', ...reasoned },
        },
      };
  }
}
