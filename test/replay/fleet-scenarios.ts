/** Fleets whose histories are kept, with those of their waves and of the upgrades in them. */
import type { WorkflowHandle } from '@temporalio/client';
import { waveWorkflowId, type FleetInput } from '../../src/contract/fleet';
import type { Upgrade } from '../kit/rehearsal/rehearsal';
import { Fleet } from '../kit/handles/fleet';
import { SLOW_MS, type HistoryEvent, type RunToRecord, type Scenario } from './run-to-record';

const continuedAsNew = (event: HistoryEvent): unknown => event.workflowExecutionContinuedAsNewEventAttributes;

export const FLEETS: Scenario[] = [
  {
    name: 'fleet',
    options: () => ({ instances: 1 }),
    record: async (run) => {
      const other = await another(run);
      const fleet = await start(run, [other], {
        waves: [1, 'rest'],
        approval: { plan: true, waves: true },
        soak: 2,
      });
      await fleet.statusWhen(({ state }) => state === 'planned');
      await run.record('fleet-planned', fleet.handle);
      await run.record('wave-pending', wave(run));

      const atWork = run.hit({ system: 'host', call: 'setup.cmd', kind: 'slow', delayMs: SLOW_MS });
      await fleet.say('proceed');
      await atWork;
      await run.record('fleet-running', fleet.handle);
      await run.record('wave-running', wave(run));
      await fleet.say('pause');
      run.upgrade.startedByWorkflow();
      await run.upgrade.statusWhen(({ state }) => state === 'paused');
      await run.record('fleet-paused', fleet.handle);
      await run.record('wave-paused', wave(run));
      await run.record('member-paused');

      await fleet.say('resume');
      await run.upgrade.operate();
      await run.record('member-completed');
      await fleet.statusWhen(({ state }) => state === 'soaking');
      await run.record('fleet-soaking', fleet.handle);
      await fleet.statusWhen(({ state }) => state === 'waiting');
      await run.record('fleet-waiting', fleet.handle);
      await fleet.say('setMaxParallel', { maxParallel: 2 });
      await fleet.say('proceed');
      await operate(fleet, other);
      await run.record('member-from-18.4-completed', other.workflow);
      await fleet.result();
      await run.record('fleet-completed', fleet.handle);
      await run.record('wave-completed', wave(run));
    },
  },
  {
    name: 'fleet-of-parked',
    record: async (run) => {
      const other = await another(run);
      const fleet = await start(run, [other], { waves: ['rest'], maxParallel: 1, parkAfter: 1 });
      await fleet.statusWhen(({ counts }) => counts.parked === 1 && counts.running === 1);
      run.upgrade.startedByWorkflow();
      await run.record('member-parked');
      await run.record('wave-with-parked', wave(run));
      await fleet.statusWhen(({ state }) => state === 'waiting');
      await run.record('fleet-of-parked', fleet.handle);
      await Promise.all([run.upgrade.operate(), operate(fleet, other)]);
      await fleet.result();
      await run.record('member-from-18.4-completed-after-parking', other.workflow);
      await run.record('member-completed-after-parking');
      await run.record('wave-completed-after-parking', wave(run));
      await run.record('fleet-completed-after-parking', fleet.handle);
    },
  },
  {
    name: 'fleet-halted',
    settings: { onFailureBeforeCrossing: 'hold' },
    record: async (run) => {
      run.fault({ system: 'host', call: 'setup.cmd', kind: 'setupFails' });
      const other = await another(run);
      const fleet = await start(run, [other], { waves: ['rest'], maxParallel: 1, budget: { wave: 1, run: 1 } });
      await fleet.statusWhen(({ state }) => state === 'halted');
      await run.record('fleet-halted', fleet.handle);
      await run.record('wave-of-halted-fleet', wave(run));
      await fleet.say('decideBudget', { action: 'stop' });
      run.upgrade.startedByWorkflow();
      await run.upgrade.operateResolving('rollback');
      await fleet.result();
      await run.record('fleet-stopped', fleet.handle);
      await run.record('wave-stopped', wave(run));
      await run.record('member-rolled-back');
    },
  },
  {
    name: 'fleet-aborted',
    record: async (run) => {
      const atWork = run.hit({ system: 'host', call: 'setup.cmd', kind: 'slow', delayMs: SLOW_MS });
      const other = await another(run);
      const fleet = await start(run, [other], { waves: ['rest'], maxParallel: 1 });
      await atWork;
      await fleet.say('abort');
      await run.record('fleet-aborting', fleet.handle);
      await operate(fleet, run.upgrade);
      await fleet.result();
      await run.record('fleet-aborted', fleet.handle);
      await run.record('wave-aborted', wave(run));
      await run.record('member-aborted');
    },
  },
  {
    name: 'fleet-continued',
    record: async (run) => {
      const fleet = await start(run, [], { approval: { plan: true }, historyLimit: 20 });
      await fleet.statusWhen(({ state }) => state === 'planned');
      const first = await firstRunOf(run, wave(run));
      await fleet.say('proceed');
      await operate(fleet, run.upgrade);
      await fleet.result();
      const { workflowId, firstExecutionRunId } = fleet.handle;
      const firstOfFleet = run.rehearsal.client.workflow.getHandle(workflowId, firstExecutionRunId);
      await run.recordWhen('fleet-continues-as-new', continuedAsNew, 1, firstOfFleet);
      await run.recordWhen('wave-continues-as-new', continuedAsNew, 1, first);
      await run.record('fleet-continued-as-new', run.rehearsal.client.workflow.getHandle(workflowId));
      await run.record('wave-continued-as-new', wave(run));
    },
  },
  {
    name: 'fleet-of-skipped',
    record: async (run) => {
      await run.upgrade.start();
      const fleet = await start(run, []);
      await fleet.result();
      await run.record('fleet-of-skipped', fleet.handle);
      await run.record('wave-of-skipped', wave(run));
      await run.upgrade.operate();
    },
  },
  {
    name: 'fleet-of-lost',
    options: () => ({ instances: [{ name: 'CSP EMEA', cloud: 'unstated' }] }),
    record: async (run) => {
      const fleet = await start(run, [], { parkAfter: 1 });
      await fleet.statusWhen(({ counts }) => counts.parked === 1);
      run.upgrade.startedByWorkflow();
      await run.upgrade.workflow.terminate('nobody was told');
      await fleet.say('pause');
      await fleet.say('resume');
      await fleet.result();
      await run.record('wave-that-lost-an-upgrade', wave(run));
    },
  },
  {
    name: 'fleet-that-lost-a-wave',
    record: async (run) => {
      const fleet = await start(run, [], { approval: { plan: true } });
      await fleet.statusWhen(({ state }) => state === 'planned');
      await wave(run).terminate('nobody was told');
      await fleet.say('pause');
      await fleet.say('resume');
      await fleet.result();
      await run.record('fleet-that-lost-a-wave', fleet.handle);
    },
  },
];

