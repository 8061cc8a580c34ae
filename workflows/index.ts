/** What a worker of the control plane runs: the name of an export is the type of a workflow. */
export { deliverNotice } from './kit/deliver-notice';
export { guardConsent } from './consent/guard-consent';
export { upgradeFleet } from './fleet/upgrade-fleet';
export { upgradeProvider } from './upgrade/upgrade-provider';
export { upgradeWave } from './fleet/upgrade-wave';
