/** Notices that did not go out at once, whose histories are kept. */
import type { WorkflowHandle } from '@temporalio/client';
import type { ToTell } from '../../src/contract/activities';
import { CONTROL_TASK_QUEUE, upgradeWorkflowId } from '../../src/contract/provider';
import type { RunToRecord, Scenario } from './run-to-record';

export const NOTICES: Scenario[] = [
  {
    name: 'notice-on-its-way',
    // Nobody listens there.
    settings: { notify: [{ kind: 'webhook', url: 'http://127.0.0.1:9/' }] },
    record: async (run) => {
      const notice = await startNotice(run);
      await run.recordWhen('on-its-way', ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled, 1, notice);
      await notice.terminate('recorded');
    },
  },
  {
    name: 'notice-told',
    record: async (run) => {
      const notice = await startNotice(run);
      await notice.result();
      await run.record('told', notice);
    },
  },
];

/** As the activity `notify` starts it, without an upgrade before. */
function startNotice({ rehearsal, upgrade }: RunToRecord): Promise<WorkflowHandle> {
  const { provider } = upgrade;
  const id = `notice-of-${provider}`;
  const workflowId = upgradeWorkflowId(provider);
  return rehearsal.client.workflow.start<(undelivered: ToTell) => Promise<void>>('deliverNotice', {
    workflowId: `notice/${id}`,
    taskQueue: CONTROL_TASK_QUEUE,
    args: [{ target: 0, notice: { id, provider, workflowId, kind: 'reminder', subject: 'A gate is open.', body: '' } }],
  });
}
