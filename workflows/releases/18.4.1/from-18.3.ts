import { upgradePath } from '../../engine/path';
import { exactly } from '../../engine/versions';
import { acquireRefreshTokens } from '../../steps/acquire-refresh-tokens';
import { approveCrossing } from '../../steps/approve-crossing';
import { collectGatewaySites } from '../../steps/collect-gateway-sites';
import { drainTasks } from '../../steps/drain-tasks';
import { importPackage } from '../../steps/import-package';
import { startProvisioning, stopProvisioning } from '../../steps/provisioning';
import { removeServiceParameter } from '../../steps/remove-service-parameter';
import { updateCustomizations } from '../../steps/update-customizations';
import { upgradeEndpoints } from '../../steps/upgrade-endpoints';
import { upgradeInstances } from '../../steps/upgrade-instances';
import { validate } from '../../steps/validate';
import { EMAIL_PARAMETER } from './email-parameter';
import { terms } from './terms';

/** "Upgrade Procedure (from Version 18.3)". */
export const from183 = upgradePath(terms, { from: exactly('18.3') })
  .reversible('1. Prepare the necessary information', collectGatewaySites)
  .reversible('2. Stop provisioning Office 365 services', stopProvisioning)
  .reversible('2. Stop provisioning Office 365 services: all tasks are processed', drainTasks)
  .reversible('3. Upgrade the Office 365 application endpoint', upgradeEndpoints)
  .reversible('Important: the upgrade procedure is not reversible', approveCrossing)
  .pointOfNoReturn('4. Upgrade the Office 365 application: import the package', importPackage)
  .forward('4. Upgrade the Office 365 application: upgrade existing instances', upgradeInstances)
  .forward('5. Acquire refresh tokens for all application instances', acquireRefreshTokens)
  .forward('6. Remove the o365_based_on_email service parameter', removeServiceParameter(EMAIL_PARAMETER))
  .forward('7. Update the control panel and online store customizations', updateCustomizations('KB 130232'))
  .forward('8. Perform post-upgrade validation', validate)
  .forward('9. Start provisioning Office 365 services', startProvisioning)
  .build();
