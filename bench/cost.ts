/**
 * What an upgrade costs beyond its activities: each upgrade is followed or preceded by a bare workflow with the same
 * activities on the same server, worker and sandbox. A ratio within one run says more than milliseconds of one machine.
 */
import type { Client } from '@temporalio/client';
import { median, middleHalf, quantile, type Bench, type Figure } from './figures';
import {
  countHistory,
  hostOf,
  providerLikeTheDemo,
  startUpgrade,
  type HistoryCounts,
  type WorkflowType,
} from './upgrades';
import { BenchWorld } from './world/bench-world';

const PATHS = ['18.3', '18.4'] as const;
/** Of the bare workflow's events, and of its time. */
const TARGET = 1.1;
/** Pairs that warm up the processes and are not counted. */
const WARM_UP = 2;

interface Run extends HistoryCounts {
  milliseconds: number;
}
interface Pair {
  upgrade: Run;
  bare: Run;
}

export const cost: Bench = {
  name: 'cost',
  about: 'one upgrade: events, and time over a bare workflow with the same activities',
  async run({ pairs }, say) {
    const names = PATHS.flatMap((path) => pairNames(path, pairs + WARM_UP).flatMap((pair) => Object.values(pair)));
    const providers = names.map((name) => providerLikeTheDemo(name, name.startsWith('v183') ? '18.3' : '18.4'));
    const world = await BenchWorld.open({ providers });
    try {
      await world.startControlPlane();
      await world.startEndpoints(names.map(hostOf));
      const figures: Figure[] = [];
      for (const path of PATHS) {
        const measured: Pair[] = [];
        for (const [index, pair] of pairNames(path, pairs + WARM_UP).entries()) {
          measured.push(await runPair(world.client, pair, index % 2 === 0));
          say(`${path}, pair ${index + 1} of ${pairs + WARM_UP}: ${describe(measured.at(-1))}`);
        }
        world.requireNoProblems();
        figures.push(...figuresOf(path, measured.slice(WARM_UP)));
      }
      return figures;
    } finally {
      await world.close();
    }
  },
};

function pairNames(path: string, count: number): { upgrade: string; bare: string }[] {
  const version = `v${path.replace('.', '')}`;
  return Array.from({ length: count }, (_, index) => ({
    upgrade: `${version}-upgrade-${index + 1}`,
    bare: `${version}-bare-${index + 1}`,
  }));
}

async function runPair(client: Client, names: Record<keyof Pair, string>, upgradeFirst: boolean): Promise<Pair> {
  const upgrade = () => timed(client, names.upgrade, 'upgradeProvider');
  const bare = () => timed(client, names.bare, 'bareUpgrade');
  if (upgradeFirst) return sameWork({ upgrade: await upgrade(), bare: await bare() });
  const second = await bare();
  return sameWork({ upgrade: await upgrade(), bare: second });
}

async function timed(client: Client, provider: string, type: WorkflowType): Promise<Run> {
  const began = performance.now();
  const handle = await startUpgrade(client, provider, type);
  await handle.result();
  const milliseconds = performance.now() - began;
  return { milliseconds, ...(await countHistory(handle)) };
}

/** A comparison with a workflow that does less, or more, would say nothing. */
function sameWork(pair: Pair): Pair {
  const [upgrade, bare] = [pair.upgrade.activities.join(' '), pair.bare.activities.join(' ')];
  if (upgrade === bare) return pair;
  throw new Error(
    `bench/bare/bare-upgrade.ts no longer does what an upgrade does; mend it.\nAn upgrade: ${upgrade}\nThe bare one: ${bare}`,
  );
}

function figuresOf(path: string, pairs: Pair[]): Figure[] {
  const times = (which: keyof Pair): number[] => pairs.map((pair) => pair[which].milliseconds);
  const events = (which: keyof Pair): number => median(pairs.map((pair) => pair[which].events));
  const ratios = pairs.map(({ upgrade, bare }) => upgrade.milliseconds / bare.milliseconds);
  const [{ upgrade }] = pairs as [Pair];
  const sizes = `${path}: 3 instances, 2 sites, ${upgrade.activities.length} activities`;
  const figure = (what: string, value: number, unit: string, how: string): Figure => ({
    bench: 'cost',
    what,
    value,
    unit,
    how,
  });
  return [
    figure(`events of an upgrade from ${path}`, events('upgrade'), 'events', `${sizes}; bare: ${events('bare')}`),
    {
      ...figure(`events from ${path} over the bare workflow's`, events('upgrade') / events('bare'), '', sizes),
      target: { most: TARGET },
    },
    {
      ...figure(
        `upgrade from ${path} over bare workflow`,
        median(ratios),
        '',
        `median of ${pairs.length} pairs, ${middleHalf(ratios)}`,
      ),
      target: { most: TARGET },
    },
    figure(
      `upgrade from ${path}`,
      median(times('upgrade')),
      'ms',
      `${sizes}; middle half ${middleHalf(times('upgrade'), 0)}; quickest ${quantile(times('upgrade'), 0).toFixed(0)}`,
    ),
    figure(
      `bare workflow for ${path}`,
      median(times('bare')),
      'ms',
      `middle half ${middleHalf(times('bare'), 0)}; quickest ${quantile(times('bare'), 0).toFixed(0)}`,
    ),
  ];
}

const describe = (pair: Pair | undefined): string =>
  pair ? `${pair.upgrade.milliseconds.toFixed(0)} ms over ${pair.bare.milliseconds.toFixed(0)} ms` : '';
