/** Fleets: how near they come to what their slots allow, what they cost, how soon they stop, how much breaks too much. */
import { setTimeout as delay } from 'node:timers/promises';
import { QueryNotRegisteredError, ServiceError, type Client, type WorkflowHandle } from '@temporalio/client';
import {
  FLEET_QUERY,
  fleetWorkflowId,
  type FleetInput,
  type FleetProvider,
  type FleetStatus,
} from '../src/contract/fleet';
import { CONTROL_TASK_QUEUE, upgradeWorkflowId } from '../src/contract/provider';
import { median, sizeOf, type Bench, type Figure } from './figures';
import { BenchWorld } from './world/bench-world';
import { stubProviderId, type StubFleet } from './world/stub-fleet';
import { UsageWatch } from './world/usage-watch';

/** As many as two cores can keep at work without being the bottleneck, with tasks that take this long to drain. */
const MAX_PARALLEL = 40;
const DRAIN_MS = 2_000;
const LOOK_MS = 250;
/** The whole fleet in one wave, so that nothing but the slots limits it. */
const ONE_WAVE = {
  waves: ['rest'],
  providers: { notYetOn: '18.4.1' },
  startedBy: 'bench',
} satisfies Partial<FleetInput>;
const UNLIMITED = { wave: '100%', run: '100%' };

type Say = (line: string) => void;

/** A fleet of the whole stub base, and the worker that serves it. */
class StubFleetWorld {
  private constructor(
    readonly world: BenchWorld,
    readonly pids: Record<string, number>,
  ) {}

