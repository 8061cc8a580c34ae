/**
 * Claims of endpoint hosts: never two upgrades at once on one host.
 *
 * A claim lies on the host itself and names its operation; nobody has to give it back. Whoever comes next asks Temporal
 * whether that upgrade still needs the host to itself: until its instances are upgraded, or it has ended. So neither a crash nor a
 * terminated workflow leaves a host locked.
 */
import { Context } from '@temporalio/activity';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { z } from 'zod';
import { FAILURE, type ClaimActivities, type EndpointActivities } from '../src/contract/activities';
import type { HostClaim } from '../src/contract/facts';
import { runOf } from '../src/contract/ledger';
import { operationId } from '../src/contract/operation';
import { siteVersion } from '../src/systems/endpoint/site-version';
import { SystemError } from '../src/systems/system-error';
import { hostsFreeAttribute } from '../src/temporal/search-attributes';
import { askingTemporal } from './asking-temporal';
import type { HostWork } from './host-work';

type Input = Parameters<EndpointActivities['claimHost']>[0];

const hostClaim = z.object({
  operation: z.string(),
  workflowId: z.string(),
  run: z.string(),
  namespace: z.string(),
  at: z.string(),
});

/**
 * Claims the host, then reads what stands on it: what was read before may be another upgrade's doing. An operation that was
 * terminated may have left a setup.cmd that runs on, so what it leaves is waited for.
 */
export async function claimHost(
  work: HostWork,
  { sites, operation }: Input,
): ReturnType<EndpointActivities['claimHost']> {
  const { client } = Context.current();
  const { from, to, workflowId } = operation;
  const own: HostClaim = {
    operation: operationId(operation),
    workflowId,
    run: runOf(operation),
    namespace: await namespaceId(client),
    at: new Date().toISOString(),
  };
  let replaces = '';
  for (;;) {
    const { claim: standing } = await work.run('claim', { claim: JSON.stringify(own), replaces });
    const claim = readClaim(work, standing);
    const isOwn = claim.operation === own.operation;
    if (isOwn && claim.run === own.run) break;
    if (claim.namespace !== own.namespace) throw unknownHere(work, claim);
    // Whoever finishes an operation has taken hold of its installation: the run that it follows has ended.
    if (!isOwn && (await needsHost(client, claim))) return { takenBy: claim };
    // Unless yet another upgrade is quicker.
    replaces = standing;
  }
  const seen = await work.untilNoSetupRuns(sites, operation);
  return { versions: seen.sites.map((site) => siteVersion(site, from, to, work.host.name)) };
}

export function createClaimActivities(): ClaimActivities {
  return {
    awaitClaimEnd: async ({ host, claim }) => {
      if (!(await needsHost(Context.current().client, claim))) return;
      throw new SystemError({
        type: FAILURE.notYet,
        system: host,
        call: 'the claim',
        object: nameOfClaim(claim),
        problem: `stands since ${claim.at}`,
        next: 'The host is free when that upgrade has upgraded its instances or ended.',
      });
    },
  };
}

/**
 * Whether the upgrade that made the claim still runs, and may still go back, or upgrades instances through the host: an iisreset of
 * another one would hurt it.
 */
async function needsHost({ workflow }: Client, claim: HostClaim): Promise<boolean> {
  try {
    // The newest run of this id: a reset goes on with the claim, an upgrade that was started anew makes its own.
    const { status, typedSearchAttributes, raw } = await askingTemporal('reading the state', claim.workflowId, () =>
      workflow.getHandle(claim.workflowId).describe(),
    );
    return (
      status.name === 'RUNNING' &&
      raw.workflowExecutionInfo?.firstRunId === claim.run &&
      typedSearchAttributes.get(hostsFreeAttribute) !== true
    );
  } catch (error) {
    // Ended so long ago that the namespace has forgotten it.
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** For people: the workflow is what they find in Temporal. */
const nameOfClaim = ({ operation, workflowId }: HostClaim): string => `${operation} (workflow ${workflowId})`;

/** Names survive a server's loss of its data, ids do not. */
async function namespaceId({ workflowService, options: { namespace } }: Client): Promise<string> {
  const { namespaceInfo } = await askingTemporal('reading the id of the namespace', namespace, () =>
    workflowService.describeNamespace({ namespace }),
  );
  return namespaceInfo?.id ?? '';
}

function readClaim({ fail }: HostWork, text: string): HostClaim {
  try {
    return hostClaim.parse(JSON.parse(text));
  } catch (cause) {
    throw fail(
      {
        type: FAILURE.unexpectedState,
        call: 'the claim',
        problem: `cannot be read: ${text.slice(0, 100)}`,
        next: 'Make sure that no upgrade is at work on this host, remove Onward\\claim.json in %ProgramData%, then retry.',
      },
      cause,
    );
  }
}

function unknownHere({ fail }: HostWork, claim: HostClaim): SystemError {
  return fail({
    type: FAILURE.unexpectedState,
    call: 'the claim',
    object: nameOfClaim(claim),
    problem: `stands since ${claim.at} and was made from another Temporal namespace, which alone knows what became of it`,
    next: 'Let that upgrade end there; if it has ended, remove Onward\\claim.json in %ProgramData% of the host. Then retry.',
  });
}
