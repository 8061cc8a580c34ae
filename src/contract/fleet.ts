/**
 * Fleets: many upgrades, in waves, within a failure budget. One workflow `upgradeFleet` decides; it has one child
 * `upgradeWave` for every part of a wave, which knows the entries of some tens of providers by their digests and starts their upgrades.
 * Durations are in seconds, times ISO 8601 in UTC.
 */
import { z } from 'zod';
import { entryDigests } from './entry';
import { by, messageId, text } from './fields';
import { maintenance } from './maintenance';
import { plainName } from './provider';
import type { UpgradePlan, UpgradeState } from './status';

export const fleetWorkflowId = (fleet: string): string => `fleet/${fleet}`;
/** @param wave and @param part are counted from 1. */
export const waveWorkflowId = (fleet: string, wave: number, part: number): string =>
  `fleet/${fleet}/wave-${wave}/${part}`;

const percentage = z
  .string()
  .regex(/^(100|[1-9]?\d)(\.\d+)?%$/, 'must be a whole number, or a percentage such as "5%"');

/** So many providers, or so many of a hundred targets, rounded up. */
export const amount = z.union([z.int().positive(), percentage], {
  error: 'must be a whole number from 1 on, or a percentage such as "5%"',
});
export type Amount = z.output<typeof amount>;

const version = z.string().regex(/^\d+(\.\d+)*$/, 'must be a version, numbers with dots');

/** Which providers of the inventory. All conditions that are given have to hold. Who runs the target already is always left out. */
export const selector = z
  .strictObject({
    ids: z.array(plainName).min(1).optional(),
    labels: z.record(plainName, z.string()).optional(),
    sourceVersion: version.optional(),
    /** The whole inventory. */
    all: z.literal(true).optional(),
    /** Everybody who does not run this release; it is also the target where `to` names none. */
    notYetOn: version.optional(),
  })
  .refine((given) => Object.values(given).some((value) => value !== undefined), {
    error: 'select providers by ids, labels, sourceVersion or notYetOn; or take the whole inventory by all',
  });
export type Selector = z.output<typeof selector>;

/**
 * How many providers may be broken. Broken are those whose upgrade failed (rolled back, refused, rollback incomplete), those
 * that could not be reached, and those that are held now. The budget is spent when as many are broken as it says.
 */
export const budget = z.strictObject({
  /** Of the providers of each wave. */
  wave: amount.default('10%'),
  /** Of the providers of the whole fleet. */
  run: amount.default('5%'),
});
export type Budget = z.output<typeof budget>;

export const MAX_PARALLEL = 1000;
const maxParallel = z.int().positive().max(MAX_PARALLEL);

/** Input of the workflow `upgradeFleet`. */
export const fleetInput = z.strictObject({
  /** Becomes the workflow id `fleet/<name>`. */
  name: plainName,
  startedBy: by,
  providers: selector,
  /** The release to upgrade to; without it, and without `notYetOn`, each provider's next one, as long as only one fits. */
  to: version.optional(),
  /** Sizes of the waves, one after the other; `rest` is everybody who is left, and may only come last. */
  waves: z
    .array(z.union([amount, z.literal('rest')]))
    .min(1)
    .refine((waves) => waves.slice(0, -1).every((wave) => wave !== 'rest'), 'rest may only be the last wave')
    .default([1, '5%', '25%', 'rest']),
  maxParallel: maxParallel.default(10),
  budget: budget.prefault({}),
  /** How long the fleet watches a finished wave before the next one. */
  soak: z.number().nonnegative().default(0),
  /** What waits for somebody's `proceed`. */
  approval: z.strictObject({ plan: z.boolean().default(false), waves: z.boolean().default(false) }).prefault({}),
  /** A provider that waits for people for so long gives its slot to another. */
  parkAfter: z.number().positive().default(1800),
  /** For providers whose entry says nothing of maintenance. */
  maintenance: maintenance.optional(),
  /** Fleet and waves continue as new after so many events of history; by default when the server suggests it. For tests. */
  historyLimit: z.int().positive().optional(),
});
export type FleetInput = z.input<typeof fleetInput>;
export type FleetRequest = z.output<typeof fleetInput>;

