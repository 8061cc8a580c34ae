/** What a worker of the control plane runs: the name of an export is the type of a workflow. */
export { deliverNotice } from './deliver-notice';
export { guardConsent } from './guard-consent';
export { upgradeFleet } from './upgrade-fleet';
export { upgradeProvider } from './upgrade-provider';
export { upgradeWave } from './upgrade-wave';
