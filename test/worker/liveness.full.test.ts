/**
 * What the server is told so that it notices soon when a worker is gone.
 *
 * @needs temporal
 */
import { setTimeout as delay } from 'node:timers/promises';
import { optionalTsToMs } from '@temporalio/common/lib/time';
import { CONTROL_TASK_QUEUE } from '../../src/contract/provider';
import { Rehearsal, type Upgrade } from '../kit/rehearsal/rehearsal';

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await Rehearsal.start({ workers: 'processes' });
});
afterAll(async () => {
  await rehearsal?.close();
});

test('activities are heard of several times within their heartbeat timeout, not once near its end', async () => {
  const upgrade = await rehearsal.provider({ id: 'beating', instances: 1 }, { timings: { heartbeat: 6 } });
  rehearsal.sandbox.faults.add({ provider: 'beating', call: '*', kind: 'slow', delayMs: 8_000 });
  await upgrade.start();
  const beats = new Set<number>();
  while (beats.size < 3) {
    for (const beat of await lastBeats(upgrade)) beats.add(beat);
    await delay(50);
  }
  const [first = 0, second = 0, third = 0] = beats;
  expect(third - second).toBeLessThan(4_000);
  expect(second - first).toBeLessThan(4_000);
  await upgrade.operate();
});

async function lastBeats(upgrade: Upgrade): Promise<number[]> {
  const { raw } = await upgrade.workflow.describe();
  return (raw.pendingActivities ?? []).flatMap(({ lastHeartbeatTime }) => optionalTsToMs(lastHeartbeatTime) ?? []);
}

test('an answer that comes while the worker is dead waits seconds for it, and then goes to any other', async () => {
  const upgrade = await rehearsal.provider({ id: 'waiting', instances: 1 }, { installedSites: [] });
  await upgrade.start();
  await upgrade.statusWhen(({ gates }) => gates.length > 0);
  await atRest(upgrade);
  const worker = rehearsal.processes.get(CONTROL_TASK_QUEUE);
  await worker?.kill();
  await upgrade.workflow.signal('pause', { by: 'olga', reason: 'Nobody hears this.' });
  const waited = await timeOnStickyQueue(upgrade).finally(() => worker?.killAndRestart());
  expect(waited).toBeGreaterThan(1_500);
  expect(waited).toBeLessThan(4_000);
  await upgrade.workflow.signal('resume', { by: 'olga', reason: 'Somebody is there again.' });
  await upgrade.operate();
});

/** Whoever is killed in the midst of a task takes it along, for longer. */
async function atRest(upgrade: Upgrade): Promise<void> {
  while ((await upgrade.workflow.describe()).raw.pendingWorkflowTask != null) await delay(20);
}

/** From the task's scheduling to the end of the server's patience. */
async function timeOnStickyQueue(upgrade: Upgrade): Promise<number> {
  for (;;) {
    const events = (await upgrade.workflow.fetchHistory()).events ?? [];
    const over = events.find(({ workflowTaskTimedOutEventAttributes: end }) => end != null);
    const { scheduledEventId } = over?.workflowTaskTimedOutEventAttributes ?? {};
    const scheduled = events.find(({ eventId }) => String(eventId) === String(scheduledEventId));
    const [end, begin] = [optionalTsToMs(over?.eventTime), optionalTsToMs(scheduled?.eventTime)];
    if (begin !== undefined && end !== undefined) return end - begin;
    await delay(100);
  }
}
