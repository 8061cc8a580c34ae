/** A fleet in its second wave, as its workflows would describe it, and one of any size that is over. */
import {
  fleetInput,
  type FleetCounts,
  type FleetPlan,
  type FleetProviderState,
  type FleetStatus,
} from '../../src/contract/fleet';
import type { AuditEntry } from '../../src/contract/status';
import type { FleetView, WaveProvider } from '../../src/cli/fleet/fleets';
import type { FleetFacts } from '../../src/cli/fleet/report';

export const FLEET_START = '2026-11-03T08:00:00.000Z';
const HOUR = 3_600_000;
const at = (hours: number): string => new Date(Date.parse(FLEET_START) + hours * HOUR).toISOString();

export const counts = (some: Partial<FleetCounts>): FleetCounts => ({
  pending: 0,
  running: 0,
  held: 0,
  parked: 0,
  completed: 0,
  failed: 0,
  unreachable: 0,
  skipped: 0,
  ...some,
});

export const fleetStatus = (changes: Partial<FleetStatus> = {}): FleetStatus => ({
  fleet: 'autumn',
  workflowId: 'fleet/autumn',
  state: 'running',
  startedAt: FLEET_START,
  startedBy: 'ana@csp.example',
  maxParallel: 2,
  counts: counts({ completed: 1, running: 1, held: 1, failed: 1, pending: 6 }),
  leftOut: 2,
  budget: { allowed: 3, broken: 2 },
  waves: [
    {
      wave: 1,
      state: 'done',
      parts: ['fleet/autumn/wave-1/1'],
      counts: counts({ completed: 1 }),
      budget: { allowed: 1, broken: 0 },
      startedAt: FLEET_START,
      endedAt: at(1),
    },
    {
      wave: 2,
      state: 'running',
      parts: ['fleet/autumn/wave-2/1'],
      counts: counts({ running: 1, held: 1, failed: 1, pending: 6 }),
      budget: { allowed: 2, broken: 2 },
      startedAt: at(1),
    },
  ],
  measured: { upgrades: 1, seconds: 3600, stepSeconds: { preflight: 600, importPackage: 1800, validate: 1200 } },
  auditEntries: 3,
  ...changes,
});

export const fleetView = (changes: Partial<FleetStatus> = {}): FleetView => ({
  execution: 'running',
  status: fleetStatus(changes),
});

const step = (name: string, phase: 'reversible' | 'crossing' | 'forward', waitsFor: string) => ({
  name,
  title: `Title of ${name}`,
  procedure: `Heading of ${name}`,
  phase,
  waitsFor,
  undo: phase === 'reversible' ? `undoes ${name}` : 'none',
  changes: [],
  requirement: 'mandatory' as const,
});

export const fleetPlan: FleetPlan = {
  fleet: 'autumn',
  request: fleetInput.parse({
    name: 'autumn',
    startedBy: 'ana@csp.example',
    providers: { labels: { region: 'emea' } },
    waves: [1, 'rest'],
    maxParallel: 2,
    approval: { plan: true },
  }),
  waves: [
    { wave: 1, providers: 1, parts: ['fleet/autumn/wave-1/1'] },
    { wave: 2, providers: 9, parts: ['fleet/autumn/wave-2/1'] },
  ],
  leftOut: [{ reason: 'it runs 18.4.1 already', providers: ['initech', 'umbrella'] }],
  paths: [
    {
      from: '18.3',
      to: '18.4.1',
      starts: ['18.3'],
      steps: [
        step('stopProvisioning', 'reversible', 'nobody'),
        step('importPackage', 'crossing', 'nobody'),
        step('acquireRefreshTokens', 'forward', 'partner administrators'),
      ],
    },
  ],
};

const provider = (
  name: string,
  wave: number,
  state: FleetProviderState,
  more: Partial<WaveProvider> = {},
): WaveProvider => ({ wave, provider: name, from: '18.3', to: '18.4.1', state, ...more });

