import { createColors } from 'picocolors';
import { fleetReport, type FleetFacts, type FleetReport } from '../../src/cli/fleet/report';
import { reportPage } from '../../src/cli/fleet/report-page';
import { estimateEnd } from '../../src/cli/fleet/estimate';
import { cellsOf, progressBar } from '../../src/cli/fleet/progress-bar';
import { fleetLines } from '../../src/cli/fleet/status-view';
import { ticksBetween } from '../../src/cli/fleet/time-axis';
import { parseDuration } from '../../src/cli/kit/text/duration';
import { summary } from './fake-upgrades';
import { NOW } from './fixtures';
import { counts, fleetFacts, fleetStatus, fleetView, largeFleet } from './fleet-fixtures';

const paint = createColors(false);

describe('the progress bar', () => {
  test('is as wide as it should be, and shows everybody, however few', () => {
    const few = counts({ completed: 9_970, running: 10, held: 1, failed: 1, pending: 18 });
    expect(progressBar(few, 40, paint)).toHaveLength(40);
    expect(cellsOf(few, 40).map(([state]) => state)).toEqual(['completed', 'running', 'held', 'failed', 'pending']);
    expect(progressBar(counts({ completed: 1, pending: 1 }), 10, paint)).toBe('█████░░░░░');
    expect(progressBar(counts({}), 10, paint)).toBe('');
  });
});

describe('the estimated end', () => {
  const now = NOW;
  const hoursLeft = (...given: Parameters<typeof estimateEnd>): number | undefined => {
    const estimate = estimateEnd(...given);
    return estimate && (Date.parse(estimate.endsAt) - now.getTime()) / 3_600_000;
  };

  test('is not known before an upgrade has ended, nor when nothing is left', () => {
    const nothingMeasured = fleetStatus({ measured: { upgrades: 0, seconds: 0, stepSeconds: {} } });
    expect(estimateEnd(nothingMeasured, [], { soak: 0, now })).toBeUndefined();
    const done = fleetStatus({ counts: counts({ completed: 10 }) });
    expect(estimateEnd(done, [], { soak: 0, now })).toBeUndefined();
  });

  test('adds the steps that are left of those that run, and gives the rest to the first free slot', () => {
    // One runs and has validate (20 min) left; six of an hour each, on two slots: one ends after 3 h 20 min.
    expect(hoursLeft(fleetStatus(), ['validate'], { soak: 0, now })).toBeCloseTo(3 + 1 / 3);
  });

  test('takes a whole upgrade for what runs at a step that is not known', () => {
    expect(hoursLeft(fleetStatus(), [], { soak: 0, now })).toBeCloseTo(4);
  });

  test('lets waves begin one after the other, with the soak time in between', () => {
    const [first, second] = fleetStatus().waves;
    const waves = [
      { ...first!, state: 'running' as const, counts: counts({ pending: 3 }) },
      { ...second!, state: 'pending' as const, counts: counts({ pending: 2 }) },
    ];
    const status = fleetStatus({ waves, counts: counts({ pending: 5 }) });
    expect(hoursLeft(status, [], { soak: 3600, now })).toBeCloseTo(2 + 1 + 1);
  });

  test('counts only the rest of a soak time that has begun', () => {
    const [first, second] = fleetStatus().waves;
    const ended = new Date(now.getTime() - 1_800_000).toISOString();
    const waves = [
      { ...first!, state: 'soaking' as const, endedAt: ended },
      { ...second!, state: 'pending' as const, counts: counts({ pending: 2 }) },
    ];
    const status = fleetStatus({ waves, counts: counts({ completed: 1, pending: 2 }) });
    expect(hoursLeft(status, [], { soak: 3600, now })).toBeCloseTo(0.5 + 1);
  });

  test('leaves out those who wait for people, and says how many they are', () => {
    const status = fleetStatus({ counts: counts({ pending: 2, held: 3, parked: 4 }) });
    expect(estimateEnd(status, [], { soak: 0, now })).toMatchObject({ waitForPeople: 7, basedOn: 1 });
  });
});

describe('the status of a fleet', () => {
  const look = { ...fleetView(), needs: { count: 40, upgrades: [] } };
  const options = {
    now: NOW,
    paint,
    width: 80,
    calling: { shell: 'posix' as const, connection: [] },
  };

  test('fits the terminal, and says how many more need someone', () => {
    const lines = fleetLines(look, options);
    expect(lines.join('\n')).toContain("and 40 more: npx onward fleet providers autumn --state 'held,parked'");
    expect(lines.filter((line) => line.startsWith('  ▸ wave 2'))).toEqual([
      '  ▸ wave 2  1 running, 1 held, 1 failed, 6 pending  (2 broken of 2 allowed)  3 …',
    ]);
  });

  test('says when the fleet was terminated, and what that means', () => {
    const lines = fleetLines({ ...look, execution: 'terminated' }, options);
    expect(lines.join('\n')).toContain('Upgrades that it has started go on by themselves');
  });
});

