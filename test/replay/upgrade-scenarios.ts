/** Upgrades whose histories are kept: each runs on both paths, and together they are in every state that there is. */
import { WEEKDAYS } from '../../src/contract/maintenance';
import type { Settings } from '../kit/rehearsal/rehearsal';
import { SLOW_MS, type Scenario } from './run-to-record';
import { timings } from '../kit/deadlines';

const ANA = { by: 'ana@operations.example', reason: 'for the record' };
/** Without adapters a person is asked whatever Onward would look at by itself. */
const BY_HAND: Settings = {
  taskMonitor: { adapter: 'gate' },
  connectionTest: { adapter: 'gate' },
  installedSites: [],
  approval: { beforeCrossing: true },
};
const IMPATIENT = timings({
  retryFor: 20,
  heartbeat: 5,
  hostAnswer: 30,
  drain: 60,
  import: 1.5,
  instanceUpgrade: 60,
  script: 60,
});
const SECOND = 1 / 86_400;

/** A window of an hour each day that opens in so many hours. */
function closedFor(hours: number): NonNullable<Settings['maintenance']> {
  const at = (hour: number): string => new Date(Date.now() + hour * 3_600_000).toISOString().slice(11, 16);
  const window = { days: [...WEEKDAYS], from: at(hours), to: at(hours + 1) };
  return { timeZone: 'UTC', windows: [window], afterCrossing: 1 };
}

