/** How many workflows a worker of the control plane keeps in memory; any other is read again from its history when something happens to it. */
import v8 from 'node:v8';

/**
 * All workflows of a worker share one heap, and a worker whose heap is full dies. By default the SDK counts 1.7 MiB for each: ours take
 * 3 (`npm run bench -- memory --waiting 10000 --instances 1`) to 4 (`-- fleet`), with what the garbage collector has not taken yet.
 */
const WORKFLOW = 5 * 2 ** 20;
/** What the worker needs besides. */
const REST = 512 * 2 ** 20;
const LEAST = 10;

/** @param heapLimit of Node.js, in bytes; `--max-old-space-size` raises it. */
export const cachedWorkflows = (heapLimit = v8.getHeapStatistics().heap_size_limit): number =>
  Math.max(LEAST, Math.floor((heapLimit - REST) / WORKFLOW));
