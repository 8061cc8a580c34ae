/** What is known of an upgrade after a sequence of events, and what is shown of it. */
import type { Gate, Hold, PlannedStep, StepPhase, StepStatus } from '../../src/contract/status';
import {
  newUpgrade,
  next,
  statusOf,
  type Beginning,
  type KnownUpgrade,
  type UpgradeEvent,
} from '../../workflows/upgrade/state';

/** So many seconds after the start. */
const at = (seconds: number): string => new Date(Date.parse('2019-01-20T14:00:00Z') + seconds * 1000).toISOString();

const planned = (name: string, phase: StepPhase = 'reversible'): PlannedStep => ({
  name,
  title: `To ${name}`,
  procedure: '1. A heading',
  phase,
  requirement: 'mandatory',
  waitsFor: 'nobody',
  undo: 'none',
  changes: [],
});

const PLANNED: UpgradeEvent[] = [
  { type: 'begun', steps: [planned('preflight')] },
  {
    type: 'planned',
    path: { from: '18.3', to: '18.4.1' },
    operation: 'contoso/18.3-18.4.1/run',
    steps: [planned('stop'), planned('cross', 'crossing'), planned('start', 'forward')],
  },
];

/** The upgrade after these events, one a second. */
const after = (events: UpgradeEvent[], beginning: Partial<Beginning> = {}): KnownUpgrade =>
  events.reduce(
    (upgrade, event, index) => next(upgrade, event, at(index + 1)),
    newUpgrade(
      { provider: 'contoso', workflowId: 'upgrade/contoso', startedBy: undefined, fleet: undefined, ...beginning },
      at(0),
    ),
  );
const afterPlan = (...events: UpgradeEvent[]): KnownUpgrade => after([...PLANNED, ...events]);
/** Seconds at which the first event after the plan happens. */
const FIRST = PLANNED.length + 1;

const stepOf = (upgrade: KnownUpgrade, name: string): StepStatus | undefined =>
  statusOf(upgrade).steps.find((step) => step.name === name);
const told = ({ audit }: KnownUpgrade): string[] =>
  audit.map(({ by, what, subject = '', verdict, detail }) => `${by} ${what} ${subject} ${verdict}: ${detail}`);

const gate = (step: string, item?: string): Gate => ({
  id: item === undefined ? step : `${step}/${item}`,
  step,
  ...(item === undefined ? {} : { item }),
  asked: 'operator',
  title: `Look at ${step}`,
  instructions: 'Look.',
  evidence: 'What you saw.',
  answer: { name: 'confirmStep', payload: { step } },
  openedAt: at(0),
});
const hold = (step: string): Hold => ({ step, since: at(0), problem: `${step} failed`, actions: ['retry'] });
const enter = (step: string): UpgradeEvent => ({ type: 'stepEntered', step });
const move = (step: string, state: 'done' | 'undoing' | 'undone' | 'failed', note?: string): UpgradeEvent => ({
  type: 'stepMoved',
  step,
  state,
  ...(note === undefined ? {} : { note }),
});
const open = (key: number, what: Gate): UpgradeEvent => ({ type: 'gateOpened', key, gate: what });

