import { randomUUID } from 'node:crypto';
import { FAILURE, type EndpointActivities } from '../src/contract/activities';
import { operationId } from '../src/contract/operation';
import { differingAccess, differingFiles, digestOf } from '../src/systems/endpoint/file-lists';
import type { ExplicitAccess, HashedFile } from '../src/systems/endpoint/scripts';
import { backupFolder, recordedChanges, recordsFolder } from '../src/systems/endpoint/upgrade-records';
import { keyOf, nameOf, type HostWork } from './host-work';

/**
 * Puts the files of the backup back, unless they are there. Assumption: setup.cmd changes nothing outside of the
 * application's folder that the old version could not live with; databases and IIS configuration stay as they are.
 */
export async function restoreSite(
  { run, untilNoSetupRuns, patience, fail }: HostWork,
  { site, backup, operation }: Parameters<EndpointActivities['restoreSite']>[0],
): Promise<void> {
  const seen = await untilNoSetupRuns([site], operation);
  // In the host's own work directory: the path in what was handed on is for people.
  const copy = backupFolder(operation, site);
  const found = await run('hash', { backup: copy, ...keyOf(site) });
  const about = { type: FAILURE.unexpectedState, call: 'the restore', object: nameOf(site) };
  if (digestOf(found.backup) !== backup.digest) {
    throw fail({
      ...about,
      problem: `is impossible: the files in ${backup.path} are not those that were copied`,
      next: 'Restore the site from another backup by hand, then retry.',
    });
  }
  const { listed } = found.access;
  const left = (deployed: HashedFile[], access: ExplicitAccess[]) => [
    ...differingFiles(found.backup, deployed),
    ...differingAccess(listed, access),
  ];
  const replace = left(found.deployed, found.access.found).length > 0;
  if (!replace && !found.unfinished) return;
  const restored = await run('restore', {
    operation: operationId(operation),
    ...keyOf(site),
    backup: copy,
    records: recordsFolder(operation),
    seen: recordedChanges(seen),
    id: randomUUID(),
    replace,
    waitMilliseconds: patience(),
  });
  const different = left(restored.deployed, restored.access);
  if (different.length > 0) {
    throw fail({
      ...about,
      problem: `left files that differ from the backup, or from the access that they had: ${different.join(', ')}`,
      next: 'Find out what holds or changes these files, then retry.',
    });
  }
}
