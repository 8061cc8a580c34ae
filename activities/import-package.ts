/** The crossing: the one call after which there is only forward (systems.md 1.3, 1.4.1). */
import { Context } from '@temporalio/activity';
import { FAILURE, type ImportedPackage, type OperationsActivities } from '../src/contract/activities';
import type { PackageSource } from '../src/contract/provider';
import type { Office365Application } from '../src/systems/office365-application';
import type { OperationsClient, RequestStatus, TransactionId } from '../src/systems/operations';
import { SystemError, isSystemError } from '../src/systems/system-error';
import { expectPackage } from './hash-package';
import { poll, type Polling, type Report, type Wait } from './polling';

/** So often the package must be found missing, however short the time between. */
const ABSENT_LOOKS = 3;

/** The package, with the request that its import runs under. */
interface ImportRequest {
  version: string;
  requestId: string;
  earlierRequestIds?: string[];
}

/** What became of all of an import's requests. */
type ImportToReadBack = Pick<Parameters<OperationsActivities['awaitImport']>[0], 'version' | 'requestIds' | 'purpose'>;

/** Failures never name where the package is: its address may hold a signature. */
const packageOf = ({ version }: Pick<ImportRequest, 'version'>): string => `the package of ${version}`;

/**
 * Imports, and waits until the import's tasks are done. Never repeats a call whose outcome is unknown. Operations fetches the file
 * by itself, so what lies behind the URL is hashed directly before the request, each time.
 */
export async function importPackage(
  operations: OperationsClient,
  application: Office365Application,
  input: ImportRequest & { source: PackageSource },
  polling: Polling,
  report: Report,
): Promise<ImportedPackage> {
  const standsAlone = (): Promise<void> => withoutEffect(() => requireNoEarlier(operations, application, input));
  await standsAlone();
  const already = await withoutEffect(() => application.imported(input.version));
  if (already) return already;
  await withoutEffect(() => expectPackage(input.version, input.source, report));
  // A large file takes a while.
  await standsAlone();
  const transaction = await withoutEffect(() => operations.begin(input.requestId));
  // Given up meanwhile: somebody else may import by now.
  Context.current().cancellationSignal.throwIfAborted();
  await importInto(operations, application, transaction, input);
  await commit(operations, transaction, input);
  const back: ImportToReadBack = { version: input.version, requestIds: [input.requestId], purpose: 'readBack' };
  return await accepted(input, () => awaitImport(operations, application, back, polling, report));
}

/** A request that was read back as failed comes to life again when somebody resubmits its task: then it is read back once more. */
async function requireNoEarlier(
  operations: OperationsClient,
  application: Office365Application,
  input: ImportRequest,
): Promise<void> {
  const { earlierRequestIds = [] } = input;
  if (earlierRequestIds.length === 0) return;
  const { running } = await requestStates(operations, earlierRequestIds);
  if (!running && !(await application.imported(input.version))) return;
  throw new SystemError({
    type: FAILURE.notYet,
    system: 'Operations',
    call: 'pem.APS.importPackage',
    object: packageOf(input),
    problem: `was asked for before, and that request is at work again${running ? `: ${running.join('; ') || 'its tasks are running'}` : ', or has imported it by now'}`,
    next: 'Nothing was sent. Read it back.',
    retryable: false,
  });
}

/** After an accepted import no failure may look as if nothing had been sent. */
async function accepted(
  input: ImportRequest,
  wait: () => Promise<ImportedPackage | undefined>,
): Promise<ImportedPackage> {
  const imported = await wait().catch((error: unknown) => {
    throw isSystemError(error, FAILURE.rejected) ? error : unknownOutcome(error, input);
  });
  if (imported) return imported;
  throw new SystemError({
    type: FAILURE.outcomeUnknown,
    system: 'Operations',
    call: 'pem.APS.importPackage',
    object: packageOf(input),
    problem: 'was accepted, and the package is not listed',
    next: 'Read back what became of it before anything else.',
    retryable: false,
  });
}

/** Neither a look nor a transaction that is never used imports anything, whatever became of the call. */
async function withoutEffect<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!isSystemError(error, FAILURE.outcomeUnknown, FAILURE.malformedAnswer)) throw error;
    throw new SystemError(
      {
        type: FAILURE.unreachable,
        system: error.system,
        call: error.call,
        object: error.object,
        problem: `${error.problem}; nothing was imported`,
        next: 'It can be repeated.',
      },
      { cause: error },
    );
  }
}

async function importInto(
  operations: OperationsClient,
  application: Office365Application,
  transaction: TransactionId,
  input: ImportRequest & { source: PackageSource },
): Promise<void> {
  try {
    await operations.importPackage(input.source.url, transaction);
  } catch (error) {
    if (isSystemError(error, FAILURE.rejected)) throw await refused(operations, application, input, error);
    // Only what was not even sent may be rolled back: the rest may have happened.
    if (!isSystemError(error, FAILURE.accessDenied, FAILURE.unreachable)) throw unknownOutcome(error, input);
    await rollBackUnsent(operations, transaction, error);
    throw error;
  }
}

