/** The scripts that releases bring for endpoint hosts: found by name on the host itself, so that nobody sends code there. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { FAILURE } from '../../contract/activities';
import { SystemError } from '../system-error';

/** Where the scripts of one release lie: `<name>.ps1` each (scripts/run-script.ps1 says what such a script promises). */
export interface ReleaseFolder {
  /** `18.5` */
  version: string;
  folder: string;
}

/** The folders of the releases that this build knows, scripts or not. */
const RELEASES = path.join(__dirname, '..', '..', '..', 'workflows', 'releases');

export function productReleases(): ReleaseFolder[] {
  if (!existsSync(RELEASES)) return [];
  return readdirSync(RELEASES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ version: name, folder: path.join(RELEASES, name) }));
}

/** Every script that they bring, as `<version>/<name>`. */
export const scriptsOf = (releases: ReleaseFolder[]): string[] =>
  releases.flatMap(({ version, folder }) =>
    scriptsIn(folder).map((file) => `${version}/${file.slice(0, -ENDING.length)}`),
  );

/** Nothing that could lead out of a folder. */
const PLAIN = /^[a-z0-9]+([.-][a-z0-9]+)*$/i;
const ENDING = '.ps1';

/**
 * Path of the script on this host.
 *
 * @param host its name, for whoever reads the failure.
 * @throws SystemError `Rejected`: this worker has no such release or script, or the name is none.
 */
export function releaseScript(releases: ReleaseFolder[], release: string, script: string, host: string): string {
  const refuse = (problem: string, next: string) =>
    new SystemError({
      type: FAILURE.rejected,
      system: host,
      call: 'the script',
      object: `${release}/${script}`,
      problem,
      next,
    });
  if (!PLAIN.test(release) || !PLAIN.test(script)) {
    throw refuse('has no plain name', 'Use letters, digits, dots and dashes in the names of releases and scripts.');
  }
  const known = releases.find(({ version }) => version === release);
  const scripts = known === undefined ? [] : scriptsIn(known.folder);
  if (known !== undefined && scripts.includes(script + ENDING)) return path.join(known.folder, script + ENDING);
  const versions = releases.map(({ version }) => version).join(', ') || 'none';
  throw refuse(
    known === undefined
      ? `belongs to a release that the worker of this host does not know (it knows ${versions})`
      : `is none of those that the worker of this host has (${scripts.join(', ') || 'none'})`,
    'Update the worker of this host to the version of Onward that the control plane runs, then retry.',
  );
}

const scriptsIn = (folder: string): string[] => readdirSync(folder).filter((file) => file.endsWith(ENDING));
