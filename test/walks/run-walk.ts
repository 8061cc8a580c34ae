/** Walks one walk, and judges it by the invariants and by its end. */
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowExecutionAlreadyStartedError, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import type { Gate, Hold, UpgradeState } from '../../src/contract/status';
import type { UpgradeInput } from '../../src/contract/upgrade-input';
import type { FaultRule } from '../../src/sandbox/faults';
import { ManualWork, ScreenFailed, isUndoing, type Work } from '../../src/sandbox/manual-work';
import type { UpgradeHandle } from '../../src/sandbox/operator';
import { addInstance, addTemplate, reopenTemplate } from '../../src/sandbox/world/growth';
import { createTask } from '../../src/sandbox/world/manual-acts';
import { OFFICE_365 } from '../../src/sandbox/world/state';
import type { Rehearsal, Upgrade } from '../kit/rehearsal/rehearsal';
import { Pace } from './pace';
import { say, unlessOver } from './say';
import { PREFLIGHT } from '../../workflows/engine/planned-steps';
import { STARTER, type Act, type Walk, type WalkWorld } from './walk';
import { WalkFailed, failureOf } from './walk-failed';
import { patience } from '../kit/deadlines';

const OPERATOR_LOOKS_EVERY_MS = 150;
/** With nothing in its way any more, and everybody doing what is asked. */
const ENDS_WITHIN_MS = patience(120_000);
const MOST_RETRIES = 3;
/** How long a task takes that somebody opens meanwhile. */
const TASK_MS = 300;

/**
 * @param id of the provider: a rehearsal has each only once.
 * @returns how the upgrade ended.
 * @throws WalkFailed
 */
export async function runWalk(rehearsal: Rehearsal, walk: Walk, id: string): Promise<UpgradeState> {
  const upgrade = await rehearsal.provider(providerOf(walk.world, id), walk.world.settings);
  const walker = new Walker(rehearsal, upgrade, walk);
  try {
    const end = await walker.walk();
    await upgrade.expectInvariants();
    return end;
  } catch (error) {
    throw await failureOf(error, [upgrade.workflow]);
  } finally {
    await walker.goesHome();
  }
}

function providerOf({ provider }: WalkWorld, id: string): WalkWorld['provider'] & { id: string } {
  const gateways = Array.isArray(provider.gateways)
    ? provider.gateways.map((gateway) => ({ ...gateway, ...(gateway.host && { host: hostOf(id, gateway.host) }) }))
    : provider.gateways;
  return { ...provider, id, ...(gateways && { gateways }) };
}

const hostOf = (id: string, name: string): string => `${id}-${name}`;

class Walker {
  private readonly pace: Pace;
  /** Those who work for the upgrade while the walk goes on; there is one more for each time it was started. */
  private readonly operators: Promise<unknown>[] = [];
  private readonly rules: FaultRule[] = [];
  private readonly home = new AbortController();
  /** Hosts whose worker runs on a clone of them. */
  private readonly cloned = new Set<string>();
  private copies = 0;
  private over = false;

  constructor(
    private readonly rehearsal: Rehearsal,
    private readonly upgrade: Upgrade,
    private readonly script: Walk,
  ) {
    const { provider } = upgrade;
    this.pace = new Pace(
      rehearsal.sandbox.journal,
      (entry) => entry.provider === provider || entry.host?.startsWith(`${provider}-`) === true,
    );
  }

  async walk(): Promise<UpgradeState> {
    await this.begin();
    for (const { afterCalls, act } of this.script.events) {
      await this.pace.comesTo(afterCalls, () => this.over);
      await this.perform(act);
    }
    this.home.abort();
    await Promise.all(this.operators);
    await this.repairEverything();
    let end = await this.toTheEnd();
    if (await this.leavesSomething()) {
      await this.upgrade.start({ finish: true, startedBy: STARTER });
      end = await this.toTheEnd();
    }
    if (end !== 'rolledBack' || !this.script.world.startsAgain) return end;
    await this.upgrade.start({ startedBy: STARTER });
    return await this.toTheEnd();
  }

  /** Whatever became of the walk, it disturbs no other. */
  async goesHome(): Promise<void> {
    this.home.abort();
    this.pace.end();
    await this.repairEverything();
    await Promise.all(this.operators);
    await unlessOver(() => this.upgrade.workflow.terminate('the walk is over'));
  }

