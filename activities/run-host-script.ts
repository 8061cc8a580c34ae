import type { EndpointActivities } from '../src/contract/activities';
import type { HostScriptResult } from '../src/contract/facts';
import { operationId } from '../src/contract/operation';
import { releaseScript, type ReleaseFolder } from '../src/systems/endpoint/release-scripts';
import type { HostWork } from './host-work';

/** Looks, and installs what is missing: both are the script's own doing, which is safe to repeat. */
export async function runHostScript(
  { host, run }: HostWork,
  releases: ReleaseFolder[],
  { operation, release, script, parameters }: Parameters<EndpointActivities['runHostScript']>[0],
): Promise<HostScriptResult> {
  return await run('run-script', {
    operation: operationId(operation),
    release,
    script,
    file: releaseScript(releases, release, script, host.name),
    parameters,
  });
}
