/** Each rule of fleets finds evidence that breaks it, and none finds anything in a fleet that did as it should. */
import type {
  FleetProvider,
  FleetProviderState,
  FleetStatus,
  MemberReport,
  WaveOrders,
} from '../../src/contract/fleet';
import type { AuditEntry } from '../../src/contract/status';
import type { JournalEntry } from '../../src/sandbox/journal';
import { noCounts } from '../../workflows/fleet/fleet-state';
import type { FleetEvidence, MemberEvent, MemberEvidence, PartEvidence, PartEvent } from '../kit/judge/fleet-evidence';
import { expectFleetRules, violationsOfFleet, type FleetRule } from '../kit/judge/fleet-rules';

/** Seconds after the fleet began. */
const at = (second: number): string => new Date(Date.parse('2027-01-12T21:00:00Z') + second * 1000).toISOString();

const orders = (second: number, given: Partial<WaveOrders> = {}): PartEvent => ({
  at: at(second),
  kind: 'orders',
  orders: { slots: 2, mayBreak: 1, looks: 0, ...given },
});
const start = (second: number, provider: string): PartEvent => ({ at: at(second), kind: 'start', provider });
const said = (second: number, report: Partial<MemberReport>): { at: string; kind: 'report'; report: MemberReport } => ({
  at: at(second),
  kind: 'report',
  report: { provider: '', state: 'running', parked: 0, ready: false, ...report },
});
const ends = (second: number, provider: string, cause?: string) =>
  said(second, {
    provider,
    state: cause === undefined ? 'completed' : 'rolledBack',
    endedAt: at(second),
    ...(cause === undefined ? {} : { cause }),
  });
const answers = (second: number, name: string, payload: Record<string, unknown>): AuditEntry => ({
  at: at(second),
  by: 'ana',
  what: `update:${name}`,
  verdict: 'accepted',
  detail: 'as asked',
  payload,
});

const member = (
  provider: string,
  host: string,
  state: FleetProviderState,
  run?: { from: number; to: number; closed: string; events: MemberEvent[] },
): MemberEvidence => {
  const shown: FleetProvider = { provider, from: '18.4', to: '18.4.1', state };
  if (!run) return { provider, hosts: [host], shown };
  const { from, to, closed, events } = run;
  return { provider, hosts: [host], shown, run: { startedAt: at(from), closedAt: at(to), closed, events } };
};

const call = (second: number, provider: string, name: string, host?: string): JournalEntry => ({
  seq: second,
  at: at(second),
  kind: 'call',
  system: host === undefined ? 'operations' : 'host',
  provider,
  name,
  ...(host === undefined ? {} : { host }),
});
const effect = (second: number, provider: string, name: string, host?: string): JournalEntry => ({
  ...call(second, provider, name, host),
  kind: 'effect',
});

function status(): FleetStatus {
  const counts = { ...noCounts(), completed: 2, failed: 1, skipped: 1 };
  const wave = { state: 'done' as const, parts: [], counts, budget: { allowed: 1, broken: 0 } };
  return {
    fleet: 'autumn',
    workflowId: 'fleet/autumn',
    state: 'completed',
    startedAt: at(0),
    startedBy: 'ana',
    maxParallel: 2,
    counts,
    leftOut: 0,
    budget: { allowed: 2, broken: 1 },
    waves: [
      { wave: 1, ...wave, startedAt: at(0) },
      { wave: 2, ...wave, startedAt: at(21) },
    ],
    measured: { upgrades: 2, seconds: 20, stepSeconds: {} },
    auditEntries: 0,
  };
}

