/**
 * One part of a wave: it knows the entries of some tens of providers by their digests, starts their upgrades as its fleet orders, and
 * tells the fleet how they get on.
 */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  TemporalFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  setCurrentDetails,
  setHandler,
  sleep,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import {
  FLEET_QUERY,
  FLEET_SIGNAL,
  NOT_FOR_PEOPLE,
  fleetWorkflowId,
  type FleetCounts,
  type FleetProvider,
  type MemberOrders,
  type MemberReport,
  type WaveInput,
  type WaveOrders,
  type WaveReport,
} from '../../src/contract/fleet';
import type { UpgradeInput } from '../../src/contract/upgrade-input';
import { upgradeWorkflowId } from '../../src/contract/provider';
import type { UpgradeResult } from '../../src/contract/status';
import { fleetAttribute, providerAttribute, stateAttribute, waveAttribute } from '../../src/temporal/search-attributes';
import { waveDetails } from './current-details';
import { requireParent } from '../kit/require-parent';
import { isLong, lookRegularly } from '../kit/long-lived';
import {
  giveSlots,
  hasEnded,
  isOutstanding,
  newWave,
  nextToStart,
  reportOf,
  shown,
  skip,
  takeIn,
  takeInEnd,
  type Member,
  type WaveState,
} from './wave-state';
import { fleets } from '../kit/activities';
import { SentAttributes } from '../kit/search-attributes';
import { settleAll } from '../kit/settle-all';
import { problemOf } from '../kit/problem';
import { signalWorkflow } from '../kit/signal-workflow';
import { now } from '../kit/now';

/** Only a fleet starts it. @param carried what an earlier run has handed on. */
export async function upgradeWave(input: WaveInput, carried?: WaveState): Promise<FleetCounts> {
  requireParent('upgradeWave', 'a fleet');
  const wave = new Wave(carried ?? newWave(input));
  wave.handleOrders();
  // Only the fleet's orders end it.
  return await CancellationScope.nonCancellable(() => wave.run());
}

class Wave {
  private news = true;
  private readonly attributes = new SentAttributes();

  constructor(private readonly state: WaveState) {}

  /** Handlers only record. */
  handleOrders(): void {
    const { state } = this;
    setHandler(defineQuery<FleetProvider[]>(FLEET_QUERY.providers), () => state.members.map(shown));
    setHandler(defineQuery<WaveReport>(FLEET_QUERY.status), () => reportOf(state));
    const takeOrders = (orders: WaveOrders): void => {
      state.orders = orders;
      this.news = true;
    };
    const takeReport = (report: MemberReport): void => {
      takeIn(state, report);
      this.news = true;
    };
    setHandler(defineSignal<[WaveOrders]>(FLEET_SIGNAL.orders), takeOrders, NOT_FOR_PEOPLE);
    setHandler(defineSignal<[MemberReport]>(FLEET_SIGNAL.memberReport), takeReport, NOT_FOR_PEOPLE);
  }

  async run(): Promise<FleetCounts> {
    const { state } = this;
    if (!state.frozen) await this.freeze();
    void lookRegularly(state, {
      summary: 'look whether every upgrade is still there',
      // Only while upgrades are under way: the parts of a late wave may wait for months.
      isNeeded: () => state.members.some(isOutstanding),
      wake: () => {
        this.news = true;
      },
    });
    for (;;) {
      this.news = false;
      await this.look();
      this.skipWhoIsLeft();
      giveSlots(state);
      await this.startSome();
      await this.instruct();
      await this.report();
      // Whoever ended while the fleet was told is not in what it was told.
      if (!this.news && state.members.every(hasEnded)) {
        this.show('done');
        return reportOf(state).counts;
      }
      if (isLong(state.input.historyLimit)) await continueAsNew<typeof upgradeWave>(state.input, state);
      await condition(() => this.news);
    }
  }

  /** Who waits for his turn is upgraded by this entry, or not at all. */
  private async freeze(): Promise<void> {
    const { members } = this.state;
    try {
      const frozen = await fleets.freezeEntries(`freeze the entries of ${members.length} providers`, {
        providers: members.map(({ provider }) => provider),
      });
      for (const [index, entry] of frozen.entries()) {
        const member = members[index];
        if (!member) continue;
        if ('digests' in entry) member.digests = entry.digests;
        else skip(member, `Its entry became unusable while the fleet was planned: ${entry.invalid}`);
      }
    } catch (error) {
      if (!(error instanceof TemporalFailure)) throw error;
      for (const member of members) skip(member, `Its entry could not be read: ${problemOf(error)}`);
    }
    this.state.frozen = true;
  }

  private skipWhoIsLeft(): void {
    const { members, orders } = this.state;
    if (orders.closed === undefined) return;
    for (const member of members) if (member.state === 'pending') skip(member, `Never started: ${orders.closed}`);
  }