export const fleetProviders: WaveProvider[] = [
  provider('contoso', 1, 'completed', {
    startedAt: FLEET_START,
    crossedAt: at(0.5),
    endedAt: at(1),
    stepSeconds: { preflight: 600, importPackage: 1800, validate: 1200 },
  }),
  provider('fabrikam', 2, 'failed', {
    startedAt: at(1),
    endedAt: at(1.5),
    cause: 'DrainTimedOut',
    problem: '3 tasks <b>remain</b> & wait',
  }),
  provider('northwind', 2, 'held', {
    startedAt: at(1),
    crossedAt: at(2),
    cause: 'held',
    problem: 'The import of 18.4.1-12 is stuck.',
  }),
  provider('tailspin', 2, 'running', { startedAt: at(2) }),
  ...[1, 2, 3, 4, 5, 6].map((number) => provider(`later-${number}`, 2, 'pending')),
];

export const fleetAudit: AuditEntry[] = [
  { at: FLEET_START, by: 'fleet', what: 'plan', verdict: 'done', detail: '10 providers in 2 waves' },
  {
    at: at(0),
    by: 'ben@csp.example',
    what: 'signal:proceed',
    verdict: 'accepted',
    detail: 'The first wave begins.',
    payload: { by: 'ben@csp.example', reason: 'CAB 17' },
  },
];

export const fleetFacts: FleetFacts = {
  view: fleetView(),
  plan: fleetPlan,
  providers: fleetProviders,
  audit: fleetAudit,
  later: new Map(),
};

/** A fleet of any size that is over: `maxParallel` at once, one of forty fails, one of sixty is held. The same every time. */
export function largeFleet(size: number, maxParallel: number): FleetFacts {
  const sizes = [1, Math.ceil(size * 0.05), Math.ceil(size * 0.25)];
  sizes.push(size - sizes.reduce((sum, each) => sum + each, 0));
  const providers: WaveProvider[] = [];
  const ends: number[] = [];
  let begins = 0;
  for (const [index, inWave] of sizes.entries()) {
    const slots = Array.from({ length: Math.min(maxParallel, inWave) }, () => begins);
    for (let each = 0; each < inWave; each += 1) {
      const slot = slots.indexOf(Math.min(...slots));
      const start = slots[slot] ?? 0;
      providers.push(pseudoProvider(providers.length + 1, index + 1, start));
      slots[slot] = Date.parse(providers.at(-1)?.endedAt ?? at(start)) / HOUR - Date.parse(FLEET_START) / HOUR;
    }
    ends.push(Math.max(...slots));
    begins = Math.max(...slots) + 2;
  }
  const inState = (state: FleetProviderState, wave?: number): number =>
    providers.filter((each) => each.state === state && (wave === undefined || each.wave === wave)).length;
  const countsOf = (wave?: number): FleetCounts =>
    counts({
      completed: inState('completed', wave),
      failed: inState('failed', wave),
      held: inState('held', wave),
    });
  const status = fleetStatus({
    state: 'completed',
    endedAt: at(ends.at(-1) ?? 0),
    maxParallel,
    counts: countsOf(),
    waves: sizes.map((_, index) => ({
      wave: index + 1,
      state: 'done' as const,
      parts: [],
      counts: countsOf(index + 1),
      budget: { allowed: 10, broken: inState('failed', index + 1) },
      startedAt: providers.find(({ wave }) => wave === index + 1)?.startedAt ?? FLEET_START,
      endedAt: at(ends[index] ?? 0),
    })),
  });
  return { ...fleetFacts, view: { execution: 'completed', status }, providers };
}

function pseudoProvider(number: number, wave: number, start: number): WaveProvider {
  const noise = (Math.imul(number, 2_654_435_761) >>> 0) / 2 ** 32;
  const state = number % 40 === 7 ? 'failed' : number % 60 === 9 ? 'held' : 'completed';
  const hours = state === 'failed' ? 0.2 + noise : 0.5 + 2 * noise;
  return provider(`provider-${String(number).padStart(4, '0')}`, wave, state, {
    from: number % 3 === 0 ? '18.4' : '18.3',
    startedAt: at(start),
    ...(state === 'failed'
      ? { cause: noise > 0.5 ? 'DrainTimedOut' : 'Refused' }
      : { crossedAt: at(start + hours * 0.4) }),
    ...(state === 'held' ? { cause: 'held', problem: 'The import is stuck.' } : {}),
    endedAt: at(start + hours),
    ...(state === 'completed' ? { stepSeconds: { preflight: hours * 600, importPackage: hours * 1800 } } : {}),
  });
}
