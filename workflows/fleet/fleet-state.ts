/** What a fleet knows, as one run hands it on to the next; and what follows from it. Pure. */
import type {
  Asked,
  Budget,
  FleetCounts,
  FleetProviderState,
  FleetRequest,
  FleetState,
  LeftOut,
  Measured,
  WaveOrders,
  WaveReport,
  WaveStatus,
} from '../../src/contract/fleet';
import { FLEET_PROVIDER_STATES } from '../../src/contract/fleet';
import type { AuditEntry } from '../../src/contract/status';
import type { Looks } from '../kit/long-lived';
import { count } from './partition';

/** Whose words they carry is the same for every part, and kept once. */
export type SentOrders = Pick<WaveOrders, 'slots' | 'mayBreak' | 'looks'> &
  Partial<Record<'paused' | 'aborted' | 'closed', true>>;

export interface PartState {
  workflowId: string;
  firstRun: string;
  wave: number;
  providers: number;
  /** As they were sent last. */
  orders: SentOrders;
  /** What it said last; nothing before it has frozen its entries. */
  report?: WaveReport;
}

export interface WaveProgress {
  state: WaveStatus['state'];
  approved: boolean;
  startedAt?: string;
  endedAt?: string;
  /** Gone when its timer has fired. */
  soaksUntil?: string;
  /** Why nobody else of it is started. */
  closed?: string;
}

export interface FleetProgress extends Looks {
  request: FleetRequest;
  startedAt: string;
  endedAt?: string;
  /** Undefined while the fleet is planning. */
  waves?: WaveProgress[];
  parts: PartState[];
  /** From which version to which its providers go, each once. */
  ways?: { from: string; to: string }[];
  leftOut: LeftOut[];
  maxParallel: number;
  budget: Budget;
  paused?: Asked;
  aborted?: Asked;
  stopped?: Asked;
  /** Since when the spent budget waits for a decision. */
  halted?: { since: string; problem: string };
  asksSince?: string;
  /** Grows each time somebody wants to know whether everything is still there. */
  looks: number;
  audit: AuditEntry[];
  auditEntries: number;
}

/** The request is the input of every run. */
export type CarriedFleet = Omit<FleetProgress, 'request'>;

export function carriedOf(fleet: FleetProgress): CarriedFleet {
  const carried: Partial<FleetProgress> & CarriedFleet = { ...fleet };
  delete carried.request;
  return carried;
}

export function newFleet(request: FleetRequest, startedAt: string): FleetProgress {
  const { maxParallel, budget } = request;
  return { request, startedAt, parts: [], leftOut: [], maxParallel, budget, looks: 0, audit: [], auditEntries: 0 };
}

export const noCounts = (): FleetCounts =>
  Object.fromEntries(FLEET_PROVIDER_STATES.map((state) => [state, 0])) as FleetCounts;

export function countsOf(parts: readonly PartState[]): FleetCounts {
  const counts = noCounts();
  for (const { report, providers } of parts) {
    if (!report) counts.pending += providers;
    else for (const [state, number] of Object.entries(report.counts)) counts[state as FleetProviderState] += number;
  }
  return counts;
}

export const brokenOf = (parts: readonly PartState[]): number => total(parts, ({ report }) => report?.broken ?? 0);
export const sizeOf = (parts: readonly PartState[]): number => total(parts, ({ providers }) => providers);
export const partsOf = ({ parts }: FleetProgress, wave: number): PartState[] =>
  parts.filter((part) => part.wave === wave);

/** The wave whose turn it is, counted from 1; one more than there are when all are done. */
export function currentWave({ waves = [] }: FleetProgress): number {
  const index = waves.findIndex(({ state }) => state !== 'done');
  return index < 0 ? waves.length + 1 : index + 1;
}

