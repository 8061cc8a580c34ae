/** The checker itself: it finds nothing wrong with a sound upgrade, and each invariant is broken by what it is there for. */
import type { WorkflowHandle } from '@temporalio/client';
import type { AuditEntry, StepStatus, UpgradeResult, UpgradeStatus } from '../../src/contract/status';
import type { JournalEntry } from '../../src/sandbox/journal';
import type { SandboxState } from '../../src/sandbox/server';
import { simulation } from '../../workflows/releases/18.4.1/simulation';
import { hasMoved } from '../kit/judge/evidence';
import {
  expectInvariantsIn,
  violationsIn,
  type Evidence,
  type HostRecord,
  type RunEvidence,
} from '../kit/judge/invariants';

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();

const STATE: SandboxState = {
  provider: 'contoso',
  packages: ['18.4-7'],
  companions: [],
  instances: [{ id: 7301, packageVersion: '18.4-7', status: 'Ready', storedUser: false, consentOf: 'contoso.example' }],
  templates: [
    { id: 7001, name: 'E3', active: true },
    { id: 7002, name: 'retired', active: false },
  ],
  billingTemplates: [{ id: 7602, parameters: ['aps_defaults_o365'] }],
  stores: [],
  customizations: {},
  synchronisation: 'on',
  gateways: [
    {
      host: 'gw',
      site: 'Gateway',
      application: 'App',
      state: { versions: ['18.4.0.7'], files: 'old', served: ['18.4.0.7'] },
    },
  ],
};
const UPGRADED: SandboxState = {
  ...STATE,
  packages: ['18.4-7', '18.4.1-12'],
  instances: [
    { id: 7301, packageVersion: '18.4.1-12', status: 'Ready', storedUser: false, consentOf: 'contoso.example' },
  ],
  gateways: [
    {
      host: 'gw',
      site: 'Gateway',
      application: 'App',
      state: { versions: ['18.4.1.12'], files: 'new', served: ['18.4.1.12'] },
    },
  ],
};

type Entry = Omit<JournalEntry, 'seq' | 'at' | 'provider'> & { provider?: string };
const call = (system: JournalEntry['system'], name: string, object?: string, outcome = 'ok'): Entry => ({
  kind: 'call',
  system,
  name,
  outcome,
  ...(object && { object }),
});
/** The machine that the upgrade was planned for, claimed by it. */
const ON_OURS = { machine: 'hardware-of-gw', claimedBy: 'contoso/18.4-18.4.1/first' };
const effect = (name: string, object?: string, detail?: Record<string, unknown>): Entry => ({
  kind: 'effect',
  system: 'operations',
  name,
  ...(object && { object }),
  ...(detail && { detail }),
});
const onHost = (entry: Entry, on: object = ON_OURS): Entry => ({
  ...entry,
  system: 'host',
  host: 'gw',
  detail: { ...entry.detail, ...on },
});
const setUp = (files = 'all'): Entry => onHost(effect('setupRan', 'Gateway/App', { files }));
const reset = onHost(effect('iisReset', 'gw'));
const restored = onHost(effect('siteRestored', 'Gateway/App'));

const SOUND: Entry[] = [
  effect('templateDeactivated', '7001'),
  effect('taskProcessed', '200'),
  onHost(call('host', 'setup.cmd', 'Gateway/App')),
  setUp(),
  reset,
  call('operations', 'pem.APS.importPackage'),
  effect('packageImported', '18.4.1-12'),
  effect('instanceUpgradeStarted', '7301'),
  effect('instanceUpgraded', '7301'),
  effect('templateActivated', '7001'),
  call('sim', 'GET testConnection', 'resource-7301'),
];

const audited = (what: string, detail: string, more: Partial<AuditEntry> = {}): AuditEntry => ({
  at: at(1),
  by: 'upgrade',
  what,
  verdict: 'done',
  detail,
  ...more,
});
const GATE = { subject: 'updateCustomizations/controlPanel' };

