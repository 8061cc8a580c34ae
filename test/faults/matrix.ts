/** The fault matrix: every fault at every call of every story. */
import type { FaultRule } from '../../src/sandbox/faults';
import { POWERSHELL_FAULTS, RESET_FAULTS, RESTART_FAULTS, SETUP_FAULTS } from '../../src/sandbox/hosts/failures';
import type { StoryCall } from './stories';
import { patience } from '../kit/deadlines';

/** How a call fails. */
export interface Failure {
  name: string;
  kind: FaultRule['kind'];
  delayMs?: number;
  /** Until the upgrade holds, comes back or ends: somebody repairs it then. */
  lasts: boolean;
  /** The system is gone: after this call every connection is refused. */
  stops?: true;
  /** A worker on a clone of the host is given it, and every call to the host after it, until somebody repairs that. */
  clones?: true;
}

export interface Cell {
  /** Says all of it, and is what `--only` looks into. */
  name: string;
  call: StoryCall;
  failure: Failure;
}

/** Below every deadline, and beyond them all (stories.ts, PATIENCE). */
const IN_TIME_MS = 300;
const TOO_LATE_MS = patience(32_000);

const once = (kind: string): Failure => ({ name: kind, kind, lasts: false });
const lasting = (kind: string): Failure => ({ name: `${kind} that lasts`, kind, lasts: true });
const late = (kind: string): Failure => ({
  name: `${kind} beyond its deadline`,
  kind,
  delayMs: TOO_LATE_MS,
  lasts: false,
});
const SLOW_IN_TIME: Failure = { name: 'slow, but in time', kind: 'slow', delayMs: IN_TIME_MS, lasts: false };
const STOPPED: Failure = { name: 'stopped', kind: 'refuse', lasts: true, stops: true };
const STOPPED_FOR_A_MOMENT: Failure = { name: 'stopped for a moment', kind: 'refuse', lasts: false, stops: true };

const OF_A_READING = [...['reset', 'error500', 'malformed', 'fault'].map(once), late('slow')];
const READING = [...OF_A_READING, STOPPED];
const CHANGE = [
  ...OF_A_READING,
  ...['refuse', 'effectThenNoAnswer'].map(once),
  ...['error500', 'malformed', 'effectThenNoAnswer'].map(lasting),
  SLOW_IN_TIME,
  late('slowBefore'),
  STOPPED_FOR_A_MOMENT,
  STOPPED,
];
/** What becomes of the task that a call schedules. */
const TASK = ['stuckTask', 'failedUpgradeTask'].map(once);
const SCHEDULES_A_TASK = ['pem.APS.importPackage', 'pem.APS.upgradeApplicationInstance'];

/** What an activity meets that asks Temporal: the connection of the workers is one for all, and does not stop for one of them. */
const TEMPORAL_READING = [once('refuse'), lasting('refuse'), late('slow')];
const TEMPORAL_CHANGE = [...TEMPORAL_READING, once('effectThenNoAnswer'), lasting('effectThenNoAnswer')];

const ON_A_CLONE: Failure = { name: 'on a clone of the host', kind: 'refuse', lasts: true, clones: true };
/** The other faults of the wire mean one of these to PowerShell. */
const READING_SCRIPT = [...['refuse', 'fault', 'hang'].map(once), lasting('refuse')];
const SCRIPT = [
  ...['fault', 'effectThenNoAnswer', ...POWERSHELL_FAULTS].map(once),
  ...['refuse', 'effectThenNoAnswer'].map(lasting),
];
const COMMAND = [...['refuse', 'fault', 'effectThenNoAnswer'].map(once), lasting('effectThenNoAnswer')];
const OF_THIS_COMMAND: Readonly<Record<string, Failure[]>> = {
  'setup.cmd': SETUP_FAULTS.map((kind) => (kind === 'setupOutlives' ? { ...once(kind), delayMs: 1_500 } : once(kind))),
  iisreset: RESET_FAULTS.map(once),
  'shutdown.exe': RESTART_FAULTS.map(once),
};

/** What a call is made to suffer again where another path has made it in the same step. */
const ON_THE_OTHER_PATH = new Set(['effectThenNoAnswer', 'failedUpgradeTask', 'setupHalfFinishes', 'hang']);

/** Every failure that the call can have; one that several paths make in the same step has all of them on the first only. */
export function matrixOf(calls: StoryCall[]): Cell[] {
  const shown = new Set<string>();
  return calls.flatMap((call) => {
    const key = `${call.step} ${call.system} ${call.name}`;
    const again = shown.has(key);
    shown.add(key);
    return failuresOf(call)
      .filter(({ name }) => !again || ON_THE_OTHER_PATH.has(name))
      .map((failure) => ({
        name: `${call.story.name}: ${call.step}: ${call.system} ${call.name}: ${failure.name}`,
        call,
        failure,
      }));
  });
}

function failuresOf({ system, name, changes, after, story }: StoryCall): Failure[] {
  if (system === 'temporal') return changes ? TEMPORAL_CHANGE : TEMPORAL_READING;
  if (system !== 'host') return [...(changes ? CHANGE : READING), ...(SCHEDULES_A_TASK.includes(name) ? TASK : [])];
  if (/^[a-z-]+$/.test(name) && name !== 'iisreset') {
    if (!changes) return READING_SCRIPT;
    // A preflight would take the clone for the host, so it comes after the change before; a restart brings up the host's own worker.
    const canGiveWay = after !== undefined && after.call !== 'host shutdown.exe' && !story.interrupted;
    return canGiveWay ? [...SCRIPT, ON_A_CLONE] : SCRIPT;
  }
  return [...COMMAND, ...(OF_THIS_COMMAND[name] ?? [])];
}

/** Every so-many-th cell: `2/4` is the second quarter of the matrix, and as mixed as the others. */
export function shardOf(cells: Cell[], shard: string): Cell[] {
  const [, part = 0, parts = 0] = /^(\d+)\/(\d+)$/.exec(shard)?.map(Number) ?? [];
  if (part < 1 || part > parts) throw new Error(`--shard must be like 2/4, and is ${shard}.`);
  return cells.filter((_, index) => index % parts === part - 1);
}

/** So many cells, chosen by the seed: the same for the same seed and matrix. */
export function sampleOf(cells: Cell[], size: number, seed: number): Cell[] {
  const random = mulberry32(seed);
  const left = [...cells];
  return Array.from({ length: Math.min(size, left.length) }, () =>
    left.splice(Math.floor(random() * left.length), 1),
  ).flat();
}

/** A small generator with a 32-bit state; every seed gives another sequence. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
