/**
 * What the server is told so that it notices soon when a worker is gone.
 *
 * @needs temporal
 */
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time';
import { temporal } from '@temporalio/proto';
import { CONTROL_TASK_QUEUE } from '../../src/contract/provider';
import { Rehearsal, type Upgrade } from '../kit/rehearsal/rehearsal';
import { timings } from '../kit/deadlines';

const { TIMEOUT_TYPE_SCHEDULE_TO_START } = temporal.api.enums.v1.TimeoutType;

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await Rehearsal.start({ workers: 'processes' });
});
afterAll(async () => {
  await rehearsal?.close();
});

/** Of the activity that is slow: no longer than the minute in which a system has to answer. */
const HEARTBEAT = Math.min(timings({ seconds: 6 }).seconds, 24);

test('activities are heard of several times within their heartbeat timeout, not once near its end', async () => {
  const upgrade = await rehearsal.provider({ id: 'beating', instances: 1 }, { timings: { heartbeat: HEARTBEAT } });
  const call = { provider: 'beating', system: 'operations', call: '*' };
  rehearsal.sandbox.faults.add({ ...call, kind: 'slow', delayMs: 2 * HEARTBEAT * 1000 });
  await upgrade.start();
  expect(await beatsOf(upgrade, 'readOperations')).toBeGreaterThanOrEqual(4);
  await upgrade.operate();
});

/** How many heartbeats of its first attempt the server has heard. In two timeouts there are six, and three where the SDK holds them back. */
async function beatsOf(upgrade: Upgrade, activity: string): Promise<number> {
  const beats = new Set<number>();
  for (let begun = false; ; await delay(20)) {
    const { raw } = await upgrade.workflow.describe();
    const found = raw.pendingActivities?.find(({ activityType }) => activityType?.name === activity);
    if (begun && found?.attempt !== 1) return beats.size;
    begun ||= found != null;
    const beat = optionalTsToMs(found?.lastHeartbeatTime);
    if (beat !== undefined) beats.add(beat);
  }
}

test('an answer that comes while the worker is dead waits seconds for it, and then goes to any other', async () => {
  const upgrade = await rehearsal.provider({ id: 'waiting', instances: 1 }, { installedSites: [] });
  await upgrade.start();
  await upgrade.statusWhen(({ gates }) => gates.length > 0);
  const worker = rehearsal.processes.get(CONTROL_TASK_QUEUE);
  for (await worker?.kill(); !(await isAtRest(upgrade)); await worker?.kill()) {
    await worker?.killAndRestart();
    while (!(await isAtRest(upgrade))) await delay(20);
  }
  await upgrade.workflow.signal('pause', { by: 'olga', reason: 'Nobody hears this.' });
  const ends = Promise.all([endOnStickyQueue(upgrade), endOfOtherPatience()]);
  const [{ began, ended }, otherEnded] = await ends.finally(() => worker?.killAndRestart());
  expect(ended - began).toBeGreaterThan(1_500);
  expect(ended).toBeLessThan(otherEnded);
  await upgrade.workflow.signal('resume', { by: 'olga', reason: 'Somebody is there again.' });
  await upgrade.operate();
});

/** Whoever is killed in the midst of a task takes it along, for longer. */
async function isAtRest(upgrade: Upgrade): Promise<boolean> {
  return (await upgrade.workflow.describe()).raw.pendingWorkflowTask == null;
}

/** Of the task on the queue of the dead worker: when it was scheduled, and when the server gave it to all workers. */
async function endOnStickyQueue(upgrade: Upgrade): Promise<{ began: number; ended: number }> {
  for (;;) {
    const events = (await upgrade.workflow.fetchHistory()).events ?? [];
    const over = events.find(
      ({ workflowTaskTimedOutEventAttributes: end }) => end?.timeoutType === TIMEOUT_TYPE_SCHEDULE_TO_START,
    );
    const { scheduledEventId } = over?.workflowTaskTimedOutEventAttributes ?? {};
    const scheduled = events.find(({ eventId }) => String(eventId) === String(scheduledEventId));
    const [ended, began] = [optionalTsToMs(over?.eventTime), optionalTsToMs(scheduled?.eventTime)];
    if (began !== undefined && ended !== undefined) return { began, ended };
    await delay(100);
  }
}

/**
 * When the server, by the same timers, gives up another workflow that nobody works on and that may take seven seconds: later than
 * a dead worker is waited for, and earlier than with Temporal's default of ten.
 */
async function endOfOtherPatience(): Promise<number> {
  const other = await rehearsal.client.workflow.start('upgradeProvider', {
    workflowId: 'nobodys',
    taskQueue: 'nobodys',
    workflowRunTimeout: '7s',
  });
  await other.result().catch((error: unknown) => {
    if (!(error instanceof WorkflowFailedError)) throw error;
  });
  const { closeTime } = await other.describe();
  return closeTime?.getTime() ?? NaN;
}
