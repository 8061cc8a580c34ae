/**
 * The rules that a fleet promises beyond the invariants of each of its upgrades, judged by the sandbox's journal: who was
 * changed when. When an upgrade was started, parked, or told something is read from Temporal's histories. Pure.
 */
import type { FleetProviderState } from '../../../src/contract/fleet';
import type { JournalEntry } from '../../../src/sandbox/journal';
import { CHANGING_CALLS } from './invariants';
import type { FleetEvidence, MemberEvidence, PartEvidence, PartEvent } from './fleet-evidence';

export class FleetRulesBroken extends Error {
  override readonly name = 'FleetRulesBroken';

  constructor(readonly violations: FleetViolation[]) {
    super(`A fleet broke its rules:\n${violations.map(({ rule, says }) => `${rule}: ${says}`).join('\n')}`);
  }
}

export interface FleetViolation {
  rule: FleetRule;
  says: string;
}
export type FleetRule = keyof typeof RULES;

/** @throws FleetRulesBroken */
export function expectFleetRules(evidence: FleetEvidence): void {
  const violations = violationsOfFleet(evidence);
  if (violations.length > 0) throw new FleetRulesBroken(violations);
}

export function violationsOfFleet(evidence: FleetEvidence): FleetViolation[] {
  return Object.entries(RULES).flatMap(([rule, examine]) =>
    examine(evidence).map((says) => ({ rule: rule as FleetRule, says })),
  );
}

const RULES = {
  /** Never more than `maxParallel` providers are being changed. */
  slots: tooManyAtOnce,
  /** Never two are at work on one endpoint host. */
  hosts: hostsShared,
  /** Once the budget is spent nobody is begun: more may break than it says only of those who were under way by then. */
  budget: begunBeyondBudget,
  /** Once a wave has heard of a pause, an abort or its close, it starts nobody. */
  orders: begunAgainstOrders,
  /** Nobody of a wave is begun before everybody of the wave before it has ended or parked. */
  waves: begunTooEarly,
  /** Whoever is said to be skipped was not changed. */
  skipped: changedAlthoughSkipped,
  /** The fleet says of everybody, once, what has become of it. */
  ends: toldOtherwise,
} satisfies Record<string, (evidence: FleetEvidence) => string[]>;

// Slots

/** A provider is at work from its first changing call to its last, but for the time in which it is parked. */
interface Work {
  provider: string;
  /** When it got its slot. */
  slotAt: string;
  from: string;
  to: string;
}

function tooManyAtOnce(evidence: FleetEvidence): string[] {
  const works = evidence.members.flatMap((member) => worksOf(member, evidence));
  return works.flatMap(({ provider, from, slotAt }) => {
    const together = works.filter((other) => other.from <= from && from <= other.to);
    const allowed = mostParallel(evidence, orderedBefore(evidence, provider, slotAt), from);
    if (together.length <= allowed) return [];
    const names = together.map((other) => other.provider).join(', ');
    return [`at ${from} ${provider} made ${together.length} at work (${names}), and ${allowed} may be`];
  });
}

function worksOf(member: MemberEvidence, { journal }: FleetEvidence): Work[] {
  const calls = callsOf(member, journal);
  return timesWithSlot(member).flatMap(({ since, until }) => {
    const within = calls.filter(({ at }) => at >= since && at <= until);
    const [first, last] = [within[0], within.at(-1)];
    return first && last ? [{ provider: member.provider, slotAt: since, from: first.at, to: last.at }] : [];
  });
}

/** It has its slot until it says that it parks, and again when it hears so. */
function timesWithSlot({ run }: MemberEvidence): { since: string; until: string }[] {
  if (!run) return [];
  const times: { since: string; until: string }[] = [];
  const now = { parked: 0, slots: 0, since: run.startedAt };
  for (const event of run.events) {
    const had = now.slots >= now.parked;
    if (event.kind === 'report') now.parked = event.report.parked;
    else now.slots = event.orders.slots;
    const has = now.slots >= now.parked;
    if (had && !has) times.push({ since: now.since, until: event.at });
    if (!had && has) now.since = event.at;
  }
  if (now.slots >= now.parked) times.push({ since: now.since, until: run.closedAt ?? LAST });
  return times;
}

