/**
 * A host that restarts in the middle of a step takes its worker along; the step waits for the worker that comes back.
 *
 * @needs temporal
 */
import { once } from 'node:events';
import path from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import type { NativeConnection } from '@temporalio/worker';
import { providerProfile } from '../../src/contract/provider';
import { hostWorkDirectory } from '../../src/sandbox/hosts/disk';
import { connectWorker } from '../../src/temporal/worker-connection';
import { aMoment, patience, timings } from '../kit/deadlines';
import { testInFull } from '../kit/extent';
import { Rehearsal, type RehearsalOptions } from '../kit/rehearsal/rehearsal';
import { RELEASES, TWINS } from '../kit/releases';
import { Workers } from '../kit/workers';
import type { BringInput, bring } from './restart.workflows';

const HOST = 'restarts-01';
const FEATURE = 'NET-Framework-48';
/** In seconds. */
const HOST_ANSWER = 1;
const TIMINGS = providerProfile.shape.timings.parse(
  timings({ retryFor: 60, heartbeat: 5, hostAnswer: 60, script: 60, hostRestart: 240 }),
);
const SCHEDULED = temporal.api.enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED;

let rehearsal: Rehearsal;
let connection: NativeConnection;
const workers = new Workers();
afterEach(async () => {
  await workers.end();
  await connection?.close();
  await rehearsal?.close();
});

async function arrange(options: RehearsalOptions): Promise<void> {
  rehearsal = await Rehearsal.start({ releases: RELEASES, releaseTwins: TWINS, ...options });
  await rehearsal.provider({ id: 'contoso', gateways: [{ host: HOST }] });
  connection = await connectWorker(rehearsal.settings);
  await workers.start({
    connection,
    namespace: rehearsal.settings.namespace,
    taskQueue: 'test/bring',
    workflowsPath: path.join(__dirname, 'restart.workflows.ts'),
  });
}

async function begin(): Promise<WorkflowHandle<typeof bring>> {
  const workDirectory = hostWorkDirectory(path.join(rehearsal.sandbox.dataDirectory, 'hosts'), HOST);
  const input: BringInput = {
    host: { name: HOST, workDirectory },
    feature: FEATURE,
    timings: TIMINGS,
    hostAnswer: HOST_ANSWER,
  };
  return await rehearsal.client.workflow.start<typeof bring>('bring', {
    workflowId: 'bring/contoso',
    taskQueue: 'test/bring',
    args: [input],
  });
}

/** The restart lies in the host's queue for longer than a worker may take to answer. */
async function queuedTooLong(workflow: WorkflowHandle): Promise<void> {
  const until = Date.now() + patience(60_000);
  for (; ; await aMoment()) {
    const { raw } = await workflow.describe();
    const waiting = raw.pendingActivities?.find(({ activityType }) => activityType?.name === 'restartHost');
    const since = Number(waiting?.scheduledTime?.seconds ?? Infinity) + 1;
    if (waiting?.state === SCHEDULED && Date.now() / 1000 > since + HOST_ANSWER) return;
    if (Date.now() > until) throw new Error(`The restart does not wait in the queue: ${JSON.stringify(waiting)}`);
  }
}

const effects = () =>
  rehearsal.sandbox.journal
    .entries({ kind: 'effect', host: HOST })
    .filter(({ name }) => name !== 'registryValueSet')
    .map(({ name }) => name);
const expectBrought = async (workflow: WorkflowHandle<typeof bring>) => {
  expect(await workflow.result()).toEqual([
    `${HOST}: ${FEATURE} is installed and needs a restart.`,
    `${HOST} is restarted`,
    `${HOST}: ${FEATURE} is installed.`,
  ]);
  expect(effects()).toEqual(['prerequisiteInstalled', 'hostRestarted']);
  expect(rehearsal.sandbox.journal.entries({ kind: 'call', host: HOST, name: 'shutdown.exe' })).toHaveLength(1);
};

test('the worker that comes back, later than a worker may take to answer, finds that the host was restarted', async () => {
  await arrange({ followsRestarts: false });
  const { restarts } = rehearsal.sandbox.hosts;
  const [down, up] = [once(restarts, 'down'), once(restarts, 'up')];
  const workflow = await begin();
  await down;
  await rehearsal.takeDown(HOST);
  await up;
  await queuedTooLong(workflow);
  await rehearsal.bringUp(HOST);
  await expectBrought(workflow);
});

testInFull(
  'a worker that stays up while its host is down runs nothing there, and goes on when the host is back',
  async () => {
    await arrange({ followsRestarts: false });
    await expectBrought(await begin());
  },
);

testInFull.each(['inProcess', 'processes'] as const)(
  'a worker goes down and comes up with its host: %s',
  async (kind) => {
    await arrange({ workers: kind });
    await expectBrought(await begin());
  },
);
