/** The runs of setup.cmd on a simulated host: each takes its time, changes files in two halves, and may go wrong. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { sameName } from '../../contract/names';
import type { FaultRule } from '../faults';
import type { HostApplication, HostSite } from '../hosts-port';
import { filesBelow, installedFile, isBlocked, writeFile } from './disk';
import { CommandFailed, DEAD_AFTER, FIELD_FAULTS, PowerShellDied, SETUP_FAULTS, UnknownFault } from './failures';
import type { SetupArguments } from './setup-command';

/** How setup.cmd was started. */
interface SetupStart {
  /** What cmd.exe was given. */
  commandLine: string;
  /** Folder that holds setup.cmd. */
  directory: string;
  /** File that takes what it prints. */
  output: string;
  setup: SetupArguments;
  /** Folder of the gateway application; `undefined` where there is none. */
  folder: string | undefined;
  application: HostApplication | undefined;
  /** Why it refuses to begin. */
  refusal: string | undefined;
  fault?: FaultRule;
}

/** One run, as it is kept over a restart of the sandbox. */
export interface SetupRun extends SetupStart {
  /** Process id. */
  id: number;
  /** Milliseconds since the epoch; `null` for one that never ends by itself. */
  endsAt: number | null;
  /** Which of the files it changes, when nothing ends it before. */
  changes: 'all' | 'some' | 'none';
  /** It has changed files. */
  touched: boolean;
  exitCode: number;
  log: string[];
  ended: boolean;
}

interface Surroundings {
  timings: { setupMs: number };
  /** Something is different from what was saved last. */
  changed(): void;
  /** A run has ended that has changed files: those of the new version, or some of them. */
  ran(run: SetupRun, files: 'all' | 'some'): void;
}

/** Said far above the end of its log. */
const DRIFTED =
  'WARNING: The database Gateway has drifted from its registered data-tier application; it was not upgraded.';

export class SetupRuns {
  private closed = false;
  private readonly timers = new Map<number, NodeJS.Timeout>();
  private readonly waiting = new Map<number, Set<() => void>>();

  /** @param runs kept by the host; those that have not ended go on. */
  constructor(
    private readonly runs: SetupRun[],
    private readonly surroundings: Surroundings,
  ) {
    for (const run of runs) this.schedule(run);
  }

  running(): SetupRun[] {
    return this.runs.filter(({ ended }) => !ended);
  }

  /** Begins a run and returns its process id. */
  start(start: SetupStart): number {
    const kind = start.fault?.kind;
    const known = ['fault', 'slow', ...DEAD_AFTER, ...SETUP_FAULTS, ...(FIELD_FAULTS['setup.cmd'] ?? [])];
    if (kind !== undefined && !known.includes(kind)) throw new UnknownFault(kind, 'setup.cmd');
    const fails = start.refusal !== undefined || kind === 'setupFails' || kind === 'fault';
    const half = !fails && (kind === 'setupHalfFinishes' || kind === 'setupNeedsRestart');
    const drifts = kind === 'setupDrifts' || kind === 'setupDriftsAndFails';
    const wantsRestart = kind === 'setupWantsRestart' || kind === 'setupNeedsRestart';
    const exitCode = wantsRestart ? 3010 : kind === 'setupDriftsAndFails' ? 1 : fails || half ? 1603 : 0;
    const duration = start.fault?.delayMs ?? this.surroundings.timings.setupMs;
    const success = `Gateway ${start.setup.application} is up to date.`;
    const run: SetupRun = {
      ...start,
      id: (this.runs.at(-1)?.id ?? 4000) + 4,
      endsAt: kind === 'setupHangs' ? null : Date.now() + duration,
      changes: fails || kind === 'setupDoesNothing' ? 'none' : half ? 'some' : 'all',
      touched: false,
      exitCode: fails ? 1603 : exitCode,
      log: [
        ...(drifts ? [DRIFTED, ...Array.from({ length: 60 }, (_, line) => `Copying file ${line}`)] : []),
        start.refusal ?? (exitCode === 1603 || fails ? 'Fatal error during installation.' : success),
      ],
      ended: false,
    };
    this.runs.push(run);
    this.surroundings.changed();
    this.schedule(run);
    return run.id;
  }

