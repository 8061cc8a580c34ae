/** What a fleet does next: which wave has its turn, whether it halts, and what each part is to do. Pure. */
import type { WaveOrders } from '../../src/contract/fleet';
import { distribute } from './slots';
import {
  allowance,
  currentWave,
  hasMore,
  isClosing,
  partsOf,
  spentBudget,
  total,
  type FleetProgress,
  type PartState,
  type SentOrders,
  type WaveProgress,
} from './fleet-state';

/** Moves the waves on as far as they can go. @param time ISO 8601. */
export function advance(fleet: FleetProgress, time: string): void {
  const { waves } = fleet;
  if (!waves) return;
  const problem = isClosing(fleet) || !hasMore(fleet) ? undefined : spentBudget(fleet);
  // Who was under way may still break.
  if (problem !== undefined) fleet.halted = { since: fleet.halted?.since ?? time, problem };
  if (fleet.halted && !hasMore(fleet)) delete fleet.halted;
  for (;;) {
    const number = currentWave(fleet);
    const wave = waves[number - 1];
    if (!wave || !moves(fleet, wave, number, time)) break;
  }
  if (asks(fleet) === undefined) delete fleet.asksSince;
  else fleet.asksSince ??= time;
}

/** @returns whether the wave has changed its state. */
function moves(fleet: FleetProgress, wave: WaveProgress, number: number, time: string): boolean {
  const closing = isClosing(fleet);
  const holds = fleet.halted !== undefined || fleet.paused !== undefined;
  switch (wave.state) {
    case 'pending':
      if (!closing && (holds || !isFrozen(fleet))) return false;
      wave.state = closing || wave.approved ? 'running' : 'waiting';
      if (wave.state === 'running') wave.startedAt = time;
      return true;
    case 'waiting':
      if (!closing && (holds || !wave.approved)) return false;
      wave.state = 'running';
      wave.startedAt = time;
      return true;
    case 'running': {
      // The decision is about the wave that has spent the budget.
      if ((!closing && fleet.halted) || !isSettled(fleet, number)) return false;
      const { soak } = fleet.request;
      const last = number === fleet.waves?.length;
      wave.endedAt = time;
      wave.state = last || soak === 0 || closing ? 'done' : 'soaking';
      if (wave.state === 'soaking') wave.soaksUntil = new Date(Date.parse(time) + soak * 1000).toISOString();
      return true;
    }
    case 'soaking':
      if (!closing && (holds || wave.soaksUntil !== undefined)) return false;
      wave.state = 'done';
      return true;
    case 'done':
      return false;
  }
}

/** What is written into the inventory from now on reaches nobody. */
const isFrozen = ({ parts }: FleetProgress): boolean => parts.every(({ report }) => report !== undefined);

/** Nobody of it is at work or may still be started: all have ended, or are parked because they wait for people. */
function isSettled(fleet: FleetProgress, wave: number): boolean {
  return partsOf(fleet, wave).every(({ report }) => report?.frozen === true && report.busy === 0);
}

/** The wave whose soak time runs. */
export function soakingWave({ waves, halted, paused }: FleetProgress): WaveProgress | undefined {
  return halted || paused ? undefined : waves?.find(({ state }) => state === 'soaking');
}

/** What the fleet waits for a person for. */
export function asks(fleet: FleetProgress): 'plan' | 'wave' | 'budget' | undefined {
  if (isClosing(fleet)) return undefined;
  if (fleet.halted) return 'budget';
  const number = currentWave(fleet);
  if (fleet.waves?.[number - 1]?.state !== 'waiting') return undefined;
  return number === 1 && fleet.request.approval.plan ? 'plan' : 'wave';
}

/** The orders of each part that has not ended, as they ought to be. */
export function ordersOf(fleet: FleetProgress): { part: PartState; orders: WaveOrders }[] {
  const open = fleet.parts.filter(({ report }) => report?.ended !== true);
  const slots = distribute(
    open.map((part) => ({
      floor: Math.max(part.orders.slots, part.report?.slots ?? 0, part.report?.using ?? 0),
      using: part.report?.using ?? 0,
      ready: part.report?.ready ?? 0,
      pending: mayStart(fleet, part) ? (part.report?.counts.pending ?? 0) : 0,
    })),
    fleet.maxParallel,
  );
  const { looks, paused, aborted } = fleet;
  return open.map((part, index) => {
    const began = isAtWork(part);
    const closed = whyClosed(fleet, part.wave);
    return {
      part,
      orders: {
        slots: slots[index] ?? 0,
        mayBreak: mayStart(fleet, part) ? (part.report?.broken ?? 0) + allowance(fleet) : 0,
        // Who has started nobody need not hear of it: the next wave alone may have a hundred parts.
        ...(paused && (began || part.wave === currentWave(fleet)) ? { paused } : {}),
        ...(aborted ? { aborted } : {}),
        ...(closed === undefined ? {} : { closed }),
        looks: began ? looks : part.orders.looks,
      },
    };
  });
}

/** Of orders as they are sent, as an earlier build has handed them on, or as they are remembered already. */
export const remembered = ({
  slots,
  mayBreak,
  paused,
  aborted,
  closed,
  looks,
}: WaveOrders | SentOrders): SentOrders => ({
  slots,
  mayBreak,
  ...(paused ? { paused: true } : {}),
  ...(aborted ? { aborted: true } : {}),
  ...(closed === undefined ? {} : { closed: true }),
  looks,
});

const isAtWork = ({ report }: PartState): boolean =>
  report !== undefined && report.counts.running + report.counts.held + report.counts.parked > 0;

function mayStart(fleet: FleetProgress, { wave }: PartState): boolean {
  const progress = fleet.waves?.[wave - 1];
  return (
    wave === currentWave(fleet) &&
    progress?.state === 'running' &&
    whyClosed(fleet, wave) === undefined &&
    fleet.halted === undefined &&
    fleet.paused === undefined
  );
}

/** Why nobody else of this wave is started. */
function whyClosed({ aborted, stopped, waves }: FleetProgress, wave: number): string | undefined {
  if (aborted) return `${aborted.by} aborted the fleet: ${aborted.reason}`;
  if (stopped) return `${stopped.by} stopped the fleet: ${stopped.reason}`;
  return waves?.[wave - 1]?.closed;
}

/** Providers at work, over all parts. */
export const atWork = ({ parts }: FleetProgress): number => total(parts, ({ report }) => report?.using ?? 0);
