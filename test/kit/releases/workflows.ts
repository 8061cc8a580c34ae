/** The workflows for the catalogue of tests. */
import { upgradeFleetAlong } from '../../../workflows/fleet/upgrade-fleet';
import { upgradeAlong } from '../../../workflows/upgrade/upgrade-provider';
import { WITH_18_5 } from './catalogue';

export * from '../../../workflows';
export const upgradeProvider = upgradeAlong(WITH_18_5);
export const upgradeFleet = upgradeFleetAlong(WITH_18_5);
