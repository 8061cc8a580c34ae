/** A worker keeps no more workflows in memory than its heap can hold. */
import { cachedWorkflows } from '../../src/worker/workflow-cache';

const GIB = 2 ** 30;
const MIB = 2 ** 20;

test('workflows of the size that the bench measures fit into the heap, whatever its limit', () => {
  for (const limit of [1, 2, 4, 16]) expect(cachedWorkflows(limit * GIB) * 5 * MIB).toBeLessThan(limit * GIB);
});

test('a larger heap holds more, and the smallest some', () => {
  expect(cachedWorkflows(8 * GIB)).toBeGreaterThan(cachedWorkflows(4 * GIB));
  expect(cachedWorkflows(256 * MIB)).toBe(10);
});
