/** Walks one walk of a fleet, and judges it by the rules of fleets, by the invariants of every upgrade, and by its end. */
import { setTimeout as delay } from 'node:timers/promises';
import type { FleetMessageName, FleetStatus } from '../../../src/contract/fleet';
import { runFleetOperator } from '../../../src/sandbox/fleet-operator';
import type { FaultRule } from '../../../src/sandbox/faults';
import type { UpgradeHandle } from '../../../src/sandbox/operator';
import type { UpgradeStatus } from '../../../src/contract/status';
import type { Rehearsal, Upgrade } from '../../kit/rehearsal/rehearsal';
import { Fleet } from '../../kit/handles/fleet';
import { evidenceOfFleet } from '../../kit/judge/fleet-evidence';
import { FleetRulesBroken, expectFleetRules } from '../../kit/judge/fleet-rules';
import { Pace } from '../pace';
import { say, unlessOver, type Heard } from '../say';
import { STARTER } from '../walk';
import { WalkFailed, failureOf } from '../walk-failed';
import type { WalkKind } from '../walks';
import { drawFleetWalk } from './draw-fleet-walk';
import { SHARED_HOST, type FleetAct, type FleetWalk, type WalkProvider } from './fleet-walk';
import { patience } from '../../kit/deadlines';

export const FLEET_WALKS: WalkKind<FleetWalk> = { draw: drawFleetWalk, run: runFleetWalk };

/** Each look of an operator asks every upgrade that goes on. */
const LOOKS_EVERY_MS = 500;
/** With nothing in its way any more, and everybody doing what is asked. */
const ENDS_WITHIN_MS = patience(150_000);
const MOST_RETRIES = 3;
/** More than any fleet of a walk has. */
const ENOUGH = 100;

async function runFleetWalk(rehearsal: Rehearsal, walk: FleetWalk, id: string): Promise<string> {
  const { members, outsider } = walk.world;
  const upgrades: Upgrade[] = [];
  for (const [index, member] of members.entries()) upgrades.push(await add(rehearsal, member, id, `${index + 1}`));
  const alone = outsider && (await add(rehearsal, outsider, id, 'alone'));
  const fleet = await Fleet.start(rehearsal.client, {
    ...walk.world.fleet,
    name: id,
    startedBy: STARTER,
    providers: { ids: upgrades.map(({ provider }) => provider) },
  });
  const all = alone ? [...upgrades, alone] : upgrades;
  const walker = new FleetWalker(rehearsal, fleet, upgrades, alone, walk, id);
  try {
    const end = await walker.walk();
    const { maxParallel = 1, budget } = walk.world.fleet;
    const limits = { maxParallel, budget: { wave: Number(budget?.wave), run: Number(budget?.run) } };
    expectFleetRules(await evidenceOfFleet(rehearsal.client, rehearsal.sandbox, fleet, limits));
    await walker.expectAnswersAudited();
    for (const upgrade of all) await upgrade.expectInvariants();
    return end.state;
  } catch (error) {
    const cause =
      error instanceof FleetRulesBroken
        ? new WalkFailed(error.violations[0]?.rule ?? error.name, error.message, { cause: error })
        : error;
    const { waves } = await fleet.status();
    const parts = waves.flatMap(({ parts: ids }) => ids).map((part) => rehearsal.client.workflow.getHandle(part));
    throw await failureOf(cause, [fleet.handle, ...parts, ...all.map(({ workflow }) => workflow)]);
  } finally {
    await walker.goesHome();
  }
}

/** On a host of the walk's own. */
function add(rehearsal: Rehearsal, { provider, settings }: WalkProvider, id: string, name: string): Promise<Upgrade> {
  const gateways = Array.isArray(provider.gateways)
    ? provider.gateways.map((gateway) => ({
        ...gateway,
        host: gateway.host === SHARED_HOST ? `${id}-shared` : `${id}-${name}`,
      }))
    : provider.gateways;
  return rehearsal.provider({ ...provider, id: `${id}-${name}`, ...(gateways && { gateways }) }, settings);
}

