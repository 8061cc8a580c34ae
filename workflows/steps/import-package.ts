import { ActivityFailure, ApplicationFailure, sleep, uuid4 } from '@temporalio/workflow';
import { FAILURE, type ImportedPackage, type OperationsActivities } from '../../src/contract/activities';
import { entryOf } from '../../src/contract/entry';
import type { CrossingFacts } from '../engine/path';
import type { CrossingApproved } from './facts';
import { crossingStep, type StepContext } from '../engine/step';
import { failureType, problemOf } from '../kit/problem';

/** A system that was not reached at all is asked again, each time under a new id, so many times before the step holds. */
const UNREACHED_ATTEMPTS = 5;
const UNREACHED_PAUSE = '10 seconds';
/** Assumption: what the import and its tasks take, about; for plans. */
const IMPORT_SECONDS = 15 * 60;

/**
 * Imports the package into Odin Automation (systems.md 1.4.1): the point of no return. An import
 * whose outcome is unknown may have happened, so it is read back, and never asked for a second time before that: not by a retry,
 * and not by another run of the workflow.
 */
export const importPackage = crossingStep<CrossingApproved, CrossingFacts, 'importPackage'>({
  changes: ['importPackage'],
  takes: () => IMPORT_SECONDS,
  name: 'importPackage',
  title: 'Import the application package',
  waitsFor: 'the import tasks of Operations',
  run: async (context, _, lookAgain) => {
    const unsent: string[] = [];
    for (;;) {
      const requestId = uuid4();
      // Noted before it is begun: whoever comes next, in whatever run, reads it back before anything new.
      const noted = (await context.installation.importing(requestId)).filter((id) => id !== requestId);
      const earlier = noted.filter((id) => !unsent.includes(id));
      const already = earlier.length > 0 ? await readBack(context, earlier, 'beforeAnother') : undefined;
      if (already) return { imported: already };
      // The first request comes directly after the look before the crossing.
      if (noted.length > 0) await lookAgain();
      try {
        return { imported: await importOnce(context, requestId, earlier) };
      } catch (error) {
        if (failureType(error) === FAILURE.notYet) {
          // An earlier one is at work again: it is read back before anything else.
          unsent.push(requestId);
          continue;
        }
        if (mayHaveHappened(error)) return { imported: await readBackOwn(context, requestId) };
        unsent.push(requestId);
        if (failureType(error) === FAILURE.rejected) throw await refusedOutright(context, error);
        if (failureType(error) !== FAILURE.unreachable || unsent.length === UNREACHED_ATTEMPTS) throw error;
        await sleep(UNREACHED_PAUSE, { summary: 'Operations was not reached; ask again' });
      }
    }
  },
  verify: async (context) => {
    const { requests } = await context.installation.enter();
    return { imported: (await readBack(context, requests, 'byHand')) ?? thereIsNone(context) };
  },
});

async function importOnce(
  { activities, profile, to }: StepContext<'importPackage'>,
  requestId: string,
  earlier: readonly string[],
): Promise<ImportedPackage> {
  return await activities.operations.importPackage(`import version ${to}`, {
    entry: entryOf(profile, 'operations', 'aps', `packages.${to}`),
    version: to,
    requestId,
    // Since they were read back it may have waited for days, for people or for open tasks.
    ...(earlier.length > 0 ? { earlierRequestIds: [...earlier] } : {}),
  });
}

const NOT_SENT = [FAILURE.unreachable, FAILURE.rejected, FAILURE.accessDenied, FAILURE.entryChanged];
/** Everything but a clear "nothing was sent" or "no": above all a worker that died. */
function mayHaveHappened(error: unknown): boolean {
  if (!(error instanceof ActivityFailure)) return false;
  const type = failureType(error);
  return !NOT_SENT.some((other) => other === type);
}

/**
 * Operations has said no. Whoever decides has to know that nothing was imported. The way back stays closed all the same: it was sealed
 * when the import began, and one look cannot tell what a refused request leaves behind (docs/upgrade-paths.md).
 */
async function refusedOutright(
  { activities, profile, to }: StepContext,
  refusal: unknown,
): Promise<ApplicationFailure> {
  const entry = entryOf(profile, 'operations', 'aps');
  const listed = await activities.operations.findImported(`look whether ${to} is imported`, { entry, version: to });
  const found = listed
    ? `Version ${listed.packageVersion} is in the package list all the same: a retry takes it as imported.`
    : `Nothing was imported: version ${to} is not in the package list. Repair the cause and retry; or import it by hand and say doneByHand.`;
  return ApplicationFailure.create({
    type: FAILURE.rejected,
    nonRetryable: true,
    message: `${problemOf(refusal)} ${found}`,
    ...(refusal instanceof Error ? { cause: refusal } : {}),
  });
}

type ReadBack = Parameters<OperationsActivities['awaitImport']>[0];

async function readBack(
  { activities, profile, to }: StepContext,
  requestIds: readonly string[],
  purpose: ReadBack['purpose'],
): Promise<ImportedPackage | undefined> {
  return await activities.operations.awaitImport(`read back the import of ${to}`, {
    entry: entryOf(profile, 'operations', 'aps'),
    version: to,
    requestIds: [...requestIds],
    purpose,
  });
}

const readBackOwn = async (context: StepContext, requestId: string): Promise<ImportedPackage> =>
  (await readBack(context, [requestId], 'readBack')) ?? thereIsNone(context);

function thereIsNone({ to }: StepContext): never {
  throw ApplicationFailure.nonRetryable(
    `Operations: the import of version ${to} did not happen: it is not in the package list, and no task is at work on it. Look at the import in Operations > Tasks; retry imports it, doneByHand accepts an import that was made by hand.`,
    FAILURE.rejected,
  );
}
