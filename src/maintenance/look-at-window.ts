/** What the maintenance windows of a provider say of a moment. Pure but for the rules of time zones. */
import { WEEKDAYS, minuteOfDay, type Maintenance, type WindowVerdict } from '../contract/maintenance';
import { momentsOf, wallTime } from './time-zone';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

interface Interval {
  start: number;
  end: number;
}

/** Windows repeat each week, so after all blackouts, and two weeks for a change of the clock, whatever opens has opened. */
const LOOKS_AHEAD_DAYS = 21;

/**
 * Open where a window is open at `at` and stays so for `needed` seconds, else when that will be so next. A window over a change
 * of the clock is open only while the clock on the wall shows a time in it.
 *
 * @throws RangeError when no window is ever open for so long.
 */
export function lookAtWindow(maintenance: Maintenance, at: number, needed: number): WindowVerdict {
  const intervals = openings(maintenance, at);
  const fits = ({ start, end }: Interval): boolean => end - start > 0 && end - start >= needed * 1000;
  const open = intervals.find(({ start, end }) => start <= at && at < end);
  if (open && fits({ start: at, end: open.end })) return { open: true, closesAt: new Date(open.end).toISOString() };
  const next = intervals.find((interval) => interval.start > at && fits(interval));
  if (next) return { open: false, opensAt: new Date(next.start).toISOString() };
  throw new RangeError(`No maintenance window in ${maintenance.timeZone} is ever open for ${needed} s.`);
}

/** Intervals without a closed moment in them, in their order, from before `at` on. */
function openings({ timeZone, windows, blackoutDates }: Maintenance, at: number): Interval[] {
  const today = startOfDay(wallTime(at, timeZone));
  const blackouts = blackoutDates.map((date) => Date.parse(`${date}T00:00:00Z`));
  const last = Math.max(today, ...blackouts) + LOOKS_AHEAD_DAYS * DAY;
  const open: Interval[] = [];
  // A window that opened yesterday may still be open; one of 24 hours follows on one of the day before.
  for (let day = today - 2 * DAY; day <= last; day += DAY) {
    const weekday = WEEKDAYS[(new Date(day).getUTCDay() + 6) % 7];
    for (const { days, from, to } of windows) {
      if (weekday === undefined || !days.includes(weekday)) continue;
      const start = day + minuteOfDay(from) * MINUTE;
      const end = day + minuteOfDay(to) * MINUTE;
      const interval = onTheClock(start, end > start ? end : end + DAY, timeZone);
      if (interval) open.push(interval);
    }
  }
  const closed = blackouts.flatMap((day) => onTheClock(day, day + DAY, timeZone) ?? []);
  return without(merged(open), closed);
}

const startOfDay = (wall: number): number => Math.floor(wall / DAY) * DAY;

/**
 * From where the clock shows `start` to where it shows `end`. Of a time that it shows twice the inner one counts, so that the
 * clock shows a time of the window at every moment of it.
 */
function onTheClock(start: number, end: number, zone: string): Interval | undefined {
  const opens = momentsOf(start, zone);
  const closes = momentsOf(end, zone);
  const from = opens.moments.at(-1) ?? opens.skippedAt ?? start;
  const to = closes.moments.find((moment) => moment > from) ?? closes.skippedAt ?? from;
  return to > from ? { start: from, end: to } : undefined;
}

function merged(intervals: Interval[]): Interval[] {
  const joined: Interval[] = [];
  for (const interval of [...intervals].sort((a, b) => a.start - b.start)) {
    const previous = joined.at(-1);
    if (previous && interval.start <= previous.end) previous.end = Math.max(previous.end, interval.end);
    else joined.push({ ...interval });
  }
  return joined;
}

function without(intervals: Interval[], closed: Interval[]): Interval[] {
  return closed.reduce(
    (left, gap) =>
      left
        .flatMap(({ start, end }) => [
          { start, end: Math.min(end, gap.start) },
          { start: Math.max(start, gap.end), end },
        ])
        .filter(({ start, end }) => end > start),
    intervals,
  );
}
