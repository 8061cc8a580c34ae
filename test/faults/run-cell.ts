/** One cell of the fault matrix: an upgrade with one fault, judged by the invariants and by what it says. */
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { QUERY, type UpgradeStatus } from '../../src/contract/status';
import type { FaultRule } from '../../src/sandbox/faults';
import { InvariantsBroken } from '../kit/judge/invariants';
import type { JournalEntry } from '../../src/sandbox/journal';
import type { Rehearsal, Settings, Upgrade } from '../kit/rehearsal/rehearsal';
import type { TemporalCall, TemporalCalls } from '../kit/rehearsal/temporal-calls';
import { Forwarder } from './forwarder';
import type { Cell } from './matrix';
import { saysAll } from './messages';
import { abortAtGate, begin, provide, type FaultsRehearsal } from './stories';
import { patience } from '../kit/deadlines';

export interface CellResult {
  cell: Cell;
  /** `completed`, `completed after a hold`, `rolledBack`, `refused`, `rollbackIncomplete`, or `missed`. */
  outcome: string;
  /** What people were told. */
  messages: string[];
  problems: string[];
  tookMs: number;
}

/** Longer than all patience of a step and of its undo together (stories.ts, PATIENCE). */
const DEADLINE_MS = patience(300_000);
const LOOK_MS = 700;
/** Long enough to be refused, short enough to be forgiven. */
const OUTAGE_MS = patience(700);
const FOR_EVER = 1_000_000;
const FORWARDED = ['operations', 'aps', 'billing', 'control', 'microsoft'] as const;

export async function runCell(faults: FaultsRehearsal, cell: Cell, id: string): Promise<CellResult> {
  const began = performance.now();
  const { rehearsal } = faults;
  const ports = cell.failure.stops ? await Ports.of(rehearsal) : undefined;
  const upgrade = await provide(rehearsal, cell.call.story, id, (own) => ports?.inFrontOf(own) ?? own);
  const run = new CellRun(faults, cell, upgrade, ports);
  try {
    return { cell, ...(await run.live()), tookMs: performance.now() - began };
  } finally {
    ports?.close();
    await rehearsal.closeHosts(id);
  }
}

class CellRun {
  private readonly messages = new Set<string>();
  private readonly problems: string[] = [];
  private rule: FaultRule | undefined;
  private readonly rehearsal: Rehearsal;
  private readonly temporal: TemporalCalls;
  private readonly host: string;
  private readonly copy: string;
  /** So many calls of the name that it comes after. */
  private before = 0;
  private hits = 0;
  private holds = 0;
  private isCloned = false;
  /** Which machine serves the host's queue: what is under way. */
  private machines: Promise<void> = Promise.resolve();

  constructor(
    { rehearsal, temporal }: FaultsRehearsal,
    private readonly cell: Cell,
    private readonly upgrade: Upgrade,
    private readonly ports: Ports | undefined,
  ) {
    this.rehearsal = rehearsal;
    this.temporal = temporal;
    this.host = rehearsal.sandbox.world.provider(upgrade.provider).gateways[0]?.host ?? '';
    this.copy = `${this.host}-copy`;
  }

  private readonly arm = (): void => {
    const { faults, journal } = this.rehearsal.sandbox;
    faults.on('hit', this.onHit);
    if (this.cell.call.after === undefined) return this.strikes();
    journal.on('recorded', this.onRecorded);
    this.temporal.on('recorded', this.onRecorded);
  };

  private strikes(): void {
    const { call, failure } = this.cell;
    if (failure.clones) return this.givesToClone();
    this.rule = this.rehearsal.sandbox.faults.add({
      ...(call.system === 'host' ? { host: this.host } : { provider: this.upgrade.provider }),
      system: call.system,
      call: call.name,
      kind: failure.kind,
      skip: call.nth,
      times: failure.lasts ? FOR_EVER : 1,
      ...(failure.delayMs !== undefined && { delayMs: failure.delayMs }),
    });
  }

  /** Of a call that is there already the host itself makes an end: its worker ends in order. */
  private givesToClone(): void {
    const { rehearsal, host, copy } = this;
    rehearsal.sandbox.hosts.clone(host, copy);
    this.isCloned = true;
    this.machines = rehearsal.takeDown(host).then(() => rehearsal.bringUp(host, copy));
  }

  private endsClone(): void {
    if (!this.isCloned) return;
    this.isCloned = false;
    const { rehearsal, host } = this;
    this.machines = this.machines.then(() => rehearsal.takeDown(host)).then(() => rehearsal.bringUp(host));
  }

  async live(): Promise<Omit<CellResult, 'cell' | 'tookMs'>> {
    const { upgrade } = this;
    try {
      await begin(upgrade, this.cell.call.story, this.arm);
      await this.untilOver();
      await persistently(() => upgrade.expectInvariants()).catch((error: Error) => this.problems.push(error.message));
      const status = await persistently(() => upgrade.status());
      await this.hear(status);
      const outcome =
        this.hits === 0
          ? 'missed'
          : this.holds > 0 && status.state === 'completed'
            ? 'completed after a hold'
            : status.state;
      this.judge(status);
      return { outcome, messages: [...this.messages], problems: this.problems };
    } finally {
      this.lift();
      await this.machines;
      this.rehearsal.sandbox.faults.off('hit', this.onHit);
      this.rehearsal.sandbox.journal.off('recorded', this.onRecorded);
      this.temporal.off('recorded', this.onRecorded);
    }
  }

  /** As {@link operate}; who finishes an upgrade and is refused for now finishes it again, as he is told. */
  private async untilOver(): Promise<void> {
    const { upgrade } = this;
    const inTime = AbortSignal.timeout(DEADLINE_MS);
    await this.operate(inTime);
    if (this.cell.call.story.interrupted !== 'terminated and finished') return;
    const { state } = await persistently(() => upgrade.status());
    if (state !== 'refused') return;
    this.told(await this.failure());
    await upgrade.start({ finish: true, startedBy: 'ana' });
    await this.operate(inTime);
  }

