/** What a workflow has said of its state in the workflow task in which it closed, and before. */
import type { History } from '@temporalio/common/lib/proto-utils';
import { stateAttribute } from '../../../src/temporal/search-attributes';

/** @returns the values of its search attribute `OnwardState`, in their order. */
export function statesSaid({ events }: History): { before: unknown[]; whenItClosed: unknown[] } {
  const said: Record<'before' | 'whenItClosed', unknown[]> = { before: [], whenItClosed: [] };
  const end = events?.at(-1);
  const closing =
    end?.workflowExecutionCompletedEventAttributes ??
    end?.workflowExecutionFailedEventAttributes ??
    end?.workflowExecutionCanceledEventAttributes;
  if (!closing) throw new Error('The workflow is not closed.');
  for (const { upsertWorkflowSearchAttributesEventAttributes: upserted } of events ?? []) {
    const state = upserted?.searchAttributes?.indexedFields?.[stateAttribute.name]?.data;
    if (!state) continue;
    const isLast = String(upserted.workflowTaskCompletedEventId) === String(closing.workflowTaskCompletedEventId);
    said[isLast ? 'whenItClosed' : 'before'].push(JSON.parse(Buffer.from(state).toString()));
  }
  return said;
}
