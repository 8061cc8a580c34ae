/**
 * Many upgrades, in waves, within a failure budget. It decides and starts no upgrade itself: each part of a wave is a child
 * (./upgrade-wave) that holds the frozen entries of some tens of providers. Fleet and parts talk by signals that carry all
 * their sender's state, so either may continue as new at any moment.
 */
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  isCancellation,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import {
  FLEET_QUERY,
  FLEET_SIGNAL,
  NOT_FOR_PEOPLE,
  fleetInput,
  fleetMessages,
  fleetWorkflowId,
  waveWorkflowId,
  type FleetInput,
  type FleetPlan,
  type FleetRequest,
  type FleetStatus,
  type WaveOrders,
  type WaveReport,
} from '../../src/contract/fleet';
import type { AuditEntry } from '../../src/contract/status';
import { advance, ordersOf, remembered, soakingWave } from './advance';
import { judge } from './answers';
import { planOf, statusOf } from './view';
import { FleetRecord } from './fleet-record';
import {
  carriedOf,
  isOver,
  newFleet,
  noCounts,
  type CarriedFleet,
  type FleetProgress,
  type PartState,
} from './fleet-state';
import { planFleet } from './plan-fleet';
import { isLong, lookRegularly } from '../kit/long-lived';
import type { Catalogue } from '../engine/catalogue';
import { fleets } from '../kit/activities';
import { settleAll } from '../kit/settle-all';
import { handleMessages } from '../kit/messages';
import { problemOf } from '../kit/problem';
import { endsOrRepeatsByItself, otherIdThan, readInput } from '../kit/read-input';
import { signalWorkflow } from '../kit/signal-workflow';
import { now } from '../kit/now';

type UpgradeFleet = (input: FleetInput, carried?: CarriedFleet) => Promise<FleetStatus>;

/**
 * The workflow for a catalogue of releases. Its input: `{"name":"spring","startedBy":"ana","providers":{"notYetOn":"18.4.1"}}`,
 * with more of `fleetInput` where wanted. `carried` is what an earlier run has handed on; whoever starts a fleet leaves it out.
 */
export function upgradeFleetAlong(catalogue: Catalogue): UpgradeFleet {
  return async (input, carried) => {
    const request = read(input, catalogue);
    if (carried) requireOwn(request.name, carried);
    const fleet = new Fleet(carried ? { ...carried, request } : newFleet(request, now()), catalogue);
    fleet.handleMessages();
    // A fleet that is cancelled aborts: it looks after what it has started.
    return await CancellationScope.nonCancellable(() => fleet.run(input));
  };
}

/** Who starts a fleet cannot say what it has done so far: the waves that it gives orders to are its own. */
function requireOwn(name: string, { parts }: CarriedFleet): void {
  const isOwn = ({ workflowId }: PartState): boolean => workflowId.startsWith(`${fleetWorkflowId(name)}/`);
  if (workflowInfo().continuedFromExecutionRunId !== undefined && parts.every(isOwn)) return;
  throw ApplicationFailure.nonRetryable(
    'upgradeFleet takes one input. What an earlier run has handed on comes from that run alone.',
    FAILURE.invalidInput,
  );
}

class Fleet {
  private readonly record: FleetRecord;
  /** Something has been heard that nobody has acted on. */
  private news = true;

  constructor(
    private readonly state: FleetProgress,
    private readonly catalogue: Catalogue,
  ) {
    this.record = new FleetRecord(state);
  }

  /** Handlers only record. */
  handleMessages(): void {
    setHandler(defineQuery<FleetStatus>(FLEET_QUERY.status), () => statusOf(this.state));
    setHandler(defineQuery<FleetPlan>(FLEET_QUERY.plan), () => planOf(this.state, this.catalogue));
    setHandler(defineQuery<AuditEntry[]>(FLEET_QUERY.audit), () => this.state.audit);
    const takeIn = (report: WaveReport): void => {
      const workflowId = waveWorkflowId(this.state.request.name, report.wave, report.part);
      const part = this.state.parts.find((candidate) => candidate.workflowId === workflowId);
      if (part) part.report = report;
      this.news = true;
    };
    setHandler(defineSignal<[WaveReport]>(FLEET_SIGNAL.waveReport), takeIn, NOT_FOR_PEOPLE);
    handleMessages(
      fleetMessages,
      (message) => {
        this.news = true;
        return judge(this.state, message);
      },
      (entry) => this.record.write(entry),
      () => this.state.audit,
    );
    CancellationScope.current().cancelRequested.catch((error: unknown) => {
      if (!isCancellation(error)) throw error;
      const by = 'cancellation';
      const payload = { by, reason: 'the workflow of the fleet was cancelled' };
      const verdict = judge(this.state, { name: 'abort', payload });
      const entry = { by, what: 'cancel' };
      if ('accepted' in verdict) this.record.write({ ...entry, verdict: 'accepted', detail: verdict.accepted });
      else this.record.write({ ...entry, verdict: 'refused', detail: verdict.refused });
      this.news = true;
    });
  }