class FleetWalker {
  private readonly pace: Pace;
  private readonly rules: FaultRule[] = [];
  private readonly home = new AbortController();
  private readonly operator: Promise<void>;
  /** What became of each message to the fleet, by who sent it; nobody sends two. */
  private readonly sent = new Map<string, Heard>();
  private readonly ended = new Set<string>();
  private over = false;

  constructor(
    private readonly rehearsal: Rehearsal,
    private readonly fleet: Fleet,
    private readonly members: Upgrade[],
    private readonly outsider: Upgrade | undefined,
    private readonly script: FleetWalk,
    id: string,
  ) {
    const isOurs = (name: string | undefined): boolean => name?.startsWith(`${id}-`) === true;
    this.pace = new Pace(rehearsal.sandbox.journal, ({ provider, host }) => isOurs(provider) || isOurs(host));
    const { delayMs, decisions } = script.world.operator;
    let holds = 0;
    this.operator = runFleetOperator({
      ...this.operated,
      waiting: async () => {
        this.over = (await fleet.handle.describe()).status.name !== 'RUNNING';
        return this.goingOn;
      },
      delayMs,
      resolves: ({ actions }) => {
        const wanted = decisions[holds++ % decisions.length];
        return wanted !== undefined && actions.includes(wanted) ? wanted : 'retry';
      },
      signal: this.home.signal,
    });
  }

  async walk(): Promise<FleetStatus> {
    for (const { afterCalls, act } of this.script.events) {
      await this.pace.comesTo(afterCalls, () => this.over);
      await this.perform(act);
    }
    this.home.abort();
    await this.operator;
    this.repairEverything();
    return await this.toTheEnd();
  }

  async expectAnswersAudited(): Promise<void> {
    const audit = await this.fleet.audit();
    for (const [by, heard] of this.sent) {
      const times = audit.filter((entry) => entry.by === by).length;
      const expected = heard === 'heard' ? [1] : heard === 'unheard' ? [0] : [0, 1];
      if (!expected.includes(times))
        throw new WalkFailed('audit', `${by} was ${heard}, and stands in the audit trail of the fleet ${times} times.`);
    }
  }

  /** Whatever became of the walk, it disturbs no other. */
  async goesHome(): Promise<void> {
    this.home.abort();
    await this.operator;
    this.pace.end();
    this.repairEverything();
    const { waves } = await this.fleet.status();
    const parts = waves.flatMap(({ parts: ids }) => ids).map((id) => this.rehearsal.client.workflow.getHandle(id));
    for (const workflow of [this.fleet.handle, ...parts, ...this.upgrades.map((upgrade) => upgrade.workflow)])
      await unlessOver(() => workflow.terminate('the walk is over'));
  }

  private async perform(act: FleetAct): Promise<void> {
    switch (act.kind) {
      case 'fault': {
        const { host, ...rule } = act.rule;
        const { provider } = this.member(act.member);
        const whose = host === undefined ? { provider } : { host: this.hostOf(provider) };
        this.rules.push(this.rehearsal.sandbox.faults.add({ ...rule, ...whose }));
        return;
      }
      case 'say':
        await this.say(act.name, act.payload);
        return;
      case 'sayTo': {
        const { workflow } = this.member(act.member);
        await say(this.rehearsal.client, workflow, act);
        return;
      }
      case 'cancel':
        await unlessOver(() => this.fleet.handle.cancel());
        return;
      case 'replaceWorker':
        await this.rehearsal.replaceWorker(
          act.member === undefined ? undefined : this.hostOf(this.member(act.member).provider),
        );
        return;
      case 'startOutsider':
        await this.outsider?.start({ startedBy: STARTER });
    }
  }

  private async say(name: FleetMessageName, payload: object): Promise<void> {
    const by = `person ${this.sent.size + 1}`;
    const heard = await say(this.rehearsal.client, this.fleet.handle, { name, payload: { by, ...payload } });
    this.sent.set(by, heard);
  }