/** Adele alone; then Bob, who fails, beside Cleo; Dora is never begun, because Bob has spent the budget of the wave. */
const good = (): FleetEvidence => ({
  maxParallel: 2,
  budget: { wave: 1, run: 2 },
  status: status(),
  audit: [],
  parts: [
    { wave: 1, events: [orders(0), start(1, 'adele'), ends(20, 'adele')] },
    {
      wave: 2,
      events: [orders(21), start(22, 'bob'), start(23, 'cleo'), ends(40, 'bob', 'StepFailed'), ends(50, 'cleo')],
    },
  ],
  members: [
    member('adele', 'north', 'completed', { from: 1, to: 20, closed: 'COMPLETED', events: [ends(20, 'adele')] }),
    member('bob', 'north', 'failed', { from: 22, to: 40, closed: 'FAILED', events: [ends(40, 'bob', 'StepFailed')] }),
    member('cleo', 'south', 'completed', { from: 23, to: 50, closed: 'COMPLETED', events: [ends(50, 'cleo')] }),
    member('dora', 'south', 'skipped'),
  ],
  journal: [
    effect(5, 'adele', 'setupRan', 'north'),
    call(8, 'adele', 'txn.Commit'),
    effect(10, 'adele', 'packageImported'),
    call(25, 'bob', 'pem.deactivateST'),
    effect(26, 'bob', 'setupRan', 'north'),
    call(28, 'cleo', 'pem.deactivateST'),
    effect(30, 'cleo', 'setupRan', 'south'),
    effect(35, 'bob', 'siteRestored', 'north'),
    call(36, 'bob', 'pem.activateST'),
    call(44, 'cleo', 'txn.Commit'),
    effect(45, 'cleo', 'packageImported'),
  ],
});

const wave = ({ parts }: FleetEvidence, number: number): PartEvidence => {
  const part = parts[number - 1];
  if (!part) throw new Error(`There is no wave ${number}.`);
  return part;
};
const whose = ({ members }: FleetEvidence, provider: string): Required<MemberEvidence> => {
  const found = members.find((candidate) => candidate.provider === provider);
  if (!found?.run) throw new Error(`There is no upgrade of ${provider}.`);
  return { ...found, run: found.run };
};

const lowers = (evidence: FleetEvidence, second: number): void => {
  evidence.audit.push(answers(second, 'setMaxParallel', { maxParallel: 1 }));
};
const BROKEN: [FleetRule, string, (evidence: FleetEvidence) => void][] = [
  ['slots', 'two at work where one may be', (evidence) => (evidence.maxParallel = 1)],
  [
    'slots',
    'one is begun beside another although the fleet knew of a lower maxParallel',
    (evidence) => {
      lowers(evidence, 21.2);
      wave(evidence, 2).events.splice(1, 0, orders(21.4), orders(21.6));
    },
  ],
  [
    'slots',
    'one that has got its slot back is at work beside another',
    (evidence) => {
      evidence.maxParallel = 1;
      whose(evidence, 'bob').run.events.unshift(said(26.5, { parked: 1 }), {
        at: at(34),
        kind: 'orders',
        orders: { slots: 1 },
      });
    },
  ],
  ['hosts', 'two at work on one host', ({ journal }) => journal.splice(7, 0, effect(31, 'bob', 'setupRan', 'south'))],
  [
    'budget',
    'one is begun when the budget of the wave is spent',
    (evidence) => {
      wave(evidence, 2).events.splice(4, 0, start(41, 'dora'));
      const upgraded = member('dora', 'east', 'completed', { from: 41, to: 60, closed: 'COMPLETED', events: [] });
      evidence.members.splice(3, 1, upgraded);
      Object.assign(evidence.status.counts, { completed: 3, skipped: 0 });
    },
  ],
  [
    'budget',
    'one is begun when an earlier wave has spent the budget of the run',
    (evidence) => {
      wave(evidence, 1).events.splice(-1, 1, ends(20, 'adele', 'StepFailed'));
      evidence.budget.run = 1;
    },
  ],
  [
    'budget',
    'one is begun while another holds',
    (evidence) => wave(evidence, 2).events.splice(2, 0, said(22.5, { provider: 'bob', state: 'held' })),
  ],
  ...(
    [
      ['a pause', { paused: { by: 'ana', reason: 'a test', since: at(22) } }],
      ['an abort', { aborted: { by: 'ana', reason: 'a test', since: at(22) } }],
      ['its close', { closed: 'skipped' }],
    ] as const
  ).map(([what, given]): (typeof BROKEN)[number] => [
    'orders',
    `one is begun after its wave has heard of ${what}`,
    (evidence) => wave(evidence, 2).events.splice(2, 0, orders(22.5, given)),
  ]),
  [
    'waves',
    'a wave begins while one of the wave before it is at work',
    (evidence) => whose(evidence, 'adele').run.events.splice(0, 1, ends(24, 'adele')),
  ],
  [
    'skipped',
    'one that is said to be skipped is changed',
    ({ journal }) => journal.push(call(46, 'dora', 'txn.Begin')),
  ],
  ['ends', 'one that failed is said to be completed', (evidence) => (whose(evidence, 'bob').run.closed = 'COMPLETED')],
  ['ends', 'nobody counts', ({ status: { counts } }) => (counts.failed = 0)],
  ['ends', 'another is counted', ({ status: { counts } }) => Object.assign(counts, { failed: 0, unreachable: 1 })],
  ['ends', 'one is begun twice', (evidence) => wave(evidence, 2).events.splice(3, 0, start(24, 'cleo'))],
];

