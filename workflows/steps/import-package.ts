import { ActivityFailure, ApplicationFailure, sleep, uuid4 } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import { entryOf } from '../../src/contract/entry';
import type { CrossingFacts } from '../engine/path';
import type { CrossingApproved } from './facts';
import { crossingStep, type StepContext } from '../engine/step';
import { failureType } from '../kit/problem';

/** A system that was not reached at all is asked again so many times before the step holds. */
const UNREACHED_ATTEMPTS = 5;
const UNREACHED_PAUSE = '10 seconds';

/**
 * Imports the package into Odin Automation (systems.md 1.4.1): the point of no return. An import
 * whose outcome is unknown may have happened, so it is read back, and never asked for a second time before that.
 */
export const importPackage = crossingStep<CrossingApproved, CrossingFacts>({
  name: 'importPackage',
  title: 'Import the application package',
  waitsFor: 'the import tasks of Operations',
  run: async (context) => {
    const requestId = uuid4();
    return (await requestImport(context, requestId)) ?? (await readBack(context, requestId));
  },
  verify: (context) => readBack(context, uuid4()),
});

/** @returns undefined when the import may have happened or not: read back. */
async function requestImport(
  { activities, profile, to }: StepContext,
  requestId: string,
): Promise<CrossingFacts | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      const imported = await activities.operations.importPackage(`import version ${to}`, {
        entry: entryOf(profile, 'operations', 'aps', `packages.${to}`),
        version: to,
        requestId,
      });
      return { imported };
    } catch (error) {
      if (mayHaveHappened(error)) return undefined;
      if (failureType(error) !== FAILURE.unreachable || attempt === UNREACHED_ATTEMPTS) throw error;
      await sleep(UNREACHED_PAUSE, { summary: 'Operations was not reached; ask again' });
    }
  }
}

const NOT_SENT = [FAILURE.unreachable, FAILURE.rejected, FAILURE.accessDenied, FAILURE.entryChanged];
/** Everything but a clear "nothing was sent" or "no": above all a worker that died. */
function mayHaveHappened(error: unknown): boolean {
  if (!(error instanceof ActivityFailure)) return false;
  const type = failureType(error);
  return !NOT_SENT.some((other) => other === type);
}

async function readBack({ activities, profile, to }: StepContext, requestId: string): Promise<CrossingFacts> {
  const imported = await activities.operations.awaitImport(`read back the import of ${to}`, {
    entry: entryOf(profile, 'operations', 'aps'),
    version: to,
    requestId,
  });
  if (!imported)
    throw ApplicationFailure.nonRetryable(
      `Operations: the import of version ${to} did not happen: it is not in the package list, and no task is at work on it. Look at the import in Operations > Tasks; retry imports it, doneByHand accepts an import that was made by hand.`,
      FAILURE.rejected,
    );
  return { imported };
}
