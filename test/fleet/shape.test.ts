/** However large a fleet is, no payload of it is: 5,000 providers, all with long names and a lot to tell. */
import {
  fleetInput,
  waveWorkflowId,
  type FleetRequest,
  type MemberReport,
  type WaveInput,
} from '../../src/contract/fleet';
import { ordersOf, remembered } from '../../workflows/fleet/advance';
import { PREFLIGHT, plannedPath } from '../../workflows/engine/planned-steps';
import { PART_BYTES, tooLarge } from '../../workflows/fleet/capacity';
import { LIMITS } from '../../workflows/fleet/fleet-record';
import { bytesOf } from '../../src/contract/status';
import { trailWith } from '../../workflows/kit/audit-trail';
import { CATALOGUE } from '../../workflows/releases';
import { planOf, statusOf } from '../../workflows/fleet/view';
import { carriedOf, newFleet, type FleetProgress } from '../../workflows/fleet/fleet-state';
import { LeftOutList, judgeSurveyed } from '../../workflows/fleet/judge-survey';
import { partition, type Target } from '../../workflows/fleet/partition';
import { newWave, reportOf, shown, takeIn, type WaveState } from '../../workflows/fleet/wave-state';

const PROVIDERS = 5_000;
const LIMIT = 512 * 1024;
/** Of an entry with about 100 endpoint hosts. */
const LARGE_ENTRY = 16 * 1024;
const LONG_REASON = 'x'.repeat(4_000);
const TIME = '2027-01-12T21:00:00.000Z';

const idOf = (index: number): string => `provider-${String(index).padStart(5, '0')}.example`;
const targets: Target[] = Array.from({ length: PROVIDERS }, (_, index) => ({
  provider: idOf(index),
  name: `The cloud service provider number ${index}`,
  from: '18.3',
  to: '18.4.1',
  bytes: LARGE_ENTRY,
}));
const request: FleetRequest = fleetInput.parse({
  name: 'autumn-of-the-year-2027',
  startedBy: 'ana@operations.example',
  providers: { ids: targets.map(({ provider }) => provider) },
});
const cut = partition(targets, request.waves).waves;

/** Of the longest path of the catalogue. */
const STEPS = CATALOGUE.releases
  .flatMap((release) =>
    release.paths.map((path) => [PREFLIGHT.name, ...plannedPath(path, release).map(({ name }) => name)]),
  )
  .reduce((longest, each) => (each.length > longest.length ? each : longest));

const asked = { by: 'ana@operations.example', reason: LONG_REASON, since: TIME };

const inputOf = (wave: number, part: number, providers: Target[]): WaveInput => ({
  fleet: request.name,
  wave,
  part,
  startedBy: request.startedBy,
  parkAfter: request.parkAfter,
  providers: providers.map(({ provider, name = '', from, to }) => ({ provider, name, from, to })),
});

/** Everybody of it has ended and told everything. */
function endedWave(input: WaveInput): WaveState {
  const wave = newWave(input);
  wave.frozen = true;
  const stepSeconds = Object.fromEntries(STEPS.map((step, index) => [step, 1000.5 + index]));
  for (const member of wave.members) {
    Object.assign(member, { state: 'running', startedAt: TIME, firstRun: 'x'.repeat(36), told: 'x'.repeat(100) });
    const report: MemberReport = {
      provider: member.provider,
      state: 'completed',
      parked: 1,
      ready: false,
      stepSeconds,
    };
    takeIn(wave, { ...report, crossedAt: TIME, endedAt: TIME });
  }
  return wave;
}

function fleetOf(parts: Target[][][]): FleetProgress {
  return {
    ...newFleet(request, TIME),
    waves: parts.map(() => ({ state: 'running', approved: true, startedAt: TIME, endedAt: TIME, soaksUntil: TIME })),
    parts: parts.flatMap((wave, index) =>
      wave.map((providers, number) => {
        const input = inputOf(index + 1, number + 1, providers);
        return {
          workflowId: waveWorkflowId(request.name, index + 1, number + 1),
          firstRun: 'x'.repeat(36),
          wave: index + 1,
          providers: providers.length,
          orders: { slots: 10, mayBreak: 10, looks: 10 },
          report: { ...reportOf(endedWave(input)), ended: false },
        };
      }),
    ),
  };
}

const expectFits = (sizes: Record<string, number>): void =>
  expect(Object.entries(sizes).filter(([, bytes]) => bytes >= LIMIT)).toEqual([]);

test('every part of a wave hands on less than 512 KiB, at its beginning and at its end', () => {
  const frozen = (providers: Target[]) => providers.map(({ bytes }) => 'x'.repeat(bytes));
  for (const [index, wave] of cut.entries())
    for (const [number, providers] of wave.entries()) {
      const input = inputOf(index + 1, number + 1, providers);
      const begun: WaveState = { ...newWave(input), orders: { slots: 9, mayBreak: 9, looks: 9, paused: asked } };
      expectFits({
        input: bytesOf([input]),
        'at its beginning': bytesOf([input, begun, frozen(providers)]),
        'at its end': bytesOf([input, endedWave(input)]),
        'its answer': bytesOf(endedWave(input).members.map(shown)),
      });
    }
});

