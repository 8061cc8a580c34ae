/** Guards of consents whose histories are kept. */
import type { WorkflowHandle, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { consentWorkflowId, guardSettings, type ConsentStatus, type GuardInput } from '../../src/contract/consent';
import { CONTROL_TASK_QUEUE } from '../../src/contract/provider';
import { QUERY } from '../../src/contract/status';
import type { HistoryEvent, RunToRecord, Scenario } from './run-to-record';

const ANA = 'ana@operations.example';
const DAY_MS = 24 * 3600 * 1000;

const timerStarted = (event: HistoryEvent): unknown => event.timerStartedEventAttributes;
const continuedAsNew = (event: HistoryEvent): unknown => event.workflowExecutionContinuedAsNewEventAttributes;

export const GUARDS: Scenario[] = [
  {
    name: 'guarded',
    options: () => ({ instances: 1 }),
    record: async (run) => {
      await run.upgrade.start();
      await run.upgrade.operate();
      const guard = guardOf(run);
      await run.record('guard-of-valid-token', guard);
      await guard.executeUpdate('consentRenewed', { args: [{ by: ANA }] });
      await guardWhen(guard, ({ renewals }) => renewals === 1);
      await run.record('guard-renewed', guard);
      await run.consent(instanceOf(run).id, 'somebody-else.onmicrosoft.com');
      await guard.signal('consentRenewed', { by: ANA });
      await guardWhen(guard, ({ lastProblem }) => lastProblem !== undefined);
      await guard.signal('consentRenewed', { by: ANA, at: '2099-01-01' });
      await run.record('guard-that-refused-a-renewal', guard);
      await guard.terminate('the next one begins');
      const [consentedAt, looksAt] = [new Date().toISOString(), new Date(Date.now() - DAY_MS).toISOString()];
      const next = await startGuard(run, { consentedAt, looksAt });
      // Two at first; both begin anew after the test.
      await run.recordWhen('guard-of-failing-connection', timerStarted, 4, next);
    },
  },
  {
    name: 'guarded-by-hand',
    options: () => ({ instances: 1 }),
    settings: { connectionTest: { adapter: 'gate' } },
    record: async (run) => {
      await run.upgrade.start();
      await run.upgrade.operate();
      const guard = guardOf(run);
      await guard.signal('consentRenewed', { by: ANA });
      await guardWhen(guard, ({ renewal }) => renewal?.askedAt !== undefined);
      await run.record('guard-that-waits-for-a-test', guard);
      await guard.signal('confirmRenewal', { by: ANA, evidence: 'both answer' });
      await guardWhen(guard, ({ renewals }) => renewals === 1);
      await run.record('guard-renewed-by-hand', guard);
    },
  },
  ...[
    { name: 'guard-of-expiring-token', daysAgo: 80 },
    { name: 'guard-of-expired-token', daysAgo: 100 },
  ].map(({ name, daysAgo }) => ({
    name,
    record: async (run: RunToRecord) => {
      const guard = await startGuard(run, { consentedAt: new Date(Date.now() - daysAgo * DAY_MS).toISOString() });
      // One to the next test, and one that is over at once: it tells how the token stands. Then one to the next notice.
      await run.recordWhen(name, timerStarted, 3, guard);
    },
  })),
  {
    name: 'guard-continued-as-new',
    record: async (run) => {
      const consentedAt = new Date(Date.now() - 80 * DAY_MS).toISOString();
      const guard = await startGuard(run, { consentedAt, historyLimit: 12 });
      await guard.signal('consentRenewed', { by: ANA });
      const first = run.rehearsal.client.workflow.getHandle(guard.workflowId, guard.firstExecutionRunId);
      await run.recordWhen('guard-continues-as-new', continuedAsNew, 1, first);
      await run.recordWhen('guard-continued-as-new', timerStarted, 2, guard);
    },
  },
];

/** That of the provider's only instance, which its upgrade has started. */
function guardOf(run: RunToRecord): WorkflowHandle {
  return run.rehearsal.client.workflow.getHandle(consentWorkflowId(run.upgrade.provider, instanceOf(run).id));
}

/** One whose token is as old as the scenario wants it, without an upgrade before. */
async function startGuard(
  run: RunToRecord,
  age: Pick<GuardInput, 'consentedAt' | 'looksAt' | 'historyLimit'>,
): Promise<WorkflowHandleWithFirstExecutionRunId> {
  const { client } = run.rehearsal;
  const { provider } = run.upgrade;
  const instance = instanceOf(run);
  const settings = guardSettings.parse({ connectionTest: { adapter: 'sandbox' }, notify: [{ kind: 'log' }] });
  const input: GuardInput = { provider, instance, assumed: false, settings, ...age };
  return await client.workflow.start('guardConsent', {
    workflowId: consentWorkflowId(provider, instance.id),
    taskQueue: CONTROL_TASK_QUEUE,
    args: [input],
  });
}

function instanceOf({ rehearsal, upgrade }: RunToRecord): GuardInput['instance'] {
  const [instance] = rehearsal.sandbox.world.provider(upgrade.provider).instances;
  if (!instance) throw new Error(`${upgrade.provider} has no instance`);
  const { instanceId: id, name, resourceId } = instance;
  return { id, name, resourceId };
}

/** Asks again until it is so: nothing else tells. */
async function guardWhen(guard: WorkflowHandle, wanted: (status: ConsentStatus) => boolean): Promise<void> {
  while (!wanted(await guard.query<ConsentStatus>(QUERY.status)));
}
