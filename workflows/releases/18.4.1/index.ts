/** Office 365 18.4.1, as its release notes say it. */
import { platformOfBuild } from '../../../src/contract/versions';
import { ofOperations, pass, quoted, warning, type Check } from '../../engine/check';
import { defineRelease } from '../../engine/release';
import { anyOf, sameLineFrom } from '../../engine/versions';
import {
  activeTemplates,
  noCloud,
  onlineStores,
  platform,
  separateAzureCsp,
  serviceParameter,
  sharedHost,
  sqlSysadmin,
  trialOnCcpV1,
} from '../../steps/checks';
import { guardConsents } from '../../steps/guard-consents';
import { EMAIL_PARAMETER } from './email-parameter';
import { from183 } from './from-18.3';
import { from184 } from './from-18.4';
import { simulation } from './simulation';
import { terms } from './terms';

const usersScreen: Check = {
  name: 'usersScreen',
  source: 'Known Issues and Limitations: the Users screen of UX1 in Odin Automation 7.2',
  examine: ofOperations(({ build }) =>
    platformOfBuild(build) === '7.2'
      ? [
          warning(
            'On Odin Automation 7.2 trial services cannot be added on the Users screen of UX1; customers use the Office 365 screen.',
          ),
        ]
      : [pass('The limitation of the Users screen does not concern this platform.')],
  ),
};

const dnsHosting: Check = {
  name: 'dnsHosting',
  source: 'Fixed Issues, APSA-20624: no DNS Hosting resource in the Office 365 service template',
  examine: ofOperations(({ templates }) => {
    const affected = templates.filter((template) => template.dnsHosting);
    return affected.length === 0
      ? [pass('No Office 365 template has a DNS Hosting resource.')]
      : [warning(`${quoted(affected)} have a DNS Hosting resource; remove it from the template.`)];
  }),
};

export const release1841 = defineRelease({
  ...terms,
  requirements: [
    platform(
      anyOf(sameLineFrom('8.0.0'), sameLineFrom('7.4.0'), sameLineFrom('7.3.0'), sameLineFrom('7.2.0')),
      'Dependencies and Pre-Requisites',
    ),
  ],
  checks: [
    noCloud('germany', 'Microsoft Cloud Germany', {
      name: 'microsoftCloudGermany',
      source: 'Microsoft Cloud Germany Is No Longer Supported',
    }),
    separateAzureCsp,
    trialOnCcpV1,
    usersScreen,
    dnsHosting,
    activeTemplates,
    onlineStores,
    serviceParameter(EMAIL_PARAMETER, {
      name: 'emailParameter',
      source: 'Upgrade Procedure (18.3): remove o365_based_on_email',
      removedBy: EMAIL_PARAMETER.step,
    }),
    sqlSysadmin,
    sharedHost,
  ],
  exclusions: [
    {
      applies: ({ clouds }) => clouds.includes('germany'),
      reason: 'it has an instance in Microsoft Cloud Germany, which the release no longer supports',
    },
  ],
  paths: [from183, from184],
  leavesBehind: [guardConsents],
  simulation,
});
