/**
 * The one way in which Onward runs PowerShell: `node-powershell`, one process per script, with its known defects closed
 * (lessons.md 5).
 *
 * Success is an envelope with this run's nonce and nothing else: no exit code, no silence. No envelope means that nobody
 * knows what the script has done. Parameters travel as base64 JSON and are never parsed as code.
 */
import { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { PowerShell as NodePowerShell } from 'node-powershell';
import { z } from 'zod';
import { FAILURE } from '../../contract/activities';
import { redact } from '../../inventory/secrets';
import { counted } from '../calls';
import { SystemError } from '../system-error';
import { EnvelopeReader, type Envelope } from './envelope';
import { findExecutable } from './executable';
import { endProcessTree } from './process-tree';
import { RESULTS, type Parameters, type Result, type ScriptName } from './scripts';

export interface PowerShellSettings {
  /** Path of the executable, or a name to be found on the PATH. */
  executable: string;
  /** Environment of the process; this process's own by default. */
  env?: NodeJS.ProcessEnv;
  /** Folder with `invoke.ps1` and the scripts; the product's own by default. */
  scripts?: string;
  /** Modules that are imported before the script. */
  modules?: string[];
}

export interface ScriptResult<T> {
  result: T;
  /** Last lines that the script logged. */
  log: string;
  /** End of standard error; text there is no failure. */
  stderr: string;
}

/** How much of standard error is kept, in characters. */
const STDERR_TAIL = 4000;
/** What the library itself writes to standard error, to find the beginning and the end of a command. */
const LIBRARY_MARK = /^[0-9A-Za-z]{16}\r?$/gm;
/** Why Temporal's worker cancels its activities when it ends: message of the CancelledFailure. */
const WORKER_ENDS = 'WORKER_SHUTDOWN';
/** How long PowerShell may take to end after its envelope, in milliseconds. */
const FAREWELL_MS = 2000;

export class PowerShell {
  constructor(private readonly settings: PowerShellSettings) {}

  /**
   * Runs one script in a process of its own and returns its facts.
   *
   * @param deadlineMs Milliseconds after which the process is ended with everything that it has started.
   * @param signal Ends the process likewise, or alone ({@link leavesRunning}); the call then rejects with the signal's reason.
   * @throws SystemError `Unreachable`: PowerShell could not be started, nothing was done. `OutcomeUnknown`: it ended, or
   *   was ended, without an envelope. `MalformedAnswer`: the envelope's facts are not the script's. Else what the script
   *   says: `Rejected` for any error of its own, or the kind that it names.
   */
  async run<N extends ScriptName>(
    script: N,
    parameters: Parameters[N],
    deadlineMs: number,
    signal?: AbortSignal,
  ): Promise<ScriptResult<Result<N>>> {
    return await counted('PowerShell', () => this.runOnce(script, parameters, deadlineMs, signal));
  }

  private async runOnce<N extends ScriptName>(
    script: N,
    parameters: Parameters[N],
    deadlineMs: number,
    signal: AbortSignal | undefined,
  ): Promise<ScriptResult<Result<N>>> {
    signal?.throwIfAborted();
    const env = this.settings.env ?? process.env;
    const executable = findExecutable(this.settings.executable, env);
    if (executable === undefined) throw this.notStarted(script, 'is not there, or may not be executed');

    const { envelope, stderr, ending } = await this.converse(executable, script, parameters, deadlineMs, signal);
    if (envelope === undefined) {
      throw new SystemError({
        type: FAILURE.outcomeUnknown,
        system: 'PowerShell',
        call: script,
        problem: `${ending} without saying what it has done${quote(stderr)}`,
        next: 'Look at the state of the host before anything is repeated.',
      });
    }
    if (!envelope.ok) {
      throw new SystemError({
        type: Object.values(FAILURE).find((type) => type === envelope.kind) ?? FAILURE.rejected,
        system: 'PowerShell',
        call: script,
        problem: `failed: ${envelope.message.replace(/\.\s*$/, '')}${quote(envelope.log)}`,
        next: 'Put that right on the host, then retry.',
      });
    }
    const facts = (RESULTS[script] as unknown as z.ZodType<Result<N>>).safeParse(envelope.result);
    if (!facts.success) {
      throw new SystemError({
        type: FAILURE.malformedAnswer,
        system: 'PowerShell',
        call: script,
        problem: `answered what is not its result: ${z.prettifyError(facts.error)}`,
        next: 'Compare the scripts on the host with this version of Onward.',
      });
    }
    return { result: facts.data, log: envelope.log, stderr };
  }

  /** Starts PowerShell, hands it the script, and waits for the envelope, the end, the deadline or the signal. */
  private async converse(
    executable: string,
    script: ScriptName,
    parameters: object,
    deadlineMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Conversation> {
    const nonce = randomBytes(16).toString('hex');
    const scripts = this.settings.scripts ?? path.join(__dirname, 'scripts');
    const shell = new OneShot({
      executable,
      executableOptions: { '-NoProfile': true, '-NonInteractive': true, '-ExecutionPolicy': 'Bypass' },
      spawnOptions: { env: { ...(this.settings.env ?? process.env), ONWARD_SCRIPT: script }, windowsHide: true },
      throwOnInvocationError: false,
    });
    const child = processOf(shell);
    const closed = ended(child);
    const output = listen(shell, new EnvelopeReader(nonce));

    // Settles when the process ends or the library sees its marks; neither says anything about success.
    const invocation = shell
      .invoke(commandLine(scripts, { nonce, scripts, script, parameters, modules: this.settings.modules ?? [] }))
      .catch(() => undefined);
    // The line is written. Whatever reads standard input now meets its end instead of waiting (nodejs/node#52364).
    shell.streams.stdin.end();

    const waiting = new AbortController();
    const reason = await Promise.race([
      output.told.then(() => 'told' as const),
      closed.then(() => 'closed' as const),
      aborted(signal, waiting.signal).then(() => 'stopped' as const),
      elapsed(deadlineMs, waiting.signal).then(() => 'late' as const),
    ]);
    if (reason === 'told') await Promise.race([closed, elapsed(FAREWELL_MS, waiting.signal)]);
    waiting.abort();
    if (isAlive(child)) {
      if (reason === 'stopped' && leavesRunning(script, signal)) child.kill('SIGKILL');
      else await endProcessTree(child.pid);
    }
    const problem = await Promise.race([closed, delay(FAREWELL_MS, undefined, { ref: false })]);
    if (problem !== undefined) throw this.notStarted(script, `could not be started (${problem})`);
    await Promise.race([invocation, delay(FAREWELL_MS, undefined, { ref: false })]);
    // A grandchild that lives on may hold the other ends.
    for (const stream of Object.values(shell.streams)) stream.destroy();

    const envelope = output.envelope();
    if (envelope === undefined) signal?.throwIfAborted();
    return {
      envelope,
      stderr: output.stderr(),
      ending: describeEnding(child, reason === 'late' ? deadlineMs : undefined),
    };
  }

  private notStarted(script: ScriptName, problem: string): SystemError {
    return new SystemError({
      type: FAILURE.unreachable,
      system: 'PowerShell',
      call: script,
      problem: `was not run: ${this.settings.executable} ${problem}`,
      next: 'Install PowerShell on the host of this worker, or name its executable in ONWARD_PWSH.',
    });
  }
}

interface Conversation {
  envelope: Envelope | undefined;
  stderr: string;
  /** How it ended: continues "PowerShell ...". */
  ending: string;
}

/** The library's process, without the environment variable that would overrule which executable it starts. */
class OneShot extends NodePowerShell {
  protected override setExecutable({ executable }: { executable?: string }): string {
    if (executable === undefined) throw new TypeError('no executable was named');
    return executable;
  }
}

/** The library keeps the process to itself, and ends only the process where its tree has to be ended. */
function processOf(shell: NodePowerShell): ChildProcess {
  const child: unknown = Reflect.get(shell, 'process');
  if (!(child instanceof ChildProcess))
    throw new TypeError('node-powershell is not the version that Onward was made for');
  return child;
}

/** One ASCII line: it builds the wrapper from its file, whatever the execution policy, and hands it the request as data. */
function commandLine(scripts: string, request: object): string {
  const base64 = (text: string) => Buffer.from(text, 'utf8').toString('base64');
  const wrapper = `[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('${base64(path.join(scripts, 'invoke.ps1'))}'))`;
  return `& ([ScriptBlock]::Create([IO.File]::ReadAllText(${wrapper}))) '${base64(JSON.stringify(request))}'`;
}

/** Reads both outputs to their end and keeps the envelope and the tail of standard error. */
function listen(shell: NodePowerShell, reader: EnvelopeReader) {
  const { stdin, stdout, stderr } = shell.streams;
  let tail = '';
  // `close` of the process tells the end of a stream that breaks.
  for (const stream of [stdin, stdout, stderr]) stream.on('error', () => undefined);
  stderr.on('data', (text: string) => {
    takeOver(stderr);
    // Twice of it, so that the cut goes through no secret that is shown.
    tail = (tail + text).slice(-2 * STDERR_TAIL);
  });
  const told = new Promise<void>((resolve) => {
    stdout.on('data', (text: string) => {
      takeOver(stdout);
      reader.read(text);
      if (reader.envelope !== undefined) resolve();
    });
  });
  return {
    told,
    envelope: () => reader.envelope,
    stderr: () => redact(tail.replace(LIBRARY_MARK, '')).trim().slice(-STDERR_TAIL),
  };
}

/** The library would collect all output in memory, without limit; nothing that it finds there is of use. */
function takeOver(stream: Readable): void {
  stream.unpipe();
  stream.resume();
}

/** Resolves when the process has ended and its outputs are read, with the reason where it could not be started. */
function ended(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    child.once('close', () => {
      if (child.pid !== undefined) resolve(undefined);
    });
    // What it has started may live on and hold its outputs open: setup.cmd outlives a PowerShell that dies.
    child.once('exit', () => setTimeout(() => resolve(undefined), FAREWELL_MS).unref());
    child.on('error', (error) => {
      if (child.pid === undefined) resolve(error.message);
    });
  });
}

/**
 * A worker that is told to end gives its work back, and the next one finds the setup.cmd that goes on. It is not cut off in its midst: only
 * the PowerShell that waits for it is ended.
 */
function leavesRunning(script: ScriptName, signal: AbortSignal | undefined): boolean {
  const reason: unknown = signal?.reason;
  return script === 'setup' && reason instanceof Error && reason.message === WORKER_ENDS;
}

function isAlive(child: ChildProcess): child is ChildProcess & { pid: number } {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

async function aborted(signal: AbortSignal | undefined, until: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  await new Promise<void>((resolve) =>
    signal?.addEventListener('abort', () => resolve(), { once: true, signal: until }),
  );
}

async function elapsed(ms: number, until: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal: until }).catch(() => undefined);
}

function describeEnding(child: ChildProcess, deadlineMs: number | undefined): string {
  if (deadlineMs !== undefined) return `did not answer within ${deadlineMs / 1000} s and was ended`;
  if (child.signalCode !== null) return `was ended by ${child.signalCode}`;
  return `ended with exit code ${child.exitCode ?? 'unknown'}`;
}

/** Last words, after the sentence that they belong to. */
function quote(text: string): string {
  return text.trim() === '' ? '' : ` (${text.trim()})`;
}