  /** What was ended by force, or could not be undone, is still in the ledger of the installation. */
  private async leavesSomething(): Promise<boolean> {
    try {
      return (await this.upgrade.ledger().describe()).status.name === 'RUNNING';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  }

  private async begin(input: Partial<UpgradeInput> = {}): Promise<void> {
    // Its preflight would take the clone for the host.
    await this.endClones();
    await this.upgrade.start({ startedBy: STARTER, ...input });
    this.over = false;
    const { delayMs, decisions, declines } = this.script.world.operator;
    let holds = 0;
    const operator = this.upgrade.operate({
      delayMs,
      everyMs: OPERATOR_LOOKS_EVERY_MS,
      signal: this.home.signal,
      resolves: (hold) => decision(hold, decisions[holds++ % decisions.length]),
      decides: () => (declines ? 'decline' : 'run'),
    });
    this.operators.push(operator.then(() => (this.over = true)));
  }

  private async perform(act: Act): Promise<void> {
    const { provider, workflow } = this.upgrade;
    switch (act.kind) {
      case 'fault': {
        const { host, ...rule } = act.rule;
        const whose = host === undefined ? { provider } : { host: hostOf(provider, host) };
        this.rules.push(this.rehearsal.sandbox.faults.add({ ...rule, ...whose }));
        return;
      }
      case 'answer':
        return await this.answer(act);
      case 'say':
        return await this.say(act.name, act.payload);
      case 'grow':
        return this.grow(act);
      case 'cancel':
        await unlessOver(() => workflow.cancel());
        return;
      case 'terminate':
        if ((await unlessOver(() => workflow.terminate('the wrong button'))) === 'heard')
          await this.startAnew({ finish: true });
        return;
      case 'reset':
        return await this.reset(act.nth);
      case 'secondEntry':
        return await this.startSecondEntry();
      case 'start':
        return await this.startAnew();
      case 'replaceWorker': {
        const host = act.host === undefined ? undefined : hostOf(provider, act.host);
        if (host === undefined || this.hosts.includes(host)) await this.rehearsal.replaceWorker(host);
        return;
      }
      case 'clone':
        return await this.clone(hostOf(provider, act.host));
    }
  }

  private async reset(nth: number): Promise<void> {
    const { events } = await this.upgrade.workflow.fetchHistory();
    // The button is there once a workflow task is done.
    if (!events?.some((event) => event.workflowTaskCompletedEventAttributes)) return;
    await this.upgrade.reset((now) => {
      const tasks = now.filter((event) => event.workflowTaskCompletedEventAttributes);
      return tasks[nth % tasks.length];
    });
  }

  private get hosts(): string[] {
    return this.rehearsal.sandbox.world.provider(this.upgrade.provider).gateways.map(({ host }) => host);
  }

  /** Once the preflight has seen the host itself; before that nobody can tell which of the two is meant. */
  private async clone(host: string): Promise<void> {
    if (!(await this.hasBegun()) || !this.hosts.includes(host) || this.cloned.has(host)) return;
    this.cloned.add(host);
    const copy = `${host}-copy-${++this.copies}`;
    this.rehearsal.sandbox.hosts.clone(host, copy);
    await this.rehearsal.takeDown(host);
    await this.rehearsal.bringUp(host, copy);
  }

  /** The preflight is done. */
  private async hasBegun(): Promise<boolean> {
    const { steps } = await this.upgrade.status();
    return steps.some(({ name, state }) => name === PREFLIGHT.name && state === 'done');
  }

  private async endClones(): Promise<void> {
    for (const host of this.cloned) {
      this.cloned.delete(host);
      await this.rehearsal.takeDown(host);
      await this.rehearsal.bringUp(host);
    }
  }

  /** Nobody may get in while the first upgrade is there; it is paused meanwhile, so that it does not end before the other is refused. */
  private async startSecondEntry(): Promise<void> {
    // Before that it does not hold the installation yet.
    if (!(await this.hasBegun())) return;
    await this.say('pause', { by: STARTER, reason: 'Somebody starts it under another name.' });
    const { paused, state } = await this.upgrade.status();
    // Who undoes everything ends all the same, and then the next one may get in.
    if (!paused || state === 'rollingBack') return;
    const second = await this.rehearsal.secondEntry(this.upgrade);
    const refusal = await Promise.race([
      second.result().catch((error: unknown) => error),
      delay(ENDS_WITHIN_MS, undefined, { ref: false }),
    ]);
    if (!(refusal instanceof WorkflowFailedError))
      throw new WalkFailed('second entry', 'An upgrade of a second entry for the same installation was let in.');
    await this.say('resume', { by: STARTER, reason: 'He was refused.' });
  }

  /** Nobody adds to what is over: it would be the next upgrade's. */
  private grow({ what, nth }: Extract<Act, { kind: 'grow' }>): void {
    const { world } = this.rehearsal.sandbox;
    const provider = world.provider(this.upgrade.provider);
    if (this.over) return;
    switch (what) {
      case 'instance':
        addInstance(world, provider, { name: `CSP late ${nth}` });
        return;
      case 'task':
        createTask(world, provider, {
          name: 'Office 365: provision late',
          status: 'Running',
          periodic: false,
          processedAfterMs: TASK_MS,
        });
        return;
      case 'template':
        addTemplate(world, provider, `Office 365 late offer ${nth}`);
        return;
      case 'offer': {
        const offers = provider.templates.filter(({ appIds }) => appIds.includes(OFFICE_365));
        const offer = offers[nth % offers.length];
        if (offer && !offer.active) reopenTemplate(world, provider, offer.templateId);
      }
    }
  }

  /** One of the gates that are open, if any is. */
  private async answer({ gate: nth, worked, twice }: Extract<Act, { kind: 'answer' }>): Promise<void> {
    const status = await this.upgrade.status();
    const gate = status.gates[nth % status.gates.length];
    // Of these nobody but the operator knows: who lies about them breaks the upgrade, and no program can tell.
    if (!gate || (!worked && isSeenByPeopleOnly(gate))) return;
    const work = worked ? await this.workFor(gate, isUndoing(status, gate.step)) : { evidence: 'I did not look.' };
    if (!work || 'unfinished' in work) return;
    const { name, payload } = gate.answer;
    const said = Object.fromEntries(
      Object.entries(payload).map(([field, value]) => [
        field,
        field === 'action'
          ? worked
            ? 'run'
            : 'decline'
          : value === '<who>'
            ? 'bo'
            : value.startsWith('<')
              ? work.evidence
              : value,
      ]),
    );
    for (let time = 0; time < (twice ? 2 : 1); time++) await this.say(name, said);
  }

  /** Nothing where a screen fails: who cannot do the work says nothing. */
  private async workFor(gate: Gate, undoing: boolean): Promise<Work | undefined> {
    try {
      return await new ManualWork(this.rehearsal.sandbox.urls.control(this.upgrade.provider)).for(gate, undoing);
    } catch (error) {
      if (!(error instanceof ScreenFailed)) throw error;
      return undefined;
    }
  }

  private async say(name: string, payload: unknown): Promise<void> {
    await say(this.rehearsal.client, this.upgrade.workflow, { name, payload });
  }

  /** While it runs, and where it is completed, this is refused. */
  private async startAnew(input: Partial<UpgradeInput> = {}): Promise<void> {
    try {
      await this.begin(input);
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }

  private async repairEverything(): Promise<void> {
    await this.endClones();
    for (const rule of this.rules.splice(0)) this.rehearsal.sandbox.faults.remove(rule);
  }

  /** Nothing is in the way any more, and everybody does what is asked: whatever has happened, it has to end. */
  private async toTheEnd(): Promise<UpgradeState> {
    const inTime = AbortSignal.timeout(ENDS_WITHIN_MS);
    let retries = 0;
    await this.upgrade.operate({
      upgrade: this.resuming,
      everyMs: OPERATOR_LOOKS_EVERY_MS,
      signal: inTime,
      // What the sandbox's operator cannot repair, a renamed site, is gone back from.
      resolves: ({ actions }) => (actions.includes('rollback') && retries++ >= MOST_RETRIES ? 'rollback' : 'retry'),
    });
    const { state, step, gates, holds, steps } = await this.upgrade.status();
    if (!inTime.aborted) {
      await this.closes();
      return state;
    }
    const open = [...gates.map(({ id }) => id), ...holds.map(({ problem }) => problem)].join(' ');
    const note = steps.find(({ name }) => name === step)?.note ?? '';
    throw new WalkFailed(
      'no end',
      `The upgrade has not ended within ${ENDS_WITHIN_MS / 1000} s although nothing is in its way: it is ${state} in ${step ?? 'no step'}. ${open} ${note}`.trim(),
    );
  }

  /** An upgrade that says how it ended is closed, and so gives its result at once. */
  private async closes(): Promise<void> {
    try {
      const { connection } = this.rehearsal.client;
      await connection.withDeadline(Date.now() + ENDS_WITHIN_MS, () => this.upgrade.result());
    } catch (error) {
      if (!(error instanceof WorkflowFailedError)) throw error;
    }
  }

  private get resuming(): UpgradeHandle {
    const { promptly } = this.upgrade;
    return {
      query: async () => {
        const status = await this.upgrade.status();
        if (status.paused) await promptly.signal('resume', { by: 'bo', reason: 'Enough.' });
        return status;
      },
      signal: (name, payload) => promptly.signal(name, payload),
    };
  }
}

const isSeenByPeopleOnly = ({ item, step }: Gate): boolean =>
  item === 'tasks' || ['stopSynchronisation', 'startSynchronisation'].includes(step);

const decision = ({ actions }: Hold, wanted: Hold['actions'][number] | undefined): Hold['actions'][number] =>
  wanted !== undefined && actions.includes(wanted) ? wanted : 'retry';
