/** What a worker of the control plane runs: the name of an export is the type of a workflow. */
import { CATALOGUE } from './releases';
import { upgradeFleetAlong } from './fleet/upgrade-fleet';
import { preflightAlong } from './upgrade/preflight-provider';
import { upgradeAlong } from './upgrade/upgrade-provider';

export const upgradeProvider = upgradeAlong(CATALOGUE);
export const preflightProvider = preflightAlong(CATALOGUE);
export const upgradeFleet = upgradeFleetAlong(CATALOGUE);
export { deliverNotice } from './kit/deliver-notice';
export { guardConsent } from './consent/guard-consent';
export { keepLedger } from './installation/keep-ledger';
export { upgradeWave } from './fleet/upgrade-wave';
