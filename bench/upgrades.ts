/** Upgrades of the bench, and their histories. */
import type { Client, WorkflowHandle } from '@temporalio/client';
import { CONTROL_TASK_QUEUE, upgradeWorkflowId } from '../src/contract/provider';
import type { ProviderOptions } from '../src/sandbox/world/spec';

export type WorkflowType = 'upgradeProvider' | 'bareUpgrade';

/** A provider of the demo's size: three instances, two gateway sites on one host. */
export const providerLikeTheDemo = (id: string, sourceVersion: string) =>
  ({
    id,
    sourceVersion,
    instances: 3,
    gateways: [{ host: hostOf(id) }, { host: hostOf(id) }],
  }) satisfies ProviderOptions;

export const hostOf = (provider: string): string => `${provider}-host`;

export async function startUpgrade(
  client: Client,
  provider: string,
  type: WorkflowType = 'upgradeProvider',
): Promise<WorkflowHandle> {
  return await client.workflow.start(type, {
    workflowId: upgradeWorkflowId(provider),
    taskQueue: CONTROL_TASK_QUEUE,
    args: [{ provider }],
  });
}

export interface HistoryCounts {
  events: number;
  /** Names of the activities that ran, in ascending order; a local one is called `local`, its name is not in the history. */
  activities: string[];
}

export async function countHistory(handle: WorkflowHandle): Promise<HistoryCounts> {
  const { events } = await handle.fetchHistory();
  const all = events ?? [];
  const activities = all.flatMap(
    ({
      activityTaskScheduledEventAttributes: scheduled,
      startChildWorkflowExecutionInitiatedEventAttributes: child,
      markerRecordedEventAttributes,
    }) =>
      markerRecordedEventAttributes?.markerName === 'core_local_activity'
        ? ['local']
        : (scheduled?.activityType?.name ?? child?.workflowType?.name ?? []),
  );
  return { events: all.length, activities: activities.sort() };
}
