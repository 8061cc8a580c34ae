/** What upgrades take in the memory of a worker while they wait for people, which is what they do most of their time. */
import { setTimeout as delay } from 'node:timers/promises';
import { ServiceError, type Client } from '@temporalio/client';
import { upgradeWorkflowId } from '../src/contract/provider';
import { QUERY } from '../src/contract/status';
import { cachedWorkflows } from '../src/worker/workflow-cache';
import { median, sizeOf, type Bench, type Figure } from './figures';
import { startUpgrade } from './upgrades';
import { BenchWorld } from './world/bench-world';
import { until } from './world/polling';
import { processUsage } from './world/process-usage';

/** Upgrades on their way to the gate: few enough that none of them is read again from its history at every task. */
const UNDER_WAY = 100;
const LOOK_MS = 250;
const SAY_MS = 5_000;
/** Upgrades that a worker with a bounded cache keeps in memory. */
const CACHED = 100;
/** Upgrades that are asked then, to fill and turn over the cache. */
const ASKED = 2 * CACHED;
const STUCK_MS = 120_000;
/** Time for garbage collection to have had its turn, in milliseconds. */
const REST_MS = 10_000;

export const memory: Bench = {
  name: 'memory',
  about: 'memory of a control-plane worker with many upgrades waiting at a gate',
  async run({ waiting, instances }, say) {
    const world = await BenchWorld.open({ providers: [], serverStateOnDisk: true });
    try {
      await world.startStubEndpoint(instances);
      const worker = await world.startStubControlPlane(instances);
      await delay(REST_MS);
      const before = (await processUsage(worker.pid)).residentMiB;
      const began = performance.now();
      await startAll(world.client, waiting, say);
      const tookS = (performance.now() - began) / 1000;
      await delay(REST_MS);
      const full = (await processUsage(worker.pid)).residentMiB;
      const server = (await processUsage(world.server.pid)).residentMiB;
      await worker.kill();

      const cached = Math.min(CACHED, waiting);
      const bounded = await world.startStubControlPlane(instances, cached);
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
      const gate = `at the gates for consent, past the crossing; ${sizeOf(instances)}`;
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
        figure('Temporal server with them', server, 'MiB', 'resident; its state is in a file'),
        figure('until the last of them waits', tookS, 's', `${UNDER_WAY} on their way at a time`),
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

/** Starts them as fast as they come to their gates. */
async function startAll(client: Client, count: number, say: (line: string) => void): Promise<void> {
  let [started, most, since, saidAt] = [0, -1, performance.now(), 0];
  for (;;) {
    const { count: waiting } = await client.workflow.count(
      `OnwardStep = 'acquireRefreshTokens' AND OnwardState = 'waiting'`,
    );
    if (waiting === count) return;
    if (waiting > most) [most, since] = [waiting, performance.now()];
    else if (performance.now() - since > STUCK_MS)
      throw new Error(
        `Only ${waiting} of ${count} upgrades wait, and for ${STUCK_MS / 1000} s no other has come to its gate.`,
      );
    if (performance.now() - saidAt > SAY_MS) {
      say(`${waiting} of ${count} upgrades wait`);
      saidAt = performance.now();
    }
    const next = Math.min(UNDER_WAY - (started - waiting), count - started);
    const names = Array.from({ length: next }, (_, index) => nameOf(started + index + 1));
    await Promise.all(names.map((provider) => startUpgrade(client, provider)));
    started += next;
    await delay(LOOK_MS);
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
