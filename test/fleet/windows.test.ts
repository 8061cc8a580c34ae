/** When a provider may be changed: by the clock on its wall, whatever is done to that clock. */
import { maintenance, type Maintenance } from '../../src/contract/maintenance';
import { lookAtWindow } from '../../src/maintenance/look-at-window';

const HOUR = 3600;
const NIGHTLY: Maintenance['windows'] = [
  { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '22:00', to: '04:00' },
];

function settings(change: Partial<Maintenance> = {}): Maintenance {
  return maintenance.parse({ timeZone: 'Europe/Berlin', windows: NIGHTLY, afterCrossing: HOUR, ...change });
}
const look = (given: Maintenance, at: string, needed = 0) => lookAtWindow(given, Date.parse(at), needed);
const daily = (from: string, to: string): Maintenance['windows'] => [{ ...NIGHTLY[0], from, to } as never];

test.each([
  ['before it opens', '2027-01-12T20:59:59Z', { open: false, opensAt: '2027-01-12T21:00:00.000Z' }],
  ['when it opens', '2027-01-12T21:00:00Z', { open: true, closesAt: '2027-01-13T03:00:00.000Z' }],
  ['after midnight', '2027-01-13T02:59:59Z', { open: true, closesAt: '2027-01-13T03:00:00.000Z' }],
  ['when it closes', '2027-01-13T03:00:00Z', { open: false, opensAt: '2027-01-13T21:00:00.000Z' }],
  ['in summer, an hour earlier by UTC', '2027-07-12T20:00:00Z', { open: true, closesAt: '2027-07-13T02:00:00.000Z' }],
])('a window over midnight in the zone of the provider: %s', (_, at, verdict) => {
  expect(look(settings(), at)).toEqual(verdict);
});

test('what has to fit waits for a window in which it fits', () => {
  expect(look(settings(), '2027-01-13T01:00:00Z', 2 * HOUR)).toEqual({
    open: true,
    closesAt: '2027-01-13T03:00:00.000Z',
  });
  expect(look(settings(), '2027-01-13T01:00:01Z', 2 * HOUR)).toEqual({
    open: false,
    opensAt: '2027-01-13T21:00:00.000Z',
  });
});

test('a day of the week is that on which the window opens', () => {
  const saturdays = settings({ windows: [{ days: ['sat'], from: '22:00', to: '04:00' }] });
  expect(look(saturdays, '2027-01-17T02:00:00Z')).toMatchObject({ open: true });
  expect(look(saturdays, '2027-01-18T02:00:00Z')).toEqual({ open: false, opensAt: '2027-01-23T21:00:00.000Z' });
});

test('windows that meet are one, and the same time twice means a whole day', () => {
  const meeting = settings({
    windows: [
      { days: ['fri'], from: '22:00', to: '00:00' },
      { days: ['sat'], from: '00:00', to: '00:00' },
    ],
  });
  expect(look(meeting, '2027-01-15T21:30:00Z', 20 * HOUR)).toEqual({
    open: true,
    closesAt: '2027-01-16T23:00:00.000Z',
  });
});

test('on blackout dates nothing is open, from midnight to midnight, even where a window reaches into them', () => {
  const blacked = settings({ blackoutDates: ['2027-12-24', '2027-12-25'] });
  expect(look(blacked, '2027-12-23T22:00:00Z')).toEqual({ open: true, closesAt: '2027-12-23T23:00:00.000Z' });
  expect(look(blacked, '2027-12-24T01:00:00Z')).toEqual({ open: false, opensAt: '2027-12-25T23:00:00.000Z' });
});

test('a leap day is a day like any other', () => {
  const tuesdays = settings({ windows: [{ days: ['tue'], from: '10:00', to: '12:00' }] });
  expect(look(tuesdays, '2028-02-28T12:00:00Z')).toEqual({ open: false, opensAt: '2028-02-29T09:00:00.000Z' });
  expect(look(settings({ blackoutDates: ['2028-02-29'] }), '2028-02-28T23:30:00Z')).toEqual({
    open: false,
    opensAt: '2028-02-29T23:00:00.000Z',
  });
});

