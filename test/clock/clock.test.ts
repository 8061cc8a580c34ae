import { DAY, expiryOf, nextNotice, stateAt } from '../../workflows/consent/token-clock';

const schedule = { days: [1, 3, 7], thenEveryDays: 7 };
const at = (iso: string): number => Date.parse(iso);

/** Days before the end at which people hear of a token, from its consent on; after the end they are negative. */
function daysBeforeTheEnd(consentedAt: number, count: number): number[] {
  const expiresAt = expiryOf(consentedAt);
  const days: number[] = [];
  for (let told = consentedAt; days.length < count;) {
    told = nextNotice(expiresAt, schedule, told);
    days.push((expiresAt - told) / DAY);
  }
  return days;
}

test.each([
  ['an ordinary spring', '2027-01-10T08:00:00.000Z', '2027-04-10T08:00:00.000Z'],
  ['a leap day', '2028-01-10T08:00:00.000Z', '2028-04-09T08:00:00.000Z'],
  ['a leap day as its first', '2028-02-29T23:59:59.999Z', '2028-05-29T23:59:59.999Z'],
  ['a century without a leap day', '2100-01-10T08:00:00.000Z', '2100-04-10T08:00:00.000Z'],
  ['the hour that summer time leaves out in Berlin', '2027-03-28T01:30:00.000Z', '2027-06-26T01:30:00.000Z'],
  ['the hour that winter time repeats in New York', '2026-11-01T05:30:00.000Z', '2027-01-30T05:30:00.000Z'],
  ['a turn of the year', '2026-12-31T23:59:59.000Z', '2027-03-31T23:59:59.000Z'],
])('90 days are 90 times 24 hours: %s', (_, consentedAt, expiresAt) => {
  expect(new Date(expiryOf(at(consentedAt))).toISOString()).toBe(expiresAt);
  expect(daysBeforeTheEnd(at(consentedAt), 6)).toEqual([30, 14, 7, 3, 1, 0]);
});

test('after its end a token is brought back to mind as the provider wants it, for as long as it is expired', () => {
  expect(daysBeforeTheEnd(at('2027-01-10T08:00:00Z'), 11).slice(5)).toEqual([0, -1, -3, -7, -14, -21]);
});

test('what nobody could tell at its time is told once, and the next warning comes at its own time', () => {
  const consentedAt = at('2027-01-10T08:00:00Z');
  const expiresAt = expiryOf(consentedAt);
  const late = expiresAt - 5 * DAY;
  expect(nextNotice(expiresAt, schedule, consentedAt)).toBeLessThan(late);
  expect((expiresAt - nextNotice(expiresAt, schedule, late)) / DAY).toBe(3);
});

test('a token is expiring from its first warning on, and expired from its end on', () => {
  const expiresAt = expiryOf(at('2027-01-10T08:00:00Z'));
  const moments = [-30 * DAY - 1, -30 * DAY, -1, 0, DAY];
  expect(moments.map((moment) => stateAt(expiresAt, expiresAt + moment))).toEqual([
    'valid',
    'expiring',
    'expiring',
    'expired',
    'expired',
  ]);
});
