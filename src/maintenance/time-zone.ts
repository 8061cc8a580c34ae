/** Clocks on walls, by the time zones that this process knows. Moments are milliseconds since 1970. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Further than any zone is from UTC, and any two clock changes from each other. */
const DAY = 24 * HOUR;

/** A day and a time of day, as milliseconds since 1970 of a clock that shows the same in UTC. */
export type WallTime = number;

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(zone, format);
  return format;
}

/** What clocks show at a moment, to the second. */
export function wallTime(moment: number, zone: string): WallTime {
  const parts = formatOf(zone).formatToParts(moment);
  const number = (wanted: Intl.DateTimeFormatPartTypes): number =>
    Number(parts.find(({ type }) => type === wanted)?.value);
  return Date.UTC(
    number('year'),
    number('month') - 1,
    number('day'),
    number('hour'),
    number('minute'),
    number('second'),
  );
}

/**
 * The moments at which clocks show this: one, two where a clock is turned back over it, none where it is turned forward; then
 * `skippedAt` is the moment at which they jump.
 */
export function momentsOf(wall: WallTime, zone: string): { moments: number[]; skippedAt?: number } {
  const offsets = new Set([-DAY, DAY].map((distance) => wallTime(wall + distance, zone) - (wall + distance)));
  const candidates = [...offsets].map((offset) => wall - offset).sort((a, b) => a - b);
  const moments = candidates.filter((moment) => wallTime(moment, zone) === wall);
  return moments.length > 0 ? { moments } : { moments, skippedAt: jumpAfter(wall, zone, candidates) };
}

/** The first moment at which clocks show more than `wall`, between the two that would show it without a jump. */
function jumpAfter(wall: WallTime, zone: string, [before = wall, after = wall]: number[]): number {
  let [early, late] = [before, after];
  while (late - early > 1000) {
    const middle = early + Math.floor((late - early) / 2000) * 1000;
    if (wallTime(middle, zone) > wall) late = middle;
    else early = middle;
  }
  return late;
}
