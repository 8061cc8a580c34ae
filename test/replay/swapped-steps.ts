/** What an engineer may want to change: the parameter goes before the consents are asked for, which may take weeks. */
import { from184 } from '../../workflows/releases/18.4.1/from-18.4';
import type { UpgradePath } from '../../workflows/engine/path';
import { upgradePath } from '../../workflows/engine/path';
import { acquireRefreshTokens } from '../../workflows/steps/acquire-refresh-tokens';
import { approveCrossing } from '../../workflows/steps/approve-crossing';
import { collectGatewaySites } from '../../workflows/steps/collect-gateway-sites';
import { drainTasks } from '../../workflows/steps/drain-tasks';
import { importPackage } from '../../workflows/steps/import-package';
import { removeEmailParameter } from '../../workflows/steps/remove-email-parameter';
import { startProvisioning } from '../../workflows/steps/start-provisioning';
import { stopProvisioning } from '../../workflows/steps/stop-provisioning';
import { updateCustomizations } from '../../workflows/steps/update-customizations';
import { upgradeEndpoints } from '../../workflows/steps/upgrade-endpoints';
import { upgradeInstances } from '../../workflows/steps/upgrade-instances';
import { validate } from '../../workflows/steps/validate';

const from183Swapped = upgradePath({ from: '18.3', to: '18.4.1' })
  .reversible(collectGatewaySites)
  .reversible(stopProvisioning)
  .reversible(drainTasks)
  .reversible(upgradeEndpoints)
  .reversible(approveCrossing)
  .pointOfNoReturn(importPackage)
  .forward(upgradeInstances)
  .forward(removeEmailParameter)
  .forward(acquireRefreshTokens)
  .forward(updateCustomizations)
  .forward(validate)
  .forward(startProvisioning)
  .build();

export const SWAPPED_PATHS: readonly UpgradePath[] = [from183Swapped, from184];