  async run(input: FleetInput): Promise<FleetStatus> {
    const { state, record } = this;
    record.publish();
    if (!state.waves) await this.plan();
    void lookRegularly(state, {
      summary: 'look whether every wave is still there',
      wake: () => {
        this.news = true;
      },
    });
    for (;;) {
      this.news = false;
      if (state.lookIsDue) await this.look();
      advance(state, now());
      if (state.aborted && !state.waves) break;
      await this.sendOrders();
      record.publish();
      if (isOver(state)) break;
      if (isLong(state.request.historyLimit)) await continueAsNew<UpgradeFleet>(input, carriedOf(state));
      await this.awaitNews();
    }
    state.endedAt = now();
    record.publish();
    return statusOf(state);
  }

  private async plan(): Promise<void> {
    const { state, record } = this;
    record.write({ by: state.request.startedBy, what: 'start', verdict: 'done', detail: 'The fleet began to plan.' });
    try {
      await planFleet(state, this.catalogue);
    } catch (error) {
      for (const { workflowId } of state.parts)
        await this.tell(workflowId, { slots: 0, mayBreak: 0, closed: 'the fleet could not be planned', looks: 0 });
      // What is wrong with the selection is what the fleet fails with, not that an activity failed.
      throw error instanceof ActivityFailure && error.cause instanceof ApplicationFailure ? error.cause : error;
    }
    const providers = state.parts.reduce((sum, part) => sum + part.providers, 0);
    const detail = `${providers} providers in ${state.waves?.length ?? 0} waves.`;
    record.write({ by: 'fleet', what: 'plan', verdict: 'done', detail });
  }

  /** Until there are news, or until the soak time of a wave is over. */
  private async awaitNews(): Promise<void> {
    const soaking = soakingWave(this.state);
    const heard = (): boolean => this.news;
    if (soaking?.soaksUntil === undefined) return await condition(heard);
    const isOver = !(await condition(heard, Math.max(Date.parse(soaking.soaksUntil) - Date.now(), 1), {
      summary: 'a finished wave is watched before the next one begins',
    }));
    if (isOver) delete soaking.soaksUntil;
  }

  private async sendOrders(): Promise<void> {
    await settleAll(
      ordersOf(this.state).map(async ({ part, orders }) => {
        const sent = remembered(orders);
        if (JSON.stringify(sent) === JSON.stringify(remembered(part.orders))) return;
        part.orders = sent;
        await this.tell(part.workflowId, orders);
      }),
    );
  }

  private async tell(workflowId: string, orders: WaveOrders): Promise<void> {
    await signalWorkflow(workflowId, FLEET_SIGNAL.orders, orders, (failure) => {
      this.record.write({
        by: 'fleet',
        what: 'orders',
        verdict: 'done',
        subject: workflowId,
        detail: `It could not be told: ${problemOf(failure)}`,
      });
      this.state.lookIsDue = true;
      this.news = true;
    });
  }

  /** A part that has ended without a word, because somebody terminated it, cannot say what became of its providers. */
  private async look(): Promise<void> {
    const { state } = this;
    delete state.looksAt;
    delete state.lookIsDue;
    const open = state.parts.filter(({ report }) => report?.ended !== true);
    const ended = await fleets.findEnded('look whether every wave is still there', { workflows: open });
    if (ended.length === 0) return;
    // What they have said before they ended is heard first.
    await sleep(1, { summary: 'hear what the waves said last' });
    for (const { workflowId, how } of ended) {
      const part = state.parts.find((candidate) => candidate.workflowId === workflowId);
      if (!part || part.report?.ended === true) continue;
      part.report = lost(part);
      const detail = `It is ${how} and said nothing: whoever of it had not ended counts as failed.`;
      this.record.write({ by: 'fleet', what: 'look', verdict: 'done', subject: workflowId, detail });
    }
  }
}

function lost({ wave, report, workflowId, providers }: PartState): WaveReport {
  const part = Number(workflowId.split('/').at(-1));
  const known = report?.counts ?? { ...noCounts(), pending: providers };
  const { completed, failed, unreachable, skipped, pending, running, held, parked } = known;
  const counts = {
    ...noCounts(),
    completed,
    unreachable,
    skipped: skipped + pending,
    failed: failed + running + held + parked,
  };
  return {
    wave,
    part,
    frozen: true,
    counts,
    broken: counts.failed + counts.unreachable,
    slots: 0,
    using: 0,
    ready: 0,
    busy: 0,
    measured: report?.measured ?? { upgrades: 0, seconds: 0, stepSeconds: {} },
    ended: true,
  };
}

const read = (input: unknown, catalogue: Catalogue): FleetRequest =>
  readInput(
    fleetInput,
    input,
    (request) => problemsIn(request, catalogue),
    (problems) =>
      `The fleet cannot start: ${problems}. The least that it needs: {"name":"<name>","startedBy":"<who>","providers":{"notYetOn":"<release>"}}.`,
  );

function problemsIn({ name, to, providers }: FleetRequest, catalogue: Catalogue): string[] {
  const unknown = Object.entries({ to, 'providers.notYetOn': providers.notYetOn }).filter(
    ([, version]) => version !== undefined && !catalogue.find(version),
  );
  return [
    ...otherIdThan(fleetWorkflowId(name), ', so that its waves find it'),
    ...endsOrRepeatsByItself(),
    ...unknown.map(
      ([field, version]) => `${field}: there is no release ${version}; Onward knows ${catalogue.versions.join(', ')}`,
    ),
  ];
}