const did = (name: string): StepStatus => ({ name, title: name, procedure: '2.', phase: 'reversible', state: 'done' });
const OPERATION = 'contoso/18.4-18.4.1/first';
const STATUS: UpgradeStatus = {
  provider: 'contoso',
  workflowId: 'upgrade/contoso',
  operation: OPERATION,
  path: { from: '18.4', to: '18.4.1' },
  state: 'completed',
  crossed: true,
  startedAt: at(0),
  endedAt: at(59),
  steps: [did('stopProvisioning'), did('drainTasks')],
  gates: [],
  holds: [],
  checks: [],
  switchedOff: [],
  switchedOffSeconds: { provisioning: 9 },
  notUndone: [],
  kept: [],
  auditEntries: 4,
};
const RESULT: UpgradeResult = {
  provider: 'contoso',
  from: '18.4',
  to: '18.4.1',
  startedAt: at(0),
  crossedAt: at(6),
  completedAt: at(59),
  packageVersion: '18.4.1-12',
  instances: 1,
  sites: 1,
  operation: OPERATION,
  switchedOffSeconds: STATUS.switchedOffSeconds,
  warnings: [],
};
const RUN: RunEvidence = {
  startedAt: at(0),
  begunAt: at(0),
  closedAt: at(59),
  closed: 'COMPLETED',
  before: STATE,
  status: STATUS,
  result: RESULT,
  audit: [
    audited('gate', 'opened: update it', GATE),
    audited('signal:confirmStep', 'recorded', { ...GATE, verdict: 'accepted', by: 'ana' }),
    audited('gate', 'passed', { ...GATE, by: 'ana' }),
  ],
  messages: [{ channel: 'signal', name: 'confirmStep', by: 'ana' }],
  activities: [
    { name: 'deactivateTemplates', input: { templateIds: [7001] } },
    { name: 'awaitTasksProcessed', input: {} },
    { name: 'awaitTasksProcessed', input: {} },
    { name: 'runSetup', input: { host: { identity: { smbiosUuid: 'hardware-of-gw' } } } },
    { name: 'awaitTasksProcessed', input: {} },
    { name: 'resetIis', input: { purpose: 'upgrade' } },
    { name: 'awaitTasksProcessed', input: {} },
    { name: 'importPackage', input: {} },
    { name: 'upgradeInstance', input: { instanceId: 7301 } },
    { name: 'activateTemplates', input: { templateIds: [7001] } },
  ],
  historyLength: 243,
  notices: 1,
  defects: [],
  pending: [],
  stored: ['{"provider":"contoso"}'],
};

const record = (kind: HostRecord['kind'], second: number, more: Partial<HostRecord> = {}): HostRecord => ({
  host: 'gw',
  folder: 'records/contoso',
  kind,
  operation: OPERATION,
  at: at(second),
  ...more,
});
const RECORDS = [
  record('backup', 2, { folder: 'backups/contoso', object: 'Gateway/App' }),
  record('setupStarted', 3, { object: 'Gateway/App' }),
  record('setupEnded', 4),
  record('reset', 5),
];

/** A second apart, from the first second of the run. */
const journal = (entries: Entry[]): JournalEntry[] =>
  entries.map((entry, index) => ({ seq: index + 1, at: at(index + 1), provider: 'contoso', ...entry }));

function evidence(
  changed: Partial<Omit<Evidence, 'journal'>> & { entries?: Entry[]; run?: Partial<RunEvidence> } = {},
): Evidence {
  const { entries = SOUND, run, ...others } = changed;
  return {
    provider: 'contoso',
    seed: 'seed 4711',
    journal: journal(entries),
    after: UPGRADED,
    versions: [...simulation.sources, simulation.target],
    runs: [{ ...RUN, ...run }],
    begunInSilence: [],
    tasksAtStart: [200],
    office365Tasks: [200],
    instances: [{ id: 7301, cloud: 'global', resourceId: 'resource-7301', host: 'gw' }],
    verifiesConsent: true,
    resets: [{ host: 'gw', operation: OPERATION, at: at(5), covers: ['a'] }],
    records: RECORDS,
    secrets: ['correct horse'],
    addresses: ['https://oa.example:8440/RPC2'],
    ...others,
  };
}

