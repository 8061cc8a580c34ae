/**
 * Workflows that only Onward's own workflows start, started by somebody who may start any.
 *
 * @needs temporal
 */
import { WorkflowFailedError, type WorkflowStartOptions } from '@temporalio/client';
import { FAILURE } from '../../src/contract/activities';
import { frozen } from '../../src/inventory/frozen-profile';
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

const FLEET = { name: 'f', startedBy: 'ana', providers: { ids: ['strangers'] } };
const digests = {};
const notice = { id: '1', provider: 'strangers', workflowId: 'x', kind: 'reminder', subject: 'Hello', body: '' };

// Security: inputs-between-workflows, entry-by-name
test.each<[type: string, workflowId: string, input: unknown, problem: string, more?: Partial<WorkflowStartOptions>]>([
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
  [
    'upgradeProvider',
    'upgrade/strangers',
    {
      provider: 'strangers',
      fleet: { fleet: 'f', wave: 1, reportTo: 'x', parkAfter: 1, profile: profile('strangers') },
    },
    'fleet.digests',
  ],
  [
    'deliverNotice',
    'notice/1',
    { target: { kind: 'webhook', url: 'https://evil.example', token: 'file:/etc/shadow' }, notice },
    'target',
  ],
  ['deliverNotice', 'notice/2', { target: 0, notice }, 'has to be "notice/1"'],
  [
    'guardConsent',
    'consent/somebody-else/1',
    {
      provider: 'strangers',
      instance: { id: 1, name: 'CSP', resourceId: 'r' },
      consentedAt: '2026-11-03T10:00:00Z',
      assumed: false,
      settings: frozen(profile('strangers')),
    },
    'has to be "consent/strangers/1"',
  ],
  ['upgradeProvider', 'upgrade/somebody-else', { provider: 'strangers' }, 'has to be "upgrade/strangers"'],
  ['upgradeProvider', 'upgrade/strangers', { provider: 'strangers' }, 'run timeout', { workflowRunTimeout: '1 day' }],
  ['upgradeFleet', 'fleet/f', FLEET, 'run timeout', { workflowExecutionTimeout: '1 day' }],
  ['upgradeFleet', 'fleet/f', FLEET, 'takes one input', { args: [FLEET, { parts: [], waves: [] }] }],
])(
  '%s is refused as %s with the input %j, and nothing is done (%s)',
  async (type, workflowId, input, problem, more = {}) => {
    const handle = await environment.client.workflow.start(type, {
      workflowId,
      taskQueue: 'test/strangers',
      args: [input],
      ...more,
    });
    const failure = await handle.result().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(WorkflowFailedError);
    expect(failure).toMatchObject({
      cause: { type: FAILURE.invalidInput, message: expect.stringContaining(problem) as string },
    });
    expect(calls).toEqual([]);
  },
);

test.each([
  ['upgradeProvider', 'upgrade/every-day', { provider: 'every-day' }],
  ['upgradeFleet', 'fleet/every-day', { ...FLEET, name: 'every-day' }],
])('%s is refused with a cron schedule, which would start it again by nobody', async (type, workflowId, input) => {
  const { client } = environment;
  const { firstExecutionRunId } = await client.workflow.start(type, {
    workflowId,
    taskQueue: 'test/strangers',
    args: [input],
    cronSchedule: '@every 1s',
  });
  // A failed run that has a next one is told as continued: what it failed with stands in its last event.
  const first = client.workflow.getHandle(workflowId, firstExecutionRunId, { followRuns: false });
  await first.result().catch(() => undefined);
  await client.workflow.getHandle(workflowId).terminate('tried');
  const { events } = await first.fetchHistory();
  expect(events?.at(-1)?.workflowExecutionFailedEventAttributes?.failure).toMatchObject({
    applicationFailureInfo: { type: FAILURE.invalidInput },
    message: expect.stringContaining('it has a cron schedule') as string,
  });
  expect(calls).toEqual([]);
});
