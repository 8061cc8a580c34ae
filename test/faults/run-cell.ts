/** One cell of the fault matrix: an upgrade with one fault, judged by the ten invariants and by what it says. */
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { QUERY, type UpgradeStatus } from '../../src/contract/status';
import type { FaultRule } from '../../src/sandbox/faults';
import type { Rehearsal, Settings, Upgrade } from '../e2e/rehearsal';
import { Forwarder } from './forwarder';
import type { Cell } from './matrix';
import { abortAtGate, provide } from './stories';

export interface CellResult {
  cell: Cell;
  /** `completed`, `completed after a hold`, `rolledBack`, `refused`, `rollbackIncomplete`, or `missed`: the call never came. */
  outcome: string;
  /** What people were told. */
  messages: string[];
  problems: string[];
  tookMs: number;
}

/** Longer than all patience of a step and of its undo together (stories.ts, PATIENCE). */
const DEADLINE_MS = 150_000;
const LOOK_MS = 300;
/** Long enough to be refused, short enough to be forgiven. */
const OUTAGE_MS = 700;
const FOR_EVER = 1_000_000;
const FORWARDED = ['operations', 'aps', 'billing', 'control'] as const;

export async function runCell(rehearsal: Rehearsal, cell: Cell, id: string): Promise<CellResult> {
  const began = performance.now();
  const ports = cell.failure.stops ? await Ports.of(rehearsal) : undefined;
  const upgrade = await provide(rehearsal, cell.call.story, id, ports?.settings(rehearsal, id));
  const run = new CellRun(rehearsal, cell, upgrade, ports);
  try {
    return { cell, ...(await run.live()), tookMs: performance.now() - began };
  } finally {
    ports?.close();
  }
}

class CellRun {
  private readonly messages = new Set<string>();
  private readonly problems: string[] = [];
  private readonly rule: FaultRule;
  private hits = 0;
  private holds = 0;

  constructor(
    private readonly rehearsal: Rehearsal,
    private readonly cell: Cell,
    private readonly upgrade: Upgrade,
    private readonly ports: Ports | undefined,
  ) {
    const { call, failure } = cell;
    const [gateway] = rehearsal.sandbox.world.provider(upgrade.provider).gateways;
    this.rule = rehearsal.sandbox.faults.add({
      ...(call.system === 'host' && { host: gateway?.host ?? '' }),
      ...(call.system !== 'host' && !call.anonymous && { provider: upgrade.provider }),
      system: call.system,
      call: call.name,
      kind: failure.kind,
      skip: call.nth,
      times: failure.lasts ? FOR_EVER : 1,
      ...(failure.delayMs !== undefined && { delayMs: failure.delayMs }),
    });
    rehearsal.sandbox.faults.on('hit', this.onHit);
  }

  async live(): Promise<Omit<CellResult, 'cell' | 'tookMs'>> {
    const { upgrade } = this;
    try {
      await upgrade.start({ startedBy: 'ana' });
      await this.untilOver();
      await upgrade.expectInvariants().catch((error: Error) => this.problems.push(error.message));
      const status = await upgrade.status();
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
      this.rehearsal.sandbox.faults.off('hit', this.onHit);
    }
  }

  /** The operator answers, repairs what an upgrade complains of, and lets it try again. */
  private async untilOver(): Promise<void> {
    const { upgrade, cell } = this;
    const inTime = AbortSignal.timeout(DEADLINE_MS);
    let aborted = false;
    const handle = {
      query: async (name: string) => {
        if (cell.call.story.comesBack && !aborted) aborted = await abortAtGate(upgrade);
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
    for (const item of status.notUndone) this.messages.add(item);
    if (status.state !== 'rolledBack' && status.state !== 'refused') return;
    if (this.cell.call.story.comesBack) return;
    await this.upgrade.result().catch((error: unknown) => {
      const cause = error instanceof WorkflowFailedError ? error.cause : error;
      this.messages.add(cause instanceof Error ? cause.message : String(cause));
    });
  }

  private judge({ state }: UpgradeStatus): void {
    const { story, step } = this.cell.call;
    const allowed = story.comesBack
      ? ['rolledBack', 'rollbackIncomplete']
      : step === 'preflight'
        ? ['completed', 'refused', 'rolledBack']
        : ['completed', 'rolledBack'];
    if (!allowed.includes(state)) this.problems.push(`it ended as ${state}`);
    if (state !== 'completed' && !story.comesBack && this.messages.size === 0)
      this.problems.push('nobody was told why');
    for (const message of this.messages)
      for (const missing of missingFrom(message, this.cell, this.rehearsal, this.upgrade.provider))
        this.problems.push(`the message does not say ${missing}: ${message}`);
  }

  private readonly onHit = (rule: FaultRule): void => {
    if (rule.id !== this.rule.id) return;
    this.hits += 1;
    if (!this.ports || this.hits > 1) return;
    this.ports.stop();
    if (!this.cell.failure.lasts) void delay(OUTAGE_MS).then(() => this.ports?.listen());
  };

  private lift(): void {
    this.rehearsal.sandbox.faults.remove(this.rule);
    this.ports?.listen();
  }
}

/** What an operator needs to know, and does not find in the message: system, call, object, next action. */
function missingFrom(message: string, { call }: Cell, { sandbox }: Rehearsal, provider: string): string[] {
  const host = sandbox.world.provider(provider).gateways[0]?.host ?? '';
  const systems = [
    'Operations',
    'APS controller',
    'Billing',
    'task monitor',
    'connection test',
    'package server',
    host,
  ];
  const [, , about = '', next = ''] =
    new RegExp(`(${systems.join('|')}): (.+?)\\. ([A-Z].*)$`, 's').exec(message) ?? [];
  void call;
  return [
    ...(about === '' ? ['which system was asked for what'] : []),
    ...(about !== '' && next === '' ? ['what to do next'] : []),
  ];
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

  settings({ sandbox: { urls, caFile, packageFile } }: Rehearsal, provider: string): Settings {
    const { operations, aps, billing, control } = this.all;
    const adapter = { adapter: 'sandbox', url: control.via(urls.control(provider)) } as const;
    return {
      operations: { url: operations.via(urls.operations(provider)) },
      aps: { url: aps.via(urls.aps(provider)), caFile },
      billing: { url: billing.via(urls.billing(provider)) },
      package: { url: control.via(urls.package), sha256: packageFile.sha256 },
      taskMonitor: adapter,
      connectionTest: adapter,
    };
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
