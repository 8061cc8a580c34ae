/** What upgrades take in the memory of a worker while they wait for people, which is what they do most of their time. */
import { setTimeout as delay } from 'node:timers/promises';
import { ServiceError, type Client } from '@temporalio/client';
import { upgradeWorkflowId } from '../src/contract/provider';
import { QUERY } from '../src/contract/status';
import { cachedWorkflows } from '../src/worker/workflow-cache';
import { median, type Bench, type Figure } from './figures';
import { startUpgrade } from './upgrades';
import { BenchWorld } from './world/bench-world';
import { until } from './world/polling';
import { processUsage } from './world/process-usage';

/** Starts that are under way at the same time. */
const STARTS = 20;
/** Upgrades that a worker with a bounded cache keeps in memory. */
const CACHED = 100;
/** Upgrades that are asked then, to fill and turn over the cache. */
const ASKED = 2 * CACHED;
/** So many workflows that run side by side take a while to their first gate. */
const STUCK_MS = 600_000;
/** Time for garbage collection to have had its turn, in milliseconds. */
const REST_MS = 10_000;

export const memory: Bench = {
  name: 'memory',
  about: 'memory of a control-plane worker with many upgrades waiting at a gate',
  async run({ waiting }, say) {
    const world = await BenchWorld.open({ providers: [] });
    try {
      await world.startStubEndpoint();
      const worker = await world.startStubControlPlane();
      await delay(REST_MS);
      const before = (await processUsage(worker.pid)).residentMiB;
      await startAll(world.client, waiting);
      await untilAllWait(world.client, waiting, say);
      await delay(REST_MS);
      const full = (await processUsage(worker.pid)).residentMiB;
      await worker.kill();

      const cached = Math.min(CACHED, waiting);
      const bounded = await world.startStubControlPlane(cached);
      await until(() => answers(world.client, nameOf(1)));
      const times = await askAll(world.client, Math.min(ASKED, waiting), say);
      await delay(REST_MS);
      const { residentMiB } = await processUsage(bounded.pid);

      const figure = (what: string, value: number, unit: string, how: string): Figure => ({
        bench: 'memory',
        what,
        value,
        unit,
        how,
      });
      const gate = 'at the gates for consent: 3 instances, 2 sites, past the crossing; stub activities';
      return [
        figure('worker without upgrades', before, 'MiB', 'resident'),
        figure(
          `worker with ${waiting} upgrades waiting`,
          full,
          'MiB',
          `resident; at most ${cachedWorkflows()} of them in its cache, ${gate}`,
        ),
        figure(
          'one upgrade in the cache',
          ((full - before) / Math.min(waiting, cachedWorkflows())) * 1024,
          'KiB',
          'the difference, for each in the cache',
        ),
        figure(
          `worker with ${waiting} waiting, ${cached} cached`,
          residentMiB,
          'MiB',
          `resident, after ${times.length} of them were asked for their status`,
        ),
        figure(
          'answer of an upgrade that is not cached',
          median(times),
          'ms',
          `median of ${times.length}: its history is fetched and replayed; longest ${Math.max(...times).toFixed(0)}`,
        ),
      ];
    } finally {
      await world.close();
    }
  },
};

const nameOf = (number: number): string => `waiting-${number}`;

async function startAll(client: Client, count: number): Promise<void> {
  for (let first = 1; first <= count; first += STARTS) {
    const some = Array.from({ length: Math.min(STARTS, count - first + 1) }, (_, index) => nameOf(first + index));
    await Promise.all(some.map((provider) => startUpgrade(client, provider)));
  }
}

async function untilAllWait(client: Client, count: number, say: (line: string) => void): Promise<void> {
  let [most, since] = [-1, performance.now()];
  for (;;) {
    const { count: now } = await client.workflow.count(
      `OnwardStep = 'acquireRefreshTokens' AND OnwardState = 'waiting'`,
    );
    if (now === count) return;
    if (now > most) [most, since] = [now, performance.now()];
    else if (performance.now() - since > STUCK_MS)
      throw new Error(
        `Only ${now} of ${count} upgrades wait, and for ${STUCK_MS / 1000} s no other has come to its gate.`,
      );
    say(`${now} of ${count} upgrades wait`);
    await delay(2_000);
  }
}

/** The server sends the first question to the worker that was killed, until it has noticed. */
async function answers(client: Client, provider: string): Promise<boolean> {
  try {
    await client.workflow.getHandle(upgradeWorkflowId(provider)).query(QUERY.status);
    return true;
  } catch (error) {
    if (error instanceof ServiceError) return false;
    throw error;
  }
}

async function askAll(client: Client, count: number, say: (line: string) => void): Promise<number[]> {
  const times: number[] = [];
  for (let number = 1; number <= count; number++) {
    const began = performance.now();
    await client.workflow.getHandle(upgradeWorkflowId(nameOf(number))).query(QUERY.status);
    times.push(performance.now() - began);
    if (number % 50 === 0) say(`${number} of ${count} upgrades answered`);
  }
  return times;
}