describe('the time axis', () => {
  test.each([
    ['20 s', 20_000, ['11-03 12:00:00', '12:00:05', '12:00:10', '12:00:15', '12:00:20']],
    ['2 hours', 7_200_000, ['11-03 12:00', '12:15', '12:30', '12:45', '13:00', '13:15', '13:30', '13:45', '14:00']],
    ['a month', 30 * 86_400_000, ['11-05', '11-12', '11-19', '11-26', '12-03']],
  ])('has round times over %s', (_, length, labels) => {
    expect(ticksBetween(NOW.getTime(), NOW.getTime() + length).map(({ label }) => label)).toEqual(labels);
  });
});

test.each([
  ['90', 90],
  ['1.5h', 5400],
  ['15 min', 900],
  ['2d', 172_800],
  ['soon', undefined],
  ['-5m', undefined],
])('the length %j is %s seconds', (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});

describe('the report', () => {
  const about = { now: NOW, onwardVersion: '1.0.0' };
  const pageOf = (facts: FleetFacts): string => reportPage(fleetReport(facts, about));

  test('tells who was upgraded later by another start', () => {
    const later = new Map([['fabrikam', { ...summary, provider: 'fabrikam', execution: 'completed' as const }]]);
    const { providers } = fleetReport({ ...fleetFacts, later }, about);
    expect(providers.find(({ provider }) => provider === 'fabrikam')).toMatchObject({
      since: { execution: 'completed' },
    });
    expect(pageOf({ ...fleetFacts, later })).toMatch(/1 by later starts.*upgraded by a later start/s);
  });

  test('gathers the lengths of steps over the upgrades that completed', () => {
    const { timings } = fleetReport(largeFleet(50, 8), about);
    expect(timings.upgrades).toMatchObject({ count: 47 });
    expect(timings.steps.map(({ step }) => step)).toEqual(['preflight', 'importPackage']);
    const [preflight] = timings.steps;
    expect(preflight?.median).toBeLessThanOrEqual(preflight?.longest ?? 0);
  });

  test('as a page needs nothing else, and lets nothing in', () => {
    const page = pageOf(fleetFacts);
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(page).not.toMatch(/<script|<link|<img|<iframe|<object|@import|url\(|\bsrc=|\bhref=|\son\w+=/i);
  });

  test('as a page shows whatever people and systems say as text', () => {
    const evil = `"><img src=x onerror='alert(1)'>\u202e`;
    const providers = fleetFacts.providers.map((each) => ({ ...each, from: evil, cause: evil, problem: evil }));
    const audit = fleetFacts.audit.map((entry) => ({ ...entry, detail: evil, by: evil }));
    const page = pageOf({ ...fleetFacts, providers, audit });
    expect(page).not.toContain('<img');
    expect(page).not.toContain('\u202e');
    expect(page).toContain('&quot;&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;\\u{202e}');
  });

  test('as a page can be read without seeing the pictures', () => {
    const page = pageOf(largeFleet(50, 8));
    expect(page).toContain('<html lang="en">');
    for (const [, id] of page.matchAll(/aria-labelledby="([^"]+)"/g)) expect(page.split(`id="${id}"`)).toHaveLength(2);
    const pictures = [...page.matchAll(/<svg [^>]*>/g)].map(([tag]) => tag);
    expect(pictures.filter((tag) => !/role="img"|aria-hidden="true"/.test(tag))).toEqual([]);
    expect(page.match(/<th scope="row">provider-/g)?.length).toBeGreaterThanOrEqual(50);
    expect([...page.matchAll(/<h(\d)/g)].map(([, level]) => Number(level)).slice(0, 2)).toEqual([1, 2]);
  });

  test('as a page draws a bar for each provider and a mark for each crossing, the waves apart', () => {
    const facts = largeFleet(400, 20);
    const page = pageOf(facts);
    const shapes = (look: string): number =>
      [...page.matchAll(new RegExp(`class="${look}" d="([^"]*)"`, 'g'))].reduce(
        (sum, [, d = '']) => sum + d.split('M').length - 1,
        0,
      );
    const report: FleetReport = fleetReport(facts, about);
    const inState = (state: string): number => report.providers.filter((each) => each.state === state).length;
    // Four bars of the picture of the waves look like those of providers that have completed.
    expect(shapes('s-completed')).toBe(inState('completed') + 4);
    // In a dense picture each of them has a mark at the edge as well.
    const dense = report.providers.filter(({ wave, state }) => wave > 2 && state === 'failed').length;
    expect(shapes('s-failed')).toBe(inState('failed') + dense);
    expect(shapes('crossing') + shapes('crossing thin')).toBe(
      report.providers.filter(({ crossedAt }) => crossedAt !== undefined).length,
    );
    expect(page.match(/<h3>Wave /g)).toHaveLength(4);
  });

  test('as a page stays small enough to be opened, and keeps those that failed', () => {
    expect(pageOf(largeFleet(5000, 100)).length).toBeLessThan(1_500_000);
    const facts = largeFleet(20_000, 400);
    const page = pageOf(facts);
    expect(page.length).toBeLessThan(2_500_000);
    const failed = facts.providers.filter(({ state }) => state === 'failed');
    expect(failed.filter(({ provider }) => !page.includes(`>${provider}<`))).toEqual([]);
    expect(page).toContain('more are in the JSON report only');
  });
});
