/**
 * One random walk of a fleet: size, waves, faults, pauses and people's answers all follow from a seed. `npx tsx
 * test/fleet/walk.ts <seed>` repeats it and prints what happened.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { FAILURE } from '../../src/contract/activities';
import type { FleetInput, FleetMessageName, FleetProviderState, FleetStatus } from '../../src/contract/fleet';
import type { Fleet } from './fleet';
import type { FleetWorld, StubProvider } from './fleet-world';

/** Park and Miller's generator: the same numbers for the same seed, everywhere. */
export function randomOf(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761) % 0x7fffffff || 1;
  return (below) => (state = (state * 48_271) % 0x7fffffff) % below;
}

const fails = (type: string) => async (): Promise<never> => {
  throw ApplicationFailure.nonRetryable('it says no', type);
};

const KINDS = ['well', 'well', 'well', 'failed', 'unreachable', 'held'] as const;
const ENDS: readonly FleetProviderState[] = ['completed', 'failed', 'unreachable', 'skipped'];

interface Walk {
  seed: number;
  input: FleetInput;
  kinds: Map<string, (typeof KINDS)[number]>;
}

function plan(seed: number): Walk {
  const random = randomOf(seed);
  const size = 2 + random(7);
  const ids = Array.from({ length: size }, (_, index) => `walk-${seed}-${index + 1}`);
  const input: FleetInput = {
    name: `walk-${seed}`,
    startedBy: 'walker',
    providers: { ids },
    waves: [1 + random(2), 'rest'],
    maxParallel: 1 + random(4),
    budget: { wave: 1 + random(3), run: 1 + random(4) },
    parkAfter: 1,
    ...(random(3) === 0 ? { historyLimit: 80 } : {}),
  };
  return { seed, input, kinds: new Map(ids.map((id) => [id, KINDS[random(KINDS.length)] ?? 'well'])) };
}

/** Providers at work: between their first changing call and the end of their upgrade, or the moment at which they park. */
class Watch {
  private readonly running = new Map<string, number>();
  readonly problems: string[] = [];

  provider(id: string, kind: (typeof KINDS)[number]): StubProvider {
    const from = '18.4';
    switch (kind) {
      case 'well':
        return { from, change: this.counting(id, {}) };
      case 'failed':
        return { from, change: this.counting(id, { deactivateTemplate: fails(FAILURE.rejected) }) };
      case 'unreachable':
        return { from, change: this.counting(id, { readBilling: fails(FAILURE.unreachable) }) };
      case 'held':
        return {
          from,
          settings: { onFailureBeforeCrossing: 'hold' },
          change: this.counting(id, { deactivateTemplate: fails(FAILURE.rejected) }),
        };
    }
  }

  private counting(id: string, change: NonNullable<StubProvider['change']>): NonNullable<StubProvider['change']> {
    return {
      ...change,
      importPackage: async () => {
        const times = (this.running.get(id) ?? 0) + 1;
        this.running.set(id, times);
        if (times > 1) this.problems.push(`${id} was imported ${times} times`);
        return { applicationId: 17, packageVersion: '18.4.1-12' };
      },
    };
  }
}

/** @returns what is wrong with what the fleet did; nothing where all is well. */
export async function walk(world: FleetWorld, seed: number): Promise<string[]> {
  const { input, kinds } = plan(seed);
  const random = randomOf(seed + 1);
  const watch = new Watch();
  for (const [id, kind] of kinds) world.set(id, watch.provider(id, kind));
  const fleet = await world.fleet(input);
  const { problems } = watch;
  let sent = 0;
  let allowedParallel = input.maxParallel ?? 10;
  const say = async (name: FleetMessageName, payload: object = {}): Promise<void> => {
    sent += 1;
    await fleet.handle.signal(name, { by: `walker-${sent}`, reason: 'a walk', ...payload });
  };

  let status = await fleet.status();
  let pausedOnce = false;
  while (status.endedAt === undefined) {
    judge(status, allowedParallel, problems);
    if (status.asks?.what === 'budget') await decide(random, say);
    else if (!pausedOnce && random(6) === 0) {
      pausedOnce = true;
      await say('pause');
      await delay(random(300));
      await say('resume');
    } else if (random(12) === 0) {
      const maxParallel = 1 + random(4);
      // Those at work keep their slots: until all have heard, the larger of both holds.
      allowedParallel = Math.max(allowedParallel, maxParallel);
      await say('setMaxParallel', { maxParallel });
    } else if (random(80) === 0) await say('abort');
    await resolveHolds(world, fleet, kinds);
    await delay(20);
    status = await fleet.status();
  }
  const result = await fleet.result();
  for (const { provider, state } of await fleet.providers())
    if (!ENDS.includes(state)) problems.push(`${provider} ended as ${state}`);
  const answers = (await fleet.audit()).filter(({ what }) => what.startsWith('signal:'));
  if (answers.length !== sent) problems.push(`${sent} answers were sent, and ${answers.length} are in the audit trail`);
  if (new Set(answers.map(({ by }) => by)).size !== sent) problems.push('an answer is in the audit trail twice');
  if (Object.values(result.counts).reduce((sum, each) => sum + each, 0) !== kinds.size)
    problems.push(`the counts do not add up: ${JSON.stringify(result.counts)}`);
  return [...new Set(problems)];
}

function judge({ counts, waves, budget }: FleetStatus, parallel: number, problems: string[]): void {
  if (counts.running + counts.held > parallel)
    problems.push(`${counts.running + counts.held} were at work, and ${parallel} may be`);
  // Who was under way when the budget was spent may break as well; nobody else.
  if (budget.broken > budget.allowed - 1 + parallel + 1)
    problems.push(`${budget.broken} are broken, ${budget.allowed} may be, and ${parallel} are at work at once`);
  const began = waves.filter(({ state }) => state === 'running');
  if (began.length > 1) problems.push('two waves were running at once');
}

async function decide(
  random: (below: number) => number,
  say: (name: FleetMessageName, payload: object) => Promise<void>,
): Promise<void> {
  const action = ['continue', 'continue', 'skipRest', 'stop'][random(4)];
  await say('decideBudget', { action, ...(action === 'stop' ? {} : { wave: '100%', run: '100%' }) });
}

async function resolveHolds(world: FleetWorld, fleet: Fleet, kinds: Walk['kinds']): Promise<void> {
  if (![...kinds.values()].includes('held')) return;
  for (const { provider, state, cause } of await fleet.providers())
    if (cause === 'held' && (state === 'held' || state === 'parked'))
      await world
        .upgrade(provider)
        .signal('resolveHold', { step: 'stopProvisioning', action: 'rollback', by: 'olga', reason: 'a walk' })
        .catch((error: unknown) => {
          // It has ended meanwhile.
          if (!(error instanceof Error) || error.name !== 'WorkflowNotFoundError') throw error;
        });
}
