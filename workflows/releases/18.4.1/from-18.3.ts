import { upgradePath } from '../../engine/path';
import { acquireRefreshTokens } from '../../steps/acquire-refresh-tokens';
import { approveCrossing } from '../../steps/approve-crossing';
import { collectGatewaySites } from '../../steps/collect-gateway-sites';
import { drainTasks } from '../../steps/drain-tasks';
import { importPackage } from '../../steps/import-package';
import { removeEmailParameter } from '../../steps/remove-email-parameter';
import { startProvisioning } from '../../steps/start-provisioning';
import { stopProvisioning } from '../../steps/stop-provisioning';
import { updateCustomizations } from '../../steps/update-customizations';
import { upgradeEndpoints } from '../../steps/upgrade-endpoints';
import { upgradeInstances } from '../../steps/upgrade-instances';
import { validate } from '../../steps/validate';

/** "Upgrade Procedure (from Version 18.3)". */
export const from183 = upgradePath({ from: '18.3', to: '18.4.1' })
  .reversible(collectGatewaySites)
  .reversible(stopProvisioning)
  .reversible(drainTasks)
  .reversible(upgradeEndpoints)
  .reversible(approveCrossing)
  .pointOfNoReturn(importPackage)
  .forward(upgradeInstances)
  .forward(acquireRefreshTokens)
  .forward(removeEmailParameter)
  .forward(updateCustomizations)
  .forward(validate)
  .forward(startProvisioning)
  .build();
