/** The change as it must not be rolled out to running upgrades: the new order, for everybody, at once. */
import { upgradeAlong } from '../../workflows/upgrade-provider';
import { SWAPPED_PATHS } from './swapped-steps';

export const upgradeProvider = upgradeAlong(SWAPPED_PATHS);
