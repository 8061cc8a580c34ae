/**
 * The crash matrix: who is killed, in which activity, at which of its moments, on which path. Every changing activity of the
 * way forward and of the way back is there; what only reads loses nothing.
 */
import type { FaultRule } from '../../src/sandbox/faults';
import { patience } from '../kit/deadlines';

/** The last one leads to the release that only tests know (test/kit/releases). */
export const PATHS = ['18.3', '18.4', '18.4.1'] as const;
type Path = (typeof PATHS)[number];

/** Whose process is ended, a worker's or the Temporal server's; or which of Temporal's buttons somebody presses. */
export type Victim = 'control plane' | 'endpoint' | 'server' | Button;
/** `terminated`: and finished at once. `reset`: to the workflow task in the middle of its history. */
type Button = 'terminated' | 'reset';
const BUTTONS: readonly Button[] = ['terminated', 'reset'];

/**
 * When: nothing has happened yet; it happens, and nobody has heard of it; Temporal has its result. What a dead worker has
 * asked for may also happen late: when the next attempt has looked, acted, and gone.
 */
export type Moment = 'before the call' | 'before its result' | 'after its result' | 'before a call that happens late';

/** Where an upgrade is when the blow falls. */
export type Point =
  | { kind: 'call'; rule: Omit<FaultRule, 'id' | 'provider' | 'host'> }
  | { kind: 'result'; activity: string; nth: number }
  /** Meanwhile something else is slow, so that the upgrade cannot end before the blow. */
  | { kind: 'scheduled'; activity: string; meanwhile: Omit<FaultRule, 'id' | 'provider' | 'host'> }
  | { kind: 'gate' }
  /** The endpoint host is down, and its worker with it. */
  | { kind: 'down' }
  /** The first guard of a consent is there, or has ended where the release ends them. */
  | { kind: 'guard' }
  | { kind: 'seal'; afterMs: number };

export interface TortureCase {
  /** Says all of it, and is what `--only` looks into. */
  name: string;
  path: Path;
  victim: Victim;
  point: Point;
  /** Whether the upgrade is aborted at the gate before the crossing. */
  comesBack: boolean;
}

/** Longer than a heartbeat timeout: what a dead worker has begun is still at work when the next attempt begins. */
const SLOW_MS = patience(3_000);
/** Longer than it takes to notice that a worker is dead, and to do its work again. */
const LATE_MS = patience(12_000);

interface ChangingActivity {
  /** Of the workflow. */
  activity: string;
  /** All of them by default. */
  paths?: readonly Path[];
  /** Where it has several calls that change something, which of them. */
  part?: string;
  runsOn: 'control plane' | 'endpoint';
  comesBack?: true;
  /** How the system that it works on is slow before it acts, and while it acts. */
  before: Omit<FaultRule, 'id' | 'provider' | 'host'>;
  /** Absent where nothing of its own is to be slow. */
  during?: Omit<FaultRule, 'id' | 'provider' | 'host'>;
  /** Which of its executions is meant, counted from 1. */
  nth?: number;
}

const operations = (call: string, skip = 0) => ({
  before: { system: 'operations', call, kind: 'slowBefore', delayMs: SLOW_MS, skip },
  during: { system: 'operations', call, kind: 'slow', delayMs: SLOW_MS, skip },
});
/** A script is slow before it begins, and a command of its own while it is at work. */
const host = (script: string, command: string, skip = 0) => ({
  before: { system: 'host', call: script, kind: 'slow', delayMs: SLOW_MS, skip },
  during: { system: 'host', call: command, kind: 'slow', delayMs: SLOW_MS, skip },
});

const PROVISIONED: readonly Path[] = ['18.3', '18.4'];
const RESTARTED: readonly Path[] = ['18.4.1'];

const CHANGING: ChangingActivity[] = [
  {
    activity: 'deactivateTemplates',
    paths: PROVISIONED,
    runsOn: 'control plane',
    ...operations('pem.deactivateST'),
  },
  // It reads the versions once the claim stands.
  { activity: 'claimHost', runsOn: 'endpoint', ...host('claim', 'inspect') },
  {
    activity: 'runHostScript',
    paths: RESTARTED,
    runsOn: 'endpoint',
    ...host('run-script', 'Install-WindowsFeature'),
  },
  { activity: 'restartHost', paths: RESTARTED, runsOn: 'endpoint', ...host('restart', 'shutdown.exe') },
  {
    activity: 'runHostScript',
    part: 'after the restart',
    paths: RESTARTED,
    runsOn: 'endpoint',
    nth: 2,
    // It finds everything as it has to be.
    before: host('run-script', '', 1).before,
  },
  { activity: 'backupSite', runsOn: 'endpoint', ...host('backup', 'Backup-WebConfiguration') },
  {
    activity: 'stagePackage',
    runsOn: 'endpoint',
    ...host('stage', ''),
    // The preflight has fetched it before, as Operations will and as the host will.
    during: { system: 'sim', call: 'GET package', kind: 'slow', delayMs: SLOW_MS, skip: 2 },
  },
  { activity: 'runSetup', runsOn: 'endpoint', ...host('setup', 'setup.cmd') },
  { activity: 'resetIis', runsOn: 'endpoint', ...host('reset', 'iisreset') },
  { activity: 'importPackage', part: 'begin', runsOn: 'control plane', ...operations('txn.Begin') },
  { activity: 'importPackage', part: 'import', runsOn: 'control plane', ...operations('pem.APS.importPackage') },
  { activity: 'importPackage', part: 'commit', runsOn: 'control plane', ...operations('txn.Commit') },
  {
    activity: 'upgradeInstance',
    part: 'pilot',
    runsOn: 'control plane',
    ...operations('pem.APS.upgradeApplicationInstance'),
  },
  {
    activity: 'upgradeInstance',
    part: 'the rest',
    runsOn: 'control plane',
    nth: 2,
    ...operations('pem.APS.upgradeApplicationInstance', 1),
  },
  { activity: 'activateTemplates', paths: PROVISIONED, runsOn: 'control plane', ...operations('pem.activateST') },
  { activity: 'restoreSite', runsOn: 'endpoint', comesBack: true, ...host('restore', 'Stop-WebAppPool') },
  { activity: 'resetIis', runsOn: 'endpoint', comesBack: true, nth: 2, ...host('reset', 'iisreset', 1) },
  {
    activity: 'activateTemplates',
    paths: PROVISIONED,
    runsOn: 'control plane',
    comesBack: true,
    ...operations('pem.activateST'),
  },
];

