/** What an upgrade will need of a host and `discover` does not tell: files that can be copied, space, packages that can be unpacked. */
import { Context } from '@temporalio/activity';
import { FAILURE } from '../src/contract/activities';
import type { HostDisk } from '../src/contract/facts';
import { redact } from '../src/inventory/secrets';
import type { Prechecked } from '../src/systems/endpoint/host-facts';
import type { Result } from '../src/systems/endpoint/scripts';
import { whyNoVersion } from '../src/systems/endpoint/site-version';
import { SystemError } from '../src/systems/system-error';
import type { HostWork } from './host-work';
import { shownUrl, whyNotStaged } from './stage-package';

/** The look ends here: the other upgrades of a shared host wait for it. In milliseconds. */
const LONGEST_MS = 240_000;
/** How long a file that somebody has open is waited for, in milliseconds. */
const FILES_MS = 10_000;
/** A download that fails is tried so often before it is told. */
const ATTEMPTS = 3;

/**
 * @param versions of the packages that may be run.
 * @returns nothing where others than administrators can reach the folders: nothing is written there then.
 */
export async function precheckHost(
  { settings, run, patience, fail }: HostWork,
  { exposed, sites }: Result<'discover'>,
  versions: string[],
): Promise<Prechecked | undefined> {
  if (exposed.length > 0) return undefined;
  const packages = versions.flatMap((version) => {
    const allowed = settings.packages[version];
    return allowed ? [{ version, ...allowed, shown: shownUrl(allowed.url) }] : [];
  });
  const applications = sites.flatMap(({ name: site, applications: all }) =>
    all.filter((one) => !('noVersion' in whyNoVersion(one))).map(({ name: application }) => ({ site, application })),
  );
  const asked = packages.map(({ version, url, sha256 }) => ({ version, url, sha256 }));
  const waitMilliseconds = Math.min(patience(), FILES_MS);
  let found: Result<'precheck'>;
  try {
    found = await run('precheck', { applications, packages: asked, waitMilliseconds }, LONGEST_MS);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return { disk: { problem: error.message }, applications: [] };
  }
  const disk: HostDisk = { freeBytes: found.freeBytes, packages: {} };
  for (const { version, sha256, shown } of packages) {
    const seen = found.packages.find((one) => one.version === version);
    if (!seen) continue;
    const { bytes, kind, problem: failure } = seen;
    if (kind === FAILURE.unreachable && Context.current().info.attempt < ATTEMPTS) {
      throw fail({
        type: FAILURE.unreachable,
        call: 'the package',
        object: shown,
        problem: failure,
        next: 'It is tried again.',
      });
    }
    const wrong = whyNotStaged(seen, sha256);
    const problem = failure || (wrong && `${wrong.call} of ${shown} ${wrong.problem}. ${wrong.next}`);
    // A result, and so out of reach of what redacts failures.
    disk.packages[version] = { bytes, ...(problem && { problem: redact(problem) }) };
  }
  return { disk, applications: found.applications };
}
