/** Runs one case of the crash matrix: an upgrade, a blow at the chosen point, and the judgement. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { CONTROL_TASK_QUEUE, endpointTaskQueue } from '../../src/contract/provider';
import type { FaultRule } from '../../src/sandbox/faults';
import { consentWorkflowId, guardSettings, type ConsentStatus, type GuardInput } from '../../src/contract/consent';
import { QUERY, type UpgradeState } from '../../src/contract/status';
import { NEXT_RELEASE } from '../kit/releases';
import type { Rehearsal, RehearsalOptions, Upgrade } from '../kit/rehearsal/rehearsal';
import type { Point, TortureCase, Victim } from './cases';
import { patience, timings } from '../kit/deadlines';

/** What a rehearsal has to be for this. */
export const TORTURE_REHEARSAL: RehearsalOptions = {
  knows: NEXT_RELEASE,
  workers: 'processes',
  spares: true,
  keepsServerState: true,
};

/** One host for all cases of a rehearsal, so that its worker need not be started for each. */
const HOST = 'torture-host';
/** Who installs something on hosts needs one that does not have it yet. */
const INSTALLS: TortureCase['path'][] = ['18.4.1'];
const PATIENCE_MS = patience(180_000);
/** What was slow takes so long when it comes to act. */
const ACTS_WITHIN_MS = patience(1_500);
const LOOKS_EVERY_MS = 20;
const TIMINGS = timings({
  retryFor: 60,
  heartbeat: 2,
  hostAnswer: 60,
  drain: 60,
  import: 60,
  instanceUpgrade: 60,
  script: 60,
  hostRestart: 120,
});

let providers = 0;

/** @throws InvariantsBroken, or an error that says what the upgrade came to instead. */
export async function torment(rehearsal: Rehearsal, torture: TortureCase): Promise<void> {
  const id = `torture-${++providers}`;
  const installs = INSTALLS.includes(torture.path);
  const host = installs ? `${id}-host` : HOST;
  const upgrade = await rehearsal.provider(
    {
      id,
      sourceVersion: torture.path,
      instances: 2,
      gateways: [{ host }],
      openTasks: 1,
      stores: [{ id: 'main', name: 'Main store', active: true, sellsOffice365: true }],
    },
    { timings: TIMINGS, approval: { beforeCrossing: asksForApproval(torture) } },
  );
  if (installs) await leaveGuards(rehearsal, upgrade);
  const blow = new Blow(rehearsal, upgrade, torture, host);
  try {
    await upgrade.start({ startedBy: 'ana' });
    await within(PATIENCE_MS, upgrade, Promise.all([blow.strike(), live(upgrade, torture, blow)]));
    await blow.lateCalls();
    const { state, notUndone } = await upgrade.status();
    const wanted = wantedEnd(torture, upgrade);
    if (state !== wanted)
      throw new Error(`The upgrade ended as ${state} instead of ${wanted}. ${notUndone.join(' ')}`.trim());
    await upgrade.expectInvariants();
    if (installs) await expectLeftGuards(rehearsal, upgrade, state === 'completed');
    else if (state === 'completed') await expectGuards(rehearsal, upgrade);
  } finally {
    if (installs) await rehearsal.closeHosts(id);
  }
}

/** What an earlier release has left behind, and the next one ends. */
async function leaveGuards({ client, sandbox }: Rehearsal, { provider }: Upgrade): Promise<void> {
  const settings = guardSettings.parse({
    connectionTest: { adapter: 'gate' },
    notify: [{ kind: 'log' }],
    timings: TIMINGS,
  });
  for (const { instanceId, name, resourceId } of sandbox.world.provider(provider).instances) {
    const instance = { id: instanceId, name, resourceId };
    const guard = { provider, instance, consentedAt: new Date().toISOString(), assumed: false, settings };
    await client.workflow.start<(input: GuardInput) => Promise<never>>('guardConsent', {
      workflowId: consentWorkflowId(provider, instanceId),
      taskQueue: CONTROL_TASK_QUEUE,
      args: [guard],
    });
  }
}

