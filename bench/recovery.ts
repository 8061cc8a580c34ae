/**
 * Time from the death of a worker (`kill -9`) to the first thing that the worker in its place does for the upgrade. The
 * workers are the product's own (`onward worker`), started anew at once, as a service manager does.
 */
import type { WorkflowHandle } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time';
import { CONTROL_TASK_QUEUE, endpointTaskQueue } from '../src/contract/provider';
import { QUERY, type UpgradeStatus } from '../src/contract/status';
import type { FaultRule } from '../src/sandbox/faults';
import { median, type Bench, type Figure } from './figures';
import { hostOf, providerLikeTheDemo, startUpgrade } from './upgrades';
import type { BenchProcess } from './world/bench-process';
import { BenchWorld } from './world/bench-world';
import { identityOf, until, untilPolls } from './world/polling';

const TARGET_MS = 2_000;
/** Much longer than any recovery: the call that the worker dies in does not end by itself. */
const SLOW_MS = 120_000;

interface Situation {
  name: string;
  /** What the worker is at when it dies. */
  when: string;
  victim: 'control plane' | 'endpoint host';
  /** Keeps the worker in one call. */
  slow?: Omit<FaultRule, 'id' | 'provider' | 'host'>;
}

const SITUATIONS: Situation[] = [
  { name: 'gate', when: 'while the upgrade waits at a gate that is then answered', victim: 'control plane' },
  {
    name: 'call',
    when: 'in the middle of a call to Operations',
    victim: 'control plane',
    slow: { system: 'operations', call: '*', kind: 'slow', delayMs: SLOW_MS },
  },
  {
    name: 'script',
    when: 'in the middle of a script on its host',
    victim: 'endpoint host',
    slow: { system: 'host', call: 'discover', kind: 'slow', delayMs: SLOW_MS },
  },
];

/** Milliseconds of one recovery. */
interface Recovery {
  killToProgress: number;
  spawnToPolling: number;
  pollingToProgress: number;
}

export const recovery: Bench = {
  name: 'recovery',
  about: 'time from kill -9 of a worker to the next progress after its restart',
  async run({ kills }, say) {
    const names = SITUATIONS.flatMap(({ name }) => Array.from({ length: kills }, (_, index) => `${name}-${index + 1}`));
    const world = await BenchWorld.open({
      providers: names.map((name) => providerLikeTheDemo(name, '18.3')),
      // Nobody has written down the names of the sites, which is the first thing that an upgrade asks people about.
      settings: { installedSites: [], notify: [{ kind: 'log' }] },
    });
    try {
      const recoveries = new Map<Situation, Recovery[]>();
      let controlPlane = await world.startProductWorker();
      for (const situation of SITUATIONS) {
        for (let index = 1; index <= kills; index++) {
          const provider = `${situation.name}-${index}`;
          const endpoint = await world.startProductWorker(hostOf(provider));
          const victim = situation.victim === 'control plane' ? controlPlane : endpoint;
          const { successor, recovery } = await killOne(world, situation, provider, victim);
          if (situation.victim === 'control plane') controlPlane = successor;
          else await successor.kill();
          await endpoint.kill();
          recoveries.set(situation, [...(recoveries.get(situation) ?? []), recovery]);
          say(`${situation.name} ${index}: ${JSON.stringify(recovery)}`);
        }
      }
      return [...recoveries].flatMap(([situation, measured]) => figuresOf(situation, measured));
    } finally {
      await world.close();
    }
  },
};

