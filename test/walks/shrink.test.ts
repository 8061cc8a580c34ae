import { drawWalk } from './draw-walk';
import { shrink } from './shrink';

const EVENTS = Array.from({ length: 12 }, (_, index) => index);
const failsWith =
  (...needed: number[]) =>
  async (events: readonly number[]) =>
    needed.every((event) => events.includes(event));

test.each([[[]], [[0]], [[11]], [[3, 4]], [[0, 5, 11]]])('of twelve events, those at %j are left', async (needed) => {
  expect(await shrink(EVENTS, failsWith(...needed), 100)).toEqual(needed);
});

test('after the last attempt, what was known to fail is left', async () => {
  const attempts: (readonly number[])[] = [];
  const left = await shrink(
    EVENTS,
    async (events) => {
      attempts.push(events);
      return events.includes(7);
    },
    3,
  );
  expect(attempts).toHaveLength(3);
  expect(left).toContain(7);
  expect(left.length).toBeLessThan(EVENTS.length);
});

test('what fails in another way with fewer events keeps them', async () => {
  expect(await shrink(EVENTS, async () => false, 100)).toEqual(EVENTS);
});

test('a seed draws the same walk each time, and another seed another one', () => {
  expect(drawWalk(4711)).toEqual(drawWalk(4711));
  expect(drawWalk(4711)).not.toEqual(drawWalk(4712));
});