const ROLLED_BACK: Partial<RunEvidence> = {
  closed: 'FAILED',
  result: undefined,
  status: { ...STATUS, state: 'rolledBack', crossed: false },
  activities: [
    { name: 'deactivateTemplates', input: { templateIds: [7001] } },
    { name: 'activateTemplates', input: { templateIds: [7001] } },
  ],
};
const STOPPED: SandboxState = {
  ...STATE,
  templates: STATE.templates.map((template) => ({ ...template, active: false })),
};
const OPEN: Partial<RunEvidence> = {
  closed: 'RUNNING',
  closedAt: undefined,
  status: {
    ...STATUS,
    state: 'running',
    endedAt: undefined as never,
    switchedOff: [{ what: 'provisioning', since: at(1) }],
  },
};
const SAYS_TOO_MUCH: Partial<RunEvidence> = { ...OPEN, status: STATUS };
const without = (...names: string[]): Entry[] => SOUND.filter(({ name }) => !names.includes(name));
const inserted = (index: number, ...entries: Entry[]): Entry[] => [
  ...SOUND.slice(0, index),
  ...entries,
  ...SOUND.slice(index),
];

test('a sound upgrade, and one that came back, break no invariant', () => {
  expect(violationsIn(evidence())).toEqual([]);
  const cameBack = [effect('templateDeactivated', '7001'), effect('templateActivated', '7001')];
  expect(violationsIn(evidence({ entries: cameBack, run: ROLLED_BACK, after: STATE, resets: [] }))).toEqual([]);
  // Somebody had added a template before the run that came back.
  const grown = { ...STATE, templates: [...STATE.templates, { id: 7003, name: 'new', active: true }] };
  const entries = [effect('templateAdded', '7003'), ...cameBack];
  const cameBackAgain = evidence({ entries, run: { ...ROLLED_BACK, before: grown }, after: grown, resets: [] });
  expect(violationsIn(cameBackAgain)).toEqual([]);
  // It was reset after its templates were off.
  const wasReset = { startedAt: at(2), begunAt: at(0) };
  expect(violationsIn(evidence({ run: wasReset }))).toEqual([]);
  // What was done on the host was begun by a run that was terminated before it could say anything.
  const activities = RUN.activities.filter(({ name }) => name !== 'runSetup');
  expect(violationsIn(evidence({ run: { activities }, begunInSilence: RUN.activities }))).toEqual([]);
  expect(violationsIn(evidence({ run: { activities } })).map(({ invariant }) => invariant)).toEqual(['I12']);
});

test.each([
  ['has moved on', 'RUNNING', 244, 'on'],
  ['has come to its end', 'COMPLETED', 243, 'toItsEnd'],
  ['stands still', 'RUNNING', 243, undefined],
])('a run that %s while it was looked at is known to have', async (_, name, historyLength, how) => {
  const handle = { describe: async () => ({ status: { name }, historyLength }) } as unknown as WorkflowHandle;
  expect(await hasMoved(handle, { ...RUN, ...OPEN })).toBe(how);
  expect(await hasMoved(handle, RUN)).toBeUndefined();
});

test('a failure names the invariant, the journal entries and the seed', () => {
  expect(() => expectInvariantsIn(evidence({ entries: [...SOUND, effect('packageImported', '18.4.1-12')] }))).toThrow(
    /contoso, seed 4711:\nI1 .*packageImported 18.4.1-12 happened 2 times\n {4}#7 .*\n {4}#12 /,
  );
});

