/** An invented third path, as an engineer would add it: the declaration below is the file, the list is the line. */
import { PATHS } from '../../workflows/releases/index';
import { upgradePath } from '../../workflows/engine/path';
import { approveCrossing } from '../../workflows/steps/approve-crossing';
import { collectGatewaySites } from '../../workflows/steps/collect-gateway-sites';
import { drainTasks } from '../../workflows/steps/drain-tasks';
import { importPackage } from '../../workflows/steps/import-package';
import { startProvisioning } from '../../workflows/steps/start-provisioning';
import { stopProvisioning } from '../../workflows/steps/stop-provisioning';
import { updateCustomizations } from '../../workflows/steps/update-customizations';
import { upgradeEndpoints } from '../../workflows/steps/upgrade-endpoints';
import { upgradeInstances } from '../../workflows/steps/upgrade-instances';
import { validate } from '../../workflows/steps/validate';
import { upgradeAlong } from '../../workflows/upgrade/upgrade-provider';

const from182 = upgradePath({ from: '18.2', to: '18.4.1' })
  .reversible(collectGatewaySites)
  .reversible(stopProvisioning)
  .reversible(drainTasks)
  .reversible(upgradeEndpoints)
  .reversible(approveCrossing)
  .pointOfNoReturn(importPackage)
  .forward(upgradeInstances)
  .forward(updateCustomizations)
  .forward(validate)
  .forward(startProvisioning)
  .build();

export const upgradeProvider = upgradeAlong([...PATHS, from182]);
export { deliverNotice } from '../../workflows/kit/deliver-notice';
export { guardConsent } from '../../workflows/consent/guard-consent';
