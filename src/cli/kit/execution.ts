/** What the server says of a workflow, beside what the workflow says of itself. */

export type ExecutionStatus =
  | 'running'
  /** By `temporal workflow pause`: nothing moves, and queries and updates are rejected. */
  | 'pausedByServer'
  | 'completed'
  | 'failed'
  | 'cancelled'
  | 'terminated'
  | 'timedOut'
  | 'continuedAsNew'
  | 'unknown';

/** One workflow as it describes itself, and what the server says of it. */
export interface WorkflowView<Status> {
  execution: ExecutionStatus;
  status: Status;
  /** Why the workflow failed, where it did. */
  failure?: string | undefined;
}

/** Nothing more will happen, whatever the last state says: a workflow can be terminated from outside. */
export const isOver = ({ execution }: { execution: ExecutionStatus }): boolean =>
  execution !== 'running' && execution !== 'pausedByServer' && execution !== 'unknown';
