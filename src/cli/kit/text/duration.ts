const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long something took, in the two units that matter: `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`, `3 d 4 h`. */
export function formatDuration(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < 9.95 * SECOND) return `${(ms / SECOND).toFixed(1)} s`;
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return pair(ms, MINUTE, 'min', SECOND, 's');
  if (ms < DAY) return pair(ms, HOUR, 'h', MINUTE, 'min');
  return `${Math.floor(ms / DAY)} d ${Math.floor((ms % DAY) / HOUR)} h`;
}

function pair(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)} ${largeName} ${String(rest).padStart(2, '0')} ${smallName}`;
}

/** Milliseconds from one ISO 8601 time to another, or to `now` while the second is not known. */
export function elapsed(from: string, to: string | undefined, now: Date): number {
  return (to === undefined ? now.getTime() : Date.parse(to)) - Date.parse(from);
}

/** `2026-11-03 10:00:05`, in UTC like every time that Onward prints. */
export function formatTime(iso: string): string {
  return new Date(iso).toISOString().slice(0, 19).replace('T', ' ');
}

const UNITS: Record<string, number> = { '': SECOND, s: SECOND, m: MINUTE, min: MINUTE, h: HOUR, d: DAY };

/** `90`, `90s`, `15m`, `2h`, `1.5d` in seconds; undefined where it is none of these. */
export function parseDuration(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*(s|m|min|h|d)?$/.exec(text.trim()) ?? [];
  const milliseconds = UNITS[unit];
  return number === undefined || milliseconds === undefined ? undefined : (Number(number) * milliseconds) / SECOND;
}
