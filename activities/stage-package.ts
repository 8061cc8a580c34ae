import { FAILURE, type EndpointActivities } from '../src/contract/activities';
import type { StagedPackage } from '../src/contract/facts';
import { operationId } from '../src/contract/operation';
import type { HostWork } from './host-work';

/** The package on the host, known by its hash, unpacked and unblocked in the procedure's order. */
export async function stagePackage(
  { host, run, fail }: HostWork,
  { packageUrl, sha256, operation }: Parameters<EndpointActivities['stagePackage']>[0],
): Promise<StagedPackage> {
  const { workDirectory } = host;
  const staged = await run('stage', { workDirectory, packageUrl, sha256, operation: operationId(operation) });
  if (staged.sha256 !== sha256) {
    throw fail({
      type: FAILURE.rejected,
      call: 'the download',
      object: packageUrl,
      problem: `has SHA-256 ${staged.sha256} instead of ${sha256}: it is another file than the inventory names`,
      next: 'Compare package.url and package.sha256 in the inventory with what the vendor delivered.',
    });
  }
  if (staged.blocked.length > 0) {
    throw fail({
      type: FAILURE.unexpectedState,
      call: 'unblocking',
      object: packageUrl,
      problem: `left files blocked: ${staged.blocked.join(', ')}`,
      next: 'Find out what marks files on this host as coming from the internet, then retry.',
    });
  }
  return { directory: staged.directory };
}