async function expectLeftGuards({ client, sandbox }: Rehearsal, { provider }: Upgrade, ended: boolean): Promise<void> {
  for (const { instanceId } of sandbox.world.provider(provider).instances) {
    const guard = client.workflow.getHandle(consentWorkflowId(provider, instanceId));
    if (ended) await guard.result().catch((error: unknown) => error);
    const { status } = await guard.describe();
    if (status.name !== (ended ? 'CANCELLED' : 'RUNNING'))
      throw new Error(`The guard of instance ${instanceId} is ${status.name}.`);
  }
}

/** One for each consent; what was started twice has not taken itself for a renewal. */
async function expectGuards({ client, sandbox }: Rehearsal, { provider }: Upgrade): Promise<void> {
  for (const { instanceId } of sandbox.world.provider(provider).instances) {
    const guard = client.workflow.getHandle(consentWorkflowId(provider, instanceId));
    const { status: run } = await guard.describe();
    const { state, renewals, renewal, lastProblem } = await guard.query<ConsentStatus>(QUERY.status);
    const found = { run: run.name, state, renewals, renewal, lastProblem };
    if (JSON.stringify(found) !== JSON.stringify({ run: 'RUNNING', state: 'valid', renewals: 0 }))
      throw new Error(`The guard of instance ${instanceId} is ${JSON.stringify(found)}.`);
  }
}

/** Who finishes what was terminated goes forward only where the package is imported. */
function wantedEnd({ comesBack, victim }: TortureCase, upgrade: Upgrade): UpgradeState {
  const isImported = upgrade.effects('packageImported').length > 0;
  return comesBack || (victim === 'terminated' && !isImported) ? 'rolledBack' : 'completed';
}

const asksForApproval = ({ comesBack, point }: TortureCase): boolean => comesBack || point.kind === 'seal';

/** People do their part: they answer what is asked, retry what holds, and decide about the crossing. */
async function live(upgrade: Upgrade, torture: TortureCase, blow: Blow): Promise<void> {
  const operated = upgrade.operate({
    resolves: () => 'retry',
    leaves: ({ step }) => step === 'approveCrossing' || (torture.point.kind === 'gate' && !blow.hasFallen),
  });
  if (asksForApproval(torture)) {
    await upgrade.statusWhen(({ gates }) => gates.some(({ step }) => step === 'approveCrossing'));
    const decision = { by: 'bo', reason: 'It is time.' };
    await upgrade.workflow.signal(torture.comesBack ? 'abort' : 'approveCrossing', decision);
    blow.decided();
  }
  await operated;
  // The upgrade may end with the very task in which its guards are started.
  if (!blow.hasFallen && torture.point.kind !== 'guard')
    throw new Error('The upgrade was over before it came to the point where the blow was to fall.');
}

/** The one crash of a case. */
class Blow {
  hasFallen = false;
  /** When what the dead worker has asked for will have happened, in milliseconds since 1970. */
  private settled = 0;
  private readonly point: Promise<void>;
  private decide: () => void = () => undefined;
  private readonly decision = new Promise<void>((resolve) => (this.decide = resolve));

  /** Create it before the upgrade starts, so that it misses nothing. */
  constructor(
    private readonly rehearsal: Rehearsal,
    private readonly upgrade: Upgrade,
    private readonly torture: TortureCase,
    private readonly host: string,
  ) {
    const { point } = torture;
    const { restarts } = rehearsal.sandbox.hosts;
    this.point =
      point.kind === 'call'
        ? this.hit(point.rule)
        : point.kind === 'down'
          ? once(restarts, 'down').then(() => undefined)
          : Promise.resolve();
    if (point.kind === 'scheduled') rehearsal.sandbox.faults.add({ ...point.meanwhile, provider: upgrade.provider });
  }

  /** People have decided about the crossing. */
  decided(): void {
    this.decide();
  }

  async strike(): Promise<void> {
    await this.point;
    await this.comesTo(this.torture.point);
    await this.kill(this.torture.victim);
    this.hasFallen = true;
  }

  /** Nobody tells when a call without a caller is over. */
  async lateCalls(): Promise<void> {
    await delay(Math.max(0, this.settled - Date.now()));
  }

