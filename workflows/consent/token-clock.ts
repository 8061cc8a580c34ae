/** The clock of one refresh token. Times in milliseconds since 1970; a day is 24 hours. */
import { TOKEN_LIFETIME_DAYS, WARNING_DAYS, type ConsentState } from '../../src/contract/consent';
import type { ReminderSchedule } from '../../src/contract/provider';
import { nextReminder } from '../kit/reminder-schedule';

export const DAY = 24 * 3600 * 1000;

export const expiryOf = (consentedAt: number): number => consentedAt + TOKEN_LIFETIME_DAYS * DAY;

export function stateAt(expiresAt: number, time: number): Exclude<ConsentState, 'failing'> {
  if (time >= expiresAt) return 'expired';
  return time >= expiresAt - WARNING_DAYS[0] * DAY ? 'expiring' : 'valid';
}

/**
 * The first moment after `after` at which people have to hear of the token: each warning, its end, and from then on by the
 * provider's reminder schedule. What was missed meanwhile is told by one notice: ask for the moment after what was told last.
 */
export function nextNotice(expiresAt: number, reminders: ReminderSchedule, after: number): number {
  const ladder = [...WARNING_DAYS.map((days) => expiresAt - days * DAY), expiresAt];
  return ladder.find((moment) => moment > after) ?? nextReminder(reminders, expiresAt, after);
}
