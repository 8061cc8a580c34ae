/** Scripts on an endpoint host, run for an activity. */
import { Context } from '@temporalio/activity';
import { ONWARD } from '../src/contract/onward';
import { FAILURE, type SiteKey } from '../src/contract/activities';
import type { Operation } from '../src/contract/operation';
import type { FrozenHost } from '../src/contract/facts';
import type { PowerShell } from '../src/systems/endpoint/powershell';
import type { InspectedSite, Inspection, Parameters, Result, ScriptName } from '../src/systems/endpoint/scripts';
import { recordsFolder } from '../src/systems/endpoint/upgrade-records';
import type { EndpointSettings } from '../src/systems/endpoint/settings';
import { SystemError, type SystemProblem } from '../src/systems/system-error';
import { heartbeating } from './polling';
import type { Turn, Turns } from './turns';

/** Part of the time that Temporal gives which is kept for the end: a script is stopped before another attempt may begin. */
const RESERVE = 0.1;
/** Time for an activity where Temporal sets none, in milliseconds. */
const DEFAULT_MS = 30 * 60_000;
/** A server's clock may be ahead of this host's; an attempt that was begun has this time at least, in milliseconds. */
const LEAST_MS = 1_000;
/** How long one look waits for a setup.cmd that still runs, in milliseconds. */
const ATTACH_MS = 15_000;
/**
 * How long a script waits for a pool, for a file that a process still holds, for a service: worker processes and LocalDB outlive
 * their pool by a minute or more (KB 125792). In milliseconds.
 */
const PATIENCE_MS = 150_000;

/** What a person has to find out before anything goes on. */
const DECIDE = `If the worker runs on a copy of the host, end it there, start it on the host and retry. If the host was rebuilt or replaced, what this upgrade has left on it may be gone: look at its sites and put them right by hand, then roll back and run ${ONWARD} finish, which takes doneByHand for what cannot be undone there. After that the upgrade can be started again.`;

/** What an activity does with its host. */
export interface HostWork {
  host: { name: string };
  settings: EndpointSettings;
  /** Runs a script on the machine that is meant, and on no other; for as long as there is time, or `longestMs`. */
  run: <N extends ScriptName>(
    script: N,
    parameters: Omit<Parameters[N], 'workDirectory' | 'identity'>,
    longestMs?: number,
  ) => Promise<Result<N>>;
  /** What stands on the host now, with the records of an operation where one is named. */
  inspect: (sites: SiteKey[], operation?: Operation, waitMilliseconds?: number) => Promise<Inspection>;
  /** Waits for any setup.cmd of ours that still lives: it may have outlived the worker that started it, and its operation. */
  untilNoSetupRuns: (sites: SiteKey[], operation: Operation) => Promise<Inspection>;
  /** How long a script may wait now for what takes its time on Windows, in milliseconds. */
  patience: () => number;
  /** The failure "<host>: <call> of <object> <problem>. <next>". */
  fail: (problem: Omit<SystemProblem, 'system'>, cause?: unknown) => SystemError;
}

/** What the worker of a host works with. */
export interface HostWorker {
  /** Runs the scripts: `powershellOfMachine(process.env)` of src/systems/endpoint/powershell-of-machine. */
  powershell: PowerShell;
  /** The worker's own configuration. */
  settings: EndpointSettings;
  /** Of the activities on its host. */
  turns: Turns;
  /** How long a script waits for what takes its time on Windows; in milliseconds. */
  patienceMs?: number | undefined;
}

/**
 * Runs scripts while heartbeating, once nobody else is at work on the host. Cancellation, and the end of the time that Temporal gives,
 * end a script's process tree; the end of the worker leaves a setup.cmd to the next one.
 *
 * @param options.comesFirst whether it goes before what other upgrades ask the host.
 */
