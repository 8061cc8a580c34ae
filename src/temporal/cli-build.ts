/** The Temporal CLI, built with Go from the module in `tools/temporal-cli`, whose checksums are committed. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { PACKAGE_ROOT } from '../package-root';
import type { CliOrder } from './cli-order';
import type { Progress } from './progress';

const MODULE = path.join(PACKAGE_ROOT, 'tools', 'temporal-cli');
const PACKAGE = 'github.com/temporalio/cli/cmd/temporal';
/** Far more than the slowest machine needs: four minutes on two cores. */
const DEADLINE_MS = 60 * 60_000;
/** Later ones, up to the 1.25 that our module asks for, fetch the Go that they need by themselves. */
const OLDEST_GO_MINOR = 21;

export async function buildCli(file: string, { version, env, progress }: CliOrder): Promise<void> {
  const go = await goVersion(env);
  progress.say(
    `Building the Temporal CLI ${version} from source with ${go}, once for this machine. ` +
      "It takes about 4 minutes on two cores, and 3 GB on disk in Go's own caches.",
  );
  const clock = new Clock(progress);

  let sources = 0;
  let total = 0;
  await runGo(['list', '-mod=readonly', '-deps', PACKAGE], env, {
    stdout: () => total++,
    stderr: (line) => (sources += line.startsWith('go: downloading') ? 1 : 0),
    everySecond: () => clock.show(`fetching sources, ${sources} modules so far`),
  });

  let compiled = 0;
  let linking = false;
  const ldflags = `-s -w -X github.com/temporalio/cli/temporalcli.Version=${version}`;
  await runGo(['build', '-mod=readonly', '-trimpath', '-v', '-ldflags', ldflags, '-o', file, PACKAGE], env, {
    stderr: (line) => {
      compiled++;
      linking ||= line === PACKAGE;
    },
    everySecond: () => clock.show(linking ? 'linking' : `${compiled} of at most ${total} packages compiled`),
  });
}

async function goVersion(env: NodeJS.ProcessEnv): Promise<string> {
  // Outside of our module, whose go.mod could already make Go fetch another Go.
  const version = await promisify(execFile)('go', ['env', 'GOVERSION'], {
    cwd: os.tmpdir(),
    env,
    timeout: 30_000,
  }).then(
    ({ stdout }) => stdout.trim(),
    () => {
      throw new Error('there is no `go` on the PATH that runs. Install Go 1.25 or later from https://go.dev/dl/.');
    },
  );
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === '1' && Number(minor) < OLDEST_GO_MINOR) {
    throw new Error(`${version} is too old. Install Go 1.25 or later from https://go.dev/dl/.`);
  }
  return version;
}

/** Says how far the build is, and how long it has taken. */
class Clock {
  private readonly start = Date.now();
  constructor(private readonly progress: Progress) {}

  show(stage: string): void {
    const seconds = Math.round((Date.now() - this.start) / 1000);
    const elapsed = seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
    this.progress.tick(`Building the Temporal CLI: ${stage}, ${elapsed}`);
  }
}

interface Listeners {
  stdout?: (line: string) => void;
  stderr: (line: string) => void;
  everySecond: () => void;
}

/** Runs Go in our module; its last words become the error's when it fails. */
async function runGo(args: string[], env: NodeJS.ProcessEnv, on: Listeners): Promise<void> {
  const lastWords: string[] = [];
  const options = { cwd: MODULE, env, timeout: DEADLINE_MS, killSignal: 'SIGKILL', windowsHide: true } as const;
  const go = spawn('go', args, options);
  createInterface(go.stdout).on('line', (line) => on.stdout?.(line));
  createInterface(go.stderr).on('line', (line) => {
    on.stderr(line);
    lastWords.push(line);
    if (lastWords.length > 8) lastWords.shift();
  });
  const ticking = setInterval(on.everySecond, 1000);
  try {
    const [code, signal] = (await once(go, 'close')) as [number | null, NodeJS.Signals | null];
    if (code === 0) return;
    const end = signal === null ? `failed with exit code ${code}` : `was stopped by ${signal}`;
    throw new Error(
      `\`go ${args[0]}\` ${end}: ${lastWords.join(' | ')}. ` +
        "If Go's module registry cannot be reached from here, name one that can in GOPROXY.",
    );
  } finally {
    clearInterval(ticking);
  }
}