/** A provider on 18.4, while that of the run is on 18.3. */
function another({ rehearsal, upgrade }: RunToRecord): Promise<Upgrade> {
  const id = `${upgrade.provider}-other`;
  return rehearsal.provider({ id, sourceVersion: '18.4', instances: 1, gateways: [{ host: `${id}-host` }] });
}

/** A fleet of the run's provider and others, which is called as the run's provider is. */
function start(run: RunToRecord, others: Upgrade[], input: Partial<FleetInput> = {}): Promise<Fleet> {
  const name = run.upgrade.provider;
  const providers = { ids: [run.upgrade, ...others].map(({ provider }) => provider) };
  return Fleet.start(run.rehearsal.client, { name, startedBy: 'ana', providers, ...input });
}

/** The first part of the first wave of the run's fleet. */
function wave({ rehearsal, upgrade }: RunToRecord): WorkflowHandle {
  return rehearsal.client.workflow.getHandle(waveWorkflowId(upgrade.provider, 1, 1));
}

async function firstRunOf({ rehearsal }: RunToRecord, handle: WorkflowHandle): Promise<WorkflowHandle> {
  const { raw } = await handle.describe();
  const runId = raw.workflowExecutionInfo?.firstRunId;
  if (!runId) throw new Error(`The server does not know the first run of ${handle.workflowId}.`);
  return rehearsal.client.workflow.getHandle(handle.workflowId, runId);
}

/** Answers for an upgrade once the fleet has started it. */
async function operate(fleet: Fleet, upgrade: Upgrade): Promise<void> {
  await fleet.providerWhen(upgrade.provider, ({ state }) => state !== 'pending');
  upgrade.startedByWorkflow();
  await upgrade.operate();
}
