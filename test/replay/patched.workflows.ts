/** The change as it can reach running upgrades: each ends along the path that it began with. */
import { patched } from '@temporalio/workflow';
import type { UpgradeInput } from '../../src/contract/upgrade-input';
import type { UpgradeResult } from '../../src/contract/status';
import { CATALOGUE } from '../../workflows/releases';
import { upgradeAlong } from '../../workflows/upgrade/upgrade-provider';
import { SWAPPED } from './swapped-steps';

const alongNewPaths = upgradeAlong(SWAPPED);
const alongOldPaths = upgradeAlong(CATALOGUE);

export * from '../../workflows/versioned';
export async function upgradeProvider(input: UpgradeInput): Promise<UpgradeResult> {
  return await (patched('parameter-before-consents') ? alongNewPaths : alongOldPaths)(input);
}