type Case = [invariant: string, what: string, evidence: Evidence];
test.each<Case>([
  ['I1', 'an instance that was upgraded twice', evidence({ entries: inserted(9, effect('instanceUpgraded', '7301')) })],
  [
    'I1',
    'a template that was switched off twice in one run',
    evidence({ entries: inserted(1, effect('templateDeactivated', '7001')) }),
  ],
  ['I1', 'setup.cmd over files that it had upgraded', evidence({ entries: inserted(4, setUp('some')) })],
  [
    'I1',
    'an iisreset after one that is known to have ended',
    evidence({
      resets: [
        { host: 'gw', operation: OPERATION, at: at(5), covers: ['a'] },
        { host: 'gw', operation: OPERATION, at: at(6), covers: ['a'] },
      ],
    }),
  ],
  ['I1', 'a completed upgrade without the package', evidence({ after: { ...UPGRADED, packages: ['18.4-7'] } })],
  [
    'I1',
    'a completed upgrade that left an instance behind',
    evidence({ after: { ...UPGRADED, instances: STATE.instances } }),
  ],
  ['I1', 'a completed upgrade that left a site behind', evidence({ after: { ...UPGRADED, gateways: STATE.gateways } })],
  [
    'I1',
    'a completed upgrade without a refresh token',
    evidence({ after: { ...UPGRADED, instances: UPGRADED.instances.map((one) => ({ ...one, consentOf: null })) } }),
  ],
  [
    'I1',
    'a completed upgrade that lost a billing parameter',
    evidence({ after: { ...UPGRADED, billingTemplates: [{ id: 7602, parameters: [] }] } }),
  ],
  [
    'I1',
    'a rollback that left a site upgraded',
    evidence({ entries: [], run: ROLLED_BACK, after: { ...STATE, gateways: UPGRADED.gateways } }),
  ],
  ['I2', 'a site that was restored after the import', evidence({ entries: inserted(8, restored) })],
  [
    'I2',
    'a transaction that was rolled back although the import may stand',
    evidence({
      entries: [
        ...SOUND.slice(0, 5),
        call('operations', 'pem.APS.importPackage', undefined, 'reset'),
        call('operations', 'txn.Rollback'),
      ],
    }),
  ],
  [
    'I2',
    'provisioning that came back before the instances were upgraded',
    evidence({ entries: [...SOUND.slice(0, 7), effect('templateActivated', '7001'), ...SOUND.slice(7, 9)] }),
  ],
  [
    'I2',
    'a run that imported and says that it rolled back',
    evidence({ run: { ...ROLLED_BACK, activities: RUN.activities } }),
  ],
  ['I3', 'setup.cmd while a task was open', evidence({ entries: without('taskProcessed') })],
  [
    'I3',
    'setup.cmd while a task was open that came during the upgrade',
    evidence({ entries: inserted(2, effect('taskCreated', '201')), office365Tasks: [200, 201] }),
  ],
  [
    'I3',
    'an import without a look at the tasks directly before it',
    evidence({
      run: { activities: RUN.activities.filter((_, index, all) => all[index + 1]?.name !== 'importPackage') },
    }),
  ],
  ['I1', 'a completed upgrade that never tested an instance', evidence({ entries: without('GET testConnection') })],
  [
    'I1',
    'a completed upgrade that left a template off which somebody had added',
    evidence({
      entries: inserted(0, effect('templateAdded', '7003')),
      after: { ...UPGRADED, templates: [...UPGRADED.templates, { id: 7003, name: 'new', active: false }] },
    }),
  ],
  [
    'I5',
    'an iisreset of another upgrade while an instance was being upgraded',
    evidence({ entries: inserted(8, { ...reset, provider: 'fabrikam' }) }),
  ],
  [
    'I3',
    'setup.cmd while a template was active',
    evidence({ entries: [...SOUND.slice(1, 5), ...SOUND.slice(0, 1), ...SOUND.slice(5)] }),
  ],
  [
    'I3',
    'setup.cmd while the synchronisation was on that a step of the path switches off',
    evidence({ run: { status: { ...STATUS, steps: [...STATUS.steps, did('stopSynchronisation')] } } }),
  ],
  [
    'I4',
    'a template that nobody switched on again',
    evidence({ after: { ...UPGRADED, templates: STOPPED.templates } }),
  ],
  ['I4', 'an open run that left provisioning off and waits for nobody', evidence({ run: OPEN, after: STOPPED })],
  [
    'I4',
    'provisioning that stays off until a window opens, and nobody was told',
    evidence({
      run: {
        ...OPEN,
        status: { ...STATUS, ...OPEN.status, state: 'waitingForWindow', window: { opensAt: at(3600) } },
        notices: 0,
      },
      after: STOPPED,
    }),
  ],
  [
    'I4',
    'a rollback that is not complete, and nobody was told',
    evidence({
      entries: [],
      run: {
        ...ROLLED_BACK,
        status: { ...STATUS, state: 'rollbackIncomplete', notUndone: ['stopProvisioning'] },
        notices: 0,
      },
      after: STOPPED,
    }),
  ],
  [
    'I4',
    'a synchronisation that nobody switched on again',
    evidence({ after: { ...UPGRADED, synchronisation: 'off' } }),
  ],
  [
    'I4',
    'an open run that does not say that it has switched the synchronisation off',
    evidence({
      run: { ...OPEN, pending: ['activity runSetup'] },
      after: { ...STATE, synchronisation: 'off' },
    }),
  ],
  [
    'I4',
    'a completed upgrade that says that something is still off',
    evidence({ run: { status: { ...STATUS, switchedOff: [{ what: 'synchronisation', since: at(1) }] } } }),
  ],
  [
    'I4',
    'a rollback that is complete although something is still off',
    evidence({
      entries: [],
      after: STATE,
      run: {
        ...ROLLED_BACK,
        status: { ...STATUS, state: 'rolledBack', switchedOff: [{ what: 'synchronisation', since: at(1) }] },
      },
    }),
  ],
  [
    'I4',
    'a completed upgrade that does not say for how long provisioning was off',
    evidence({
      run: { status: { ...STATUS, switchedOffSeconds: {} }, result: { ...RESULT, switchedOffSeconds: {} } },
    }),
  ],
  [
    'I4',
    'a completed upgrade that does not say for how long its step had something else off',
    evidence({
      run: {
        status: {
          ...STATUS,
          steps: [...STATUS.steps, did('stopSynchronisation')],
        },
      },
    }),
  ],
  [
    'I4',
    'a result that does not say for how long provisioning was off',
    evidence({ run: { result: { ...RESULT, switchedOffSeconds: {} } } }),
  ],
  [
    'I4',
    'a clock that has run for longer than the upgrade',
    evidence({
      run: {
        status: { ...STATUS, switchedOffSeconds: { provisioning: 99 } },
        result: { ...RESULT, switchedOffSeconds: { provisioning: 99 } },
      },
    }),
  ],
  [
    'I5',
    'a second run before the first was over',
    evidence({ runs: [RUN, { ...RUN, startedAt: at(30), begunAt: at(30) }] }),
  ],
  ['I5', 'two upgrades at work on one host', evidence({ entries: inserted(3, { ...setUp(), provider: 'fabrikam' }) })],
  [
    'I6',
    'a setup that was begun while the upgrade turned back',
    evidence({
      entries: [],
      after: STATE,
      run: { ...ROLLED_BACK, activities: [...(ROLLED_BACK.activities ?? []), { name: 'runSetup', input: {} }] },
    }),
  ],
  [
    'I7',
    'a change although an instance is in Germany',
    evidence({ instances: [{ id: 7301, cloud: 'germany', resourceId: 'resource-7301', host: 'gw' }] }),
  ],
  [
    'I7',
    'a change although the version is none to start from',
    evidence({
      run: { before: { ...STATE, instances: STATE.instances.map((one) => ({ ...one, packageVersion: '18.2-1' })) } },
    }),
  ],
  [
    'I7',
    'a changing call although the upgrade was refused',
    evidence({
      entries: [call('operations', 'pem.deactivateST')],
      after: STATE,
      run: { closed: 'FAILED', status: { ...STATUS, state: 'refused' } },
    }),
  ],
  ['I8', 'a secret in the history', evidence({ run: { stored: ['{"password":"correct horse"}'] } })],
  [
    'I8',
    'a secret in the history, as base64',
    evidence({ run: { stored: [Buffer.from('correct horse').toString('base64')] } }),
  ],
  [
    'I8',
    'an address of the entry in the history',
    evidence({ run: { stored: ['{"operations":{"url":"https://oa.example:8440/RPC2"}}'] } }),
  ],
  ['I8', 'a secret reference in the history', evidence({ run: { stored: ['{"token":"file:/etc/onward/token"}'] } })],
  [
    'I8',
    'a secret in the journal',
    evidence({ entries: inserted(0, call('operations', 'pem.activateST', 'correct horse')) }),
  ],
  [
    'I9',
    'an answer that is missing in the audit trail',
    evidence({ run: { messages: [...RUN.messages, { channel: 'update', name: 'pause', by: 'bo' }] } }),
  ],
  [
    'I9',
    'an answer that was taken twice',
    evidence({
      run: { audit: [...RUN.audit, ...RUN.audit.slice(1, 2)], messages: [...RUN.messages, ...RUN.messages] },
    }),
  ],
  [
    'I9',
    'a gate that was passed without an answer',
    evidence({
      run: {
        audit: [
          audited('gate', 'opened: do', { subject: 'drainTasks/tasks' }),
          audited('gate', 'passed', { subject: 'drainTasks/tasks' }),
        ],
        messages: [],
      },
    }),
  ],
  [
    'I9',
    'a decision about an optional step that was taken although nobody asked',
    evidence({
      run: {
        audit: [audited('signal:decideStep', 'recorded', { subject: 'installTool', verdict: 'accepted', by: 'ana' })],
        messages: [{ channel: 'signal', name: 'decideStep', by: 'ana' }],
      },
    }),
  ],
  ['I10', 'a run that waits for nothing', evidence({ run: OPEN })],
  ['I10', 'an end that is said while the run still goes on', evidence({ run: SAYS_TOO_MUCH })],
  [
    'I10',
    'an end that is said while a notice, or what else it waits for, keeps the run open',
    evidence({ run: { ...SAYS_TOO_MUCH, pending: ['activity notify', 'workflow task'] } }),
  ],
  ['I10', 'a workflow task that failed', evidence({ run: { defects: ['Nondeterminism error'] } })],
  ['I10', 'an end that says something else than Temporal', evidence({ run: { closed: 'FAILED' } })],
  [
    'I11',
    'records of two operations in one folder',
    evidence({ records: [...RECORDS, record('reset', -60, { operation: 'contoso/18.4-18.4.1/other' })] }),
  ],
  [
    'I11',
    'a record of another operation in the time of this one',
    evidence({
      records: [...RECORDS, record('reset', 8, { folder: 'records/other', operation: 'contoso/18.4-18.4.1/other' })],
    }),
  ],
  ['I11', 'a setup.cmd without a backup of its operation', evidence({ records: RECORDS.slice(1) })],
  [
    'I11',
    'a setup.cmd that only another operation has recorded',
    evidence({ records: RECORDS.map((one) => ({ ...one, operation: 'fabrikam/18.4-18.4.1/first' })) }),
  ],
  [
    'I12',
    'a change on a clone of the host',
    evidence({ entries: [...SOUND, onHost(effect('iisReset', 'gw'), { ...ON_OURS, machine: 'hardware-of-copy' })] }),
  ],
  [
    'I12',
    'a change of a host that nobody had claimed',
    evidence({ entries: [...SOUND, onHost(effect('iisReset', 'gw'), { ...ON_OURS, claimedBy: '' })] }),
  ],
  [
    'I12',
    'a change of a host that belonged to another provider',
    evidence({
      entries: [...SOUND, onHost(effect('iisReset', 'gw'), { ...ON_OURS, claimedBy: 'fabrikam/18.4-18.4.1/first' })],
    }),
  ],
  [
    'I11',
    'a result that carries another operation',
    evidence({ run: { result: { ...RESULT, operation: 'contoso/18.3-18.4.1/first' } } }),
  ],
])('%s is broken by %s', (invariant, _, doctored) => {
  expect(violationsIn(doctored).map((violation) => violation.invariant)).toContain(invariant);
});
