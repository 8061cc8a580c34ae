import { ApplicationFailure, CancellationScope, CancelledFailure, TemporalFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import type { Upgrade } from './upgrade';

/**
 * Runs what an operator may still abort. An abort, or a cancellation of the workflow, stops it where it is; one that comes
 * in the very workflow task in which it ends counts as well.
 * @throws Aborted, with who and why.
 */
export async function abortable<Result>(
  { onAbort }: Pick<Upgrade, 'onAbort'>,
  run: () => Promise<Result>,
): Promise<Result> {
  const scope = new CancellationScope({ cancellable: true });
  let aborted: ApplicationFailure | undefined;
  onAbort((by, reason) => {
    aborted ??= ApplicationFailure.nonRetryable(`${by} aborted the upgrade: ${reason}`, FAILURE.aborted);
    scope.cancel();
  });
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
