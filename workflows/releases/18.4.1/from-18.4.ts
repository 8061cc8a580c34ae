import { upgradePath } from '../../engine/path';
import { exactly } from '../../engine/versions';
import { approveCrossing } from '../../steps/approve-crossing';
import { collectGatewaySites } from '../../steps/collect-gateway-sites';
import { drainTasks } from '../../steps/drain-tasks';
import type { EveryInstanceHasToken, ParameterGone } from '../../steps/facts';
import { importPackage } from '../../steps/import-package';
import { startProvisioning, stopProvisioning } from '../../steps/provisioning';
import { updateCustomizations } from '../../steps/update-customizations';
import { upgradeEndpoints } from '../../steps/upgrade-endpoints';
import { upgradeInstances } from '../../steps/upgrade-instances';
import { validate } from '../../steps/validate';
import { terms } from './terms';

/** What 18.4 has brought: when its tokens were issued is not known to anybody. */
const since184: EveryInstanceHasToken & ParameterGone<'o365_based_on_email'> = {
  everyInstanceHasToken: { consentedAt: {} },
  'gone:o365_based_on_email': true,
};

/** "Upgrade Procedure (from Version 18.4)". */
export const from184 = upgradePath(terms, {
  from: exactly('18.4'),
  already: {
    facts: since184,
    because:
      'The procedure from 18.4 asks neither for consents nor for the removal of the parameter: both came with 18.4.',
  },
})
  .reversible('1. Prepare the necessary information', collectGatewaySites)
  .reversible('2. Stop provisioning Office 365 services', stopProvisioning)
  .reversible('2. Stop provisioning Office 365 services: all tasks are processed', drainTasks)
  .reversible('3. Upgrade the Office 365 application endpoint', upgradeEndpoints)
  .reversible('Important: the upgrade procedure is not reversible', approveCrossing)
  .pointOfNoReturn('4. Upgrade the Office 365 application: import the package', importPackage)
  .forward('4. Upgrade the Office 365 application: upgrade existing instances', upgradeInstances)
  .forward('5. Update the control panel and online store customizations', updateCustomizations('KB 130232'))
  .forward('6. Perform post-upgrade validation', validate)
  .forward('7. Start provisioning Office 365 services', startProvisioning)
  .build();