/** How many may be broken, and are: of a wave or, without one, of the whole fleet. */
export function budgetOf(fleet: FleetProgress, wave?: number): { allowed: number; broken: number } {
  const parts = wave === undefined ? fleet.parts : partsOf(fleet, wave);
  const amount = wave === undefined ? fleet.budget.run : fleet.budget.wave;
  return { allowed: count(amount, sizeOf(parts)), broken: brokenOf(parts) };
}

/** How many more may break before a budget is spent. */
export function allowance(fleet: FleetProgress): number {
  const left = [budgetOf(fleet), budgetOf(fleet, currentWave(fleet))].map(({ allowed, broken }) => allowed - broken);
  return Math.max(0, Math.min(...left));
}

/** Why the budget is spent, in one sentence; undefined while it is not. */
export function spentBudget(fleet: FleetProgress): string | undefined {
  const wave = currentWave(fleet);
  // Of a wave whose rest is skipped nobody is started, whatever its budget.
  const decided = fleet.waves?.[wave - 1]?.closed !== undefined;
  const spent = [
    ...(decided ? [] : [{ what: `wave ${wave}`, ...budgetOf(fleet, wave) }]),
    { what: 'the whole fleet', ...budgetOf(fleet) },
  ].find(({ allowed, broken }) => broken > 0 && broken >= allowed);
  if (!spent) return undefined;
  const { broken, allowed, what } = spent;
  return `${broken} ${broken === 1 ? 'provider' : 'providers'} of ${what} ${broken === 1 ? 'is' : 'are'} broken, and the budget is ${allowed}.`;
}

export const isClosing = ({ aborted, stopped }: FleetProgress): boolean => (aborted ?? stopped) !== undefined;
/** Somebody could still be started. */
export const hasMore = (fleet: FleetProgress): boolean =>
  !isClosing(fleet) &&
  fleet.parts.some(
    ({ wave, report, providers }) =>
      fleet.waves?.[wave - 1]?.closed === undefined && (report?.counts.pending ?? providers) > 0,
  );
export const isOver = ({ waves, parts }: FleetProgress): boolean =>
  waves !== undefined && parts.every(({ report }) => report?.ended === true);

export function stateOf(fleet: FleetProgress): FleetState {
  const { waves, request, endedAt, aborted, stopped, halted, paused } = fleet;
  if (endedAt !== undefined) return aborted ? 'aborted' : stopped ? 'stopped' : 'completed';
  if (aborted) return 'aborting';
  if (!waves) return 'planning';
  if (halted) return 'halted';
  if (paused) return 'paused';
  const current = waves[currentWave(fleet) - 1];
  switch (current?.state) {
    case undefined:
      return countsOf(fleet.parts).parked > 0 && total(fleet.parts, ({ report }) => report?.using ?? 0) === 0
        ? 'waiting'
        : 'running';
    case 'pending':
      return currentWave(fleet) === 1 ? 'planning' : 'running';
    case 'waiting':
      return currentWave(fleet) === 1 && request.approval.plan ? 'planned' : 'waiting';
    case 'soaking':
      return 'soaking';
    default:
      return 'running';
  }
}

export function measuredOf({ parts }: FleetProgress): Measured {
  const upgrades = total(parts, ({ report }) => report?.measured.upgrades ?? 0);
  const mean = (sum: number): number => (upgrades === 0 ? 0 : Math.round((sum / upgrades) * 10) / 10);
  const sums: Record<string, number> = {};
  for (const { report } of parts)
    for (const [step, seconds] of Object.entries(report?.measured.stepSeconds ?? {}))
      sums[step] = (sums[step] ?? 0) + seconds;
  return {
    upgrades,
    seconds: mean(total(parts, ({ report }) => report?.measured.seconds ?? 0)),
    stepSeconds: Object.fromEntries(Object.entries(sums).map(([step, sum]) => [step, mean(sum)])),
  };
}

export const total = <Item>(items: readonly Item[], number: (item: Item) => number): number =>
  items.reduce((sum, item) => sum + number(item), 0);