test('what a fleet hands on, and what it answers, stays below 512 KiB, whatever people have said to it', () => {
  const fleet = fleetOf(cut);
  fleet.aborted = asked;
  fleet.halted = { since: TIME, problem: LONG_REASON };
  const orders = ordersOf(fleet);
  for (const told of orders) told.part.orders = remembered(told.orders);
  for (let said = 0; said < 1_000; said++)
    fleet.audit = trailWith(
      fleet.audit,
      {
        at: TIME,
        by: asked.by,
        what: 'update:pause',
        verdict: said % 2 === 0 ? 'accepted' : 'refused',
        detail: LONG_REASON,
        payload: { by: asked.by, reason: LONG_REASON },
      },
      LIMITS,
    );
  expect(fleet.audit.length).toBeGreaterThan(10);
  expect(tooLarge(fleet, fleet.parts.length)).toBeUndefined();
  expectFits({
    'continue as new': bytesOf([request, carriedOf(fleet)]),
    status: bytesOf(statusOf(fleet)),
    plan: bytesOf(planOf(fleet, CATALOGUE)),
    audit: bytesOf(fleet.audit),
    ...Object.fromEntries(orders.map((told) => [`orders of ${told.part.workflowId}`, bytesOf(told.orders)])),
  });
});

test('a fleet as large as it may be stays below 512 KiB, and a larger one is refused with what to do', () => {
  const [some = []] = partition(targets.slice(0, 40), ['rest']).waves;
  const selected = fleetInput.parse({ ...request, providers: { labels: { region: 'everywhere' } } });
  const planned = { ...newFleet(selected, TIME), leftOut: [] };
  let parts = 1;
  while (tooLarge(planned, parts + 1) === undefined) parts++;
  const fleet: FleetProgress = { ...fleetOf([Array.from({ length: parts }, () => some[0] ?? [])]), request: selected };
  fleet.aborted = asked;
  fleet.halted = { since: TIME, problem: LONG_REASON };
  for (let said = 0; said < 500; said++)
    fleet.audit = trailWith(
      fleet.audit,
      {
        at: TIME,
        by: asked.by,
        what: 'update:pause',
        verdict: said % 2 === 0 ? 'accepted' : 'refused',
        detail: 'だ'.repeat(4_000),
      },
      LIMITS,
    );

  expect(parts).toBeGreaterThan(400);
  expect(Math.max(...fleet.parts.map((part) => bytesOf(part)))).toBeLessThan(PART_BYTES);
  expectFits({ 'continue as new': bytesOf([selected, carriedOf(fleet)]), status: bytesOf(statusOf(fleet)) });
  expect(tooLarge(planned, parts + 1)).toContain(`its waves have ${parts + 1} parts`);
  expect(tooLarge({ ...planned, request }, parts)).toContain('Select providers by labels');
});

test('a provider whose entry no part can hold is left out', () => {
  const surveyed = {
    provider: 'contoso',
    bytes: 256 * 1024,
    build: 'oa-8.0-1216',
    packageVersions: ['18.3-1'],
    clouds: [],
  };
  const judged = (bytes: number) => judgeSurveyed({ ...surveyed, bytes }, { providers: { all: true } }, CATALOGUE);
  expect(judged(256 * 1024 + 1)).toEqual({
    reason: 'its entry in the inventory is larger than 256 KiB: upgrade it on its own',
  });
  expect(judged(256 * 1024)).toEqual({
    target: { provider: 'contoso', from: '18.3', to: '18.4.1', bytes: 256 * 1024 },
  });
});

test('a fleet that leaves nearly everybody out, each for a reason of its own, stays below 512 KiB', () => {
  const leftOut = new LeftOutList();
  for (const { provider } of targets.slice(1))
    leftOut.add(provider, 'it cannot be reached', `${provider} ${LONG_REASON}`);
  const fleet: FleetProgress = { ...fleetOf([[targets.slice(0, 1)]]), leftOut: leftOut.list() };
  expectFits({
    'continue as new': bytesOf([request, carriedOf(fleet)]),
    status: bytesOf(statusOf(fleet)),
    plan: bytesOf(planOf(fleet, CATALOGUE)),
  });
});

test('what a fleet hands on lacks only its request, which is the input of every run', () => {
  const fleet = fleetOf([[targets.slice(0, 2)]]);
  expect({ ...carriedOf(fleet), request }).toEqual(fleet);
  expect(carriedOf(fleet)).not.toHaveProperty('request');
});

test('orders that an earlier build has handed on whole count as sent', () => {
  const orders = { slots: 2, mayBreak: 1, paused: asked, aborted: asked, closed: LONG_REASON, looks: 3 };
  expect(remembered(orders)).toEqual({ slots: 2, mayBreak: 1, paused: true, aborted: true, closed: true, looks: 3 });
  expect(remembered(remembered(orders))).toEqual(remembered(orders));
  expect(remembered({ slots: 2, mayBreak: 1, looks: 3 })).toEqual({ slots: 2, mayBreak: 1, looks: 3 });
});