describe('an upgrade that begins', () => {
  test('starts, and runs as soon as its first step is known', () => {
    expect(statusOf(after([]))).toEqual({
      provider: 'contoso',
      workflowId: 'upgrade/contoso',
      state: 'starting',
      crossed: false,
      startedAt: at(0),
      steps: [],
      gates: [],
      holds: [],
      checks: [],
      switchedOff: [],
      switchedOffSeconds: {},
      notUndone: [],
      kept: [],
      auditEntries: 1,
    });
    expect(statusOf(after(PLANNED.slice(0, 1)))).toMatchObject({ state: 'running', step: 'preflight' });
  });

  test('says who has started it, and for which fleet', () => {
    const upgrade = after([], { startedBy: 'ana', fleet: { fleet: 'spring', wave: 2 } });
    expect(statusOf(upgrade)).toMatchObject({ startedBy: 'ana', fleet: { fleet: 'spring', wave: 2 } });
    expect(told(upgrade)).toEqual(['ana start  done: The upgrade began.']);
  });

  test('knows its path, its operation and its steps once they are planned', () => {
    const status = statusOf(afterPlan());
    expect(status).toMatchObject({ path: { from: '18.3', to: '18.4.1' }, operation: 'contoso/18.3-18.4.1/run' });
    expect(status.steps.map(({ name, state }) => `${name}: ${state}`)).toEqual([
      'preflight: pending',
      'stop: pending',
      'cross: pending',
      'start: pending',
    ]);
  });

  test('keeps every check, and writes down those that are not passed', () => {
    const check = (name: string, verdict: 'pass' | 'warning') => ({ name, source: 'notes', verdict, message: name });
    const upgrade = afterPlan(
      { type: 'checked', checks: [check('one', 'pass'), check('two', 'warning')] },
      { type: 'checked', checks: [check('three', 'pass')] },
    );
    expect(statusOf(upgrade).checks.map(({ name }) => name)).toEqual(['one', 'two', 'three']);
    expect(told(upgrade).filter((line) => line.includes(' check '))).toEqual(['upgrade check two done: two']);
  });
});

describe('a step', () => {
  test('runs from when it is entered until it ends, and both are written down once', () => {
    const upgrade = afterPlan(enter('stop'), enter('stop'), move('stop', 'done', 'two templates'));
    expect(stepOf(upgrade, 'stop')).toMatchObject({
      state: 'done',
      startedAt: at(FIRST),
      endedAt: at(FIRST + 2),
      note: 'two templates',
    });
    expect(told(upgrade).slice(1)).toEqual([
      'upgrade step stop done: began',
      'upgrade step stop done: done: two templates',
    ]);
  });

  test('that is skipped was never begun', () => {
    const state = 'skipped';
    const upgrade = afterPlan({ type: 'stepMoved', step: 'start', state, note: 'not wanted' });
    expect(stepOf(upgrade, 'start')).toEqual({
      name: 'start',
      title: 'To start',
      procedure: '1. A heading',
      phase: 'forward',
      state,
      endedAt: at(FIRST),
      note: 'not wanted',
    });
  });

  test('shows its latest note, and keeps it when it ends without another', () => {
    const noted: UpgradeEvent = { type: 'stepNoted', step: 'stop', note: 'half of it' };
    expect(stepOf(afterPlan(enter('stop'), noted, move('stop', 'done')), 'stop')).toMatchObject({ note: 'half of it' });
  });

  test('waits while it asks somebody, and only that one does', () => {
    const upgrade = afterPlan(enter('stop'), open(0, gate('stop', 'a')), open(1, gate('stop', 'b')));
    expect(statusOf(upgrade)).toMatchObject({ state: 'waiting', gates: [{ id: 'stop/a' }, { id: 'stop/b' }] });
    expect(stepOf(upgrade, 'stop')).toMatchObject({ state: 'waiting' });
    expect(stepOf(upgrade, 'start')).toMatchObject({ state: 'pending' });
    const one = next(upgrade, { type: 'gateClosed', key: 0, by: 'ana' }, at(20));
    expect(statusOf(one)).toMatchObject({ state: 'waiting', gates: [{ id: 'stop/b' }] });
    const none = next(one, { type: 'gateClosed', key: 1 }, at(21));
    expect(statusOf(none)).toMatchObject({ state: 'running', gates: [] });
    expect(stepOf(none, 'stop')).toMatchObject({ state: 'running' });
    // Nobody has passed a gate that closes because nobody is asked any more.
    expect(told(none).filter((line) => line.endsWith('passed'))).toEqual(['ana gate stop/a done: passed']);
  });

  test('holds while somebody has to decide, also where it asks something as well', () => {
    const upgrade = afterPlan(enter('stop'), open(0, gate('stop')), { type: 'holdOpened', key: 1, hold: hold('stop') });
    expect(statusOf(upgrade)).toMatchObject({ state: 'held', holds: [{ problem: 'stop failed' }] });
    expect(stepOf(upgrade, 'stop')).toMatchObject({ state: 'held' });
    expect(statusOf(next(upgrade, { type: 'holdClosed', key: 1 }, at(20)))).toMatchObject({
      state: 'waiting',
      holds: [],
    });
  });

  test('is no step unless the path has it', () => {
    expect(() => afterPlan(enter('dance'))).toThrow('dance is no step of this path');
  });
});