const LAST = '9999';

/**
 * The orders that gave the slot were sent after those before them were heard: by then a lower `maxParallel` that the fleet
 * had taken in earlier was known.
 */
function orderedBefore({ parts }: FleetEvidence, provider: string, at: string): string {
  const orders = partOf(parts, provider).events.filter((event) => event.kind === 'orders' && event.at <= at);
  return orders.at(-2)?.at ?? '';
}

/** The most that was allowed at any moment between the two. */
function mostParallel({ maxParallel, audit }: FleetEvidence, since: string, until: string): number {
  const changes = [
    { at: '', to: maxParallel },
    ...audit
      .filter(({ what, verdict }) => what.endsWith(':setMaxParallel') && verdict === 'accepted')
      .map(({ at, payload }) => ({ at, to: Number(payload?.['maxParallel']) })),
  ];
  const before = changes.filter(({ at }) => at <= since).at(-1);
  const meanwhile = changes.filter(({ at }) => at > since && at <= until);
  return Math.max(...[...(before ? [before] : []), ...meanwhile].map(({ to }) => to));
}

// Hosts

function hostsShared({ members, journal }: FleetEvidence): string[] {
  const hosts = new Set(members.flatMap((member) => member.hosts));
  return [...hosts].flatMap((host) => {
    const owned = new Map<string, { from: JournalEntry; to: JournalEntry }>();
    for (const entry of journal) {
      const { provider, name } = entry;
      if (provider === undefined) continue;
      const own = owned.get(provider);
      if (entry.host === host && ['setup.cmd', 'setupRan', 'siteRestored'].includes(name))
        owned.set(provider, { from: own?.from ?? entry, to: entry });
      // From its first change of a host to its crossing, an upgrade may still have to take back what it did there.
      else if (own && name === 'packageImported') own.to = entry;
    }
    const all = [...owned];
    return all.flatMap(([provider, { from }]) =>
      all
        .filter(([other, time]) => other !== provider && time.from.seq < from.seq && from.seq < time.to.seq)
        .map(([other]) => `${provider} began to change ${host} at ${from.at}, while ${other} was at work there`),
    );
  });
}

// Budget

function begunBeyondBudget(evidence: FleetEvidence): string[] {
  const { parts, status } = evidence;
  const ofEarlier = (wave: number): number => {
    const began = status.waves[wave - 1]?.startedAt ?? '';
    return parts.filter((part) => part.wave < wave).reduce((sum, { events }) => sum + brokenAt(events, began), 0);
  };
  return parts.flatMap(({ wave, events }) =>
    events.flatMap((event, index) => {
      if (event.kind !== 'start') return [];
      const ofWave = brokenAt(events.slice(0, index), event.at);
      const ofAll = ofWave + ofEarlier(wave);
      const budget = budgetAt(evidence, event.at);
      return ofWave < budget.wave && ofAll < budget.run
        ? []
        : [
            `${event.provider} was started at ${event.at}, when ${ofWave} of wave ${wave} and ${ofAll} of all were broken; the budget was ${JSON.stringify(budget)}`,
          ];
    }),
  );
}

/** Who had ended badly, or held, as its wave had heard by then. */
function brokenAt(events: PartEvent[], at: string): number {
  const broken = new Map<string, boolean>();
  for (const event of events)
    if (event.kind === 'report' && event.at <= at) {
      const { provider, endedAt, cause, state } = event.report;
      broken.set(provider, endedAt === undefined ? state === 'held' : cause !== undefined);
    }
  return [...broken.values()].filter((each) => each).length;
}

function budgetAt({ budget, audit }: FleetEvidence, at: string): FleetEvidence['budget'] {
  return audit
    .filter((entry) => entry.what.endsWith(':decideBudget') && entry.verdict === 'accepted' && entry.at <= at)
    .reduce(
      (now, { payload = {} }) => ({
        wave: Number(payload['wave'] ?? now.wave),
        run: Number(payload['run'] ?? now.run),
      }),
      budget,
    );
}

// Orders

