import { FAILURE, type EndpointActivities } from '../src/contract/activities';
import { operationId, type Operation } from '../src/contract/operation';
import { conceal } from '../src/inventory/secrets';
import type { Staged } from '../src/systems/endpoint/scripts';
import type { EndpointSettings } from '../src/systems/endpoint/settings';
import type { SystemProblem } from '../src/systems/system-error';
import type { HostWork } from './host-work';

/** The package on the host, known by its hash, unpacked and unblocked in the procedure's order. */
export async function stagePackage(
  work: HostWork,
  { sha256, operation }: Parameters<EndpointActivities['stagePackage']>[0],
): Promise<void> {
  const { run, fail } = work;
  const { url } = allowedPackage(work, operation, sha256);
  const shown = shownUrl(url);
  const staged = await run('stage', { packageUrl: url, sha256, operation: operationId(operation) });
  const problem = whyNotStaged(staged, sha256);
  if (problem) throw fail({ ...problem, object: shown });
}

/** The URL without the signature that gives access to the package: what PowerShell says of a download may quote it. */
export function shownUrl(url: string): string {
  const { search, origin, pathname } = new URL(url);
  conceal(search);
  return `${origin}${pathname}`;
}

/** What is wrong with what was downloaded, or unpacked of it. */
export function whyNotStaged(
  { sha256, blocked }: Staged,
  wanted: string,
): Pick<SystemProblem, 'type' | 'call' | 'problem' | 'next'> | undefined {
  if (sha256 !== wanted) {
    return {
      type: FAILURE.rejected,
      call: 'the download',
      problem: `has SHA-256 ${sha256} instead of ${wanted}: it is another file than the configuration of this host names`,
      next: 'Compare the URL and the SHA-256 there with what the vendor delivered.',
    };
  }
  if (blocked.length === 0) return undefined;
  return {
    type: FAILURE.unexpectedState,
    call: 'unblocking',
    problem: `left files blocked: ${blocked.join(', ')}`,
    next: 'Find out what marks files on this host as coming from the internet, then retry.',
  };
}

/** The package of the operation's version, where the host's own configuration allows the one that the control plane means. */
export function allowedPackage(
  { settings, fail }: HostWork,
  { to }: Operation,
  sha256: string,
): EndpointSettings['packages'][string] {
  const own = settings.packages[to];
  if (own?.sha256 === sha256) return own;
  throw fail({
    type: FAILURE.rejected,
    call: 'the package',
    object: to,
    problem:
      own === undefined
        ? 'is not allowed on this host: its own configuration names none of that version'
        : `is not allowed on this host: its own configuration names the one with SHA-256 ${own.sha256}, the inventory that with ${sha256}`,
    next: `Look which package the vendor delivered, put it under packages in endpoint.yaml of the host, restart its worker, then retry.`,
  });
}