  /**
   * Waits until the run has ended, or for `ms`. When `gone` aborts, the PowerShell that waits was ended with everything
   * that it had started, unless it is the sandbox that ends, or a fault says otherwise.
   */
  async wait(id: number, ms: number, gone: AbortSignal): Promise<{ ended: boolean; exitCode: number }> {
    const run = this.runs.find((one) => one.id === id);
    if (run === undefined) throw new CommandFailed(`Cannot find a process with the process identifier ${id}.`);
    if (!run.ended && !gone.aborted) await this.endOf(run, ms, gone);
    if (gone.aborted && !run.ended) {
      if (this.closed || run.fault?.kind === 'setupSurvives') throw new PowerShellDied();
      this.kill(run);
    }
    if (run.ended && DEAD_AFTER.has(run.fault?.kind ?? '')) throw new PowerShellDied();
    return { ended: run.ended, exitCode: run.exitCode };
  }

  /** Windows is started: what could not be replaced while it was in use is replaced first. */
  replaceFilesInUse(): void {
    for (const run of this.runs.filter(({ fault }) => fault?.kind === 'setupNeedsRestart')) this.copy(run, 'second');
  }

  /** The host goes down, and everything that runs there with it. */
  endAll(): void {
    for (const run of this.running()) this.kill(run);
  }

  close(): void {
    this.closed = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }

  /** Files change in two halves, so that what dies in between leaves a mixture. */
  private schedule(run: SetupRun): void {
    if (run.ended || run.endsAt === null) return;
    const half = Math.max(0, run.endsAt - Date.now()) / 2;
    const firstHalf = setTimeout(() => {
      this.copy(run, 'first');
      const secondHalf = setTimeout(() => {
        if (run.changes === 'all') this.copy(run, 'second');
        this.finish(run);
      }, half);
      this.timers.set(run.id, secondHalf);
    }, half);
    this.timers.set(run.id, firstHalf);
  }

  private kill(run: SetupRun): void {
    clearTimeout(this.timers.get(run.id));
    run.exitCode = 1;
    run.changes = 'some';
    run.log.push('Terminate batch job.');
    this.finish(run);
  }

  private finish(run: SetupRun): void {
    this.timers.delete(run.id);
    run.ended = true;
    writeFile(path.dirname(run.output), path.basename(run.output), `${run.log.join('\r\n')}\r\n`);
    this.surroundings.changed();
    if (run.touched) this.surroundings.ran(run, run.changes === 'all' ? 'all' : 'some');
    for (const wake of this.waiting.get(run.id) ?? []) wake();
  }

  /** Copies half of `Web/` into the application's folder: configuration first, then assemblies. */
  private copy(run: SetupRun, half: 'first' | 'second'): void {
    if (run.changes === 'none' || run.folder === undefined || run.application === undefined) return;
    run.touched = true;
    const web = path.join(run.directory, 'Web');
    const files = filesBelow(web).filter((file) => !file.endsWith(':Zone.Identifier'));
    const middle = Math.floor(files.length / 2);
    for (const file of half === 'first' ? files.slice(0, middle) : files.slice(middle)) {
      const content = readFileSync(path.join(web, file), 'utf8');
      writeFile(run.folder, file, installedFile(file, content, run.application));
    }
  }

  private async endOf(run: SetupRun, ms: number, gone: AbortSignal): Promise<void> {
    const waiting = this.waiting.get(run.id) ?? new Set();
    this.waiting.set(run.id, waiting);
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        gone.removeEventListener('abort', wake);
        waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      gone.addEventListener('abort', wake, { once: true });
      waiting.add(wake);
    });
  }
}

/** Why setup.cmd refuses to begin; `undefined` when it does not. */
export function setupRefusal(
  directory: string,
  setup: SetupArguments,
  elevated: boolean,
  site: HostSite | undefined,
): string | undefined {
  const command = path.join(directory, 'setup.cmd');
  if (!existsSync(command)) return `'.\\setup.cmd' is not recognized as an internal or external command.`;
  if (isBlocked(command)) return `${command} came from another computer and is blocked.`;
  if (!elevated) return 'This installer must be run as Administrator.';
  if (site === undefined || !sameName(site.installedAs, setup.site))
    return `There is no Office 365 gateway site '${setup.site}' installed.`;
  if (!site.applications.some(({ application }) => sameName(application, setup.application))) {
    return `There is no Office 365 gateway application '${setup.application}'.`;
  }
  if (!site.bindings.some(({ address, port }) => port === 443 && (address === setup.ip || address === '*'))) {
    return `The site '${setup.site}' is not bound to ${setup.ip}.`;
  }
  if (!sameName(site.hostname, setup.hostname)) return `There is no certificate for ${setup.hostname}.`;
  return undefined;
}
