/** What is known of one upgrade: the answer of its queries, and what the Temporal UI shows. */
import type { SearchAttributeUpdatePair } from '@temporalio/common';
import { condition, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type {
  AuditEntry,
  CheckResult,
  StepName,
  StepState,
  UpgradePlan,
  UpgradeState,
  UpgradeStatus,
} from '../../src/contract/status';
import {
  crossedAttribute,
  openGatesAttribute,
  pathAttribute,
  providerAttribute,
  stateAttribute,
  stepAttribute,
} from '../../src/temporal/search-attributes';
import { currentDetails } from './current-details';
import type { UpgradeEnd } from './outcome';
import type { UpgradePath } from '../engine/path';
import { plannedPath, plannedReading, type PlannedStep } from '../engine/planned-steps';
import type { Heading } from '../engine/step';

/** Refused answers beyond this number push the oldest of them out, so that nobody can flood the audit trail. */
const MAX_REFUSALS = 200;

type Phase = Extract<UpgradeState, 'running' | 'rollingBack'>;

export class UpgradeRecord {
  readonly status: UpgradeStatus;
  readonly audit: AuditEntry[] = [];
  private phase: Phase | UpgradeEnd['state'] | 'starting' = 'starting';
  private resting: 'paused' | 'waitingForWindow' | undefined;
  private refusals = 0;
  private plan: UpgradePlan['steps'] = [];
  /** Values of the search attributes as last sent; one that was never set is null. */
  private readonly published = new Map<string, unknown>([
    [stepAttribute.name, null],
    [pathAttribute.name, null],
  ]);

  constructor(provider: string, workflowId: string, startedBy: string | undefined) {
    this.status = {
      provider,
      workflowId,
      state: 'starting',
      crossed: false,
      startedAt: now(),
      ...(startedBy === undefined ? {} : { startedBy }),
      steps: [],
      gates: [],
      holds: [],
      checks: [],
      notUndone: [],
      auditEntries: 0,
    };
    this.write({ by: startedBy ?? 'upgrade', what: 'start', verdict: 'done', detail: 'The upgrade began.' });
  }

  /** Steps that come before the path is known. */
  begins(headings: readonly Heading[]): void {
    this.addSteps(plannedReading(headings));
    this.status.step = headings[0]?.name;
    this.enterPhase('running');
  }

  follows(path: UpgradePath): void {
    this.status.path = { from: path.from, to: path.to };
    this.addSteps(plannedPath(path));
    this.show();
  }

  answerPlan(): UpgradePlan {
    const { provider, path } = this.status;
    return { provider, ...(path ? { path } : {}), steps: this.plan };
  }

  found(checks: CheckResult[]): void {
    this.status.checks.push(...checks);
    for (const check of checks.filter(({ verdict }) => verdict !== 'pass'))
      this.write({ by: 'upgrade', what: 'check', verdict: 'done', subject: check.name, detail: check.message });
  }

  enterStep(name: StepName): void {
    this.status.step = name;
    const step = this.step(name);
    step.startedAt ??= now();
    this.moveStep(name, 'running');
    this.write({ by: 'upgrade', what: 'step', verdict: 'done', subject: name, detail: 'began' });
    this.show();
  }

  moveStep(name: StepName, state: StepState, note?: string): void {
    const step = this.step(name);
    step.state = state;
    if (note !== undefined) step.note = note;
    if (state === 'done' || state === 'undone' || state === 'failed') {
      step.endedAt = now();
      this.write({
        by: 'upgrade',
        what: 'step',
        verdict: 'done',
        subject: name,
        detail: note ? `${state}: ${note}` : state,
      });
    }
    this.show();
  }

  note(name: StepName, note: string): void {
    this.step(name).note = note;
    this.show();
  }

  crosses(name: StepName): void {
    this.status.crossed = true;
    this.status.crossedAt = now();
    this.write({
      by: 'upgrade',
      what: 'crossing',
      verdict: 'done',
      subject: name,
      detail: 'The point of no return: from here on there is only forward. The undo list is sealed.',
    });
    this.show();
  }

  provisioning(state: 'off' | 'on'): void {
    const { provisioningOffSince } = this.status;
    if (state === 'off') this.status.provisioningOffSince ??= now();
    else if (provisioningOffSince !== undefined) {
      const seconds = Math.round((Date.now() - Date.parse(provisioningOffSince)) / 1000);
      this.status.provisioningOffSeconds = (this.status.provisioningOffSeconds ?? 0) + seconds;
      delete this.status.provisioningOffSince;
    }
    this.show();
  }

  /** Undefined once it is free, or nobody waits for it any more. */
  awaitsHost(awaited: UpgradeStatus['awaitedHost']): void {
    if (awaited) this.status.awaitedHost = awaited;
    else delete this.status.awaitedHost;
  }

  enterPhase(phase: Phase): void {
    this.phase = phase;
    this.show();
  }

  /** Call where the workflow returns or throws, and await nothing after it: whoever reads this may start the next upgrade. */
  closes({ state, endedAt }: UpgradeEnd): void {
    this.phase = state;
    this.status.endedAt = endedAt;
    delete this.status.step;
    delete this.status.paused;
    this.show();
    this.publish();
  }

  /** A pause, or a closed window, shows only once the upgrade has come to rest. */
  rests(as: 'paused' | 'waitingForWindow' | undefined): void {
    this.resting = as;
    this.show();
  }

  write(entry: Omit<AuditEntry, 'at'>): void {
    this.audit.push({ at: now(), ...entry });
    if (entry.verdict === 'refused' && ++this.refusals > MAX_REFUSALS) {
      this.audit.splice(
        this.audit.findIndex(({ verdict }) => verdict === 'refused'),
        1,
      );
    }
    if (entry.verdict === 'refused')
      this.status.lastRefused = { at: now(), by: entry.by, what: entry.what, reason: entry.detail };
    this.status.auditEntries += 1;
  }

  /**
   * Keeps the search attributes up to date; never ends. Each change of them is a history event, so it waits until the
   * workflow has done all it can for now, and sends only what changed.
   */
  async run(): Promise<never> {
    for (;;) {
      await condition(() => this.unpublished().length > 0);
      this.publish();
    }
  }

  /** Sends what has changed. */
  private publish(): void {
    const changed = this.unpublished();
    for (const { key, value } of changed) this.published.set(key.name, value);
    if (changed.length > 0) upsertSearchAttributes(changed);
  }

  /** Shows what is known now, to queries and as current details. */
  show(): void {
    this.status.state = this.state();
    setCurrentDetails(currentDetails(this.status));
  }

  private unpublished(): SearchAttributeUpdatePair[] {
    const { provider, path, step, state, crossed, gates, holds } = this.status;
    const values: SearchAttributeUpdatePair[] = [
      { key: providerAttribute, value: provider },
      { key: stateAttribute, value: state },
      { key: stepAttribute, value: step ?? null },
      { key: pathAttribute, value: path ? `${path.from} -> ${path.to}` : null },
      { key: crossedAttribute, value: crossed },
      { key: openGatesAttribute, value: gates.length + holds.length },
    ];
    const changed = values.filter(({ key, value }) => this.published.get(key.name) !== value);
    return changed.some(({ key }) => key !== openGatesAttribute) || this.asksMore() ? changed : [];
  }

  /** That some of several gates have closed is sent with the next change; that none is open any more changes the state as well. */
  private asksMore(): boolean {
    const { gates, holds } = this.status;
    return gates.length + holds.length > Number(this.published.get(openGatesAttribute.name));
  }

  private state(): UpgradeState {
    if (this.phase !== 'running') return this.phase;
    if (this.status.holds.length > 0) return 'held';
    if (this.resting) return this.resting;
    return this.status.gates.length > 0 ? 'waiting' : 'running';
  }

  private addSteps(steps: PlannedStep[]): void {
    for (const { name, title, procedure, phase } of steps)
      this.status.steps.push({ name, title, procedure, phase, state: 'pending' });
    this.plan.push(...steps);
  }

  private step(name: StepName): UpgradeStatus['steps'][number] {
    const step = this.status.steps.find((candidate) => candidate.name === name);
    if (!step) throw new Error(`${name} is no step of this path`);
    return step;
  }
}

/** The workflow's own time, ISO 8601. */
export function now(): string {
  return new Date().toISOString();
}
