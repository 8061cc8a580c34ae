import { FAILURE, type EndpointActivities } from '../src/contract/activities';
import type { SiteBackup, SiteVersion } from '../src/contract/facts';
import { operationId, type Operation } from '../src/contract/operation';
import { differingFiles, digestOf } from '../src/systems/endpoint/file-lists';
import type { OtherBackup } from '../src/systems/endpoint/scripts';
import { siteVersion } from '../src/systems/endpoint/site-version';
import { backupFolder, isTouched, recordedChanges, recordsFolder } from '../src/systems/endpoint/upgrade-records';
import { isSystemError } from '../src/systems/system-error';
import { keyOf, nameOf, only, type HostWork } from './host-work';

/** So many files are named; a result is kept in the history. */
const NAMED_FILES = 20;

/**
 * The copy that an undo of this operation needs: files of the old version, verified by hashing the copy again. A copy that
 * this operation has made before its setup.cmd is kept, whatever the files are now. Files that were new already have none: this
 * operation does nothing to them that could be undone. Mixed ones are what an operation that was ended by force leaves behind;
 * its copy may be of any version, so putting it back is for a person to decide.
 */
export async function backUpSite(
  { host, run, untilNoSetupRuns, fail }: HostWork,
  { site, operation }: Parameters<EndpointActivities['backupSite']>[0],
): Promise<SiteBackup | undefined> {
  const noBackup = (problem: string, next = 'Nothing was changed. Repair the cause, then retry.', cause?: unknown) =>
    fail({ type: FAILURE.noBackup, call: 'the backup', object: nameOf(site), problem, next }, cause);
  const { from, to } = operation;
  const seen = await untilNoSetupRuns([site], operation);
  const version = siteVersion(only(seen), from, to, host.name);
  const old = version.deployed === 'old';
  const backup = {
    operation: operationId(operation),
    ...keyOf(site),
    records: recordsFolder(operation),
    seen: recordedChanges(seen),
    backup: backupFolder(operation, site),
  };
  const copyFiles = async (when: 'never' | 'ifMissing' | 'always') => {
    try {
      const { path, copy, deployed, ownDoing, others } = await run('backup', { ...backup, copy: when });
      if (copy !== null) return { path, ...copy, deployed, ownDoing };
      if (version.deployed === 'new') return undefined;
      throw noBackup(whyNotNow(version, operation), whatElse(others, operation));
    } catch (error) {
      if (!isSystemError(error, FAILURE.rejected)) throw error;
      throw noBackup(`could not be made (${error.message})`, undefined, error);
    }
  };

  let made = await copyFiles(old ? 'ifMissing' : 'never');
  if (made === undefined) return undefined;
  // The copy of an earlier, undone run of this operation is out of date when somebody has changed the site since.
  if (old && !isTouched(seen, site) && differingFiles(made.listed, made.deployed).length > 0) {
    made = (await copyFiles('always')) ?? made;
  }
  const damaged = differingFiles(made.listed, made.copied);
  if (damaged.length > 0) throw noBackup(`differs from what was copied: ${damaged.join(', ')}`);
  return {
    path: made.path,
    files: made.copied.length,
    bytes: made.copied.reduce((sum, file) => sum + file.bytes, 0),
    digest: digestOf(made.copied),
    leftOut: made.ownDoing.slice(0, NAMED_FILES),
  };
}

function whyNotNow({ assemblyVersions, webConfigVersion }: SiteVersion, { from }: Operation): string {
  const now = `assemblies ${assemblyVersions.join(', ') || 'without a version'}, web.config ${webConfigVersion ?? 'without one'}`;
  return `cannot be made: the files are not those of ${from} any more (${now}), and this operation has copied none before`;
}

/** What a person can do. */
function whatElse(others: OtherBackup[], { from, to }: Operation): string {
  const [newest] = others.sort((one, other) => other.at.localeCompare(one.at));
  const either = `put files of ${from} back or bring the site to ${to}, by hand, then retry`;
  return newest === undefined
    ? `No older operation has left a copy on this host: ${either}.`
    : `The newest copy of an older operation is in ${newest.path} (${newest.operation}, ${newest.at}): ${either}.`;
}
