import { CancellationScope, TemporalFailure, getExternalWorkflowHandle } from '@temporalio/workflow';

/**
 * Tells another workflow something by a signal, also when the teller is cancelled. It is in the other's history when this
 * returns.
 *
 * @param unheard hears why nobody could be told: mostly that the other has ended.
 */
export async function signalWorkflow(
  workflowId: string,
  signal: string,
  payload: unknown,
  unheard: (failure: TemporalFailure) => void,
): Promise<void> {
  try {
    await CancellationScope.nonCancellable(() => getExternalWorkflowHandle(workflowId).signal(signal, payload));
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error;
    unheard(error);
  }
}