describe('a gate', () => {
  const opened = afterPlan(enter('stop'), open(0, gate('stop', 'a')));

  test('says why the last answer was not enough, until the next one comes', () => {
    const refused = next(opened, { type: 'gateRefused', key: 0, by: 'ana', problem: 'still on' }, at(20));
    expect(statusOf(refused).gates).toMatchObject([{ lastProblem: 'still on' }]);
    expect(statusOf(refused)).toMatchObject({
      lastRefused: { at: at(20), by: 'ana', what: 'gate', reason: 'Not accepted: still on' },
    });
    const answered = statusOf(next(refused, { type: 'gateAnswered', key: 0 }, at(21)));
    expect(Object.keys(answered.gates[0] ?? {})).not.toContain('lastProblem');
  });

  test('says when it is reminded of, as holds do', () => {
    const upgrade = next(opened, { type: 'holdOpened', key: 1, hold: hold('stop') }, at(20));
    const reminded = statusOf(next(upgrade, { type: 'reminderSet', keys: [0, 1], next: at(86_400) }, at(21)));
    expect([...reminded.gates, ...reminded.holds].map(({ nextReminderAt }) => nextReminderAt)).toEqual([
      at(86_400),
      at(86_400),
    ]);
    const one = statusOf(next(upgrade, { type: 'reminderSet', keys: [1], next: at(86_400) }, at(21)));
    expect(one.gates[0]?.nextReminderAt).toBeUndefined();
  });
});

describe('what rests an upgrade', () => {
  test('a pause is shown at once, and is its state once it stands still', () => {
    const paused = afterPlan({ type: 'paused', by: 'ana', reason: 'freeze' });
    expect(statusOf(paused)).toMatchObject({
      state: 'running',
      paused: { by: 'ana', reason: 'freeze', since: at(FIRST) },
    });
    const still = next(paused, { type: 'idle', as: 'paused' }, at(20));
    expect(statusOf(still)).toMatchObject({ state: 'paused' });
    const gone = [{ type: 'resumed' } as const, { type: 'idle', as: undefined } as const].reduce<KnownUpgrade>(
      (upgrade, event) => next(upgrade, event, at(21)),
      still,
    );
    expect(statusOf(gone).state).toBe('running');
    expect(Object.keys(statusOf(gone))).not.toContain('paused');
  });

  test('a window says when it opens while it is awaited, and when it closes once it is open', () => {
    const awaited = afterPlan(
      { type: 'windowOpen', closesAt: at(5) },
      { type: 'windowAwaited', opensAt: at(100), waitSeconds: 96, detail: 'closed until then' },
      { type: 'idle', as: 'waitingForWindow' },
    );
    expect(statusOf(awaited)).toMatchObject({ state: 'waitingForWindow' });
    expect(statusOf(awaited).window).toEqual({ opensAt: at(100), waitSeconds: 96 });
    const reached = next(awaited, { type: 'windowReached' }, at(100));
    expect(statusOf(reached).window).toEqual({});
    const overridden = next(reached, { type: 'windowOverridden', by: 'ana', reason: 'urgent' }, at(101));
    const isOpen = next(overridden, { type: 'windowOpen', closesAt: at(200) }, at(102));
    expect(statusOf(isOpen).window).toEqual({ closesAt: at(200), overridden: { by: 'ana', reason: 'urgent' } });
    expect(told(isOpen).filter((line) => line.includes(' window '))).toEqual([
      'upgrade window  done: closed until then',
    ]);
  });

  test('a fleet says that it is paused and parked, and since when does not move', () => {
    const said = { by: 'bo', reason: 'soak', since: at(1) };
    const fleet = { fleet: 'spring', wave: 1 };
    const parked = after([{ type: 'fleetSaid', paused: said, parked: true }], { fleet });
    expect(statusOf(parked).fleet).toEqual({ ...fleet, paused: said, parkedSince: at(1) });
    const later = next(parked, { type: 'fleetSaid', paused: undefined, parked: true }, at(50));
    expect(statusOf(later).fleet).toEqual({ ...fleet, parkedSince: at(1) });
    const back = next(later, { type: 'fleetSaid', paused: undefined, parked: false }, at(51));
    expect(statusOf(back).fleet).toEqual(fleet);
    // Whoever is in no fleet hears none.
    expect(statusOf(afterPlan({ type: 'fleetSaid', paused: said, parked: true })).fleet).toBeUndefined();
  });

  test('a host is named while it is awaited, each time', () => {
    const awaited = (host: string): UpgradeEvent => ({
      type: 'hostAwaited',
      awaited: { host, upgrade: 'upgrade/fabrikam' },
    });
    const twice = afterPlan(awaited('gw1'), awaited('gw2'));
    expect(statusOf(twice).awaitedHost).toEqual({ host: 'gw2', upgrade: 'upgrade/fabrikam' });
    const none = next(twice, { type: 'hostAwaited', awaited: undefined }, at(20));
    expect(Object.keys(statusOf(none))).not.toContain('awaitedHost');
    expect(statusOf(next(none, awaited('gw1'), at(21))).awaitedHost).toMatchObject({ host: 'gw1' });
  });
});