  private member(index: number): Upgrade {
    const member = this.members[index];
    if (!member) throw new Error(`The fleet has no member ${index}.`);
    return member;
  }

  private hostOf(provider: string): string {
    const [gateway] = this.rehearsal.sandbox.world.provider(provider).gateways;
    if (!gateway) throw new Error(`${provider} has no gateway.`);
    return gateway.host;
  }

  private repairEverything(): void {
    for (const rule of this.rules.splice(0)) this.rehearsal.sandbox.faults.remove(rule);
  }

  private get upgrades(): Upgrade[] {
    return this.outsider ? [...this.members, this.outsider] : this.members;
  }

  private upgrade(provider: string): Upgrade {
    const upgrade = this.upgrades.find((candidate) => candidate.provider === provider);
    if (!upgrade) throw new Error(`The walk has no provider ${provider}.`);
    return upgrade;
  }

  private get goingOn(): string[] {
    return this.upgrades.map(({ provider }) => provider).filter((provider) => !this.ended.has(provider));
  }

  private get operated() {
    return {
      waiting: async () => this.goingOn,
      upgrade: (provider: string) => this.watched(provider),
      controlUrl: (provider: string) => this.rehearsal.sandbox.urls.control(provider),
      everyMs: LOOKS_EVERY_MS,
    };
  }

  /** Nobody is upgraded twice in a walk: who has ended needs no operator. */
  private watched(provider: string): UpgradeHandle {
    const { promptly } = this.upgrade(provider);
    return {
      ...promptly,
      query: async (name) => {
        const status = (await promptly.query(name)) as UpgradeStatus;
        if (status.endedAt !== undefined) this.ended.add(provider);
        return status;
      },
    };
  }

  /** Nothing is in the way any more, and everybody does what is asked: whatever has happened, the fleet has to end. */
  private async toTheEnd(): Promise<FleetStatus> {
    const finished = new AbortController();
    let retries = 0;
    const operator = runFleetOperator({
      ...this.operated,
      upgrade: (provider) => resuming(this.watched(provider)),
      resolves: ({ actions }) => (actions.includes('rollback') && retries++ >= MOST_RETRIES ? 'rollback' : 'retry'),
      signal: finished.signal,
    });
    try {
      for (const until = performance.now() + ENDS_WITHIN_MS; performance.now() < until; await delay(LOOKS_EVERY_MS)) {
        const status = await this.fleet.status();
        if (status.paused) await this.say('resume', { reason: 'Enough.' });
        if (status.asks?.what === 'budget')
          await this.say('decideBudget', { reason: 'All.', action: 'continue', wave: ENOUGH, run: ENOUGH });
        else if (status.asks) await this.say('proceed', { reason: 'Go on.' });
        if (status.endedAt !== undefined && (await this.isQuiet())) return status;
      }
    } finally {
      finished.abort();
      await operator;
    }
    const { state, counts } = await this.fleet.status();
    const told = JSON.stringify(await this.fleet.providers());
    throw new WalkFailed(
      'no end',
      `The fleet has not ended within ${ENDS_WITHIN_MS / 1000} s although nothing is in its way: it is ${state}, ${JSON.stringify(counts)}. ${told}`,
    );
  }

  private async isQuiet(): Promise<boolean> {
    for (const { workflow } of this.upgrades) {
      let running = false;
      await unlessOver(async () => (running = (await workflow.describe()).status.name === 'RUNNING'));
      if (running) return false;
    }
    return true;
  }
}

/** An upgrade whose operator lets it go on where somebody has paused it. */
function resuming(upgrade: UpgradeHandle): UpgradeHandle {
  return {
    query: async (name) => {
      const status = (await upgrade.query(name)) as UpgradeStatus;
      if (status.paused) await upgrade.signal('resume', { by: 'bo', reason: 'Enough.' });
      return status;
    },
    signal: (name, payload) => upgrade.signal(name, payload),
  };
}
