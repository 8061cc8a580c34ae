/** What an engineer may want to change: the parameter goes before the consents are asked for, which may take weeks. */
import { Catalogue } from '../../workflows/engine/catalogue';
import { upgradePath } from '../../workflows/engine/path';
import { exactly } from '../../workflows/engine/versions';
import { release1841 } from '../../workflows/releases/18.4.1';
import { EMAIL_PARAMETER } from '../../workflows/releases/18.4.1/email-parameter';
import { from184 } from '../../workflows/releases/18.4.1/from-18.4';
import { terms } from '../../workflows/releases/18.4.1/terms';
import { acquireRefreshTokens } from '../../workflows/steps/acquire-refresh-tokens';
import { approveCrossing } from '../../workflows/steps/approve-crossing';
import { collectGatewaySites } from '../../workflows/steps/collect-gateway-sites';
import { drainTasks } from '../../workflows/steps/drain-tasks';
import { importPackage } from '../../workflows/steps/import-package';
import { startProvisioning, stopProvisioning } from '../../workflows/steps/provisioning';
import { removeServiceParameter } from '../../workflows/steps/remove-service-parameter';
import { updateCustomizations } from '../../workflows/steps/update-customizations';
import { upgradeEndpoints } from '../../workflows/steps/upgrade-endpoints';
import { upgradeInstances } from '../../workflows/steps/upgrade-instances';
import { validate } from '../../workflows/steps/validate';

const from183Swapped = upgradePath(terms, { from: exactly('18.3') })
  .reversible('1. Prepare', collectGatewaySites)
  .reversible('2. Stop provisioning', stopProvisioning)
  .reversible('2. Stop provisioning: all tasks are processed', drainTasks)
  .reversible('3. Upgrade the endpoint', upgradeEndpoints)
  .reversible('Important: not reversible', approveCrossing)
  .pointOfNoReturn('4. Import the package', importPackage)
  .forward('4. Upgrade the instances', upgradeInstances)
  .forward('5. Remove the service parameter', removeServiceParameter(EMAIL_PARAMETER))
  .forward('6. Acquire refresh tokens', acquireRefreshTokens)
  .forward('7. Update the customizations', updateCustomizations('KB 130232'))
  .forward('8. Validate', validate)
  .forward('9. Start provisioning', startProvisioning)
  .build();

export const SWAPPED = new Catalogue([{ ...release1841, paths: [from183Swapped, from184] }]);
