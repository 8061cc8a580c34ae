import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { FAILURE } from '../../src/contract/activities';
import { profile, stubActivities } from './stub-activities';
import { WorkflowEnvironment, auditOf, statusOf, statusWhen, type UpgradeHandle } from './workflow-environment';

let environment: WorkflowEnvironment;
beforeAll(async () => {
  environment = await WorkflowEnvironment.start();
}, 600_000);
afterAll(async () => {
  await environment?.close();
});

async function failureOf(handle: UpgradeHandle): Promise<unknown> {
  const error: unknown = await handle.result().then(
    () => undefined,
    (failure: unknown) => failure,
  );
  return error instanceof WorkflowFailedError ? error.cause : error;
}

/** Answers every gate as soon as it opens, until the upgrade ends. */
async function answerEverything(handle: UpgradeHandle): Promise<void> {
  const answered = new Set<string>();
  for (;;) {
    const { gates, endedAt } = await statusOf(handle);
    if (endedAt !== undefined) return;
    for (const { id, answer } of gates.filter((gate) => !answered.has(gate.id))) {
      answered.add(id);
      await handle.signal(answer.name, {
        ...answer.payload,
        by: 'ana@csp.example',
        ...('evidence' in answer.payload ? { evidence: 'done' } : {}),
      });
    }
  }
}

test('an upgrade from 18.3 walks the whole procedure in its order and ends with provisioning as it was', async () => {
  const { activities, calls } = stubActivities(profile('contoso'));
  const handle = await environment.upgrade(activities, { provider: 'contoso' });
  await answerEverything(handle);
  expect(await handle.result()).toMatchObject({
    provider: 'contoso',
    from: '18.3',
    to: '18.4.1',
    instances: 2,
    sites: 1,
    packageVersion: '18.4.1-12',
  });
  expect(calls).toEqual([
    'deactivateTemplate 16',
    'stagePackage',
    'backupSite Office365GatewaySite01',
    'runSetup Office365GatewaySite01',
    'resetIis upgrade',
    'importPackage',
    'upgradeInstance 1',
    'upgradeInstance 2',
    'activateTemplate 16',
  ]);
  const history = await handle.fetchHistory();
  console.log(
    history.events
      ?.map(
        (e) =>
          `${e.eventId} ${e.eventType} ${e.activityTaskScheduledEventAttributes?.activityType?.name ?? ''}${e.workflowExecutionSignaledEventAttributes?.signalName ?? ''}${JSON.stringify(Object.entries(e.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields ?? {}).map(([k, v]) => [k, Buffer.from(v.data ?? []).toString()]))}`,
      )
      .join('\n'),
  );
});
