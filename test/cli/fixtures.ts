/** An upgrade of contoso in the middle of its forward phase, as a worker would describe it. */
import type { AuditEntry, Gate, StepStatus, UpgradeStatus } from '../../src/contract/status';
import { providerProfile } from '../../src/contract/provider';
import type { PreflightReport } from '../../src/contract/preflight';
import { frozen } from '../../src/inventory/frozen-profile';
import type { UpgradeHistory, UpgradeView } from '../../src/cli/upgrade/upgrades';

export const NOW = new Date('2026-11-03T12:00:00.000Z');

const step = (
  name: string,
  phase: StepStatus['phase'],
  state: StepStatus['state'],
  more: Partial<StepStatus> = {},
): StepStatus => ({ name, title: `Title of ${name}`, procedure: `Heading of ${name}`, phase, state, ...more });

export const consentGate: Gate = {
  id: 'acquireRefreshTokens/2',
  step: 'acquireRefreshTokens',
  item: '2',
  asked: 'partnerAdministrator',
  title: 'Acquire the refresh token of CSP Europe',
  instructions: 'Open the instance.\nPress *Acquire*.',
  evidence: 'Test Connection succeeds.',
  answer: { name: 'consentCompleted', payload: { instance: '2', by: '<who you are>' } },
  openedAt: '2026-11-03T11:00:00.000Z',
  nextReminderAt: '2026-11-04T11:00:00.000Z',
};

export const storeGate: Gate = {
  id: 'updateCustomizations/main-store',
  step: 'updateCustomizations',
  item: 'main-store',
  asked: 'operator',
  title: "Update the customization of Contoso's store",
  instructions: 'Replace the files.',
  evidence: 'The list of files.',
  answer: {
    name: 'confirmStep',
    payload: { step: 'updateCustomizations', item: 'main-store', by: '<who you are>', evidence: '<list of files>' },
  },
  openedAt: '2026-11-03T11:30:00.000Z',
};

export function upgradeStatus(changes: Partial<UpgradeStatus> = {}): UpgradeStatus {
  return {
    provider: 'contoso',
    workflowId: 'upgrade/contoso',
    path: { from: '18.3', to: '18.4.1' },
    operation: 'contoso/18.3-18.4.1/7d9f',
    state: 'waiting',
    crossed: true,
    crossedAt: '2026-11-03T10:45:00.000Z',
    startedAt: '2026-11-03T10:00:00.000Z',
    startedBy: 'ana@csp.example',
    steps: [
      step('preflight', 'reversible', 'done', {
        startedAt: '2026-11-03T10:00:00.000Z',
        endedAt: '2026-11-03T10:00:12.000Z',
        note: '14 checks passed, 1 warning',
      }),
      step('importPackage', 'crossing', 'done', {
        startedAt: '2026-11-03T10:45:00.000Z',
        endedAt: '2026-11-03T10:48:05.000Z',
      }),
      step('acquireRefreshTokens', 'forward', 'waiting', { startedAt: '2026-11-03T11:00:00.000Z', note: '1 of 3' }),
      step('startProvisioning', 'forward', 'pending'),
    ],
    gates: [consentGate],
    holds: [],
    checks: [
      { name: 'requiredVersions', source: 'OA 7.2 or later', verdict: 'pass', message: 'OA 8.0' },
      { name: 'azureCsp', source: 'must be sold separately', verdict: 'warning', message: 'Template 5 has both' },
    ],
    switchedOff: [{ what: 'provisioning', since: '2026-11-03T10:01:00.000Z' }],
    switchedOffSeconds: {},
    kept: [],
    notUndone: [],
    auditEntries: 3,
    ...changes,
  };
}

export const view = (
  changes: Partial<UpgradeStatus> = {},
  execution: UpgradeView['execution'] = 'running',
): UpgradeView => ({ execution, status: upgradeStatus(changes) });