export async function onHost<T>(
  { powershell, settings, turns, patienceMs = PATIENCE_MS }: HostWorker,
  host: FrozenHost | { name: string; identity?: undefined },
  act: (work: HostWork) => Promise<T>,
  { comesFirst = true }: Partial<Pick<Turn, 'comesFirst'>> = {},
): Promise<T> {
  const { cancellationSignal, info } = Context.current();
  const { startToCloseTimeoutMs, scheduleToCloseTimeoutMs, scheduledTimestampMs } = info;
  const left = scheduleToCloseTimeoutMs ? scheduledTimestampMs + scheduleToCloseTimeoutMs - Date.now() : Infinity;
  const time = Math.max(Math.min(startToCloseTimeoutMs || DEFAULT_MS, left), LEAST_MS);
  const ends = Date.now() + time * (1 - RESERVE);
  return await heartbeating(async (report) => {
    const run: HostWork['run'] = async (script, parameters, longestMs = Infinity) => {
      report({ host: host.name, script });
      // After the end there is time left for a last look at what became of the script that took too long.
      const deadline = Math.min(Math.max(ends - Date.now(), (time * RESERVE) / 2), longestMs);
      try {
        const { workDirectory } = settings;
        const told = { workDirectory, identity: host.identity, ...parameters } as unknown as Parameters[typeof script];
        return (await powershell.run(script, told, deadline, cancellationSignal)).result;
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        // An upgrade may be at work on several hosts: which one it was has to be said.
        const { type, call, problem, retryable } = error;
        const next = type === FAILURE.anotherHost ? DECIDE : error.next;
        throw fail(
          { type, call: `PowerShell script ${call}`, object: objectOf(parameters), problem, next, retryable },
          error,
        );
      }
    };
    const inspect: HostWork['inspect'] = (sites, operation, waitMilliseconds = 0) =>
      run('inspect', {
        sites: sites.map(keyOf),
        records: operation === undefined ? '' : recordsFolder(operation),
        waitMilliseconds,
      });
    const fail: HostWork['fail'] = (problem, cause) => new SystemError({ ...problem, system: host.name }, { cause });
    const untilNoSetupRuns: HostWork['untilNoSetupRuns'] = async (sites, operation) => {
      let seen = await inspect(sites, operation);
      while (seen.running.length > 0) {
        if (Date.now() > ends) {
          throw fail({
            type: FAILURE.notYet,
            call: 'setup.cmd',
            object: seen.running.map(nameOf).join(', '),
            problem: 'still runs',
            next: 'Wait for it, or end it on the host.',
          });
        }
        seen = await inspect(sites, operation, Math.max(0, Math.min(ATTACH_MS, ends - Date.now())));
      }
      return seen;
    };
    const patience: HostWork['patience'] = () => Math.max(0, Math.min(patienceMs, (ends - Date.now()) / 4));
    const inVain = (problem: string): SystemError =>
      fail({ type: FAILURE.notYet, call: 'the worker', problem, next: 'Wait until it is free and runs, then retry.' });
    // What is begun late has too little time for what it begins.
    const waits = (ends - Date.now()) / 2;
    return await turns.take({ comesFirst, waits, inVain }, () =>
      act({ host, settings, run, inspect, untilNoSetupRuns, patience, fail }),
    );
  });
}

/** What a script is about: a site, or a script that a release brings. */
function objectOf(parameters: object): string | undefined {
  const { site, application } = parameters as Partial<SiteKey>;
  if (site !== undefined && application !== undefined) return nameOf({ site, application });
  const { release, script } = parameters as Partial<Parameters['run-script']>;
  return release === undefined || script === undefined ? undefined : `${release}/${script}`;
}

/** A site as scripts are told of it: nothing else of it is their business. */
export const keyOf = ({ site, application }: SiteKey): SiteKey => ({ site, application });
export const nameOf = ({ site, application }: SiteKey): string => `${site}/${application}`;

/** The one site that was asked about. */
export function only({ sites: [site] }: Inspection): InspectedSite {
  if (site === undefined) throw new TypeError('inspect was asked about one site and told of none');
  return site;
}
