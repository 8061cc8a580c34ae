/**
 * Workflows that only Onward's own workflows start, started by somebody who may start any.
 *
 * @needs temporal
 */
import { WorkflowFailedError } from '@temporalio/client';
import { FAILURE } from '../../src/contract/activities';
import { profile } from '../kit/stub-world/stub-activities';
import { stubActivities } from '../kit/stub-world/stub-activities';
import { WorkflowEnvironment } from '../kit/stub-world/workflow-environment';

let environment: WorkflowEnvironment;
const { activities, calls } = stubActivities(profile('strangers'));
beforeAll(async () => {
  environment = await WorkflowEnvironment.start();
  await environment.serveOnce('strangers', activities);
});
afterAll(() => environment?.close());

const digests = {};

// Security: inputs-between-workflows
test.each<[type: string, workflowId: string, input: unknown, problem: string]>([
  [
    'upgradeWave',
    'fleet/f/wave-1/part-1',
    { fleet: 'f', wave: 1, part: 1, providers: [] },
    'only a fleet may start it',
  ],
  ['upgradeWave', 'fleet/f/wave-1/part-2', null, 'only a fleet may start it'],
  [
    'upgradeProvider',
    'upgrade/strangers',
    { provider: 'strangers', fleet: { fleet: 'f', wave: 1, reportTo: 'upgrade/contoso', parkAfter: 1, digests } },
    'only the wave of a fleet may start it',
  ],
  ['upgradeProvider', 'upgrade/strangers', { provider: 'strangers', packageUrl: 'https://evil.example' }, 'packageUrl'],
  ['upgradeProvider', 'upgrade/somebody-else', { provider: 'strangers' }, 'has to be "upgrade/strangers"'],
])('%s is refused as %s with the input %j, and nothing is done', async (type, workflowId, input, problem) => {
  const handle = await environment.client.workflow.start(type, {
    workflowId,
    taskQueue: 'test/strangers',
    args: [input],
  });
  const failure = await handle.result().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(WorkflowFailedError);
  expect(failure).toMatchObject({
    cause: { type: FAILURE.invalidInput, message: expect.stringContaining(problem) as string },
  });
  expect(calls).toEqual([]);
});
