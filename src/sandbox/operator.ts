/**
 * The sandbox operator: watches one upgrade and answers its gates the way people would. It does the manual work first,
 * then sends the signal. It knows nothing that a person would not see in the query `status`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { MessageName } from '../contract/messages';
import { QUERY, withAllGates, type Gate, type Hold, type UpgradeStatus } from '../contract/status';
import { isUndoing, ManualWork } from './manual-work';

/** What the operator needs of an upgrade; a `WorkflowHandle` of Temporal's client is one. */
export interface UpgradeHandle {
  query(name: string, skip?: number): Promise<unknown>;
  signal(name: string, payload: Record<string, string>): Promise<void>;
}

export interface OperatorOptions {
  upgrade: UpgradeHandle;
  /** `.../_sim/providers/<provider>/` */
  controlUrl: string;
  /** Who answers, by whom a gate asks. */
  names?: Partial<Record<Gate['asked'], string>>;
  /** How long a gate stays open before it is answered, in milliseconds. */
  delayMs?: number;
  /** How often the operator looks, in milliseconds. */
  everyMs?: number;
  /** Gates that somebody else answers. */
  leaves?: (gate: Gate) => boolean;
  /** Whether an optional step is done; without it every one is. */
  decides?: (gate: Gate) => Decided;
  /** What to do about a hold; without it holds are left to others. `retry` runs failed tasks again before. */
  resolves?: (hold: Hold) => Hold['actions'][number] | undefined;
  /** Told of each answer, and of each look that failed. */
  onEvent?: (event: OperatorEvent) => void;
  /** Sends the operator home. */
  signal?: AbortSignal;
}

export type Decided = 'run' | 'decline';

export type OperatorEvent =
  | { kind: 'answered'; gate: string; by: string; message: MessageName }
  | { kind: 'resolved'; step: string; action: string }
  /** No worker or no sandbox answers just now; the operator looks again. */
  | { kind: 'failed'; problem: string };

const NAMES: Record<Gate['asked'], string> = {
  operator: 'olga@operations.example',
  approver: 'anton@operations.example',
  partnerAdministrator: 'petra@csp.example',
};
/** The message that decides on an optional step. */
const DECISION: string = 'decideStep';
const OVER: ReadonlySet<string> = new Set(['completed', 'rolledBack', 'refused', 'rollbackIncomplete']);

/** To one gate, where the first answers do not stand the verification. */
const MOST_ANSWERS = 3;

/** Works until the upgrade is over or `signal` aborts; returns what it did. */
export async function runOperator(options: OperatorOptions): Promise<OperatorEvent[]> {
  const operator = new SandboxOperator(options);
  while (!options.signal?.aborted && !(await operator.look())) {
    await delay(options.everyMs ?? 500, undefined, { signal: options.signal }).catch((error: unknown) => {
      if (!options.signal?.aborted) throw error;
    });
  }
  return operator.events;
}

/** The same operator, for whoever decides when it looks. */
export class SandboxOperator {
  readonly events: OperatorEvent[] = [];
  private readonly work: ManualWork;
  private readonly firstSeen = new Map<string, number>();
  /** How often a gate or hold has been answered. */
  private readonly answers = new Map<string, number>();

  constructor(private readonly options: OperatorOptions) {
    this.work = new ManualWork(options.controlUrl);
  }

  /** One look at the upgrade; `true` when it is over. */
  async look(): Promise<boolean> {
    const status = await this.attempt(() => this.status());
    if (status === undefined) return false;
    for (const gate of status.gates) await this.attempt(() => this.attend(gate, status));
    for (const hold of status.holds) await this.attempt(() => this.resolve(hold));
    return OVER.has(status.state);
  }

  /** With all of its gates: those that come last wait as well. */
  private async status(): Promise<UpgradeStatus> {
    const { upgrade } = this.options;
    const status = (await upgrade.query(QUERY.status)) as UpgradeStatus;
    return await withAllGates(status, (skip) => upgrade.query(QUERY.gates, skip) as Promise<Gate[]>);
  }

  /** Workers and sandbox may be down for a while: what fails now is tried again at the next look. */
  private async attempt<T>(act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      this.tell({ kind: 'failed', problem: error instanceof Error ? error.message : String(error) });
      return undefined;
    }
  }

  private async attend(gate: Gate, status: UpgradeStatus): Promise<void> {
    if (this.options.leaves?.(gate)) return;
    const key = `gate ${gate.id} ${gate.openedAt}`;
    if (!this.isTime(key)) return;
    const before = this.answers.get(key) ?? 0;
    // An answer that was not enough is given again when the upgrade has said so, but not for ever.
    if (before > 0 && (gate.lastProblem === undefined || before >= MOST_ANSWERS)) return;
    const by = this.options.names?.[gate.asked] ?? NAMES[gate.asked];
    const answer = await this.answerTo(gate, by, status);
    if (answer === undefined) return;
    await this.options.upgrade.signal(gate.answer.name, answer);
    this.answers.set(key, before + 1);
    this.tell({ kind: 'answered', gate: gate.id, by, message: gate.answer.name });
  }

  /** Undefined while the work behind the gate is not finished. */
  private async answerTo(gate: Gate, by: string, status: UpgradeStatus): Promise<Record<string, string> | undefined> {
    if (gate.answer.name === DECISION) {
      const action = this.options.decides?.(gate) ?? 'run';
      return { ...filled(gate, by, action === 'run' ? 'It fits our plan.' : 'It can wait.'), action };
    }
    const work = await this.work.for(gate, isUndoing(status, gate.step));
    return 'unfinished' in work ? undefined : filled(gate, by, work.evidence);
  }

  private async resolve(hold: Hold): Promise<void> {
    const key = `hold ${hold.step} ${hold.since}`;
    const action = this.options.resolves?.(hold);
    if (action === undefined || this.answers.has(key) || !this.isTime(key)) return;
    if (action === 'retry') await this.work.rescheduleFailedTasks();
    const by = this.options.names?.operator ?? NAMES.operator;
    await this.options.upgrade.signal('resolveHold', { step: hold.step, action, by, reason: 'Repaired the cause.' });
    this.answers.set(key, 1);
    this.tell({ kind: 'resolved', step: hold.step, action });
  }

  private isTime(key: string): boolean {
    const seen = this.firstSeen.get(key) ?? Date.now();
    this.firstSeen.set(key, seen);
    return Date.now() - seen >= (this.options.delayMs ?? 0);
  }

  private tell(event: OperatorEvent): void {
    this.events.push(event);
    this.options.onEvent?.(event);
  }
}

/** The gate's own example of an answer, with the placeholders filled in. */
function filled(gate: Gate, by: string, evidence: string): Record<string, string> {
  const values: Record<string, string> = { by, evidence, reason: evidence };
  return Object.fromEntries(
    Object.entries(gate.answer.payload).map(([name, value]) => [
      name,
      /^<.*>$/.test(value) ? (values[name] ?? value) : value,
    ]),
  );
}
