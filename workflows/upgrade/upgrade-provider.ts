/** One upgrade of one provider: validate, look, choose the path, walk it, say how it ends. */
import {
  CancellationScope,
  TemporalFailure,
  defineQuery,
  isCancellation,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { FAILURE, type Notice } from '../../src/contract/activities';
import { messages } from '../../src/contract/messages';
import { upgradeInput, type UpgradeInput, type UpgradeRequest } from '../../src/contract/upgrade-input';
import type { FrozenProfile } from '../../src/contract/entry';
import { operationId, type Operation } from '../../src/contract/operation';
import { upgradeWorkflowId } from '../../src/contract/provider';
import {
  QUERY,
  inOneAnswer,
  pageOf,
  type AuditEntry,
  type Gate,
  type UpgradePlan,
  type UpgradeResult,
  type UpgradeStatus,
} from '../../src/contract/status';
import type { Catalogue } from '../engine/catalogue';
import type { CrossingFacts } from '../engine/path';
import { plannedPath, plannedPreflight } from '../engine/planned-steps';
import { runPreflight } from '../engine/preflight';
import type { PreflightFacts } from '../engine/preflight-facts';
import { runPath } from '../engine/run-path';
import type { Upgrade } from '../engine/upgrade';
import { handleMessages } from '../kit/messages';
import { notifyByWorkflow, notifyInPassing } from '../kit/notices';
import { now } from '../kit/now';
import { problemOf } from '../kit/problem';
import { endsOrRepeatsByItself, otherIdThan, readInput } from '../kit/read-input';
import { withoutParent } from '../kit/require-parent';
import { Checkpoint, Pause } from '../people/checkpoint';
import { Reminders } from '../people/reminders';
import { WaitingPoints } from '../people/waiting-points';
import { Answers, LOOKED_INTO } from './answers';
import { Membership } from './fleet-membership';
import { WindowBlocker } from './maintenance-window';
import { loadProfile } from './load-profile';
import { failedState, summaryOf, type Outcome } from './outcome';
import { UpgradeRecord } from './upgrade-record';

/**
 * The workflow for a catalogue of releases. Its input: `{"provider":"contoso"}`, with `to` where several releases fit; all
 * else comes from the inventory, read once and frozen. A fleet says which entry it has planned with.
 */
export function upgradeAlong(catalogue: Catalogue): (input: UpgradeInput) => Promise<UpgradeResult> {
  return async (input) => await new ProviderUpgrade(read(input), catalogue).run();
}

class ProviderUpgrade {
  private readonly record: UpgradeRecord;
  private readonly people: WaitingPoints;
  private readonly answers: Answers;
  private readonly checkpoint = new Checkpoint();
  private readonly membership: Membership | undefined;
  private readonly workflowId = workflowInfo().workflowId;
  /** Known once the inventory was read: before that nobody is known who could be told. */
  private profile: FrozenProfile | undefined;
  private window: WindowBlocker | undefined;
  /** Of every notice so far. */
  private told: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly request: UpgradeRequest,
    private readonly catalogue: Catalogue,
  ) {
    const { provider, startedBy, fleet } = request;
    const { workflowId } = this;
    this.record = new UpgradeRecord({
      provider,
      workflowId,
      startedBy,
      fleet: fleet && { fleet: fleet.fleet, wave: fleet.wave },
    });
    this.people = new WaitingPoints(this.record);
    this.answers = new Answers(this.record, this.people);
    this.membership = fleet && new Membership(fleet, this.record);
    this.checkpoint.add(new Pause(this.record));
    if (this.membership) this.checkpoint.add(this.membership);
  }

  async run(): Promise<UpgradeResult> {
    const { record } = this;
    this.handle();
    record.apply({ type: 'begun', steps: [plannedPreflight()] });
    void CancellationScope.nonCancellable(() => record.run());
    return await this.finish(await this.outcome());
  }

  /** Before the first await of the workflow. */
  private handle(): void {
    const { record } = this;
    setHandler(defineQuery<UpgradeStatus>(QUERY.status), () => inOneAnswer(record.status));
    setHandler(defineQuery<UpgradePlan>(QUERY.plan), () => record.plan);
    setHandler(defineQuery<AuditEntry[], [number?]>(QUERY.audit), (skip) => pageOf(record.audit, skip));
    setHandler(defineQuery<Gate[], [number?]>(QUERY.gates), (skip) => pageOf(record.status.gates, skip));
    handleMessages(
      messages,
      (message) => this.answers.judge(message),
      (entry) => record.apply({ type: 'noted', entry }),
      () => record.audit,
    );
    this.membership?.handleOrders();
    this.answerCancellation();
  }

  /** Before the crossing a cancellation undoes everything; after it, it reaches nothing, and whoever asked can read why. */
  private answerCancellation(): void {
    const { record } = this;
    CancellationScope.current().cancelRequested.catch((error: unknown) => {
      if (!isCancellation(error)) throw error;
      const past = record.crossed
        ? `${FAILURE.pastPointOfNoReturn}: the package import has begun, nothing can be undone any more. The upgrade goes on.`
        : record.forwardOnly;
      record.apply({
        type: 'noted',
        entry:
          past === undefined
            ? { by: 'unknown', what: 'cancel', verdict: 'accepted', detail: LOOKED_INTO }
            : { by: 'unknown', what: 'cancel', verdict: 'refused', detail: past },
      });
      record.apply({ type: 'cancelled' });
    });
  }

  /** Everything up to the end, which is not said yet. */
  private async outcome(): Promise<Outcome> {
    try {
      this.profile = await loadProfile(this.request);
      return await this.walk(this.profile);
    } catch (error) {
      if (!(error instanceof TemporalFailure)) throw error;
      return { state: failedState(this.record.status, error), endedAt: now(), failure: error };
    }
  }

  private async walk(profile: FrozenProfile): Promise<Outcome> {
    const { record, people, answers, checkpoint, membership, workflowId } = this;
    const { to, from, finish, startedBy } = this.request;
    const notify: Upgrade['notify'] = (...notice) => {
      this.told = Promise.all([this.told, notifyInPassing(profile.notify, this.notice(...notice), this.undelivered)]);
    };
    const upgrade: Upgrade = {
      profile,
      startedBy,
      workflowId,
      record,
      people,
      checkpoint: (call = 'change') => checkpoint.pass(call),
      onAbort: (abort) => answers.onAbort(abort),
      notify,
    };
    const reminders = new Reminders(record, profile.reminders, notify);
    void CancellationScope.nonCancellable(() => reminders.run());
    if (membership) void CancellationScope.nonCancellable(() => membership.run());
    if (profile.maintenance) {
      this.window = new WindowBlocker(record, profile.maintenance, notify);
      checkpoint.add(this.window);
    }

    // What is unfinished here may be found only by what the systems say, so an abort waits for them.
    let asked: { by: string; reason: string } | undefined;
    answers.onAbort((by, reason) => {
      asked ??= { by, reason };
    });
    const { firstExecutionRunId: firstRun } = workflowInfo();
    const planned = await CancellationScope.nonCancellable(() =>
      runPreflight(upgrade, this.catalogue, { to, from, finish: finish === true }, firstRun),
    );
    answers.onAbort(undefined);
    const { chosen, operation, initial } = planned;
    record.apply({
      type: 'planned',
      path: { from: operation.from, to: operation.to },
      operation: operationId(operation),
      steps: plannedPath(chosen.path, chosen.release, { profile, to: operation.to, facts: initial }),
    });
    const given = await runPath(upgrade, planned, asked);
    const endedAt = now();
    return { state: 'completed', endedAt, result: this.resultOf(operation, given, endedAt) };
  }

  /** The one way in which an upgrade ends: it takes no more answers, tells people and its fleet, and closes. */
  private async finish(outcome: Outcome): Promise<UpgradeResult> {
    const { record, membership, window, profile } = this;
    this.answers.close();
    window?.end();
    // Side by side: a notice that is delivered before the upgrade closes costs it a workflow task more.
    if (profile || membership)
      await Promise.all([profile && this.notifyOfEnd(profile, outcome), membership?.reportEnd(outcome), this.told]);
    // An upgrade is over when its workflow closes, and says so in the same workflow task: nothing is awaited from here on.
    record.apply({ type: 'ended', outcome });
    record.publish();
    if (outcome.failure) throw outcome.failure;
    return outcome.result;
  }

  /** The last notice goes out although the upgrade has ended meanwhile. */
  private async notifyOfEnd({ provider, notify }: FrozenProfile, outcome: Outcome): Promise<void> {
    const notice = outcome.failure
      ? this.notice('failed', `The upgrade of ${provider} ended: ${outcome.state}`, problemOf(outcome.failure))
      : this.notice('completed', `${provider} runs ${outcome.result.to}`, summaryOf(outcome.result));
    await notifyByWorkflow(notify, notice, this.undelivered);
  }

  private notice(kind: Notice['kind'], subject: string, body: string): Omit<Notice, 'id'> {
    return { provider: this.request.provider, workflowId: this.workflowId, kind, subject, body };
  }

  private readonly undelivered = (detail: string): void =>
    this.record.apply({ type: 'noted', entry: { by: 'upgrade', what: 'notice', verdict: 'done', detail } });

  private resultOf(
    operation: Operation,
    { imported, operations, ...given }: PreflightFacts & CrossingFacts & { sites?: unknown[] },
    completedAt: string,
  ): UpgradeResult {
    const { provider, startedAt, crossedAt = '', checks, switchedOffSeconds } = this.record.status;
    const { from, to } = operation;
    return {
      provider,
      from,
      to,
      operation: operationId(operation),
      startedAt,
      crossedAt,
      completedAt,
      packageVersion: imported.packageVersion,
      instances: operations.instances.length,
      sites: given.sites?.length ?? 0,
      switchedOffSeconds,
      warnings: checks.filter(({ verdict }) => verdict === 'warning').map(({ message }) => message),
    };
  }
}

/** The workflow's id is part of the input: it is what keeps two upgrades of one provider apart. */
const read = (input: unknown): UpgradeRequest =>
  readInput(
    upgradeInput,
    input,
    ({ provider, fleet, finish, from }) => [
      ...otherIdThan(upgradeWorkflowId(provider), ', so that no provider is upgraded twice at once'),
      ...endsOrRepeatsByItself(),
      ...(fleet === undefined ? [] : withoutParent('the wave of a fleet')),
      ...(from !== undefined && finish === undefined ? ['"from" goes with "finish" only'] : []),
    ],
    (problems) =>
      `upgradeProvider cannot start: ${problems}. The input reads {"provider":"<id in the inventory>"}, with "to":"<release>" where several fit, and "startedBy" where the crossing needs an approval.`,
  );