const reasoned = { by, reason: text('reason'), id: messageId };
/** What people send to a fleet, as a signal or as an update of the same name. */
export const fleetMessages = {
  /** Answers the approval of the plan or of the next wave. */
  proceed: z.strictObject(reasoned),
  pause: z.strictObject(reasoned),
  resume: z.strictObject(reasoned),
  /** Providers before the crossing roll back, those past it finish; nothing new starts. */
  abort: z.strictObject(reasoned),
  setMaxParallel: z.strictObject({ ...reasoned, maxParallel }),
  /** Answers a spent budget. `skipRest` starts nobody else of this wave, `stop` nobody else at all. */
  decideBudget: z
    .strictObject({
      ...reasoned,
      action: z.enum(['continue', 'skipRest', 'stop'], { error: 'action must be continue, skipRest or stop' }),
      /** Goes on with this budget; what is left out stays as it is. */
      wave: amount.optional(),
      run: amount.optional(),
    })
    .refine(({ action, wave, run }) => action !== 'continue' || wave !== undefined || run !== undefined, {
      error: 'continue needs a new budget: give wave, run or both',
    }),
};
export type FleetMessageName = keyof typeof fleetMessages;
export type FleetMessages = { [N in FleetMessageName]: z.output<(typeof fleetMessages)[N]> };

/** State of a fleet, also its search attribute `OnwardState`. */
export const FLEET_STATES = [
  'planning',
  /** The plan waits for somebody's `proceed`. */
  'planned',
  'running',
  'soaking',
  /** The next wave waits for somebody's `proceed`; or every wave is done, and parked providers wait for people. */
  'waiting',
  /** The budget is spent and waits for `decideBudget`. */
  'halted',
  'paused',
  'aborting',
  'completed',
  /** Ended by `decideBudget` with `stop`. */
  'stopped',
  'aborted',
] as const;
export type FleetState = (typeof FLEET_STATES)[number];

/** State of one provider in its fleet. */
export const FLEET_PROVIDER_STATES = [
  'pending',
  'running',
  'held',
  /** Waits for people, its window or an endpoint host, and has given its slot away. One that holds still counts as broken. */
  'parked',
  'completed',
  'failed',
  'unreachable',
  /** Never started: the fleet was stopped, or another upgrade of it runs or has succeeded already. */
  'skipped',
] as const;
export type FleetProviderState = (typeof FLEET_PROVIDER_STATES)[number];
export type FleetCounts = Record<FleetProviderState, number>;

/** One provider of a fleet: what the query `providers` of a wave answers. */
export interface FleetProvider {
  provider: string;
  name?: string;
  from: string;
  to: string;
  state: FleetProviderState;
  startedAt?: string;
  crossedAt?: string;
  endedAt?: string;
  /**
   * Why it is in this state, for tables: of those that failed one of `FAILURE` or `Terminated`; of those that are held or
   * parked the state of the upgrade (`held`, `waiting`, `paused`, `waitingForWindow`), or `waitingForHost`.
   */
  cause?: string;
  /** The same for people, in one sentence; of those that were skipped as well. */
  problem?: string;
  /** How long each step took, once it has ended. */
  stepSeconds?: Record<string, number>;
}

/** Providers that were selected and are not upgraded, by the reason. */
export interface LeftOut {
  reason: string;
  providers: string[];
}

/** One wave of a fleet. It is done when all its providers have ended, or are parked because they wait for people. */
export interface WaveStatus {
  /** Counted from 1. */
  wave: number;
  state: 'pending' | 'waiting' | 'running' | 'soaking' | 'done';
  /** Workflow ids of its parts. */
  parts: string[];
  counts: FleetCounts;
  /** How many of it may be broken, and are. */
  budget: { allowed: number; broken: number };
  startedAt?: string;
  endedAt?: string;
}

/** Means over the upgrades that have ended well; all zero and empty where there is none. In seconds. */
export interface Measured {
  upgrades: number;
  seconds: number;
  stepSeconds: Record<string, number>;
}

/** What the query `status` of a fleet answers, and the result of the workflow. */
export interface FleetStatus {
  fleet: string;
  workflowId: string;
  state: FleetState;
  startedAt: string;
  startedBy: string;
  endedAt?: string;
  maxParallel: number;
  counts: FleetCounts;
  leftOut: number;
  budget: { allowed: number; broken: number };
  waves: WaveStatus[];
  paused?: { by: string; reason: string; since: string };
  /** What the fleet waits for a person for. */
  asks?: {
    what: 'plan' | 'wave' | 'budget';
    since: string;
    problem: string;
    answer: { name: FleetMessageName; payload: Record<string, string> };
  };
  measured: Measured;
  auditEntries: number;
}