function begunAgainstOrders({ parts }: FleetEvidence): string[] {
  return parts.flatMap(({ events }) => {
    const found: string[] = [];
    let against: string | undefined;
    for (const event of events) {
      if (event.kind === 'orders') {
        const { paused, aborted, closed } = event.orders;
        against = paused ? 'a pause' : aborted ? 'an abort' : closed === undefined ? undefined : 'its close';
      } else if (event.kind === 'start' && against !== undefined)
        found.push(`${event.provider} was started at ${event.at}, after its wave had heard of ${against}`);
    }
    return found;
  });
}

// Waves

function begunTooEarly({ parts, members }: FleetEvidence): string[] {
  return parts.flatMap(({ wave, events }) => {
    const first = events.find(({ kind }) => kind === 'start');
    if (!first) return [];
    const before = parts.filter((part) => part.wave < wave).flatMap((part) => startedBy(part));
    return before
      .filter((provider) => !hasRestedBefore(members, provider, first.at))
      .map((provider) => `wave ${wave} began at ${first.at}, when ${provider} of an earlier one was still at work`);
  });
}

const startedBy = ({ events }: PartEvidence): string[] =>
  events.flatMap((event) => (event.kind === 'start' ? [event.provider] : []));

function hasRestedBefore(members: MemberEvidence[], provider: string, at: string): boolean {
  const events = members.find((member) => member.provider === provider)?.run?.events ?? [];
  return events.some(
    (event) =>
      event.at <= at && event.kind === 'report' && (event.report.endedAt !== undefined || event.report.parked > 0),
  );
}

// Those who are skipped

function changedAlthoughSkipped({ members, journal, status }: FleetEvidence): string[] {
  return members.flatMap((member) => {
    if (member.shown.state !== 'skipped') return [];
    const calls = callsOf(member, journal).filter(({ at }) => at >= status.startedAt);
    return calls.length > 0 ? [`${member.provider} is skipped, and was changed by ${calls[0]?.name}`] : [];
  });
}

// Ends

const ENDED_AS: Partial<Record<FleetProviderState, readonly string[]>> = {
  completed: ['COMPLETED'],
  failed: ['FAILED', 'CANCELLED', 'TERMINATED'],
  unreachable: ['FAILED'],
};

function toldOtherwise({ members, parts, status }: FleetEvidence): string[] {
  const started = parts.flatMap((part) => startedBy(part));
  const twice = started.filter((provider, index) => started.indexOf(provider) !== index);
  const sum = Object.values(status.counts).reduce((total, each) => total + each, 0);
  const wrong = members.flatMap(({ provider, shown: { state }, run }) => {
    if (state === 'skipped') return started.includes(provider) ? [`${provider} is skipped, and was started`] : [];
    const closed = run?.closed ?? 'never started';
    return ENDED_AS[state]?.includes(closed) === true ? [] : [`${provider} is ${state}, and its upgrade ${closed}`];
  });
  const counted = Object.entries(status.counts).filter(
    ([state, count]) => members.filter(({ shown }) => shown.state === state).length !== count,
  );
  return [
    ...wrong,
    ...twice.map((provider) => `${provider} was started twice`),
    ...(sum === members.length ? [] : [`${sum} are counted, and there are ${members.length}`]),
    ...counted.map(([state, count]) => `${count} are counted as ${state}, and others are`),
  ];
}

// For all

/** Calls that change it or its hosts; a host that others use as well says of few calls whose they are. */
function callsOf({ provider, hosts }: MemberEvidence, journal: JournalEntry[]): JournalEntry[] {
  const shared = hosts.some((host) =>
    journal.some((entry) => entry.host === host && entry.provider !== undefined && entry.provider !== provider),
  );
  return journal.filter(
    (entry) =>
      entry.kind === 'call' &&
      CHANGING_CALLS.includes(entry.name) &&
      (entry.provider === provider || (!shared && entry.host !== undefined && hosts.includes(entry.host))),
  );
}

function partOf(parts: PartEvidence[], provider: string): PartEvidence {
  const part = parts.find((candidate) => startedBy(candidate).includes(provider));
  if (!part) throw new Error(`No wave has started ${provider}.`);
  return part;
}