  private async comesTo(point: Point): Promise<void> {
    switch (point.kind) {
      case 'call':
      case 'down':
        return;
      case 'result':
        while ((await this.results(point.activity)) < point.nth) await delay(LOOKS_EVERY_MS);
        return;
      case 'scheduled':
        while (!(await this.events()).some(isScheduled(point.activity))) await delay(LOOKS_EVERY_MS);
        return;
      case 'gate':
        await this.upgrade.statusWhen(({ gates }) => gates.length > 0);
        return;
      case 'guard':
        while (await this.guardsAreAsBefore()) await delay(LOOKS_EVERY_MS);
        return;
      case 'seal':
        await this.decision;
        await delay(point.afterMs);
    }
  }

  private hit(rule: Omit<FaultRule, 'id' | 'provider' | 'host'>): Promise<void> {
    const { faults } = this.rehearsal.sandbox;
    // The package is fetched by nobody in particular.
    const whose =
      rule.system === 'host' ? { host: this.host } : rule.system === 'sim' ? {} : { provider: this.upgrade.provider };
    const { id } = faults.add({ ...rule, ...whose });
    return new Promise((resolve) => {
      const listen = (hit: FaultRule): void => {
        if (hit.id !== id) return;
        faults.off('hit', listen);
        this.settled = Date.now() + (rule.delayMs ?? 0) + ACTS_WITHIN_MS;
        resolve();
      };
      faults.on('hit', listen);
    });
  }

  /** How many executions of the activity have ended well, as Temporal has recorded it. */
  private async results(activity: string): Promise<number> {
    const events = await this.events();
    const scheduled = events.filter(isScheduled(activity)).map(({ eventId }) => String(eventId));
    return events.filter(({ activityTaskCompletedEventAttributes: completed }) =>
      scheduled.includes(String(completed?.scheduledEventId)),
    ).length;
  }

  private async events(): Promise<temporal.api.history.v1.IHistoryEvent[]> {
    return (await this.upgrade.workflow.fetchHistory()).events ?? [];
  }

  /** Whether the change of the guards is not begun: none is there yet, or all are still there. */
  private async guardsAreAsBefore(): Promise<boolean> {
    const { client, sandbox } = this.rehearsal;
    const { provider } = this.upgrade;
    const runs = sandbox.world.provider(provider).instances.map(async ({ instanceId }) => {
      try {
        return (await client.workflow.getHandle(consentWorkflowId(provider, instanceId)).describe()).status.name;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return 'NONE';
        throw error;
      }
    });
    const before = INSTALLS.includes(this.torture.path) ? 'RUNNING' : 'NONE';
    return (await Promise.all(runs)).every((run) => run === before);
  }

  private async kill(victim: Victim): Promise<void> {
    if (victim === 'server') return await this.rehearsal.killAndRestartServer();
    if (victim === 'terminated') {
      await this.upgrade.workflow.terminate('the wrong button');
      return await this.upgrade.start({ finish: true, startedBy: 'ana' });
    }
    if (victim === 'reset')
      return await this.upgrade.reset((events) => {
        const tasks = events.filter((event) => event.workflowTaskCompletedEventAttributes);
        return tasks[Math.floor(tasks.length / 2)];
      });
    const queue = victim === 'endpoint' ? endpointTaskQueue(this.host) : CONTROL_TASK_QUEUE;
    const process = this.rehearsal.processes.get(queue);
    if (!process) throw new Error(`No process works on ${queue}.`);
    await process.killAndRestart();
  }
}

const isScheduled =
  (activity: string) =>
  ({ activityTaskScheduledEventAttributes: scheduled }: temporal.api.history.v1.IHistoryEvent): boolean =>
    scheduled?.activityType?.name === activity;

async function within(milliseconds: number, upgrade: Upgrade, work: Promise<unknown>): Promise<void> {
  const late = delay(milliseconds, 'late', { ref: false });
  if ((await Promise.race([work, late])) !== 'late') return;
  const { state, step, gates, holds } = await upgrade.status();
  const open = [...gates.map(({ id }) => id), ...holds.map(({ problem }) => problem)];
  throw new Error(
    `After ${milliseconds / 1000} s it is still ${state} in ${step ?? 'no step'}. ${open.join(' ')}`.trim(),
  );
}