  static async open(fleet: StubFleet): Promise<StubFleetWorld> {
    const world = await BenchWorld.open({ providers: [] });
    try {
      const endpoint = await world.startStubEndpoint(fleet.instances);
      const worker = await world.startStubFleet(fleet);
      return new StubFleetWorld(world, {
        'control-plane worker': worker.pid,
        'endpoint worker': endpoint.pid,
        'Temporal server': world.server.pid,
      });
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  get client(): Client {
    return this.world.client;
  }

  start(
    input: Omit<FleetInput, 'startedBy' | 'providers' | 'waves'> & Partial<Pick<FleetInput, 'providers'>>,
  ): Promise<WorkflowHandle> {
    return this.client.workflow.start('upgradeFleet', {
      workflowId: fleetWorkflowId(input.name),
      taskQueue: CONTROL_TASK_QUEUE,
      args: [{ ...ONE_WAVE, ...input }],
    });
  }

  async statusWhen(handle: WorkflowHandle, wanted: (status: FleetStatus) => boolean, say: Say): Promise<FleetStatus> {
    for (let looks = 0; ; looks += 1) {
      const status = await this.status(handle, say);
      if (status !== undefined && wanted(status)) return status;
      if (status !== undefined && looks % 40 === 0) say(`${status.state}: ${JSON.stringify(status.counts)}`);
      await delay(LOOK_MS);
    }
  }

  /** A question that a busy machine leaves unanswered is asked again. */
  private async status(handle: WorkflowHandle, say: Say): Promise<FleetStatus | undefined> {
    try {
      return await handle.query<FleetStatus>(FLEET_QUERY.status);
    } catch (error) {
      if (!(error instanceof ServiceError) && !(error instanceof QueryNotRegisteredError)) throw error;
      say(`no answer: ${error.message}`);
      return undefined;
    }
  }

  async providers({ waves }: FleetStatus): Promise<FleetProvider[]> {
    const all: FleetProvider[] = [];
    for (const part of waves.flatMap(({ parts }) => parts))
      all.push(...(await this.client.workflow.getHandle(part).query<FleetProvider[]>(FLEET_QUERY.providers)));
    return all;
  }
}

const isOver = ({ endedAt }: FleetStatus): boolean => endedAt !== undefined;

export const fleet: Bench = {
  name: 'fleet',
  about: 'a fleet of simulated providers: makespan against the bound, processor time and memory',
  async run({ fleet: providers, instances }, say) {
    const stub = await StubFleetWorld.open({ providers, instances, drainMs: DRAIN_MS, failsEvery: 0 });
    const watch = await UsageWatch.start(stub.pids);
    try {
      const handle = await stub.start({ name: 'makespan', maxParallel: MAX_PARALLEL, budget: UNLIMITED });
      const status = await stub.statusWhen(handle, isOver, say);
      const usage = await watch.end();
      const all = await stub.providers(status);
      if (status.counts.completed !== providers) throw new Error(`Not all completed: ${JSON.stringify(status.counts)}`);
      const [wave] = status.waves;
      const makespan = secondsBetween(wave?.startedAt, wave?.endedAt);
      const lengths = all.map(({ startedAt, endedAt }) => secondsBetween(startedAt, endedAt));
      const bound = lengths.reduce((sum, each) => sum + each, 0) / MAX_PARALLEL;
      const size = `${providers} providers, ${MAX_PARALLEL} at once, ${DRAIN_MS / 1000} s to drain; ${sizeOf(instances)}`;
      return [
        figure('fleet', 'makespan', makespan, 's', size),
        figure('fleet', 'bound of the makespan', bound, 's', 'sum of the lengths of all upgrades / slots'),
        figure('fleet', 'makespan / bound', makespan / bound, '', '1 is: no slot was ever empty'),
        figure('fleet', 'one upgrade', median(lengths), 's', 'median, on this busy machine'),
        figure('fleet', 'planning', secondsBetween(status.startedAt, wave?.startedAt), 's', 'until the wave begins'),
        figure(
          'fleet',
          'history of the fleet',
          await largestHistory(stub.client, [handle.workflowId]),
          'events',
          'its last run',
        ),
        figure(
          'fleet',
          'largest history of a part',
          await largestHistory(
            stub.client,
            status.waves.flatMap(({ parts }) => parts),
          ),
          'events',
          'its last run; 10,000 are too many',
        ),
        ...usage.flatMap(({ name, mostResidentMiB, cpuSeconds }) => [
          figure('fleet', `memory of the ${name}`, mostResidentMiB, 'MiB', 'resident, the most that was seen'),
          figure('fleet', `processor time of the ${name}`, cpuSeconds, 's', perProvider(cpuSeconds, providers)),
        ]),
      ];
    } finally {
      watch.stop();
      await stub.world.close();
    }
  },
};

/** Upgrades in flight when a pause comes. */
const IN_FLIGHT = 20;

export const fleetPause: Bench = {
  name: 'fleetPause',
  about: 'time from a pause to the last new activity before the crossing, with 20 upgrades in flight',
  async run({ instances }, say) {
    const stub = await StubFleetWorld.open({ providers: 4 * IN_FLIGHT, instances, drainMs: 500, failsEvery: 0 });
    try {
      const handle = await stub.start({ name: 'pause', maxParallel: IN_FLIGHT, budget: UNLIMITED });
      await stub.statusWhen(handle, ({ counts }) => counts.completed > 0 && counts.running === IN_FLIGHT, say);
      const sent = Date.now();
      await handle.executeUpdate('pause', { args: [{ by: 'bench', reason: 'to measure' }] });
      const answered = Date.now() - sent;
      // Whoever is past the crossing finishes; after that, nothing moves.
      let before = '';
      const status = await stub.statusWhen(
        handle,
        ({ counts }) => {
          const now = JSON.stringify(counts);
          const rests = now === before && Date.now() - sent > 10_000;
          before = now;
          return rests;
        },
        say,
      );
      const late = await Promise.all(
        (await stub.providers(status)).map((each) => lastScheduledBeforeCrossing(stub.client, each)),
      );
      const started = (await stub.providers(status)).flatMap(({ startedAt }) =>
        startedAt === undefined ? [] : [Date.parse(startedAt) - sent],
      );
      const how = `${IN_FLIGHT} upgrades in flight; ${sizeOf(instances)}`;
      return [
        figure('fleetPause', 'answer to the pause', answered, 'ms', how),
        figure('fleetPause', 'last start after the pause', Math.max(0, ...started), 'ms', how),
        figure(
          'fleetPause',
          'last new call before the crossing',
          Math.max(0, ...late.map((at) => at - sent)),
          'ms',
          how,
        ),
      ];
    } finally {
      await stub.world.close();
    }
  },
};

const ALLOWED = 3;
const PARALLEL = [10, MAX_PARALLEL];
const FOR_BUDGET = 100;

export const fleetBudget: Bench = {
  name: 'fleetBudget',
  about: 'how many more break than the budget says, with one provider of ten failing',
  async run({ instances }, say) {
    const stub = await StubFleetWorld.open({
      providers: PARALLEL.length * FOR_BUDGET,
      instances,
      drainMs: 200,
      failsEvery: 10,
    });
    try {
      const figures: Figure[] = [];
      for (const [index, maxParallel] of PARALLEL.entries()) {
        const ids = Array.from({ length: FOR_BUDGET }, (_, each) => stubProviderId(index * FOR_BUDGET + each + 1));
        const handle = await stub.start({
          name: `budget-${maxParallel}`,
          providers: { ids },
          maxParallel,
          budget: { wave: ALLOWED, run: ALLOWED },
        });
        await stub.statusWhen(handle, ({ state }) => state === 'halted', say);
        const status = await stub.statusWhen(handle, ({ counts }) => counts.running === 0, say);
        const { broken } = status.budget;
        const how = `budget ${ALLOWED}, ${maxParallel} at once, every tenth fails; those that ran may break as well`;
        figures.push(
          figure('fleetBudget', `broken beyond the budget, ${maxParallel} at once`, broken - ALLOWED, 'providers', how),
        );
        await handle.executeUpdate('decideBudget', { args: [{ action: 'stop', by: 'bench', reason: 'measured' }] });
        await stub.statusWhen(handle, isOver, say);
      }
      return figures;
    } finally {
      await stub.world.close();
    }
  },
};

/** Milliseconds since 1970 of the last activity that an upgrade has scheduled without having crossed; 0 for one that has. */
async function lastScheduledBeforeCrossing(
  client: Client,
  { provider, startedAt, crossedAt }: FleetProvider,
): Promise<number> {
  if (startedAt === undefined) return 0;
  const { events } = await client.workflow.getHandle(upgradeWorkflowId(provider)).fetchHistory();
  const times = (events ?? [])
    .filter(({ activityTaskScheduledEventAttributes: scheduled }) => scheduled)
    .map(({ eventTime }) => Number(eventTime?.seconds ?? 0) * 1000 + (eventTime?.nanos ?? 0) / 1e6)
    .filter((at) => crossedAt === undefined || at < Date.parse(crossedAt));
  return Math.max(0, ...times);
}

async function largestHistory(client: Client, ids: string[]): Promise<number> {
  let most = 0;
  for (const id of ids) most = Math.max(most, (await client.workflow.getHandle(id).describe()).historyLength);
  return most;
}

const secondsBetween = (from: string | undefined, to: string | undefined): number =>
  from === undefined || to === undefined ? 0 : (Date.parse(to) - Date.parse(from)) / 1000;
const perProvider = (seconds: number, providers: number): string =>
  `${((seconds / providers) * 1000).toFixed(0)} ms for each provider`;
const figure = (bench: string, what: string, value: number, unit: string, how: string): Figure => ({
  bench,
  what,
  value,
  unit,
  how,
});
