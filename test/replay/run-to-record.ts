/** One run against the sandbox, whose history is recorded in each state that is worth it. */
import type { WorkflowHandle } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils';
import type { Gate } from '../../src/contract/status';
import type { FaultRule } from '../../src/sandbox/faults';
import { SandboxOperator, type OperatorOptions } from '../../src/sandbox/operator';
import type { ProviderOptions } from '../../src/sandbox/world/spec';
import type { Rehearsal, Settings, Upgrade } from '../kit/rehearsal/rehearsal';
import { aMoment, patience } from '../kit/deadlines';

export interface Scenario {
  name: string;
  /** Of the provider in the sandbox, by its id. */
  options?: (id: string) => Partial<ProviderOptions>;
  /** Of its entry in the inventory. */
  settings?: Settings;
  record: (run: RunToRecord) => Promise<void>;
}

/** Longer than it takes to fetch a history. */
export const SLOW_MS = patience(1_000);

export type HistoryEvent = NonNullable<History['events']>[number];

export class RunToRecord {
  /** By the state in which they were recorded. */
  readonly recorded = new Map<string, History>();

  constructor(
    readonly rehearsal: Rehearsal,
    readonly upgrade: Upgrade,
  ) {}

  async record(state: string, workflow: WorkflowHandle = this.upgrade.workflow): Promise<void> {
    this.recorded.set(state, await workflow.fetchHistory());
  }

  /** As soon as the history has so many events of this kind; asks again until then, because nothing else tells. */
  async recordWhen(
    state: string,
    is: (event: HistoryEvent) => unknown,
    count = 1,
    workflow?: WorkflowHandle,
  ): Promise<void> {
    for (; ; await aMoment()) {
      const { events } = await (workflow ?? this.upgrade.workflow).fetchHistory();
      if ((events ?? []).filter(is).length >= count) return await this.record(state, workflow);
    }
  }

  /** Records while the call waits for its answer; the answer comes all the same. */
  recordDuring(state: string, call: Pick<FaultRule, 'system' | 'call' | 'skip'>): Promise<void> {
    return this.recordAtFault(state, { ...call, kind: 'slow', delayMs: SLOW_MS });
  }

  /** Orders the fault now, and records when it hits. */
  async recordAtFault(state: string, fault: Omit<FaultRule, 'id'>): Promise<void> {
    await this.hit(fault);
    await this.record(state);
  }

  /** Orders the fault now; is over when it hits. */
  hit(fault: Omit<FaultRule, 'id'>): Promise<void> {
    const { id } = this.fault(fault);
    const { faults } = this.rehearsal.sandbox;
    return new Promise((resolve) => {
      const onHit = (rule: FaultRule): void => {
        if (rule.id !== id) return;
        faults.off('hit', onHit);
        resolve();
      };
      faults.on('hit', onHit);
    });
  }

  fault(rule: Omit<FaultRule, 'id'>): FaultRule {
    const { provider } = this.upgrade;
    const where = rule.system === 'host' ? { host: `${provider}-host` } : { provider };
    return this.rehearsal.sandbox.faults.add({ ...rule, ...where });
  }

  /** Somebody signs in to Microsoft's page, as an administrator of this tenant. */
  async consent(instance: number, tenant: string): Promise<void> {
    const url = new URL(`instances/${instance}/consent`, this.rehearsal.sandbox.urls.control(this.upgrade.provider));
    const headers = { 'content-type': 'application/json' };
    const { ok, status } = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ tenant }) });
    if (!ok) throw new Error(`${url.href} answered ${status}`);
  }

  operator(options: Partial<OperatorOptions> = {}): SandboxOperator {
    const { sandbox } = this.rehearsal;
    const controlUrl = sandbox.urls.control(this.upgrade.provider);
    return new SandboxOperator({ upgrade: this.upgrade.workflow, controlUrl, ...options });
  }

  /** Answers everything until the upgrade is over, and records each kind of gate before it is answered for the first time. */
  async recordEveryGate(): Promise<void> {
    const operator = this.operator({ leaves: (gate) => !this.recorded.has(kindOf(gate)) });
    do {
      const { gates } = await this.upgrade.status();
      const unseen = gates.map(kindOf).find((kind) => !this.recorded.has(kind));
      if (unseen !== undefined) await this.record(unseen);
    } while (!(await operator.look()));
  }
}

/** `gate-collectGatewaySites-name`: items carry names of instances, hosts and stores, which do not matter here. */
function kindOf({ step, item = '' }: Gate): string {
  const [kind] = /^(cloud|name|connection|store|tasks|parameter|controlPanel)\b/.exec(item) ?? [];
  return kind === undefined ? `gate-${step}` : `gate-${step}-${kind}`;
}