describe('what is switched off', () => {
  const off = (what: string): UpgradeEvent => ({ type: 'switchedOff', what });
  const on = (what: string): UpgradeEvent => ({ type: 'switchedOn', what });

  test('is counted from the first time it is said until it is on again, each thing by itself', () => {
    const both = afterPlan(off('provisioning'), off('synchronisation'), off('provisioning'));
    expect(statusOf(both).switchedOff).toEqual([
      { what: 'provisioning', since: at(FIRST) },
      { what: 'synchronisation', since: at(FIRST + 1) },
    ]);
    const one = statusOf(next(both, on('provisioning'), at(FIRST + 90)));
    expect(one.switchedOff).toEqual([{ what: 'synchronisation', since: at(FIRST + 1) }]);
    expect(one.switchedOffSeconds).toEqual({ provisioning: 90 });
  });

  test('more than once is counted together', () => {
    const once = next(afterPlan(off('provisioning')), on('provisioning'), at(FIRST + 10));
    const again = next(next(once, off('provisioning'), at(100)), on('provisioning'), at(105));
    expect(statusOf(again)).toMatchObject({ switchedOff: [], switchedOffSeconds: { provisioning: 15 } });
  });

  test('is not on again unless it was off', () => {
    expect(statusOf(afterPlan(on('provisioning')))).toMatchObject({ switchedOff: [], switchedOffSeconds: {} });
  });
});

