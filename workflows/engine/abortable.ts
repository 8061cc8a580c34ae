import { ApplicationFailure, CancellationScope, CancelledFailure, TemporalFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import type { Upgrade } from './upgrade';

/**
 * Runs what an operator may still abort. An abort, or a cancellation of the workflow, stops it where it is; one that comes
 * in the very workflow task in which it ends counts as well.
 * @param asked who wanted to abort before it could begin.
 * @throws Aborted, with who and why.
 */
export async function abortable<Result>(
  { onAbort }: Pick<Upgrade, 'onAbort'>,
  run: () => Promise<Result>,
  asked?: { by: string; reason: string },
): Promise<Result> {
  const scope = new CancellationScope({ cancellable: true });
  let aborted: ApplicationFailure | undefined;
  const abort = (by: string, reason: string): void => {
    aborted ??= ApplicationFailure.nonRetryable(`${by} aborted the upgrade: ${reason}`, FAILURE.aborted);
    scope.cancel();
  };
  onAbort(abort);
  if (asked) abort(asked.by, asked.reason);
  try {
    return await scope.run(async () => {
      const result = await run();
      if (scope.consideredCancelled) throw new CancelledFailure('stopped at the last moment');
      return result;
    });
  } catch (error) {
    throw aborted && error instanceof TemporalFailure ? aborted : error;
  } finally {
    onAbort(undefined);
  }
}
