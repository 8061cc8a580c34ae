import type { ReminderSchedule } from '../../src/contract/provider';

const DAY = 24 * 3600 * 1000;

/** First reminder after the moment `after` for something open since `opened`; both in milliseconds since 1970. */
export function nextReminder({ days, thenEveryDays }: ReminderSchedule, opened: number, after: number): number {
  const ladder = [...days].sort((a, b) => a - b).map((day) => opened + day * DAY);
  const onLadder = ladder.find((moment) => moment > after);
  if (onLadder !== undefined) return onLadder;
  const last = ladder.at(-1) ?? opened;
  const rounds = Math.floor((after - last) / (thenEveryDays * DAY)) + 1;
  return last + rounds * thenEveryDays * DAY;
}