describe('a rollback', () => {
  test('shows which step is being undone, which asks for somebody, and which are', () => {
    const undoing = afterPlan(enter('stop'), move('stop', 'done'), { type: 'rollbackBegun' }, move('stop', 'undoing'));
    expect(statusOf(undoing)).toMatchObject({ state: 'rollingBack' });
    expect(stepOf(undoing, 'stop')).toMatchObject({ state: 'undoing' });
    const asking = next(undoing, open(0, gate('stop', 'on')), at(20));
    expect(statusOf(asking)).toMatchObject({ state: 'rollingBack', gates: [{ id: 'stop/on' }] });
    expect(stepOf(asking, 'stop')).toMatchObject({ state: 'waiting' });
    const closed = next(asking, { type: 'gateClosed', key: 0, by: 'ana' }, at(21));
    expect(stepOf(closed, 'stop')).toMatchObject({ state: 'undoing' });
    expect(stepOf(next(closed, move('stop', 'undone'), at(22)), 'stop')).toMatchObject({
      state: 'undone',
      endedAt: at(22),
    });
  });

  test('names what was not undone, and once what stays', () => {
    const kept: UpgradeEvent = { type: 'kept', step: 'stop', what: 'a runtime' };
    const upgrade = afterPlan(
      kept,
      kept,
      { type: 'rollbackBegun' },
      { type: 'notUndone', step: 'stop', problem: 'no copy' },
    );
    expect(statusOf(upgrade)).toMatchObject({ kept: ['stop: a runtime'], notUndone: ['stop: no copy'] });
  });
});

describe('the point of no return', () => {
  test('is passed once for all, and a cancellation after it is refused', () => {
    const early = afterPlan({ type: 'cancelled' });
    expect(statusOf(early).cancelRefusedAt).toBeUndefined();
    const crossed = next(early, { type: 'crossed', step: 'cross' }, at(20));
    expect(statusOf(crossed)).toMatchObject({ crossed: true, crossedAt: at(20) });
    expect(statusOf(next(crossed, { type: 'cancelled' }, at(21)))).toMatchObject({ cancelRefusedAt: at(21) });
    expect(told(crossed).at(-1)).toContain('upgrade crossing cross done: The point of no return');
  });
});

test('an upgrade that has ended is in no step, and paused by nobody', () => {
  const ended = statusOf(
    afterPlan(
      enter('stop'),
      { type: 'paused', by: 'ana', reason: 'freeze' },
      { type: 'ended', outcome: { state: 'completed', endedAt: at(30) } },
    ),
  );
  expect(ended).toMatchObject({ state: 'completed', endedAt: at(30) });
  expect(Object.keys(ended)).not.toContain('step');
  expect(Object.keys(ended)).not.toContain('paused');
});

describe('the audit trail', () => {
  const refused = (number: number): UpgradeEvent => ({
    type: 'noted',
    entry: { by: 'eve', what: 'signal:abort', verdict: 'refused', detail: `try ${number}` },
  });

  test('keeps the newest of what was refused, everything else, and the number of all', () => {
    const tries = Array.from({ length: 250 }, (_, number) => refused(number));
    const upgrade = afterPlan(enter('stop'), ...tries, move('stop', 'done'));
    const kept = upgrade.audit.filter(({ verdict }) => verdict === 'refused');
    expect(kept.map(({ detail }) => detail)).toEqual(tries.slice(-200).map((_, index) => `try ${index + 50}`));
    expect(upgrade.audit.filter(({ what }) => what === 'start' || what === 'step')).toHaveLength(3);
    expect(statusOf(upgrade)).toMatchObject({
      auditEntries: 3 + 250,
      lastRefused: { by: 'eve', what: 'signal:abort', reason: 'try 249' },
    });
  });
});

test('no event changes what was known before it', () => {
  const frozen = (value: unknown): void => {
    if (value === null || typeof value !== 'object' || Object.isFrozen(value)) return;
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  };
  const events: UpgradeEvent[] = [
    ...PLANNED,
    enter('stop'),
    { type: 'switchedOff', what: 'provisioning' },
    open(0, gate('stop')),
    { type: 'reminderSet', keys: [0], next: at(9) },
    { type: 'gateRefused', key: 0, by: 'ana', problem: 'no' },
    { type: 'gateClosed', key: 0, by: 'ana' },
    { type: 'switchedOn', what: 'provisioning' },
    move('stop', 'done'),
  ];
  let upgrade = after([]);
  for (const event of events) {
    frozen(upgrade);
    upgrade = next(upgrade, event, at(1));
  }
  expect(stepOf(upgrade, 'stop')).toMatchObject({ state: 'done' });
});
