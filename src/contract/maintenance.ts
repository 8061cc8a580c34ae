/** When a provider may be changed: windows in its own time zone, and dates on which nothing is changed at all. */
import { z } from 'zod';

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const clock = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 22:00, from 00:00 to 23:59, on the local clock');
const knownZone = (zone: string): boolean => Intl.supportedValuesOf('timeZone').includes(zone) || zone === 'UTC';

export const maintenance = z.strictObject({
  /** IANA name, such as Europe/Madrid. */
  timeZone: z.string().refine(knownZone, 'must be the IANA name of a time zone, such as Europe/Madrid or UTC'),
  windows: z
    .array(
      z.strictObject({
        /** Days on which the window opens. */
        days: z.array(z.enum(WEEKDAYS)).min(1),
        from: clock,
        /** On the next day where it is not later than `from`; the same time means 24 hours. */
        to: clock,
      }),
    )
    .min(1),
  /** Whole local days, `2026-12-24`, on which no window is open. */
  blackoutDates: z.array(z.iso.date()).default([]),
  /** How long everything from the crossing on is expected to take, in seconds; the crossing begins only if so much is left. */
  afterCrossing: z
    .number()
    .nonnegative()
    .default(4 * 3600),
});

export type Maintenance = z.output<typeof maintenance>;

/** What a window says of one moment. Times are ISO 8601 in UTC. */
export type WindowVerdict = { open: true; closesAt: string } | { open: false; opensAt: string };