  /** The operator answers, repairs what an upgrade complains of, and lets it try again. */
  private async operate(inTime: AbortSignal): Promise<void> {
    const { upgrade, cell } = this;
    const aborts = cell.call.story.comesBack && !cell.call.story.interrupted;
    let aborted = false;
    const handle = {
      query: async (name: string) => {
        if (aborts && !aborted) aborted = await abortAtGate(upgrade);
        const status = await upgrade.workflow.query<UpgradeStatus>(name);
        if (status.state === 'rollingBack' && !cell.call.story.comesBack) this.lift();
        return status;
      },
      signal: (name: string, payload: Record<string, string>) => upgrade.workflow.signal(name, payload),
    };
    await upgrade.operate({
      upgrade: handle,
      everyMs: LOOK_MS,
      signal: inTime,
      leaves: ({ step, lastProblem }) => {
        if (lastProblem !== undefined) this.told(lastProblem);
        return step === 'approveCrossing';
      },
      resolves: ({ problem }) => {
        this.holds += 1;
        this.told(problem);
        return 'retry';
      },
    });
    if (!inTime.aborted) return;
    const { state, step, steps } = await upgrade.workflow.query<UpgradeStatus>(QUERY.status);
    const note = steps.find(({ name }) => name === step)?.note ?? '';
    this.problems.push(`after ${DEADLINE_MS / 1000} s it is ${state} in ${step ?? 'no step'}: ${note}`);
    await upgrade.workflow.terminate('too late');
  }

  private told(message: string): void {
    this.messages.add(message);
    this.lift();
  }

  private async hear(status: UpgradeStatus): Promise<void> {
    // Why it is still off stands in another one.
    for (const item of status.notUndone) if (!/it is still switched off, since/.test(item)) this.messages.add(item);
    if (status.state !== 'rolledBack' && status.state !== 'refused') return;
    if (this.cell.call.story.comesBack) return;
    this.messages.add(await this.failure());
  }

  private async failure(): Promise<string> {
    return await this.upgrade.result().then(
      () => '',
      (error: unknown) => {
        const cause = error instanceof WorkflowFailedError ? error.cause : error;
        return cause instanceof Error ? cause.message : String(cause);
      },
    );
  }

  private judge({ state }: UpgradeStatus): void {
    const { story, step } = this.cell.call;
    const allowed = story.comesBack
      ? ['rolledBack', 'rollbackIncomplete']
      : step === 'preflight'
        ? ['completed', 'refused', 'rolledBack']
        : ['completed', 'rolledBack'];
    if (!allowed.includes(state)) this.problems.push(`it ended as ${state}`);
    if (this.hits === 0) this.problems.push('the call never came: the cell shows nothing');
    if (state !== 'completed' && !story.comesBack && this.messages.size === 0)
      this.problems.push('nobody was told why');
    for (const message of this.messages)
      if (!saysAll(message, this.cell, this.host))
        this.problems.push(`the message does not name system, call, object and next action: ${message}`);
  }

  private readonly onHit = (rule: FaultRule): void => {
    if (rule.id !== this.rule?.id) return;
    this.hits += 1;
    if (!this.ports || this.hits > 1) return;
    // From here on the ports refuse; the rule would also refuse the operator his screens.
    this.rehearsal.sandbox.faults.remove(rule);
    this.ports.stop();
    if (!this.cell.failure.lasts) void delay(OUTAGE_MS).then(() => this.ports?.listen());
  };

  private readonly onRecorded = ({ kind, system, name, provider, host }: JournalEntry | TemporalCall): void => {
    const { after } = this.cell.call;
    if (kind !== 'call') return;
    if (host === this.copy) this.hits += 1;
    if (this.before === after?.times || `${system} ${name}` !== after?.call) return;
    if (provider !== this.upgrade.provider && host !== this.host) return;
    this.before += 1;
    if (this.before === after.times) this.strikes();
  };

  private lift(): void {
    if (this.rule) this.rehearsal.sandbox.faults.remove(this.rule);
    this.ports?.listen();
    this.endsClone();
  }
}

const ATTEMPTS = 5;
/** On a machine that has no time left a question may stay unanswered: that is no finding about the upgrade. */
async function persistently<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof InvariantsBroken || attempt === ATTEMPTS) throw error;
    }
  }
}

/** Ports of its own for every system of one provider. */
class Ports {
  private constructor(private readonly all: Record<(typeof FORWARDED)[number], Forwarder>) {}

  static async of({ sandbox }: Rehearsal): Promise<Ports> {
    const all = await Promise.all(
      FORWARDED.map(async (system) => [system, await Forwarder.to(sandbox.ports[system])] as const),
    );
    return new Ports(Object.fromEntries(all) as Ports['all']);
  }

  /** The same settings, by way of these ports. */
  inFrontOf(settings: Settings): Settings {
    const via = new Map(Object.values(this.all).map((forwarder) => [String(forwarder.target), String(forwarder.port)]));
    const changed = JSON.stringify(settings).replace(
      /(\/\/127\.0\.0\.1:)(\d+)/g,
      (_, host: string, port: string) => host + (via.get(port) ?? port),
    );
    return JSON.parse(changed) as Settings;
  }

  stop(): void {
    for (const forwarder of Object.values(this.all)) forwarder.stop();
  }

  listen(): void {
    for (const forwarder of Object.values(this.all)) forwarder.listen();
  }

  close(): void {
    for (const forwarder of Object.values(this.all)) forwarder.close();
  }
}
