import { FAILURE, type EndpointActivities } from '../src/contract/activities';
import { operationId } from '../src/contract/operation';
import { isLater, LATER_BY_MS, recordsFolder, restartRecord } from '../src/systems/endpoint/upgrade-records';
import type { HostWork } from './host-work';

/** A host that is up after so long was not restarted: somebody has called it off. It is asked again. In milliseconds. */
const PENDING_MS = 5 * 60_000;

/**
 * Nobody waits in here: this worker goes down with its host. Each attempt looks when Windows was started, and the one that finds
 * it started later is the last.
 */
export async function restartHost(
  { run, fail }: HostWork,
  { operation, before }: Parameters<EndpointActivities['restartHost']>[0],
): Promise<{ bootTime: string }> {
  const { bootTime, askedAt } = await run('restart', {
    operation: operationId(operation),
    records: recordsFolder(operation),
    record: restartRecord(before),
    bootedUntil: new Date(Date.parse(before) + LATER_BY_MS).toISOString(),
    askAgain: new Date(Date.now() - PENDING_MS).toISOString(),
  });
  if (isLater(bootTime, before)) return { bootTime };
  throw fail({
    type: FAILURE.notYet,
    call: 'the restart',
    problem: `was asked for at ${askedAt ?? 'no time'}; Windows was started at ${bootTime} and still runs`,
    next: 'The wait goes on until the host is back and its worker answers; look at the console of the host if it stays away.',
  });
}