  private async startSome(): Promise<void> {
    const starts: Promise<void>[] = [];
    for (let member = nextToStart(this.state); member; member = nextToStart(this.state)) {
      member.state = 'running';
      member.startedAt = now();
      starts.push(this.start(member));
    }
    await settleAll(starts);
  }

  private async start(member: Member): Promise<void> {
    const { provider, digests } = member;
    const { fleet, wave, part, startedBy, parkAfter, maintenance } = this.state.input;
    if (!digests) throw new Error(`The entry of ${provider} is not frozen`);
    const reportTo = workflowInfo().workflowId;
    const membership = { fleet, wave, reportTo, parkAfter, digests, ...(maintenance ? { maintenance } : {}) };
    try {
      const { firstExecutionRunId } = await startChild<(input: UpgradeInput) => Promise<UpgradeResult>>(
        'upgradeProvider',
        {
          workflowId: upgradeWorkflowId(provider),
          args: [{ provider, to: member.to, startedBy, fleet: membership }],
          // Whether it has succeeded already is seen by its preflight: the id is only the lock.
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          parentClosePolicy: ParentClosePolicy.ABANDON,
          cancellationType: ChildWorkflowCancellationType.ABANDON,
          staticSummary: `Upgrade of ${member.name ?? provider} from ${member.from} to ${member.to}`,
          staticDetails: `Started by wave ${wave}, part ${part} of the fleet ${fleet}.`,
          typedSearchAttributes: [
            { key: providerAttribute, value: provider },
            { key: fleetAttribute, value: fleet },
            { key: waveAttribute, value: wave },
          ],
        },
      );
      member.firstRun = firstExecutionRunId;
      delete member.digests;
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      delete member.startedAt;
      skip(member, await fleets.explainRefusedStart(`why ${provider} cannot be started`, { provider }));
    }
  }

  /** Tells upgrades of a pause and of their slots, and asks for the abort of those that have not crossed. */
  private async instruct(): Promise<void> {
    const { members, orders } = this.state;
    const { paused, aborted } = orders;
    await settleAll(
      members.filter(isOutstanding).map(async (member) => {
        const { provider, slots, crossedAt } = member;
        const told: MemberOrders = { slots, ...(paused && crossedAt === undefined ? { paused } : {}) };
        const text = JSON.stringify(told);
        if (text !== (member.told ?? JSON.stringify({ slots: 0 }))) {
          member.told = text;
          await this.tell(provider, FLEET_SIGNAL.memberOrders, told);
        }
        if (aborted && crossedAt === undefined && !member.aborted) {
          member.aborted = true;
          await this.tell(provider, 'abort', { by: aborted.by, reason: aborted.reason });
        }
      }),
    );
  }

  private async tell(provider: string, signal: string, payload: unknown): Promise<void> {
    // One that ends at this moment says so itself; one that somebody has terminated is found by the next look.
    await signalWorkflow(upgradeWorkflowId(provider), signal, payload, () => {
      this.state.lookIsDue = true;
      this.news = true;
    });
  }

  private async report(): Promise<void> {
    const { state } = this;
    const report = reportOf(state);
    const { fleet, wave, part } = state.input;
    setCurrentDetails(waveDetails(`${fleet}, wave ${wave}, part ${part}`, report.counts, state.members.map(shown)));
    // It is done when it closes, and the fleet has not heard its last report yet.
    if (!report.ended) this.show(report.counts.pending === state.members.length ? 'pending' : 'running');
    const text = JSON.stringify(report);
    if (text === state.told) return;
    state.told = text;
    // Without its fleet the wave goes on with what was ordered last.
    await signalWorkflow(fleetWorkflowId(fleet), FLEET_SIGNAL.waveReport, report, () => undefined);
  }

  private show(state: 'pending' | 'running' | 'done'): void {
    this.attributes.send([{ key: stateAttribute, value: state }]);
  }

  private async look(): Promise<void> {
    const { state } = this;
    if (!state.lookIsDue && state.looks === state.orders.looks) return;
    state.looks = state.orders.looks;
    delete state.looksAt;
    delete state.lookIsDue;
    const outstanding = state.members.flatMap((member) =>
      isOutstanding(member) && member.firstRun !== undefined
        ? [{ workflowId: upgradeWorkflowId(member.provider), firstRun: member.firstRun }]
        : [],
    );
    if (outstanding.length === 0) return;
    const ended = await fleets.findEnded('look whether every upgrade is still there', { workflows: outstanding });
    if (ended.length === 0) return;
    // What they have said before they ended is heard first.
    await sleep(1, { summary: 'hear what the upgrades said last' });
    for (const { workflowId, how } of ended) {
      const member = state.members.find(({ provider }) => upgradeWorkflowId(provider) === workflowId);
      if (member && isOutstanding(member)) takeInEnd(member, how, now());
    }
  }
}
