/** Looks before an upgrade whose histories are kept. */
import { preflightWorkflowId, type PreflightInput, type PreflightReport } from '../../src/contract/preflight';
import { CONTROL_TASK_QUEUE } from '../../src/contract/provider';
import type { Scenario } from './run-to-record';

export const PREFLIGHTS: Scenario[] = [
  {
    name: 'looked-at',
    record: async (run) => {
      const { provider } = run.upgrade;
      const look = await run.rehearsal.client.workflow.start<(input: PreflightInput) => Promise<PreflightReport>>(
        'preflightProvider',
        {
          workflowId: preflightWorkflowId(provider, 'recorded'),
          taskQueue: CONTROL_TASK_QUEUE,
          args: [{ provider }],
        },
      );
      await look.result();
      await run.record('preflight', look);
    },
  },
];