export const audit: AuditEntry[] = [
  {
    at: '2026-11-03T10:00:00.000Z',
    by: 'upgrade',
    what: 'step',
    verdict: 'done',
    subject: 'preflight',
    detail: 'begun',
  },
  {
    at: '2026-11-03T11:10:00.000Z',
    by: 'ben@csp.example',
    what: 'signal:consentCompleted',
    verdict: 'accepted',
    subject: 'acquireRefreshTokens/1',
    detail: 'Test Connection succeeded.',
    payload: { instance: '1', by: 'ben@csp.example' },
  },
  {
    at: '2026-11-03T11:20:00.000Z',
    by: 'mallory',
    what: 'signal:abort',
    verdict: 'refused',
    detail: 'The point of no return is passed.',
    payload: { by: 'mallory', reason: '| not | a | table | <script>' },
  },
];

export const profile = frozen(
  providerProfile.parse({
    provider: 'contoso',
    operations: { url: 'https://root:hunter2@mn.contoso.example:8440/RPC2' },
    aps: { url: 'https://mn.contoso.example:6308/' },
    billing: { url: 'https://pba.contoso.example:5224/RPC2', user: 'api', password: 'env:PBA_PASSWORD' },
    plans: [10],
    stores: [{ id: 'main-store', name: "Contoso's store" }],
    endpointHosts: [{ name: 'gw-host-01' }],
    packages: {
      '18.4.1': { url: 'https://files.example/Office_365-18.4.1-12.app.zip?sig=topsecret', sha256: 'a'.repeat(64) },
    },
  }),
);

export const record: UpgradeHistory = {
  workflowId: 'upgrade/contoso',
  runId: '7d9f',
  execution: 'running',
  startedAt: '2026-11-03T10:00:00.000Z',
  input: { provider: 'contoso', startedBy: 'ana@csp.example' },
  profile,
  actions: [
    {
      name: 'importPackage',
      summary: 'import 18.4.1-12',
      taskQueue: 'onward',
      scheduledAt: '2026-11-03T10:45:00.000Z',
      startedAt: '2026-11-03T10:45:01.000Z',
      endedAt: '2026-11-03T10:48:05.000Z',
      outcome: 'completed',
      attempts: 2,
      worker: '123@control',
      failure: 'connection reset',
    },
  ],
  historyEvents: 87,
  temporalServer: '1.29.1',
  sdks: ['temporal-typescript 1.24.0'],
};

/** Of a provider with one thing against its upgrade, and one to know. */
export const preflightReport = (changes: Partial<PreflightReport> = {}): PreflightReport => ({
  provider: 'contoso',
  at: NOW.toISOString(),
  verdict: 'refused',
  path: { from: '18.3', to: '18.4.1' },
  checks: [
    { name: 'systemsAnswer', source: 'Every system', verdict: 'pass', message: 'Operations answers.' },
    {
      name: 'instancesReady',
      source: 'Upgrade instances',
      verdict: 'refusal',
      message: '"CSP US" is Upgrading. Finish it.',
    },
    { name: 'sharedHost', source: 'iisreset', verdict: 'warning', message: 'gw-host-01 also serves "Intranet".' },
  ],
  steps: [
    {
      name: 'stopProvisioning',
      title: 'Stop provisioning',
      procedure: '2. Stop provisioning',
      phase: 'reversible',
      requirement: 'mandatory',
      waitsFor: 'nobody',
      undo: 'activates them again',
      changes: [
        { system: 'Operations', call: 'pem.deactivateST', effect: 'cannot be subscribed', on: 'Office 365 EMEA' },
      ],
      undoneBy: ['pem.activateST'],
      asks: [],
    },
    {
      name: 'importPackage',
      title: 'Import the application package',
      procedure: '4. Import',
      phase: 'crossing',
      requirement: 'mandatory',
      waitsFor: 'Operations',
      undo: 'none',
      changes: [
        {
          system: 'Operations',
          call: 'pem.APS.importPackage',
          effect: 'in the package list',
          on: 'the package of 18.4.1',
        },
      ],
      takes: 900,
    },
    {
      name: 'acquireRefreshTokens',
      title: 'Acquire refresh tokens',
      procedure: '5. Acquire refresh tokens',
      phase: 'forward',
      requirement: 'mandatory',
      waitsFor: 'partners',
      undo: 'none',
      changes: [],
      asks: [{ asked: 'partnerAdministrator', what: 'Consent: "CSP EMEA", "CSP US"', times: 2 }],
    },
  ],
  off: [{ what: 'provisioning', from: 'stopProvisioning', to: 'startProvisioning', seconds: 900, questions: 2 }],
  ...changes,
});
