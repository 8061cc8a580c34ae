import { randomUUID } from 'node:crypto';
import { FAILURE, type EndpointActivities } from '../src/contract/activities';
import type { ServicesRestarted } from '../src/contract/facts';
import { operationId, type Operation } from '../src/contract/operation';
import type { Inspection } from '../src/systems/endpoint/scripts';
import {
  changes,
  recordedChanges,
  recordsFolder,
  resetNeeded,
  resetProblem,
  touchedGateways,
  type Gateway,
} from '../src/systems/endpoint/upgrade-records';
import type { HostWork } from './host-work';

/** How long a gateway application may take to answer after iisreset, in milliseconds. */
const FIRST_ANSWER_MS = 60_000;
/** An iisreset that fails may well work the next time. */
const ATTEMPTS = 3;
/** The session is not elevated: no repeat helps. */
const ACCESS_DENIED = 5;

/** One iisreset that works after everything that this operation did, and every gateway application it touched answers again. */
export async function resetIis(
  work: HostWork,
  { operation, purpose }: Parameters<EndpointActivities['resetIis']>[0],
): Promise<ServicesRestarted> {
  const seen = await work.inspect([], operation);
  if (resetNeeded(seen, purpose)) await restartServices(work, seen, operation);
  const cannotTell: ServicesRestarted['cannotTell'] = [];
  for (const gateway of touchedGateways(seen)) {
    const problem = await silence(work, gateway);
    if (problem !== undefined) cannotTell.push({ url: gateway.url, address: gateway.ip, problem });
  }
  return { cannotTell };
}

async function restartServices(
  { run, patience, fail }: HostWork,
  seen: Inspection,
  operation: Operation,
): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const done = await run('reset', {
      operation: operationId(operation),
      records: recordsFolder(operation),
      // Each attempt is recorded as well.
      seen: recordedChanges(seen) + attempt,
      id: randomUUID(),
      covers: changes(seen),
      waitMilliseconds: patience(),
    });
    const problem = resetProblem(done);
    if (problem === undefined) return;
    if (attempt + 1 < ATTEMPTS && done.exitCode !== ACCESS_DENIED) continue;
    throw fail({
      type: FAILURE.rejected,
      call: 'iisreset',
      problem,
      next: 'Start the services on the host if they are stopped, find out why iisreset failed, then retry.',
    });
  }
}

/**
 * Assumption: to whoever has no certificate of the controller, the gateway says 401 or 403 (systems.md 4.3). A failure is only what shows
 * that nothing serves. That the address cannot be reached from here shows nothing.
 *
 * @returns why it cannot be told whether it answers.
 */
async function silence(
  { run, patience, fail }: HostWork,
  { hostname, ip, path, url }: Gateway,
): Promise<string | undefined> {
  const { connection, status, untrusted, problem } = await run('answer', {
    address: ip,
    hostname,
    path,
    waitMilliseconds: Math.min(FIRST_ANSWER_MS, patience()),
  });
  if (status > 0 && status < 500 && status !== 404) return undefined;
  if (status === 0 && connection === 'none') return problem;
  const trust = untrusted === '' ? '' : `; this host does not trust its certificate (${untrusted})`;
  throw fail({
    type: FAILURE.unreachable,
    call: 'the gateway application',
    object: `${url} at ${ip}`,
    problem:
      status === 0
        ? `does not answer after iisreset (${problem})${trust}`
        : `answers HTTP ${status} after iisreset${trust}`,
    next: "Look into the host's event log, the application's pool and the site's bindings, then retry.",
  });
}
