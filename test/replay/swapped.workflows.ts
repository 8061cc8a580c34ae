/** The change as it must not reach running upgrades: the new order, for everybody, at once. */
import { upgradeAlong } from '../../workflows/upgrade/upgrade-provider';
import { SWAPPED } from './swapped-steps';

export * from '../../workflows/versioned';
export const upgradeProvider = upgradeAlong(SWAPPED);
