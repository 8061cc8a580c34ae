/** Round times for the axis of a picture. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 7, 14, 28, 91, 182, 364].map((count) => count * DAY),
];
const MOST_TICKS = 9;

export interface Tick {
  /** Milliseconds since 1970. */
  at: number;
  label: string;
}

/** Ticks at round times in UTC from `from` to `to`, in milliseconds since 1970; the date is told where it changes. */
export function ticksBetween(from: number, to: number): Tick[] {
  const step = STEPS.find((each) => (to - from) / each < MOST_TICKS) ?? DAY * Math.ceil((to - from) / DAY / MOST_TICKS);
  const ticks: Tick[] = [];
  let day = '';
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
    const [date = '', time = ''] = new Date(at).toISOString().split('T');
    const clock = step < MINUTE ? time.slice(0, 8) : time.slice(0, 5);
    const words = [...(date === day ? [] : [date.slice(5)]), ...(step < DAY ? [clock] : [])];
    ticks.push({ at, label: words.join(' ') });
    day = date;
  }
  return ticks;
}
