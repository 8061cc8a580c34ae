import { randomUUID } from 'node:crypto';
import { FAILURE, type EndpointActivities } from '../src/contract/activities';
import { operationId } from '../src/contract/operation';
import { differingFiles, digestOf } from '../src/systems/endpoint/file-lists';
import { recordedChanges, recordsFolder } from '../src/systems/endpoint/upgrade-records';
import { keyOf, nameOf, type HostWork } from './host-work';

/**
 * Puts the files of the backup back, unless they are there. Assumption: setup.cmd changes nothing outside of the
 * application's folder that the old version could not live with; databases and IIS configuration stay as they are.
 */
export async function restoreSite(
  { host, run, untilNoSetupRuns, fail }: HostWork,
  { site, backup, operation }: Parameters<EndpointActivities['restoreSite']>[0],
): Promise<void> {
  const seen = await untilNoSetupRuns([site], operation);
  const found = await run('hash', { backup: backup.path, ...keyOf(site) });
  const about = { type: FAILURE.unexpectedState, call: 'the restore', object: nameOf(site) };
  if (digestOf(found.backup) !== backup.digest) {
    throw fail({
      ...about,
      problem: `is impossible: the files in ${backup.path} are not those that were copied`,
      next: 'Restore the site from another backup by hand, then retry.',
    });
  }
  if (differingFiles(found.backup, found.deployed).length === 0) return;
  const { deployed } = await run('restore', {
    workDirectory: host.workDirectory,
    operation: operationId(operation),
    ...keyOf(site),
    backup: backup.path,
    records: recordsFolder(operation),
    seen: recordedChanges(seen),
    id: randomUUID(),
  });
  const left = differingFiles(found.backup, deployed);
  if (left.length > 0) {
    throw fail({
      ...about,
      problem: `left files that differ from the backup: ${left.join(', ')}`,
      next: 'Find out what holds or changes these files, then retry.',
    });
  }
}
