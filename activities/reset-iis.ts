import { randomUUID } from 'node:crypto';
import { FAILURE, type EndpointActivities } from '../src/contract/activities';
import { operationId } from '../src/contract/operation';
import {
  changes,
  recordedChanges,
  recordsFolder,
  resetNeeded,
  resetProblem,
  touchedUrls,
} from '../src/systems/endpoint/upgrade-records';
import type { HostWork } from './host-work';

/** How long a gateway application may take to answer after iisreset, in milliseconds. */
const FIRST_ANSWER_MS = 60_000;

/** One iisreset after everything that this operation did, and every gateway application it touched answers again. */
export async function resetIis(
  work: HostWork,
  { operation, purpose }: Parameters<EndpointActivities['resetIis']>[0],
): Promise<void> {
  const { run, inspect, fail } = work;
  const seen = await inspect([], operation);
  if (resetNeeded(seen, purpose)) {
    const problem = resetProblem(
      await run('reset', {
        operation: operationId(operation),
        records: recordsFolder(operation),
        seen: recordedChanges(seen),
        id: randomUUID(),
        covers: changes(seen),
      }),
    );
    if (problem !== undefined) {
      throw fail({
        type: FAILURE.rejected,
        call: 'iisreset',
        problem,
        next: 'Start the services on the host if they are stopped, find out why iisreset failed, then retry.',
      });
    }
  }
  for (const url of touchedUrls(seen)) await expectAnswer(work, url);
}

/**
 * Assumption: to whoever has no certificate of the controller, the gateway says 401 or 403 (systems.md 4.3). A failure is
 * only what shows that nothing serves; a certificate that this host does not trust is none.
 */
async function expectAnswer({ run, fail }: HostWork, url: string): Promise<void> {
  const { status, untrusted, problem } = await run('answer', { url, waitMilliseconds: FIRST_ANSWER_MS });
  if (untrusted || (status > 0 && status < 500 && status !== 404)) return;
  throw fail({
    type: FAILURE.unreachable,
    call: 'the gateway application',
    object: url,
    problem: status === 0 ? `does not answer after iisreset (${problem})` : `answers HTTP ${status} after iisreset`,
    next: "Look into the host's event log and the site's bindings, then retry.",
  });
}
