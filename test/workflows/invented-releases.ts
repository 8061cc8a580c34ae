/** Invented releases, as an engineer would add them: each declaration is a folder, the catalogue is the list. */
import { release1841 } from '../../workflows/releases/18.4.1';
import { Catalogue } from '../../workflows/engine/catalogue';
import type { PreflightFacts } from '../../workflows/engine/preflight-facts';
import { upgradePath } from '../../workflows/engine/path';
import { defineRelease } from '../../workflows/engine/release';
import { releaseTerms } from '../../workflows/engine/terms';
import { lastingStep, onlyWhere, optional } from '../../workflows/engine/step';
import { below, exactly } from '../../workflows/engine/versions';
import { settleAll } from '../../workflows/kit/settle-all';
import { approveCrossing } from '../../workflows/steps/approve-crossing';
import { byHand } from '../../workflows/steps/by-hand';
import { onPlatform } from '../../workflows/steps/checks';
import { collectGatewaySites } from '../../workflows/steps/collect-gateway-sites';
import { drainTasks } from '../../workflows/steps/drain-tasks';
import type { HostsHave, On, Validated } from '../../workflows/steps/facts';
import { importPackage } from '../../workflows/steps/import-package';
import { startProvisioning, stopProvisioning } from '../../workflows/steps/provisioning';
import { startSynchronisation, stopSynchronisation } from '../../workflows/steps/synchronisation';
import { upgradeEndpoints } from '../../workflows/steps/upgrade-endpoints';
import { upgradeInstances } from '../../workflows/steps/upgrade-instances';
import { validate } from '../../workflows/steps/validate';
import { simulatedAs } from '../kit/releases/simulated';

const of1842 = releaseTerms<Validated & On<'provisioning'>>({
  version: '18.4.2',
  obligations: { connectionTestedAt: 'Validate.', 'on:provisioning': 'Start provisioning.' },
});

/** Follows a version that no other release follows, and one that 18.4.1 follows as well. */
const release1842 = defineRelease({
  ...of1842,
  requirements: [],
  checks: [],
  exclusions: [],
  paths: [
    upgradePath(of1842, { from: exactly('18.2', '18.3') })
      .reversible('1. Collect the gateway sites', collectGatewaySites)
      .reversible('2. Stop provisioning', stopProvisioning)
      .reversible('3. Upgrade the endpoint', upgradeEndpoints)
      .reversible('Important: not reversible', approveCrossing)
      .pointOfNoReturn('4. Import the package', importPackage)
      .forward('5. Upgrade the instances', upgradeInstances)
      .forward('6. Validate', validate)
      .forward('7. Start provisioning', startProvisioning)
      .build(),
  ],
  leavesBehind: [],
  simulation: simulatedAs(of1842.version),
});

const of191 = releaseTerms<HostsHave<'certificate'> & Validated & On<'synchronisation'>>({
  version: '19.1',
  obligations: {
    'hosts have:certificate': 'Install the new certificate on every endpoint host.',
    connectionTestedAt: 'Validate.',
    'on:synchronisation': 'Switch the synchronisation on again.',
  },
});

const installCertificate = lastingStep<PreflightFacts, HostsHave<'certificate'>, 'resetIis'>({
  changes: ['resetIis'],
  name: 'installCertificate',
  title: 'Install the certificate',
  waitsFor: 'the endpoint hosts',
  keeps: 'the new certificate on the endpoint hosts',
  run: async ({ activities, operation }, { hosts }) => {
    await settleAll(
      hosts.map(({ host: name, identity }) =>
        activities
          .endpoint({ name })
          .resetIis(`install it on ${name}`, { host: { name, identity }, operation, purpose: 'upgrade' }),
      ),
    );
    return { 'hosts have:certificate': true };
  },
  verify: () => Promise.resolve({ 'hosts have:certificate': true }),
});

const clearCache = byHand({
  name: 'clearCache',
  title: 'Clear the cache',
  instructions: 'Clear the cache of the control panel.',
  evidence: 'When it was cleared.',
});

const announcePlans = byHand({
  name: 'announcePlans',
  title: 'Announce the plans',
  instructions: 'Tell resellers of the new plans.',
  evidence: 'When they were told.',
});

/** Has everything that a release may have beside the ordinary: what is kept, asked for by an undo, left out, or declined. */
const release191 = defineRelease({
  ...of191,
  requirements: [],
  checks: [],
  exclusions: [],
  paths: [
    upgradePath(of191, { from: exactly('18.4.1') })
      .reversible('1. Collect the gateway sites', collectGatewaySites)
      .lasting('2. Install the certificate', installCertificate)
      .reversible('3. Switch the synchronisation off', stopSynchronisation)
      .reversible(
        '4. Wait for the tasks',
        optional({ question: 'Without it open tasks may fail.' }, drainTasks, {
          tasksDrained: { waits: 0 },
        }),
      )
      .reversible('5. Upgrade the endpoint', upgradeEndpoints)
      .reversible('Important: not reversible', approveCrossing)
      .pointOfNoReturn('6. Import the package', importPackage)
      .forward('7. Upgrade the instances', upgradeInstances)
      .forward('8. Clear the cache', onlyWhere(onPlatform(below('8.0')), clearCache, {}))
      .forward('9. Validate', validate)
      .forward('10. Switch the synchronisation on', startSynchronisation)
      .forward(
        '11. Announce the plans',
        optional({ question: 'Without it resellers find the plans by themselves.' }, announcePlans, {}),
      )
      .build(),
  ],
  leavesBehind: [],
  simulation: simulatedAs(of191.version),
});

export const INVENTED = new Catalogue([release1841, release1842, release191]);