/** How long after the approval the server is killed: the task that seals the crossing takes some ten milliseconds. */
const SEAL_MS = [0, 5, 10, 20, 40, 80];

/** All cases, in the order of the procedure. */
export function allCases(): TortureCase[] {
  return PATHS.flatMap((path) => [
    ...CHANGING.filter(({ paths = PATHS }) => paths.includes(path)).flatMap((changing) => workerCases(path, changing)),
    ...restartCases(path),
    ...guardCases(path),
    ...serverCases(path),
  ]);
}

function workerCases(path: Path, changing: ChangingActivity): TortureCase[] {
  const { activity, part, runsOn, comesBack = false, before, during, nth = 1 } = changing;
  // A script of the host goes on when the control plane dies, and the upgrade has to find its way back to it.
  const victims: Victim[] = runsOn === 'endpoint' ? ['endpoint', 'control plane'] : ['control plane'];
  const points: Partial<Record<Moment, Point>> = {
    'before the call': { kind: 'call', rule: before },
    ...(during && { 'before its result': { kind: 'call', rule: during } }),
    'after its result': { kind: 'result', activity, nth },
    // Of a script that lives on; a call whose caller is gone does not happen.
    ...(runsOn === 'endpoint' && {
      'before a call that happens late': { kind: 'call', rule: { ...before, delayMs: LATE_MS } },
    }),
  };
  const what = [activity, part && `(${part})`, comesBack && 'on the way back'].filter(Boolean).join(' ');
  return [
    ...victims.flatMap((victim) =>
      Object.entries(points).map(([moment, point]) => ({
        name: `${path}: ${victim} killed in ${what}, ${moment}`,
        path,
        victim,
        point,
        comesBack,
      })),
    ),
    // What is under way goes on, and nobody hears of it.
    ...BUTTONS.map((victim) => ({
      name: `${path}: upgrade ${victim} in ${what}`,
      path,
      victim,
      point: { kind: 'call' as const, rule: during ?? before },
      comesBack,
    })),
  ];
}

/** The worker of the host is away anyway. */
function restartCases(path: Path): TortureCase[] {
  if (!RESTARTED.includes(path)) return [];
  const victim = 'control plane';
  return [
    {
      name: `${path}: ${victim} killed while the host restarts`,
      path,
      victim,
      point: { kind: 'down' },
      comesBack: false,
    },
  ];
}

/** The last change of all is made to Temporal itself, by an activity that no system can slow down. */
function guardCases(path: Path): TortureCase[] {
  const victim = 'control plane';
  const beforeItsResult = (activity: string): TortureCase => ({
    name: `${path}: ${victim} killed in ${activity}, before its result`,
    path,
    victim,
    point: { kind: 'guard' },
    comesBack: false,
  });
  if (RESTARTED.includes(path)) return [beforeItsResult('endGuards')];
  return [
    {
      name: `${path}: ${victim} killed in startGuards, as soon as it is scheduled`,
      path,
      victim,
      point: { kind: 'scheduled', activity: 'startGuards', meanwhile: operations('pem.activateST').before },
      comesBack: false,
    },
    beforeItsResult('startGuards'),
  ];
}

function serverCases(path: Path): TortureCase[] {
  const kill = (where: string, point: Point, comesBack = false): TortureCase => ({
    name: `${path}: server killed ${where}`,
    path,
    victim: 'server',
    point,
    comesBack,
  });
  return [
    kill('in mid-upgrade, while setup.cmd runs', { kind: 'call', rule: host('setup', 'setup.cmd').during }),
    kill('in mid-upgrade, while the import is committed', { kind: 'call', rule: operations('txn.Commit').during }),
    kill(
      'on the way back, while a site is restored',
      { kind: 'call', rule: host('restore', 'Stop-WebAppPool').during },
      true,
    ),
    kill('at a gate', { kind: 'gate' }),
    ...(RESTARTED.includes(path)
      ? [kill('while the host restarts', { kind: 'down' }), kill('in endGuards', { kind: 'guard' })]
      : [kill('in startGuards', { kind: 'guard' })]),
    ...SEAL_MS.map((afterMs) =>
      kill(`in the task that seals the crossing, after ${afterMs} ms`, { kind: 'seal', afterMs }),
    ),
  ];
}
