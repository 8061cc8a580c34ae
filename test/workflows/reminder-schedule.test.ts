import { nextReminder } from '../../workflows/kit/reminder-schedule';

const DAY = 24 * 3600 * 1000;
const opened = Date.parse('2019-01-10T08:00:00Z');
const daysAfterOpening = (schedule: { days: number[]; thenEveryDays: number }, count: number): number[] => {
  const days: number[] = [];
  let time = opened;
  for (let round = 0; round < count; round++) {
    time = nextReminder(schedule, opened, time);
    days.push((time - opened) / DAY);
  }
  return days;
};

test('by default a gate is brought back to mind after 1, 3 and 7 days, then every week for as long as it is open', () => {
  expect(daysAfterOpening({ days: [1, 3, 7], thenEveryDays: 7 }, 6)).toEqual([1, 3, 7, 14, 21, 28]);
});

test('a schedule is followed in the order of its days, however it is written down', () => {
  expect(daysAfterOpening({ days: [5, 2], thenEveryDays: 1 }, 4)).toEqual([2, 5, 6, 7]);
});

test('a schedule without single days begins with its interval', () => {
  expect(daysAfterOpening({ days: [], thenEveryDays: 2 }, 3)).toEqual([2, 4, 6]);
});

test('a reminder that was missed while nothing ran is not made up for: the next one counts', () => {
  expect((nextReminder({ days: [1, 3, 7], thenEveryDays: 7 }, opened, opened + 20 * DAY) - opened) / DAY).toBe(21);
});
