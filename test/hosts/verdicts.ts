/**
 * What an upgrade makes of an endpoint host that misbehaves: one row per situation, which a test walks and the README shows.
 * What PowerShell itself can answer, row by row, is test/endpoint/powershell.test.ts; what scripts make of it,
 * test/endpoint/upgrade-on-host.test.ts; how upgrades share a host, test/hosts/one-upgrade-per-host.test.ts.
 */
import type { FaultRule } from '../../src/sandbox/faults';
import type { Rehearsal, Settings, Upgrade } from '../kit/rehearsal/rehearsal';
import { patience } from '../kit/deadlines';

/** One provider with one gateway site, on a host of its own or on one that it shares. */
export interface Scene {
  rehearsal: Rehearsal;
  upgrade: Upgrade;
  host: string;
}

export interface HostVerdict {
  situation: string;
  /** What becomes of the upgrade, in words. */
  verdict: string;
  ends: 'completed' | 'rolledBack';
  /** What an operator reads about it; absent where nobody has to hear of it. */
  says?: RegExp;
  /** How often setup.cmd is begun. */
  setups: number;
  settings?: Settings;
  /** Makes the host misbehave; runs before the upgrade is started. */
  arrange?(scene: Scene): void | Promise<void>;
  /** Repairs the cause once a step holds; the operator then lets it try again. */
  repair?(scene: Scene): Promise<void>;
}

const FOR_EVER = 1_000_000;
type Misbehaviour = Pick<HostVerdict, 'arrange'>;

const powershell = (kind: FaultRule['kind'], { lasts = false } = {}): Misbehaviour => ({
  arrange: ({ rehearsal, host }) => {
    rehearsal.sandbox.faults.add({ system: 'host', host, call: 'setup', kind, times: lasts ? FOR_EVER : 1 });
  },
});
const setup = (kind: FaultRule['kind'], delayMs?: number): Misbehaviour => ({
  arrange: ({ rehearsal, host }) => {
    const rule = { system: 'host', host, call: 'setup.cmd', kind };
    rehearsal.sandbox.faults.add(delayMs === undefined ? rule : { ...rule, delayMs });
  },
});

const POWERSHELL: readonly HostVerdict[] = [
  {
    situation: 'PowerShell hangs',
    ...powershell('hang'),
    verdict: 'ended at its deadline with everything it has started; the host is looked at, and the script is run again',
    ends: 'completed',
    setups: 1,
  },
  {
    situation: 'PowerShell exits with 0 and says nothing',
    ...powershell('exitsSilently'),
    verdict: 'an unknown outcome, never a success: the host is looked at, and the script is run again',
    ends: 'completed',
    setups: 1,
  },
  {
    situation: 'PowerShell exits with 0 and says nothing, every time',
    ...powershell('exitsSilently', { lasts: true }),
    verdict: 'everything done so far is undone',
    ends: 'rolledBack',
    says: /<host>: PowerShell script setup of .+ ended with exit code 0 without saying what it has done\. Look at the state of the host/,
    setups: 0,
  },
  {
    situation: 'PowerShell is ended by a signal',
    ...powershell('diesBySignal'),
    verdict: 'an unknown outcome: the host is looked at, and the script is run again',
    ends: 'completed',
    setups: 1,
  },
  {
    situation: 'PowerShell writes to standard error',
    ...powershell('stderrNoise'),
    verdict: 'only its envelope counts: goes on',
    ends: 'completed',
    setups: 1,
  },
  {
    situation: 'PowerShell prints 10 MB',
    ...powershell('floodsOutput'),
    verdict: 'only its envelope counts: goes on',
    ends: 'completed',
    setups: 1,
  },
  {
    situation: 'PowerShell prints text in another encoding',
    ...powershell('wrongEncoding'),
    verdict: 'its envelope is ASCII: goes on',
    ends: 'completed',
    setups: 1,
  },
];

const SETUP: readonly HostVerdict[] = [
  {
    situation: '`setup.cmd` fails',
    ...setup('setupFails'),
    verdict: 'everything done so far is undone',
    ends: 'rolledBack',
    says: /<host>: setup\.cmd of .+ ended with exit code 1603: Fatal error/,
    setups: 1,
  },
  {
    situation: '`setup.cmd` says that it succeeded and has done nothing',
    ...setup('setupDoesNothing'),
    verdict: 'the versions of the files are believed, not the exit code: undone',
    ends: 'rolledBack',
    says: /<host>: setup\.cmd of .+ ended with exit code 0, but the files are 18\.3\./,
    setups: 1,
  },
  {
    situation: '`setup.cmd` leaves files of both versions',
    ...setup('setupHalfFinishes'),
    verdict: 'the site is restored from its verified backup',
    ends: 'rolledBack',
    says: /<host>: setup\.cmd of .+ ended with exit code 1603/,
    setups: 1,
  },
  {
    situation: '`setup.cmd` leaves files of both versions, and the provider prefers to decide',
    ...setup('setupHalfFinishes'),
    settings: { onFailureBeforeCrossing: 'hold' },
    repair: () => Promise.resolve(),
    verdict: 'holds; a retry runs it again over the mixture',
    ends: 'completed',
    says: /<host>: setup\.cmd of .+ ended with exit code 1603/,
    setups: 2,
  },
  {
    situation: '`setup.cmd` outlives its PowerShell',
    ...setup('setupOutlives', patience(2_000)),
    verdict: 'waited for, never joined by a second one',
    ends: 'completed',
    setups: 1,
  },
];

const SITES: readonly HostVerdict[] = [
  {
    situation: 'a site is renamed after the preflight',
    settings: { onFailureBeforeCrossing: 'hold' },
    arrange: (scene) => {
      const { journal } = scene.rehearsal.sandbox;
      journal.on('recorded', function rename({ name, provider }) {
        if (name !== 'templateDeactivated' || provider !== scene.upgrade.provider) return;
        journal.off('recorded', rename);
        void renameSite(scene, 'as installed', 'renamed');
      });
    },
    repair: (scene) => renameSite(scene, 'renamed', 'as installed'),
    verdict: 'holds before anything is changed on the host; goes on when the name is back',
    ends: 'completed',
    says: /<host>: the gateway application of .+ does not exist: IIS has no such site.+ then retry/,
    setups: 1,
  },
  {
    situation: 'the host serves a site that is not ours',
    verdict: 'the preflight warns that the one `iisreset` interrupts it; its files are not touched',
    ends: 'completed',
    says: /<host> also serves "Default Web Site"; iisreset interrupts these sites/,
    setups: 1,
  },
];

export const VERDICTS: readonly HostVerdict[] = [...POWERSHELL, ...SETUP, ...SITES];

/** Somebody renames the gateway site in IIS. */
async function renameSite({ rehearsal, upgrade, host }: Scene, from: SiteName, to: SiteName): Promise<void> {
  const { world, urls } = rehearsal.sandbox;
  const installed = world.provider(upgrade.provider).gateways[0]?.installedAs ?? '';
  const name = (which: SiteName) => (which === 'renamed' ? `${installed} (old)` : installed);
  const answer = await fetch(new URL(`/_sim/hosts/${host}/rename-site`, urls.control(upgrade.provider)), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ from: name(from), to: name(to) }),
  });
  if (!answer.ok) throw new Error(`The site could not be renamed: HTTP ${answer.status}: ${await answer.text()}`);
}
type SiteName = 'as installed' | 'renamed';