async function killOne(
  world: BenchWorld,
  situation: Situation,
  provider: string,
  victim: BenchProcess,
): Promise<{ successor: BenchProcess; recovery: Recovery }> {
  const { slow } = situation;
  if (slow) {
    await world.addFault({ ...slow, ...(slow.system === 'host' ? { host: hostOf(provider) } : { provider }) });
  }
  const upgrade = await startUpgrade(world.client, provider);
  await until(() => (slow ? isInActivity(upgrade, victim.pid, slow) : hasGate(upgrade)));

  const killed = Date.now();
  await victim.kill();
  const spawned = Date.now();
  const host = situation.victim === 'endpoint host' ? hostOf(provider) : undefined;
  const starting = world.startProductWorker(host);
  if (!slow) await answerGate(upgrade, provider);
  const successor = await starting;
  const queue = host === undefined ? CONTROL_TASK_QUEUE : endpointTaskQueue(host);
  await untilPolls(world.client, queue, successor.pid);
  const polling = Date.now();
  const progress = await until(() => firstWorkOf(upgrade, successor.pid));
  await upgrade.terminate('measured');
  return {
    successor,
    recovery: {
      killToProgress: progress - killed,
      spawnToPolling: polling - spawned,
      pollingToProgress: Math.max(0, progress - polling),
    },
  };
}

async function hasGate(upgrade: WorkflowHandle): Promise<boolean> {
  const { gates } = await upgrade.query<UpgradeStatus>(QUERY.status);
  return gates.length > 0;
}

const SITES = ['01', '02'];
async function answerGate(upgrade: WorkflowHandle, provider: string): Promise<void> {
  const [site] = SITES;
  await upgrade.signal('confirmStep', {
    step: 'collectGatewaySites',
    item: `name-office365gateway${site}.${provider}.hosting.local`,
    by: 'olga@operations.example',
    evidence: 'The installation protocol.',
  });
}

async function isInActivity(upgrade: WorkflowHandle, pid: number, { system }: { system?: string }): Promise<boolean> {
  const type = system === 'host' ? 'readHost' : 'readOperations';
  const pending = await pendingActivities(upgrade);
  // A heartbeat tells that it is at work, and not only on its way to the worker.
  return pending.some(
    ({ activityType, lastWorkerIdentity, lastStartedTime, lastHeartbeatTime }) =>
      activityType?.name === type &&
      lastWorkerIdentity === identityOf(pid) &&
      (optionalTsToMs(lastHeartbeatTime) ?? 0) > (optionalTsToMs(lastStartedTime) ?? Infinity),
  );
}

async function pendingActivities(upgrade: WorkflowHandle) {
  const { raw } = await upgrade.describe();
  return raw.pendingActivities ?? [];
}

/** When this worker first did something for the upgrade, by the server's clock, in milliseconds since 1970. */
async function firstWorkOf(upgrade: WorkflowHandle, pid: number): Promise<number | undefined> {
  const { events } = await upgrade.fetchHistory();
  const done = (events ?? []).flatMap(({ eventTime, workflowTaskStartedEventAttributes: task }) =>
    task?.identity === identityOf(pid) ? [optionalTsToMs(eventTime) ?? 0] : [],
  );
  const begun = (await pendingActivities(upgrade)).flatMap(({ lastWorkerIdentity, lastStartedTime }) =>
    lastWorkerIdentity === identityOf(pid) ? [optionalTsToMs(lastStartedTime) ?? 0] : [],
  );
  const all = [...done, ...begun];
  return all.length > 0 ? Math.min(...all) : undefined;
}

function figuresOf({ name, when, victim }: Situation, measured: Recovery[]): Figure[] {
  const figure = (key: keyof Recovery, what: string): Figure => {
    const values = measured.map((each) => each[key]);
    const worst = Math.max(...values);
    return {
      bench: 'recovery',
      what: `${name}: ${what}`,
      value: median(values),
      unit: 'ms',
      how: `median of ${values.length} kills of the ${victim}'s worker ${when}; worst ${worst.toFixed(0)}`,
    };
  };
  return [
    { ...figure('pollingToProgress', 'from polling to progress'), target: { most: TARGET_MS } },
    figure('spawnToPolling', 'from start of the process to polling'),
    figure('killToProgress', 'from kill -9 to progress'),
  ];
}
