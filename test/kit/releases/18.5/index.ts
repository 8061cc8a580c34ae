/** An invented release that asks for everything that the vendor's later notes ask for. No other file of Onward knows it. */
import { defineRelease } from '../../../../workflows/engine/release';
import { releaseTerms } from '../../../../workflows/engine/terms';
import { upgradePath } from '../../../../workflows/engine/path';
import { onlyWhere, optional } from '../../../../workflows/engine/step';
import { anyOf, atLeast, below, sameLineFrom } from '../../../../workflows/engine/versions';
import { approveCrossing } from '../../../../workflows/steps/approve-crossing';
import { byHand } from '../../../../workflows/steps/by-hand';
import {
  companion,
  hostRestart,
  onPlatform,
  platform,
  seenByPerson,
  sharedHost,
  sqlSysadmin,
} from '../../../../workflows/steps/checks';
import { collectGatewaySites } from '../../../../workflows/steps/collect-gateway-sites';
import type { HostsHave, On, Validated } from '../../../../workflows/steps/facts';
import { endConsentGuards } from '../../../../workflows/steps/guard-consents';
import { hostPrerequisite } from '../../../../workflows/steps/host-prerequisite';
import { importPackage } from '../../../../workflows/steps/import-package';
import { startSynchronisation, stopSynchronisation } from '../../../../workflows/steps/synchronisation';
import { upgradeEndpoints } from '../../../../workflows/steps/upgrade-endpoints';
import { upgradeInstances } from '../../../../workflows/steps/upgrade-instances';
import { testConnections } from '../../../../workflows/steps/validate';
import { simulation } from './simulation';

type Owed = HostsHave<'runtime 4.8'> & Validated & On<'synchronisation'>;

const terms = releaseTerms<Owed>({
  version: '18.5',
  obligations: {
    'hosts have:runtime 4.8': 'Install runtime 4.8 on every endpoint host, and restart the host.',
    connectionTestedAt: 'Perform post-upgrade validation.',
    'on:synchronisation': 'Switch the automatic synchronisation on again.',
  },
});

const installRuntime = hostPrerequisite({
  name: 'installRuntime',
  title: 'Install runtime 4.8 on the endpoint hosts',
  what: 'runtime 4.8',
  script: 'install-runtime',
  parameters: { feature: 'NET-Framework-48' },
});

const clearPanelCache = byHand({
  name: 'clearPanelCache',
  title: 'Clear the cache of the control panel',
  instructions: 'In Operations open System > Panel, and clear its cache.',
  evidence: 'When it was cleared.',
});

const announceNewPlans = byHand({
  name: 'announceNewPlans',
  title: 'Announce the new plans to resellers',
  instructions: 'Tell the resellers of the plans that the release brings.',
  evidence: 'When they were told.',
});

const from184x = upgradePath(terms, { from: sameLineFrom('18.4.1') })
  .reversible('1. Collect the gateway sites', collectGatewaySites)
  .lasting('2. Install runtime 4.8', installRuntime)
  .reversible('3. Switch the synchronisation off', stopSynchronisation)
  .reversible('4. Upgrade the endpoint', upgradeEndpoints)
  .reversible('Important: not reversible', approveCrossing)
  .pointOfNoReturn('5. Import the package', importPackage)
  .forward('6. Upgrade the instances', upgradeInstances)
  .forward('7. Clear the cache of the control panel', onlyWhere(onPlatform(below('8.0')), clearPanelCache, {}))
  .forward('8. Test the connections', testConnections)
  .forward('9. Switch the synchronisation on', startSynchronisation)
  .forward(
    '10. Announce the new plans',
    optional(
      { question: 'Resellers may be told of the new plans. Without it they find them by themselves.' },
      announceNewPlans,
      {},
    ),
  )
  .build();

export const release185 = defineRelease({
  ...terms,
  requirements: [
    platform(
      anyOf(sameLineFrom('7.4.0'), atLeast('8.0.0_hf134510')),
      'Dependencies: 7.4.x, or 8.0.0 with hotfix 134510',
    ),
    seenByPerson(
      'Panel UI',
      atLeast('2.1'),
      'Look at the foot of the Provider Control Panel.',
      'Dependencies: panel UI 2.1 or later',
    ),
  ],
  checks: [
    companion(
      'http://www.odin.com/office-365-usage-collector',
      atLeast('2.0'),
      'Dependencies: the usage collector 2.0 or later',
    ),
    hostRestart('2. Install runtime 4.8: the host may have to be restarted'),
    sqlSysadmin,
    sharedHost,
  ],
  exclusions: [],
  paths: [from184x],
  leavesBehind: [endConsentGuards],
  simulation,
});