/** A refusal has closed the transaction: there is nothing to roll back (systems.md 1.3). What it left behind is looked at. */
async function refused(
  operations: OperationsClient,
  application: Office365Application,
  input: ImportRequest,
  refusal: SystemError,
): Promise<unknown> {
  const withNext = (next: string) => new SystemError({ ...refusal, next }, { cause: refusal });
  try {
    const { running } = await requestStates(operations, [input.requestId]);
    if (running || (await application.imported(input.version))) return unknownOutcome(refusal, input);
    return withNext(
      'Nothing was imported: the package list does not have it, and no task is at work on it. Repair what the message names, then retry.',
    );
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return withNext(
      `Nothing was imported by this call; whether the package is listed could not be read: ${error.message}`,
    );
  }
}

async function rollBackUnsent(
  operations: OperationsClient,
  transaction: TransactionId,
  unsent: SystemError,
): Promise<void> {
  try {
    await operations.rollback(transaction);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    // An open transaction without any effect ends by itself.
    throw new SystemError(
      {
        ...unsent,
        problem: `${unsent.problem}; and ${error.call} of its empty transaction ${error.problem}`,
        next: 'Nothing was imported.',
      },
      { cause: unsent },
    );
  }
}

/** The import was accepted: whatever goes wrong now, it may stand. */
async function commit(operations: OperationsClient, transaction: TransactionId, input: ImportRequest): Promise<void> {
  try {
    await operations.commit(transaction);
  } catch (error) {
    throw unknownOutcome(error, input);
  }
}

function unknownOutcome(error: unknown, input: ImportRequest): unknown {
  if (!(error instanceof SystemError)) return error;
  return new SystemError(
    {
      type: FAILURE.outcomeUnknown,
      system: error.system,
      call: 'import',
      object: packageOf(input),
      problem: `may or may not have happened: ${error.call} ${error.problem}`,
      next: 'Read back what became of it before anything else.',
      retryable: false,
    },
    { cause: error },
  );
}

/**
 * What became of the import: the package once it is listed and no task of any request is left, undefined once it has
 * been missing for `polling.absenceMs` with nothing at work on it.
 */
export async function awaitImport(
  operations: OperationsClient,
  application: Office365Application,
  input: ImportToReadBack,
  polling: Polling,
  report: Report,
): Promise<ImportedPackage | undefined> {
  let absentSince: number | undefined;
  let absentLooks = 0;
  const wait: Wait = {
    system: 'Operations',
    call: 'pem.APS.importPackage',
    object: packageOf(input),
    next: 'Find its tasks under Operations > Tasks, repair what keeps them, then retry.',
  };
  return poll(polling, wait, async () => {
    // In this order: a request that is done has listed its package.
    const { running, failed } = await requestStates(operations, input.requestIds);
    if (failed && input.purpose === 'readBack') throw importFailed(input, failed);
    const imported = await application.imported(input.version);
    report({ running, failed, listed: imported !== undefined });
    if (running) {
      absentSince = undefined;
      absentLooks = 0;
      return { open: running.join('; ') || 'its tasks are running' };
    }
    if (imported) {
      if (failed && input.purpose !== 'byHand') throw importFailed(input, failed);
      return { found: imported };
    }
    absentSince ??= performance.now();
    absentLooks += 1;
    const certain = absentLooks >= ABSENT_LOOKS && performance.now() - absentSince >= polling.absenceMs;
    return certain ? { found: undefined } : { open: 'the package is not listed' };
  });
}

/** What is at work under any of these requests, and what has failed, in the words of Operations; undefined where nothing has. */
async function requestStates(
  operations: OperationsClient,
  requestIds: readonly string[],
): Promise<{ running: string[] | undefined; failed: string[] | undefined }> {
  const states: (RequestStatus & { requestId: string })[] = [];
  for (const requestId of requestIds) states.push({ requestId, ...(await requestStatus(operations, requestId)) });
  const said = (wanted: RequestStatus['state']): string[] | undefined => {
    const some = states.filter(({ state }) => state === wanted);
    return some.length === 0
      ? undefined
      : some.flatMap(({ requestId, messages }) =>
          messages.length > 0 || wanted === 'running' ? messages : [`request ${requestId} gives no reason`],
        );
  };
  return { running: said('running'), failed: said('failed') };
}

/**
 * Assumption: a request that was never begun, or is forgotten, is either answered as one without tasks (systems.md 8.2) or
 * refused; in both cases nothing is at work under its id.
 */
async function requestStatus(operations: OperationsClient, requestId: string): Promise<RequestStatus> {
  try {
    return await operations.requestStatus(requestId);
  } catch (error) {
    if (!isSystemError(error, FAILURE.rejected)) throw error;
    return { state: 'done', messages: [error.problem] };
  }
}

function importFailed(input: Pick<ImportRequest, 'version'>, messages: string[]): SystemError {
  return new SystemError({
    type: FAILURE.rejected,
    system: 'Operations',
    call: 'pem.APS.importPackage',
    object: packageOf(input),
    problem: `failed in its tasks: ${messages.join('; ')}`,
    next: 'Find the failed task under Operations > Tasks, repair its cause and resubmit it.',
  });
}
