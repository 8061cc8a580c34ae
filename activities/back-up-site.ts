import { FAILURE, type EndpointActivities } from '../src/contract/activities';
import type { SiteBackup } from '../src/contract/facts';
import { differingFiles, digestOf } from '../src/systems/endpoint/file-lists';
import { siteVersion } from '../src/systems/endpoint/site-version';
import { fileName, isTouched, recordedChanges } from '../src/systems/endpoint/upgrade-records';
import { isSystemError } from '../src/systems/system-error';
import { keyOf, nameOf, only, type HostWork } from './host-work';

/**
 * The copy that an undo of this upgrade needs: files of the old version, verified by hashing the copy again. A copy that
 * this upgrade has made before its setup.cmd is kept, whatever the files are now. Fails with `NoBackup` otherwise.
 */
export async function backUpSite(
  { host, run, inspect, fail }: HostWork,
  { site, upgrade, from, to }: Parameters<EndpointActivities['backupSite']>[0],
): Promise<SiteBackup> {
  const noBackup = (problem: string, cause?: unknown) =>
    fail(
      {
        type: FAILURE.noBackup,
        call: 'the backup',
        object: nameOf(site),
        problem,
        next: 'Nothing was changed. Repair the cause, then retry.',
      },
      cause,
    );
  const seen = await inspect([site], upgrade);
  const old = siteVersion(only(seen), from, to, host.name).deployed === 'old';
  const backup = {
    workDirectory: host.workDirectory,
    upgrade,
    ...keyOf(site),
    records: fileName(upgrade),
    seen: recordedChanges(seen),
    backup: fileName(upgrade, site.site, site.application),
  };
  const copy = async (when: 'never' | 'ifMissing' | 'always') => {
    try {
      return await run('backup', { ...backup, copy: when });
    } catch (error) {
      throw isSystemError(error, FAILURE.rejected) ? noBackup(`could not be made (${error.message})`, error) : error;
    }
  };

  let made = await copy(old ? 'ifMissing' : 'never');
  // The copy of an earlier, undone run of this upgrade is out of date when somebody has changed the site since.
  if (old && !isTouched(seen, site) && differingFiles(made.listed, made.deployed).length > 0) {
    made = await copy('always');
  }
  const damaged = differingFiles(made.listed, made.copied);
  if (damaged.length > 0) throw noBackup(`differs from what was copied: ${damaged.join(', ')}`);
  return {
    path: made.path,
    files: made.copied.length,
    bytes: made.copied.reduce((sum, file) => sum + file.bytes, 0),
    digest: digestOf(made.copied),
  };
}
