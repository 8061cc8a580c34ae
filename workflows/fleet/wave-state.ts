/** What one part of a wave knows, as one run hands it on to the next; and what follows from it. Pure. */
import { FAILURE } from '../../src/contract/activities';
import type {
  FleetProvider,
  FleetProviderState,
  Measured,
  MemberReport,
  WaveInput,
  WaveOrders,
  WaveReport,
} from '../../src/contract/fleet';
import type { EntryDigests } from '../../src/contract/entry';
import type { UpgradeState } from '../../src/contract/status';
import type { Looks } from '../kit/long-lived';
import { noCounts, total } from './fleet-state';

export interface Member extends FleetProvider {
  /** Of its entry when the fleet was planned, until its upgrade begins. */
  digests?: EntryDigests;
  /** First run of its upgrade. */
  firstRun?: string;
  /** State of its upgrade, as far as it matters to the fleet. */
  upgrade?: UpgradeState;
  /** How often it has given its slot away, and got one again. */
  parked: number;
  slots: number;
  ready: boolean;
  /** The orders that it was sent last, as JSON. */
  told?: string;
  /** It was asked to abort. */
  aborted?: true;
}

export interface WaveState extends Looks {
  input: WaveInput;
  members: Member[];
  frozen: boolean;
  orders: WaveOrders;
  /** The last report, as JSON. */
  told?: string;
  /** As in the orders that were obeyed last. */
  looks: number;
}

export const newWave = (input: WaveInput): WaveState => ({
  input,
  members: input.providers.map((provider) => ({ ...provider, state: 'pending', parked: 0, slots: 0, ready: false })),
  frozen: false,
  orders: { slots: 0, mayBreak: 0, looks: 0 },
  looks: 0,
});

const ENDED: readonly FleetProviderState[] = ['completed', 'failed', 'unreachable', 'skipped'];
export const hasEnded = ({ state }: Member): boolean => ENDED.includes(state);
export const isOutstanding = (member: Member): boolean => member.state !== 'pending' && !hasEnded(member);
const hasSlot = (member: Member): boolean => isOutstanding(member) && member.slots >= member.parked;
const isBroken = (member: Member): boolean =>
  member.state === 'failed' || member.state === 'unreachable' || (isOutstanding(member) && member.upgrade === 'held');
/** It goes on only when somebody says so, however long that takes. */
const awaitsPeople = ({ upgrade, ready }: Member): boolean =>
  !ready && (upgrade === 'waiting' || upgrade === 'held' || upgrade === 'paused');
/** It keeps the wave from being done: at work, still to be started, or parked until its window or a host is free. */
const isBusy = (member: Member): boolean =>
  member.state === 'pending' || hasSlot(member) || (isOutstanding(member) && !awaitsPeople(member));

export const atWork = (members: readonly Member[]): number => members.filter(hasSlot).length;
export const broken = (members: readonly Member[]): number => members.filter(isBroken).length;

/** The next provider to start, if one may be started now. */
export function nextToStart({ members, orders, frozen }: WaveState): Member | undefined {
  const { slots, mayBreak, paused, aborted, closed } = orders;
  if (!frozen || paused || aborted || closed !== undefined) return undefined;
  if (atWork(members) >= slots || broken(members) >= mayBreak) return undefined;
  return members.find(({ state }) => state === 'pending');
}

/** Gives free slots to parked providers that can go on. They come before new starts. */
export function giveSlots({ members, orders: { slots } }: WaveState): void {
  let free = slots - atWork(members);
  for (const member of members) {
    if (free <= 0) return;
    if (!member.ready || member.slots >= member.parked || !isOutstanding(member)) continue;
    member.slots = member.parked;
    member.ready = false;
    show(member);
    free -= 1;
  }
}

