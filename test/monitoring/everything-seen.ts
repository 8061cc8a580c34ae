/** A look that saw something of everything that the exporter shows. */
import type { Seen } from '../../src/cli/operations/exporter/seen';
import type { FleetStatus } from '../../src/contract/fleet';
import { emptyLedger } from '../../src/contract/ledger';
import type { UpgradeStatus } from '../../src/contract/status';

export const LOOKED_AT = new Date();
const hours = (count: number): string => new Date(LOOKED_AT.getTime() + count * 3_600_000).toISOString();

/** Of a status, what the exporter reads. */
const upgrade: Pick<UpgradeStatus, 'switchedOff' | 'holds' | 'gates'> = {
  switchedOff: [{ what: 'provisioning', since: hours(-5) }],
  holds: [{ step: 'importPackage', since: hours(-1), problem: 'It was refused.', actions: ['retry'] }],
  gates: [
    {
      id: 'acquireRefreshTokens/2',
      step: 'acquireRefreshTokens',
      asked: 'partnerAdministrator',
      title: 'Consent',
      instructions: 'Give it.',
      evidence: 'Test Connection.',
      answer: { name: 'consentCompleted', payload: {} },
      openedAt: hours(-3),
    },
  ],
};
const fleet: Pick<FleetStatus, 'counts' | 'budget'> = {
  counts: { pending: 4, running: 2, held: 0, parked: 1, completed: 5, failed: 3, unreachable: 0, skipped: 0 },
  budget: { allowed: 3, broken: 3 },
};

export const EVERYTHING: Seen = {
  upgrades: [
    {
      runId: '1',
      name: 'contoso',
      state: 'held',
      step: 'importPackage',
      details: upgrade as UpgradeStatus,
      silent: false,
    },
  ],
  ended: { completed: 5, rolledBack: 1, rollbackIncomplete: 1, refused: 1, other: 0 },
  ledgers: [
    {
      runId: '3',
      name: '0d3c5a52',
      details: {
        ...emptyLedger('0d3c5a52'),
        holder: {
          provider: 'northwind',
          from: '18.3',
          to: '18.4.1',
          firstRun: '4',
          workflowId: 'upgrade/northwind',
        },
        begun: [{ step: 'stopProvisioning', what: 'provisioning', since: hours(-9), before: [[7]] }],
        notUndone: ['stopProvisioning: the service template 7 is gone'],
        left: true,
      },
      silent: false,
    },
  ],
  fleets: [{ runId: '2', name: 'autumn', state: 'halted', step: '', details: fleet as FleetStatus, silent: false }],
  tokens: [
    { provider: 'contoso', expiresAt: hours(-1 / 60) },
    {
      provider: 'contoso',
      expiresAt: hours(90 * 24),
      test: { result: 'fails', problem: 'AADSTS50078', at: hours(-1), since: hours(-1) },
    },
    { provider: 'fabrikam', expiresAt: hours(5) },
  ],
  notices: { waiting: 1, failed: 2 },
  queues: [
    { name: 'onward', workers: new Map([['3f1c9a7e02b4', 2]]), backlog: 0 },
    { name: 'endpoint/gw-host-01', workers: new Map(), backlog: 2 },
  ],
  unreadable: 1,
  problems: ['The memo of consent/fabrikam/2 cannot be read.'],
};