export const UPGRADES: Scenario[] = [
  {
    name: 'by-hand',
    options: (id) => ({
      instances: [{ name: 'CSP EMEA', cloud: 'unstated' }, { name: 'CSP US' }],
      // Two sites with one address, on hosts behind different routers: only a person can tell which is meant.
      gateways: ['a', 'b'].map((name) => ({ host: `${id}-${name}`, ip: '10.0.0.31', application: 'Gateway' })),
    }),
    settings: BY_HAND,
    record: async (run) => {
      await run.upgrade.start({ startedBy: 'ana' });
      await run.recordEveryGate();
      await run.record('completed-by-hand');
    },
  },
  {
    name: 'by-adapters',
    record: async (run) => {
      const recordings = [
        run.recordDuring('during-preflight', { system: 'billing', call: '*' }),
        run.recordDuring('during-stopProvisioning', { system: 'operations', call: 'pem.deactivateST' }),
        run.recordDuring('during-upgradeEndpoints', { system: 'host', call: 'setup.cmd' }),
        run.recordDuring('during-importPackage', { system: 'operations', call: 'txn.Commit' }),
        run.recordDuring('during-upgradeInstances', {
          system: 'operations',
          call: 'pem.APS.upgradeApplicationInstance',
        }),
        run.recordDuring('during-startProvisioning', { system: 'operations', call: 'pem.activateST' }),
      ];
      await run.upgrade.start();
      await Promise.all([run.upgrade.operate(), ...recordings]);
      await run.record('completed');
    },
  },
  {
    name: 'import-unknown',
    record: async (run) => {
      const crossing = run.recordAtFault('import-of-unknown-outcome', {
        system: 'operations',
        call: 'txn.Commit',
        kind: 'effectThenNoAnswer',
      });
      // The preflight and the import look once each; the third look is the reading back.
      const look = { system: 'aps', call: 'GET /aps/2/packages', skip: 2 };
      const readBack = run.recordDuring('import-being-read-back', look);
      await run.upgrade.start();
      await Promise.all([run.upgrade.operate(), crossing, readBack]);
      await run.record('completed-after-unknown-import');
    },
  },
  {
    name: 'outside-window',
    settings: { maintenance: closedFor(2) },
    record: async (run) => {
      await run.upgrade.start();
      await run.upgrade.statusWhen(({ state }) => state === 'waitingForWindow');
      await run.record('waiting-for-window');
      await run.upgrade.workflow.executeUpdate('overrideWindow', { args: [ANA] });
      await run.upgrade.operate();
      await run.record('completed-after-overridden-window');
    },
  },
  {
    name: 'import-unreached',
    record: async (run) => {
      run.fault({ system: 'operations', call: 'txn.Begin', kind: 'refuse', times: 50 });
      await run.upgrade.start();
      await run.upgrade.statusWhen(({ crossed }) => crossed);
      await run.recordWhen('import-unreached', ({ timerStartedEventAttributes }) => timerStartedEventAttributes);
    },
  },
  {
    name: 'half-imported',
    settings: { timings: IMPATIENT },
    record: async (run) => {
      run.fault({ system: 'operations', call: 'pem.APS.importPackage', kind: 'stuckTask' });
      await run.upgrade.start();
      await run.upgrade.statusWhen(({ holds }) => holds.length > 0);
      await run.record('held-by-stuck-import');
      await run.upgrade.operateResolving('retry');
      await run.record('completed-after-stuck-import');
    },
  },
  {
    name: 'held-before',
    settings: { onFailureBeforeCrossing: 'hold' },
    record: async (run) => {
      const { upgrade } = run;
      run.fault({ system: 'host', call: 'setup.cmd', kind: 'setupFails' });
      await upgrade.start();
      await upgrade.statusWhen(({ holds }) => holds.length > 0);
      await run.record('held-before-crossing');
      const step = 'upgradeEndpoints';
      await upgrade.workflow.signal('resolveHold', { step, action: 'doneByHand', ...ANA });
      await upgrade.statusWhen(({ holds }) => holds.some(({ problem }) => problem.includes('not done yet')));
      await upgrade.workflow.executeUpdate('pause', { args: [ANA] });
      await upgrade.workflow.executeUpdate('resolveHold', { args: [{ step, action: 'retry', ...ANA }] });
      await upgrade.statusWhen(({ state }) => state === 'paused');
      await run.record('paused');
      await upgrade.workflow.executeUpdate('resume', { args: [ANA] });
      await upgrade.operate();
      await run.record('completed-after-hold-and-pause');
    },
  },
  {
    name: 'held-after',
    record: async (run) => {
      const { upgrade } = run;
      run.fault({ system: 'operations', call: 'pem.APS.importPackage', kind: 'fault' });
      run.fault({ system: 'operations', call: 'pem.activateST', kind: 'fault' });
      await upgrade.start();
      await upgrade.statusWhen(({ holds }) => holds.length > 0);
      await run.record('held-after-crossing');
      await upgrade.workflow.signal('resolveHold', { step: 'importPackage', action: 'rollback', ...ANA });
      await upgrade.workflow.signal('abort', ANA);
      await upgrade.workflow.cancel();
      await upgrade.statusWhen(({ cancelRefusedAt }) => cancelRefusedAt !== undefined);
      await run.record('cancellation-refused');
      await upgrade.operateResolving('retry');
      await run.record('completed-after-refused-cancellation');
    },
  },
  {
    name: 'rolled-back',
    record: async (run) => {
      run.fault({ system: 'host', call: 'setup.cmd', kind: 'setupHalfFinishes' });
      const restoring = run.recordDuring('rolling-back', { system: 'host', call: 'restore' });
      await run.upgrade.start();
      await Promise.all([run.upgrade.operate(), restoring]);
      await run.record('rolled-back');
    },
  },
  {
    name: 'rollback-incomplete',
    record: async (run) => {
      run.fault({ system: 'host', call: 'setup.cmd', kind: 'setupHalfFinishes' });
      run.fault({ system: 'host', call: 'restore', kind: 'fault', times: 50 });
      await run.upgrade.start();
      await run.upgrade.operate();
      await run.record('rollback-incomplete');
    },
  },
  {
    name: 'without-backup',
    record: async (run) => {
      run.fault({ system: 'host', call: 'backup', kind: 'fault' });
      await run.upgrade.start();
      await run.upgrade.statusWhen(({ holds }) => holds.length > 0);
      await run.record('held-without-backup');
      await run.upgrade.operateResolving('rollback');
      await run.record('rolled-back-from-hold');
    },
  },
  {
    name: 'cancelled',
    settings: { approval: { beforeCrossing: true } },
    record: async (run) => {
      await run.upgrade.start({ startedBy: 'ana' });
      await run.upgrade.statusWhen(({ gates }) => gates.length > 0);
      await run.upgrade.workflow.cancel();
      await run.upgrade.operate();
      await run.record('cancelled-at-gate');
    },
  },
  {
    name: 'aborted',
    record: async (run) => {
      await Promise.all([
        run.hit({ system: 'host', call: 'setup.cmd', kind: 'slow', delayMs: SLOW_MS }),
        run.upgrade.start(),
      ]);
      await run.upgrade.workflow.signal('abort', ANA);
      await run.upgrade.status();
      await run.record('aborting');
      await run.upgrade.operate();
      await run.record('aborted-during-upgradeEndpoints');
    },
  },
  {
    name: 'aborted-early',
    options: () => ({ instances: [{ name: 'CSP EMEA', cloud: 'unstated' }] }),
    record: async (run) => {
      await run.upgrade.start();
      await run.upgrade.statusWhen(({ gates }) => gates.length > 0);
      await run.upgrade.workflow.signal('abort', ANA);
      await run.upgrade.operate();
      await run.record('aborted-in-preflight');
    },
  },
  {
    name: 'refused',
    options: () => ({ instances: [{ name: 'CSP DE', cloud: 'germany' }] }),
    record: async (run) => {
      await run.upgrade.start();
      await run.upgrade.operate();
      await run.record('refused');
    },
  },
  {
    name: 'no-host',
    settings: { endpointHosts: [{ name: 'nobody-there' }], timings: { hostAnswer: 1 } },
    record: async (run) => {
      await run.upgrade.start();
      await run.upgrade.operate();
      await run.record('refused-without-host');
    },
  },
  {
    name: 'reminded',
    settings: { reminders: { days: [SECOND, 2 * SECOND], thenEveryDays: 365 } },
    record: async (run) => {
      await run.upgrade.start();
      await run.recordWhen('reminded', ({ timerFiredEventAttributes }) => timerFiredEventAttributes, 2);
      await run.upgrade.operate();
      await run.record('completed-after-reminders');
    },
  },
  {
    name: 'nobody-told',
    settings: { notify: [{ kind: 'log' }, { kind: 'webhook', url: 'http://127.0.0.1:9/nobody-listens' }] },
    record: async (run) => {
      await run.upgrade.start();
      await run.upgrade.operate();
      await run.record('completed-and-nobody-told');
    },
  },
  {
    name: 'half-upgraded',
    options: () => ({
      instances: [
        { name: 'Done', gateway: 0, packageVersion: '18.4.1-12' },
        { name: 'Not yet', gateway: 1 },
      ],
      gateways: 2,
    }),
    record: async (run) => {
      await run.upgrade.start();
      await run.upgrade.operate();
      await run.record('completed-from-half-upgraded');
    },
  },
  {
    name: 'badly-answered',
    record: async (run) => {
      const { upgrade } = run;
      await upgrade.start();
      const { gates } = await upgrade.statusWhen((status) => status.gates.length > 0);
      for (const payload of [17, null, { by: '' }, { instance: 'nobody', by: 'eve' }, 'x'.repeat(10_000)])
        await upgrade.workflow.signal('consentCompleted', payload);
      const [gate] = gates;
      // Nobody has done anything yet: where a verification can tell, it does.
      await upgrade.workflow.signal(gate?.answer.name ?? '', { ...gate?.answer.payload, by: 'eve', evidence: 'none' });
      const unknown = upgrade.workflow.executeUpdate('resolveHold', {
        args: [{ step: 'validate', action: 'retry', ...ANA }],
      });
      await unknown.catch(() => undefined);
      await run.record('answers-refused');
      await upgrade.operate();
      await run.record('completed-after-bad-answers');
    },
  },
];