/** Takes in what an upgrade says of itself, whatever was thought of it before. */
export function takeIn({ members }: WaveState, report: MemberReport): void {
  const member = members.find(({ provider }) => provider === report.provider);
  // One that was skipped has been started by somebody else; a pending one by an earlier fleet of this name.
  if (!member || member.state === 'skipped' || member.state === 'pending') return;
  const { state, parked, ready, crossedAt, cause, problem, endedAt, stepSeconds } = report;
  // Whoever was found to have ended says nothing newer than that, unless it is its end.
  if (member.endedAt !== undefined && endedAt === undefined) return;
  Object.assign(member, { upgrade: state, parked, ready });
  if (crossedAt !== undefined) member.crossedAt = crossedAt;
  delete member.cause;
  delete member.problem;
  if (cause !== undefined) member.cause = cause;
  if (problem !== undefined) member.problem = problem;
  if (stepSeconds) member.stepSeconds = stepSeconds;
  if (endedAt !== undefined) member.endedAt = endedAt;
  show(member);
}

/** The upgrade has ended without a word. */
export function takeInEnd(member: Member, how: string, time: string): void {
  member.endedAt = time;
  if (how === 'COMPLETED') {
    member.upgrade = 'completed';
  } else {
    member.cause = 'Terminated';
    member.problem = `The workflow of its upgrade is ${how} and said nothing of an end. Look at the provider before anything else.`;
  }
  show(member);
}

const UNREACHED: readonly string[] = [FAILURE.unreachable, FAILURE.hostUnavailable];

function show(member: Member): void {
  const { upgrade, cause, endedAt } = member;
  if (endedAt !== undefined) {
    // Somebody else has upgraded it since the fleet was planned.
    const isThere = cause === FAILURE.alreadyUpgraded;
    // What could not be undone needs a person, whatever the reason.
    const silent = cause !== undefined && UNREACHED.includes(cause) && upgrade !== 'rollbackIncomplete';
    member.state = upgrade === 'completed' ? 'completed' : isThere ? 'skipped' : silent ? 'unreachable' : 'failed';
  } else if (member.slots < member.parked) member.state = 'parked';
  else member.state = upgrade === 'held' ? 'held' : 'running';
}

export function skip(member: Member, problem: string): void {
  member.state = 'skipped';
  member.problem = problem;
  delete member.digests;
}

export function reportOf({ input: { wave, part }, members, frozen, orders: { slots } }: WaveState): WaveReport {
  const counts = noCounts();
  for (const { state } of members) counts[state] += 1;
  return {
    wave,
    part,
    frozen,
    counts,
    broken: broken(members),
    slots,
    using: atWork(members),
    ready: members.filter((member) => isOutstanding(member) && member.ready && member.slots < member.parked).length,
    busy: members.filter(isBusy).length,
    measured: measured(members.filter(({ state }) => state === 'completed')),
    ended: members.every(hasEnded),
  };
}

function measured(completed: readonly Member[]): Measured {
  const stepSeconds: Record<string, number> = {};
  for (const member of completed)
    for (const [step, seconds] of Object.entries(member.stepSeconds ?? {}))
      stepSeconds[step] = Math.round(((stepSeconds[step] ?? 0) + seconds) * 10) / 10;
  const seconds = total(
    completed,
    ({ startedAt = '', endedAt = '' }) => (Date.parse(endedAt) - Date.parse(startedAt)) / 1000,
  );
  return { upgrades: completed.length, seconds: Math.round(seconds * 10) / 10, stepSeconds };
}

/** What people see of a provider. */
export function shown(member: Member): FleetProvider {
  const { provider, name, from, to, state, startedAt, crossedAt, endedAt, cause, problem, stepSeconds } = member;
  return {
    provider,
    ...(name === undefined ? {} : { name }),
    from,
    to,
    state,
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(crossedAt === undefined ? {} : { crossedAt }),
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(cause === undefined ? {} : { cause }),
    ...(problem === undefined ? {} : { problem }),
    ...(stepSeconds ? { stepSeconds } : {}),
  };
}
