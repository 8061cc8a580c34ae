import { upgradePath } from '../../engine/path';
import { approveCrossing } from '../../steps/approve-crossing';
import { collectGatewaySites } from '../../steps/collect-gateway-sites';
import { drainTasks } from '../../steps/drain-tasks';
import { importPackage } from '../../steps/import-package';
import { startProvisioning } from '../../steps/start-provisioning';
import { stopProvisioning } from '../../steps/stop-provisioning';
import { updateCustomizations } from '../../steps/update-customizations';
import { upgradeEndpoints } from '../../steps/upgrade-endpoints';
import { upgradeInstances } from '../../steps/upgrade-instances';
import { validate } from '../../steps/validate';

/** "Upgrade Procedure (from Version 18.4)": refresh tokens exist, and the parameter is gone, since 18.4. */
export const from184 = upgradePath({ from: '18.4', to: '18.4.1' })
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