/** What the upgrades along one path do, step by step. */
export interface FleetPath {
  /** Versions that it starts from, for people. */
  from: string;
  to: string;
  /** The versions that its providers run; none while the fleet is planning. */
  starts: string[];
  steps: UpgradePlan['steps'];
}

/** What the query `plan` of a fleet answers; who is in which wave is answered by the waves' query `providers`. */
export interface FleetPlan {
  fleet: string;
  request: FleetRequest;
  /** Undefined while the fleet is planning. */
  waves?: { wave: number; providers: number; parts: string[] }[];
  leftOut: LeftOut[];
  /** The paths that its providers are on; while the fleet is planning every one that they may be on. */
  paths: FleetPath[];
}

/** Names of the queries, beside those of an upgrade. */
export const FLEET_QUERY = {
  status: 'status',
  plan: 'plan',
  audit: 'audit',
  answer: 'answer',
  providers: 'providers',
} as const;

/** Makes an upgrade part of a fleet. */
export const fleetMembership = z.strictObject({
  fleet: plainName,
  wave: z.int().positive(),
  /** Workflow that hears of the upgrade. */
  reportTo: z.string(),
  parkAfter: z.number().positive(),
  /** Of its entry when the fleet was planned: it is not upgraded by another one. */
  digests: entryDigests,
  /** For an entry that says nothing of maintenance. */
  maintenance: maintenance.optional(),
});
export type FleetMembership = z.output<typeof fleetMembership>;

/**
 * Signals between the workflows of a fleet; people have no use for them. Each carries the whole state of its sender, so that
 * a later one replaces an earlier one and nothing is lost when either side continues as new.
 */
export const FLEET_SIGNAL = {
  /** Fleet to wave: {@link WaveOrders}. */
  orders: 'orders',
  /** Wave to fleet: {@link WaveReport}. */
  waveReport: 'waveReport',
  /** Wave to upgrade: {@link MemberOrders}. */
  memberOrders: 'memberOrders',
  /** Upgrade to wave: {@link MemberReport}. */
  memberReport: 'memberReport',
} as const;

/** How these are described where people may choose a signal to send. */
export const NOT_FOR_PEOPLE = { description: 'Between the workflows of a fleet; not for people.' };

/** Who asked for something, and why. */
export interface Asked {
  by: string;
  reason: string;
  since: string;
}

/** Input of the workflow `upgradeWave`: one part of a wave. Only a fleet starts it. */
export interface WaveInput {
  fleet: string;
  wave: number;
  part: number;
  startedBy: string;
  parkAfter: number;
  maintenance?: FleetRequest['maintenance'];
  historyLimit?: number;
  providers: Pick<FleetProvider, 'provider' | 'name' | 'from' | 'to'>[];
}

export interface WaveOrders {
  /** How many of its providers may be at work at once. */
  slots: number;
  /** When so many of its own providers are broken, it starts nobody else until the next orders. */
  mayBreak: number;
  paused?: Asked;
  aborted?: Asked;
  /** Why nobody else is started any more: those who are left are skipped. */
  closed?: string;
  /** Grows each time the wave is to look whether its upgrades are still there. */
  looks: number;
}

export interface WaveReport {
  wave: number;
  part: number;
  /** The entries of its providers are frozen; nobody is started before. */
  frozen: boolean;
  counts: FleetCounts;
  /** Failed, unreachable, or held now. */
  broken: number;
  /** The slots of the last orders it has heard. */
  slots: number;
  /** How many of its providers are at work. */
  using: number;
  /** How many parked ones could go on if they had a slot. */
  ready: number;
  /** How many keep the wave from being done. */
  busy: number;
  /** Sums, not means. */
  measured: Measured;
  /** Each of its providers has ended: its workflow closes once the fleet has heard so. */
  ended: boolean;
}

export interface MemberOrders {
  /** Obeyed before the crossing. */
  paused?: Asked;
  /** How often the upgrade has been given a slot after it had parked. */
  slots: number;
}

export interface MemberReport {
  provider: string;
  /** State of the upgrade. */
  state: UpgradeState;
  /** How often it has given its slot away. It has none while this is more than the `slots` of its orders. */
  parked: number;
  /** It could go on if it had a slot. */
  ready: boolean;
  crossedAt?: string;
  /** What it waits for, or what it failed with. */
  cause?: string;
  problem?: string;
  endedAt?: string;
  stepSeconds?: Record<string, number>;
}
