import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import { changesOf, type FrozenProfile } from '../../src/contract/entry';
import type { FleetMembership } from '../../src/contract/fleet';
import type { UpgradeRequest } from '../../src/contract/upgrade-input';
import { inventory } from '../kit/activities';

/** What is wrong with the inventory is what the workflow fails with, not that an activity failed. */
export async function loadProfile({
  provider,
  fleet,
}: Pick<UpgradeRequest, 'provider' | 'fleet'>): Promise<FrozenProfile> {
  try {
    const profile = await inventory.loadProvider(`read ${provider} from the inventory`, { provider });
    if (!fleet) return profile;
    refuseAnotherEntry(profile, fleet);
    return { ...(fleet.maintenance ? { maintenance: fleet.maintenance } : {}), ...profile };
  } catch (error) {
    throw error instanceof ActivityFailure && error.cause instanceof ApplicationFailure ? error.cause : error;
  }
}

/** What a fleet has planned, and somebody may have approved, rests on the entry that it has seen. */
function refuseAnotherEntry({ provider, digests }: FrozenProfile, { fleet, ...planned }: FleetMembership): void {
  const changed = changesOf(planned.digests, digests).map(({ field }) => field);
  if (changed.length === 0) return;
  throw ApplicationFailure.nonRetryable(
    `The upgrade of ${provider} is refused; nothing was touched. Its entry is not what the fleet ${fleet} was planned with; changed since: ${changed.join(', ')}. Plan another fleet, or start the upgrade by itself.`,
    FAILURE.entryChanged,
    { provider, changed },
  );
}
