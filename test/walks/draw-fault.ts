/** Draws how a call of a system, a script of a host, or a command in it goes wrong. */
import type { FaultRule } from '../../src/sandbox/faults';
import type { Random } from './random';
import { HOST_NAMES } from './walk';
import { patience } from '../kit/deadlines';

const ON_THE_WIRE = [
  'refuse',
  'reset',
  'error500',
  'malformed',
  'fault',
  'slow',
  'slowBefore',
  'effectThenNoAnswer',
] as const;
const IN_A_SCRIPT = [
  'refuse',
  'fault',
  'slow',
  'effectThenNoAnswer',
  'exitsSilently',
  'stderrNoise',
  'floodsOutput',
  'wrongEncoding',
] as const;
const IN_A_COMMAND = ['refuse', 'fault', 'slow', 'effectThenNoAnswer'] as const;

interface Target {
  system: string;
  call: string;
  kinds: readonly [string, ...string[]];
}

const on =
  (system: string, kinds: Target['kinds']) =>
  (call: string): Target => ({ system, call, kinds });

const CHANGING: readonly [Target, ...Target[]] = [
  { system: 'host', call: 'iisreset', kinds: [...IN_A_COMMAND, 'resetTimesOut', 'resetLeavesStopped'] },
  {
    system: 'host',
    call: 'setup.cmd',
    kinds: [...IN_A_COMMAND, 'setupFails', 'setupHalfFinishes', 'setupDoesNothing', 'setupHangs', 'setupOutlives'],
  },
  ...['pem.APS.importPackage', 'txn.Commit', 'pem.APS.upgradeApplicationInstance'].map(
    on('operations', [...ON_THE_WIRE, 'stuckTask', 'failedUpgradeTask']),
  ),
  { system: 'host', call: 'shutdown.exe', kinds: [...IN_A_COMMAND, 'restartCalledOff'] },
  ...['pem.activateST', 'pem.deactivateST', 'txn.Begin'].map(on('operations', ON_THE_WIRE)),
  ...['claim', 'run-script', 'restart', 'stage', 'backup', 'setup', 'reset', 'restore'].map(
    on('host', [...IN_A_SCRIPT, 'hang']),
  ),
  ...['Install-WindowsFeature', 'Backup-WebConfiguration', 'Stop-WebAppPool', 'Start-WebAppPool'].map(
    on('host', IN_A_COMMAND),
  ),
];
const READING: readonly [Target, ...Target[]] = [
  { system: 'operations', call: '*', kinds: ON_THE_WIRE },
  ...['GET /aps/2/packages', 'GET /aps/2/applications', 'GET /aps/2/resources'].map(on('aps', ON_THE_WIRE)),
  ...['PlanDetailsGet_API', 'PlanParamsGetAndValidate_API'].map(on('billing', ON_THE_WIRE)),
  ...['pem.getServiceTemplate', 'pem.getRequestStatus', 'pem.APS.getApplicationInstance'].map(
    on('operations', ON_THE_WIRE),
  ),
  ...['discover', 'inspect', 'hash', 'answer'].map(on('host', IN_A_SCRIPT)),
  ...['GET tasks', 'GET testConnection'].map(on('sim', ON_THE_WIRE)),
];

/** @param hosts of the provider. */
export function drawFault(
  random: Random,
  hosts: readonly [string, ...string[]] = HOST_NAMES,
): Omit<FaultRule, 'id' | 'provider'> {
  const { system, call, kinds } = random.pick(random.percent(70) ? CHANGING : READING);
  const rule = {
    system,
    call,
    kind: random.pick(kinds),
    skip: random.pick([0, 0, 1, 2]),
    times: random.pick([1, 1, 1, 2, 3, 20]),
    // Some of them beyond a heartbeat, or all patience (draw-world.ts, TIMINGS).
    delayMs: patience(random.pick([200, 1_000, 5_000, 8_000])),
  };
  return system === 'host' ? { ...rule, host: random.pick(hosts) } : rule;
}