test('a fleet that did as it should breaks no rule', () => {
  expect(violationsOfFleet(good())).toEqual([]);
  expect(() => expectFleetRules(good())).not.toThrow();
});

test.each(BROKEN)('the rule %s finds: %s', (rule, _, doctor) => {
  const evidence = good();
  doctor(evidence);
  expect([...new Set(violationsOfFleet(evidence).map((violation) => violation.rule))]).toEqual([rule]);
  expect(() => expectFleetRules(evidence)).toThrow(new RegExp(`broke its rules:\n${rule}: `));
});

test.each<[string, (evidence: FleetEvidence) => void]>([
  [
    'one that has parked does not count as at work',
    (evidence) => {
      evidence.maxParallel = 1;
      whose(evidence, 'bob').run.events.unshift(said(26.5, { parked: 1 }));
      evidence.journal = evidence.journal.filter(({ name }) => name !== 'pem.activateST');
    },
  ],
  ['a lower maxParallel reaches nobody who has begun', (evidence) => lowers(evidence, 24)],
  [
    'a higher maxParallel counts from its answer on',
    (evidence) => {
      evidence.maxParallel = 1;
      evidence.audit.push(answers(21.5, 'setMaxParallel', { maxParallel: 2 }));
    },
  ],
  [
    'a new budget lets the fleet go on',
    (evidence) => {
      wave(evidence, 2).events.splice(2, 0, said(22.5, { provider: 'bob', state: 'held' }));
      evidence.audit.push(answers(22.8, 'decideBudget', { action: 'continue', wave: 2 }));
    },
  ],
  [
    'after a resume the wave goes on',
    (evidence) => {
      const paused = { by: 'ana', reason: 'a test', since: at(22) };
      wave(evidence, 2).events.splice(2, 0, orders(22.3, { paused }), orders(22.6));
    },
  ],
  [
    'a wave may begin when those before it are parked',
    (evidence) => {
      wave(evidence, 1).events.splice(-1, 1);
      whose(evidence, 'adele').run.events.splice(0, 1, said(20, { parked: 1 }), ends(60, 'adele'));
    },
  ],
])('no rule finds anything where %s', (_, doctor) => {
  const evidence = good();
  doctor(evidence);
  expect(violationsOfFleet(evidence)).toEqual([]);
});

test('every rule is broken here', () => {
  const rules: Record<FleetRule, true> = {
    slots: true,
    hosts: true,
    budget: true,
    orders: true,
    waves: true,
    skipped: true,
    ends: true,
  };
  expect([...new Set(BROKEN.map(([rule]) => rule))].sort()).toEqual(Object.keys(rules).sort());
});
