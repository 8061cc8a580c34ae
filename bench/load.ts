/**
 * Many upgrades at once on one worker of the control plane: all have to complete, and the sandbox's journal has to bear out
 * every invariant that a single upgrade is judged by (test/kit/judge).
 */
import type { WorkflowHandle } from '@temporalio/client';
import { startSandbox, type Sandbox, type SandboxState } from '../src/sandbox/server';
import { evidenceOf, evidenceOfRun, openTasks } from '../test/kit/judge/evidence';
import { violationsIn, type Evidence, type RunEvidence } from '../test/kit/judge/invariants';
import { median, quantile, type Bench, type Figure } from './figures';
import { hostOf, providerLikeTheDemo, startUpgrade } from './upgrades';
import { BenchWorld } from './world/bench-world';
import { UsageWatch } from './world/usage-watch';
import { SIMULATED_RELEASES } from '../workflows/releases';

interface Before {
  state: SandboxState;
  tasks: number[];
}
interface Outcome {
  handle: WorkflowHandle;
  /** From the start of all to the end of this one, in milliseconds. */
  milliseconds: number;
}

export const load: Bench = {
  name: 'load',
  about: 'many upgrades at once on one worker: all complete, every invariant holds; memory and processor time',
  async run({ upgrades }, say) {
    const names = Array.from({ length: upgrades }, (_, index) => `load-${String(index + 1).padStart(4, '0')}`);
    const providers = names.map((name) => providerLikeTheDemo(name, '18.3'));
    const before = new Map<string, Before>();
    const world = await BenchWorld.open({
      providers,
      inspect: async (sandbox) => {
        for (const name of names) {
          before.set(name, { state: await sandbox.state(name), tasks: openTasks(sandbox, name) });
        }
      },
    });
    try {
      const worker = await world.startControlPlane();
      const endpoints = await world.startEndpoints(names.map(hostOf));
      say(`${upgrades} upgrades start on one worker`);
      const watch = await UsageWatch.start({
        'control-plane worker': worker.pid,
        'Temporal server': world.server.pid,
        sandbox: world.sandbox.pid,
        'endpoint workers': endpoints.pid,
        'operator and bench': process.pid,
      });
      const began = performance.now();
      let over = 0;
      const outcomes = await Promise.all(
        names.map(async (name): Promise<Outcome> => {
          const handle = await startUpgrade(world.client, name);
          await handle.result();
          over += 1;
          if (over % 20 === 0) say(`${over} of ${upgrades} upgrades are complete`);
          return { handle, milliseconds: performance.now() - began };
        }),
      );
      const figures = [...figuresOf(outcomes), ...usageFigures(await watch.end(), upgrades)];
      world.requireNoProblems();

      say('judging every upgrade by the journal');
      const runs = new Map<string, RunEvidence>();
      for (const [index, name] of names.entries()) {
        const { handle } = outcomes[index] as Outcome;
        runs.set(name, await evidenceOfRun(world.client, handle, { before: (before.get(name) as Before).state }));
      }
      await world.sandbox.kill();
      const sandbox = await startSandbox({
        releases: SIMULATED_RELEASES,
        dataDirectory: world.sandboxDirectory,
        providers: [],
      });
      try {
        const broken = await judge(sandbox, runs, before);
        for (const violation of broken.slice(0, 20)) say(violation);
        return [...figures, await disturbances(outcomes), invariantFigure(broken.length, upgrades)];
      } finally {
        await sandbox.close();
      }
    } finally {
      await world.close();
    }
  },
};

async function judge(sandbox: Sandbox, runs: Map<string, RunEvidence>, before: Map<string, Before>): Promise<string[]> {
  const broken: string[] = [];
  for (const [provider, run] of runs) {
    const evidence: Evidence = await evidenceOf(sandbox, provider, {
      runs: [run],
      tasksAtStart: before.get(provider)?.tasks ?? [],
      verifiesConsent: true,
    });
    broken.push(...violationsIn(evidence).map((violation) => `${provider}: ${JSON.stringify(violation)}`));
  }
  return broken;
}

const figure = (what: string, value: number, unit: string, how: string): Figure => ({
  bench: 'load',
  what,
  value,
  unit,
  how,
});

function figuresOf(outcomes: Outcome[]): Figure[] {
  const seconds = outcomes.map(({ milliseconds }) => milliseconds / 1000);
  const last = Math.max(...seconds);
  const size = `${outcomes.length} upgrades at once, 18.3, 3 instances, 2 sites each`;
  return [
    figure('all upgrades complete', last, 's', `${size}; one worker process for the control plane`),
    figure('one of them', median(seconds), 's', `median; 95 % within ${quantile(seconds, 0.95).toFixed(0)} s`),
    figure('upgrades in a minute', (outcomes.length / last) * 60, '1/min', size),
  ];
}

function usageFigures(usage: Awaited<ReturnType<UsageWatch['end']>>, upgrades: number): Figure[] {
  return usage.flatMap(({ name, mostResidentMiB, cpuSeconds }) => [
    figure(`memory of ${name}`, mostResidentMiB, 'MiB', 'resident, the most that was seen'),
    figure(
      `processor time of ${name}`,
      cpuSeconds,
      's',
      `${((cpuSeconds / upgrades) * 1000).toFixed(0)} ms for each upgrade`,
    ),
  ]);
}

/** Temporal's second tries: none is an error, many are work for nothing. */
async function disturbances(outcomes: Outcome[]): Promise<Figure> {
  let overstayed = 0;
  let repeated = 0;
  for (const { handle } of outcomes) {
    const { events } = await handle.fetchHistory();
    for (const { workflowTaskTimedOutEventAttributes, activityTaskStartedEventAttributes } of events ?? []) {
      if (workflowTaskTimedOutEventAttributes) overstayed += 1;
      if ((activityTaskStartedEventAttributes?.attempt ?? 1) > 1) repeated += 1;
    }
  }
  return figure(
    'second tries of Temporal',
    overstayed + repeated,
    '',
    `${overstayed} workflow tasks that waited too long, ${repeated} activities that were repeated`,
  );
}

const invariantFigure = (broken: number, upgrades: number): Figure => ({
  ...figure('broken invariants', broken, '', `the invariants, judged for each of ${upgrades} upgrades`),
  target: { most: 0 },
});
