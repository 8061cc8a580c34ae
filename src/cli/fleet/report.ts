/** Everything that a fleet has done, as one document to hand over. */
import type { FleetPlan, FleetProviderState, FleetRequest, FleetStatus, LeftOut } from '../../contract/fleet';
import type { AuditEntry } from '../../contract/status';
import { asCliError } from '../kit/cli-error';
import type { ExecutionStatus } from '../kit/execution';
import { elapsed } from '../kit/text/duration';
import type { UpgradeSummary } from '../upgrade/upgrades';
import type { Fleets, FleetView, WaveProvider } from './fleets';

export interface FleetReport {
  format: 'onward-fleet-report/1';
  generatedAt: string;
  onwardVersion: string;
  fleet: string;
  workflowId: string;
  execution: ExecutionStatus;
  failure?: string | undefined;
  state: FleetStatus['state'];
  startedAt: string;
  startedBy: string;
  endedAt?: string | undefined;
  /** From the start to the end, or to now. */
  seconds: number;
  request: FleetRequest;
  counts: FleetStatus['counts'];
  budget: FleetStatus['budget'];
  waves: FleetStatus['waves'];
  /** In the order of their waves. */
  providers: ReportedProvider[];
  leftOut: LeftOut[];
  failures: FailureCause[];
  timings: { upgrades?: Spread; steps: (Spread & { step: string })[] };
  /** What the fleet decided, and what people told it. */
  audit: AuditEntry[];
}

export interface ReportedProvider extends WaveProvider {
  /** From its start to its end, or to now; undefined when it was never started. */
  seconds?: number;
  /** What became of it outside of this fleet, where it did not complete in it. */
  since?: Pick<UpgradeSummary, 'execution' | 'state' | 'startedAt' | 'closedAt'>;
}

export interface FailureCause {
  state: FleetProviderState;
  cause: string;
  providers: string[];
}

/** Of several lengths, in seconds. */
export interface Spread {
  count: number;
  mean: number;
  median: number;
  longest: number;
  /** Whose the longest was. */
  of: string;
}

/** States in which a provider ends without being upgraded. */
const NOT_UPGRADED: readonly FleetProviderState[] = ['failed', 'unreachable', 'skipped'];
/** Upgrades that are looked up at once. */
const AT_ONCE = 20;

/** Reads a fleet and makes its report. */
export async function readReport(
  fleets: Fleets,
  name: string,
  about: { now: Date; onwardVersion: string },
): Promise<FleetReport> {
  const view = await fleets.view(name);
  const [plan, audit, providers] = [
    await fleets.plan(name),
    await fleets.audit(name),
    await fleets.providers(view.status),
  ];
  const later = await laterUpgrades(fleets, providers);
  return fleetReport({ view, plan, providers, audit, later }, about);
}

/** Whoever was not upgraded may have been started again since, alone or by another fleet. */
async function laterUpgrades(fleets: Fleets, providers: WaveProvider[]): Promise<Map<string, UpgradeSummary>> {
  const wanted = providers.filter(({ state }) => NOT_UPGRADED.includes(state));
  const found = new Map<string, UpgradeSummary>();
  for (let first = 0; first < wanted.length; first += AT_ONCE) {
    await Promise.all(
      wanted.slice(first, first + AT_ONCE).map(async ({ provider, endedAt = '' }) => {
        const summary = await fleets.upgrades.summary(provider).catch((error: unknown) => {
          if (asCliError(error).kind === 'notFound') return undefined;
          throw error;
        });
        if (summary !== undefined && summary.startedAt > endedAt) found.set(provider, summary);
      }),
    );
  }
  return found;
}

export interface FleetFacts {
  view: FleetView;
  plan: FleetPlan;
  providers: WaveProvider[];
  audit: AuditEntry[];
  /** By provider: an upgrade of it that began after it had failed in this fleet. */
  later: ReadonlyMap<string, UpgradeSummary>;
}

export function fleetReport(
  { view, plan, providers, audit, later }: FleetFacts,
  { now, onwardVersion }: { now: Date; onwardVersion: string },
): FleetReport {
  const { status, execution, failure } = view;
  const { fleet, workflowId, state, startedAt, startedBy, endedAt, counts, budget, waves } = status;
  return {
    format: 'onward-fleet-report/1',
    generatedAt: now.toISOString(),
    onwardVersion,
    fleet,
    workflowId,
    execution,
    failure,
    state,
    startedAt,
    startedBy,
    endedAt,
    seconds: elapsed(startedAt, endedAt, now) / 1000,
    request: plan.request,
    counts,
    budget,
    waves,
    providers: providers.map((provider) => reported(provider, later.get(provider.provider), now)),
    leftOut: plan.leftOut,
    failures: failuresByCause(providers),
    timings: timingsOf(providers),
    audit,
  };
}

function reported(provider: WaveProvider, since: UpgradeSummary | undefined, now: Date): ReportedProvider {
  const { startedAt, endedAt } = provider;
  return {
    ...provider,
    ...(startedAt === undefined ? {} : { seconds: elapsed(startedAt, endedAt, now) / 1000 }),
    ...(since === undefined
      ? {}
      : {
          since: {
            execution: since.execution,
            state: since.state,
            startedAt: since.startedAt,
            closedAt: since.closedAt,
          },
        }),
  };
}

/** The most frequent first. */
function failuresByCause(providers: WaveProvider[]): FailureCause[] {
  const causes = new Map<string, FailureCause>();
  for (const { provider, state, cause = 'not known' } of providers) {
    if (state !== 'held' && state !== 'failed' && state !== 'unreachable') continue;
    const key = `${state} ${cause}`;
    const before = causes.get(key) ?? { state, cause, providers: [] };
    causes.set(key, { ...before, providers: [...before.providers, provider] });
  }
  return [...causes.values()].sort((a, b) => b.providers.length - a.providers.length);
}

/** Over the upgrades that completed. */
function timingsOf(providers: WaveProvider[]): FleetReport['timings'] {
  const completed = providers.filter(({ state }) => state === 'completed');
  const upgrades = spread(
    completed.flatMap(({ provider, startedAt, endedAt }) =>
      startedAt === undefined || endedAt === undefined
        ? []
        : [{ provider, seconds: (Date.parse(endedAt) - Date.parse(startedAt)) / 1000 }],
    ),
  );
  const names = new Set(completed.flatMap(({ stepSeconds = {} }) => Object.keys(stepSeconds)));
  const steps = [...names].flatMap((step) => {
    const lengths = completed.flatMap(({ provider, stepSeconds = {} }) => {
      const seconds = stepSeconds[step];
      return seconds === undefined ? [] : [{ provider, seconds }];
    });
    const found = spread(lengths);
    return found === undefined ? [] : [{ step, ...found }];
  });
  return { ...(upgrades === undefined ? {} : { upgrades }), steps };
}

function spread(lengths: { provider: string; seconds: number }[]): Spread | undefined {
  const sorted = [...lengths].sort((a, b) => a.seconds - b.seconds);
  const longest = sorted.at(-1);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  if (longest === undefined || middle === undefined) return undefined;
  const sum = sorted.reduce((total, { seconds }) => total + seconds, 0);
  return {
    count: sorted.length,
    mean: sum / sorted.length,
    median: middle.seconds,
    longest: longest.seconds,
    of: longest.provider,
  };
}