describe('in the night in which summer time begins', () => {
  test('an opening in the hour that is left out comes when that hour would have begun', () => {
    // 02:00 becomes 03:00 at 01:00 UTC.
    expect(look(settings({ windows: daily('02:30', '05:00') }), '2027-03-28T00:30:00Z')).toEqual({
      open: false,
      opensAt: '2027-03-28T01:00:00.000Z',
    });
  });
  test('a closing in it comes when it would have begun', () => {
    expect(look(settings({ windows: daily('00:00', '02:30') }), '2027-03-28T00:59:59Z')).toEqual({
      open: true,
      closesAt: '2027-03-28T01:00:00.000Z',
    });
  });
  test('a window that lies in it is not open at all that night', () => {
    const inTheGap = settings({ windows: daily('02:10', '02:50'), afterCrossing: 60 });
    expect(look(inTheGap, '2027-03-28T00:30:00Z')).toEqual({ open: false, opensAt: '2027-03-29T00:10:00.000Z' });
  });
  test('a window of six hours has five, and what needs six waits for the next night', () => {
    expect(look(settings(), '2027-03-27T20:00:00Z', 6 * HOUR)).toEqual({
      open: false,
      opensAt: '2027-03-28T20:00:00.000Z',
    });
  });
});

describe('in the night in which summer time ends', () => {
  test('a window is open only while the clock shows a time in it: it opens at the second 02:30 and closes at the first', () => {
    // 03:00 becomes 02:00 at 01:00 UTC.
    expect(look(settings({ windows: daily('02:30', '05:00') }), '2027-10-31T00:45:00Z')).toEqual({
      open: false,
      opensAt: '2027-10-31T01:30:00.000Z',
    });
    expect(look(settings({ windows: daily('00:00', '02:30') }), '2027-10-30T23:00:00Z')).toEqual({
      open: true,
      closesAt: '2027-10-31T00:30:00.000Z',
    });
  });
  test('a window of six hours has seven', () => {
    expect(look(settings(), '2027-10-30T20:00:00Z', 7 * HOUR)).toMatchObject({ open: true });
  });
});

test.each(['America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'America/St_Johns', 'Pacific/Apia', 'UTC'])(
  'in %s, at every moment of an open window the wall clock shows a time in it, over a whole year',
  (timeZone) => {
    const given = settings({ timeZone, windows: daily('01:15', '03:45') });
    const clock = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    for (let at = Date.parse('2027-01-01T00:07:00Z'); at < Date.parse('2028-01-01T00:00:00Z'); at += 1_757 * 60_000) {
      const wall = clock.format(at);
      const verdict = lookAtWindow(given, at, 0);
      if (verdict.open) expect(wall >= '01:15' && wall < '03:45').toBe(true);
      else expect(Date.parse(verdict.opensAt)).toBeGreaterThan(at);
    }
  },
);

test('an entry whose crossing fits into no window is refused, and so are zones without a name', () => {
  const parsed = maintenance.safeParse({
    timeZone: 'Europe/Berlin',
    windows: [
      { days: ['sat'], from: '22:00', to: '00:00' },
      { days: ['sun'], from: '00:00', to: '02:00' },
    ],
    afterCrossing: 4 * HOUR + 1,
  });
  expect(parsed.error?.issues).toMatchObject([
    { path: ['afterCrossing'], message: expect.stringContaining('the longest is open for 14400 s') },
  ]);
  for (const timeZone of ['Mars/Olympus', '+02:00', ''])
    expect(maintenance.safeParse({ timeZone, windows: NIGHTLY }).error?.issues).toMatchObject([
      { path: ['timeZone'], message: expect.stringContaining('IANA name') },
    ]);
});
