/** When a provider may be changed: windows in its own time zone, and dates on which nothing is changed at all. */
import { z } from 'zod';

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const clock = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 22:00, from 00:00 to 23:59, on the local clock');

/** Offsets such as `+02:00` are refused: they know no summer time. */
function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return /^[A-Za-z]/.test(zone);
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

const maintenanceWindow = z.strictObject({
  /** Days on which the window opens. */
  days: z.array(z.enum(WEEKDAYS)).min(1),
  from: clock,
  /** On the next day where it is not later than `from`; the same time means 24 hours. */
  to: clock,
});
export type MaintenanceWindow = z.output<typeof maintenanceWindow>;

export const maintenance = z
  .strictObject({
    /** IANA name, such as Europe/Madrid. */
    timeZone: z.string().refine(isTimeZone, 'must be the IANA name of a time zone, such as Europe/Madrid or UTC'),
    windows: z.array(maintenanceWindow).min(1),
    /** Whole local days, `2026-12-24`, on which no window is open. */
    blackoutDates: z.array(z.iso.date()).default([]),
    /** How long everything from the crossing on is expected to take, in seconds; the crossing begins only if so much is left. */
    afterCrossing: z
      .number()
      .nonnegative()
      .default(4 * 3600),
  })
  .superRefine(({ windows, afterCrossing }, context) => {
    const longest = longestOpening(windows) * 60;
    if (longest < afterCrossing)
      context.addIssue({
        code: 'custom',
        path: ['afterCrossing'],
        message: `must fit into a window, and the longest is open for ${longest} s; lengthen a window or shorten afterCrossing`,
      });
  });

export type Maintenance = z.output<typeof maintenance>;

/** What the windows say of one moment. Times are ISO 8601 in UTC. */
export type WindowVerdict = { open: true; closesAt: string } | { open: false; opensAt: string };

/** `seconds` from the look to the moment that the verdict names. */
export type LookedAtWindow = WindowVerdict & { seconds: number };

const MINUTES_PER_DAY = 24 * 60;
const MINUTES_PER_WEEK = 7 * MINUTES_PER_DAY;

/** Minutes since midnight. */
export function minuteOfDay(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

/** How long a window is open by the clock on the wall, in minutes. */
function wallMinutes({ from, to }: MaintenanceWindow): number {
  const minutes = minuteOfDay(to) - minuteOfDay(from);
  return minutes > 0 ? minutes : minutes + MINUTES_PER_DAY;
}

/** The longest time without a closed minute in an ordinary week, in minutes; Infinity where nothing ever closes. */
function longestOpening(windows: MaintenanceWindow[]): number {
  const open = windows
    .flatMap((window) =>
      window.days.map((day) => {
        const start = WEEKDAYS.indexOf(day) * MINUTES_PER_DAY + minuteOfDay(window.from);
        return { start, end: start + wallMinutes(window) };
      }),
    )
    .sort((a, b) => a.start - b.start);
  // Two weeks, so that a window over the end of the first meets its successor.
  const twice = [0, MINUTES_PER_WEEK].flatMap((week) =>
    open.map(({ start, end }) => ({ start: start + week, end: end + week })),
  );
  let longest = 0;
  let since = -1;
  let until = -1;
  for (const { start, end } of twice) {
    if (start > until) since = start;
    until = Math.max(until, end);
    longest = Math.max(longest, until - since);
  }
  return longest >= MINUTES_PER_WEEK ? Infinity : longest;
}
