/**
 * A fleet whose worker, or whose Temporal server, dies in the middle of a wave: nobody is lost, and nothing happens twice.
 *
 * @needs temporal
 */
import { CONTROL_TASK_QUEUE } from '../../src/contract/provider';
import type { FaultRule } from '../../src/sandbox/faults';
import { runFleetOperator } from '../../src/sandbox/fleet-operator';
import { Rehearsal, type Upgrade } from '../kit/rehearsal/rehearsal';
import { Fleet } from '../kit/handles/fleet';
import { evidenceOfFleet } from '../kit/judge/fleet-evidence';
import { expectFleetRules } from '../kit/judge/fleet-rules';
import { patience, timings } from '../kit/deadlines';

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await Rehearsal.start({ workers: 'processes', spares: true, keepsServerState: true });
});
afterAll(async () => {
  await rehearsal?.close();
});

/** Nobody is to lose patience: a dozen workers begin at once, and on a busy machine they take their time. */
const TIMINGS = timings({
  retryFor: 180,
  heartbeat: 4,
  hostAnswer: 180,
  drain: 180,
  import: 180,
  instanceUpgrade: 180,
  script: 180,
});
const LIMITS = { maxParallel: 2, budget: { wave: 3, run: 3 } };
/** Longer than a heartbeat timeout. */
const SLOW = { system: 'operations', call: 'txn.Commit', kind: 'slow', delayMs: patience(6_000) };

/** Resolves when somebody of the fleet is in the middle of its crossing. */
function crosses({ provider }: Upgrade): Promise<void> {
  const { faults } = rehearsal.sandbox;
  const { id } = faults.add({ ...SLOW, provider });
  return new Promise((resolve) => {
    const listen = (hit: FaultRule): void => {
      if (hit.id !== id) return;
      faults.off('hit', listen);
      resolve();
    };
    faults.on('hit', listen);
  });
}

test.each([
  ['worker', () => rehearsal.processes.get(CONTROL_TASK_QUEUE)?.killAndRestart()],
  ['server', () => rehearsal.killAndRestartServer()],
] as const)(
  'a %s that is killed while a wave is under way costs no provider, and nothing happens twice',
  async (victim, kill) => {
    const upgrades: Upgrade[] = [];
    for (const number of [1, 2, 3]) {
      const gateways = [{ host: `crash-${number}` }];
      const options = { id: `${victim}-${number}`, sourceVersion: '18.4', instances: 1, openTasks: 1, gateways };
      upgrades.push(await rehearsal.provider(options, { timings: TIMINGS }));
    }
    const [first] = upgrades;
    if (!first) throw new Error('The fleet has nobody.');
    const blow = crosses(first).then(kill);
    const ids = upgrades.map(({ provider }) => provider);
    const fleet = await Fleet.start(rehearsal.client, {
      ...LIMITS,
      name: victim,
      startedBy: 'ana',
      providers: { ids },
      waves: ['rest'],
    });
    const over = new AbortController();
    const held = new Promise<never>((_, reject) => {
      over.signal.addEventListener('abort', () => reject(new Error(String(over.signal.reason))));
    });
    const operator = runFleetOperator({
      waiting: async () => ids,
      upgrade: (id) => (upgrades.find(({ provider }) => provider === id) ?? first).promptly,
      controlUrl: (id) => rehearsal.sandbox.urls.control(id),
      // Nothing is to hold, and whoever waited for its end would wait for ever.
      resolves: ({ step, problem }) => void over.abort(`${step} holds: ${problem}`),
      everyMs: 200,
      signal: over.signal,
    });
    try {
      // Whoever ends without its crossing strikes no blow; a server that is killed answers nobody.
      await Promise.race([held, blow, fleet.result().catch(() => blow)]);
      const end = await Promise.race([held, fleet.result()]);
      expect(end).toMatchObject({ state: 'completed', counts: { completed: 3 } });
    } finally {
      over.abort('It is over.');
      await operator;
    }
    // The fleet has heard of their ends a moment before they close.
    for (const upgrade of upgrades) await upgrade.result();
    for (const upgrade of upgrades) expect(upgrade.effects('packageImported')).toHaveLength(1);
    expectFleetRules(await evidenceOfFleet(rehearsal.client, rehearsal.sandbox, fleet, LIMITS));
  },
);
