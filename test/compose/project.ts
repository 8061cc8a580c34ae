/** A project of docker-compose.yml of its own: its name, ports, networks and volumes are nobody else's. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { freePorts } from '../../src/cli/demo/ports';
import { PACKAGE_ROOT } from '../../src/package-root';

const run = promisify(execFile);
const FILE = path.join(PACKAGE_ROOT, 'docker-compose.yml');
const MOST_OUTPUT = 64 * 1024 * 1024;

/** Compose 2 is a plugin of `docker`, Compose 1 a program of its own. */
const COMPOSES = [['docker', 'compose'], ['docker-compose']] as const;

export class NoEngine extends Error {
  override readonly name = 'NoEngine';
}

const inspected = z.object({
  Id: z.string(),
  State: z.object({
    Running: z.boolean(),
    Pid: z.number(),
    ExitCode: z.number(),
    Health: z.object({ Status: z.string() }).optional(),
  }),
  Config: z.object({ Labels: z.record(z.string(), z.string()), Healthcheck: z.unknown().optional() }),
  HostConfig: z.object({ RestartPolicy: z.object({ Name: z.string() }) }),
  RestartCount: z.number(),
});
export interface Container {
  id: string;
  service: string;
  running: boolean;
  /** On the engine's machine. */
  pid: number;
  restarts: number;
  /** `none` where nothing watches it. */
  health: string;
  /** Ends by itself once it has done its work. */
  oneShot: boolean;
  exitCode: number;
}

export class ComposeProject {
  private constructor(
    readonly name: string,
    private readonly program: readonly string[],
    readonly version: string,
    private readonly env: NodeJS.ProcessEnv,
    readonly sandboxUrl: string,
    /** Compose files, of which each is laid over the one before. */
    private readonly files = [FILE],
  ) {}

  /** @throws NoEngine */
  static async open(name: string): Promise<ComposeProject> {
    await docker('info').catch((error: Error) => {
      throw new NoEngine(`docker info failed: ${error.message.trim().split('\n').at(-1) ?? ''}`);
    });
    for (const program of COMPOSES) {
      const [file = '', ...first] = program;
      const version = await run(file, [...first, 'version', '--short']).catch(() => undefined);
      if (version === undefined) continue;
      // Nothing else of a world has a port here.
      const { temporal, ui, control, aps: exporter } = await freePorts();
      const ports = {
        ONWARD_TEMPORAL_PORT: String(temporal),
        ONWARD_UI_PORT: String(ui),
        ONWARD_SANDBOX_PORT: String(control),
        ONWARD_EXPORTER_PORT: String(exporter),
      };
      const env = { ...process.env, ...ports, COMPOSE_PROJECT_NAME: name, COMPOSE_HTTP_TIMEOUT: '600' };
      return new ComposeProject(name, program, version.stdout.trim(), env, `http://127.0.0.1:${control}/`);
    }
    throw new NoEngine('there is an engine, and neither `docker compose` nor `docker-compose`');
  }

  /** Runs one command of Compose on the whole file, the demo's services included. */
  async compose(...args: string[]): Promise<string> {
    const [file = '', ...all] = this.commandLine(args);
    const { stdout } = await run(file, all, {
      cwd: PACKAGE_ROOT,
      env: this.env,
      maxBuffer: MOST_OUTPUT,
    });
    return stdout;
  }

  /** The same, with its standard input or output in a file. */
  async pipe({ from, to }: { from?: string; to?: string }, ...args: string[]): Promise<void> {
    const files = await Promise.all([from && open(from, 'r'), to && open(to, 'w')]);
    const [input, output] = files;
    try {
      const [file = '', ...all] = this.commandLine(args);
      const child = spawn(file, all, {
        cwd: PACKAGE_ROOT,
        env: this.env,
        stdio: [input ? input.fd : 'ignore', output ? output.fd : 'inherit', 'inherit'],
      });
      const [code] = (await once(child, 'close')) as [number | null];
      if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}.`);
    } finally {
      for (const opened of files) if (opened) await opened.close();
    }
  }

  /** With other settings of the Compose file's. */
  with(env: Record<string, string>): ComposeProject {
    const { name, program, version, sandboxUrl, files } = this;
    return new ComposeProject(name, program, version, { ...this.env, ...env }, sandboxUrl, files);
  }

  /** With a file of this folder laid over the others. */
  under(file: string): ComposeProject {
    const { name, program, version, env, sandboxUrl, files } = this;
    return new ComposeProject(name, program, version, env, sandboxUrl, [...files, path.join(__dirname, file)]);
  }

  private commandLine(args: readonly string[]): string[] {
    return [...this.program, ...this.files.flatMap((file) => ['--file', file]), '--profile', 'demo', ...args];
  }

  /** The demo's command line, as docs/production.md has it; gives its JSON. */
  async onward(...args: string[]): Promise<unknown> {
    return JSON.parse(await this.compose('run', '--rm', '-T', 'demo', '--json', ...args)) as unknown;
  }

  /** The same, in a container that is there already and that nobody kills: for what is asked again and again. */
  async quickOnward(...args: string[]): Promise<unknown> {
    const inside = ['exec', '-T', 'sandbox-operator', 'node', 'tools/onward.mjs', '--json'];
    return JSON.parse(await this.compose(...inside, ...args)) as unknown;
  }

  async containers(service?: string): Promise<Container[]> {
    const label = 'label=com.docker.compose.';
    const filters = [`${label}project=${this.name}`, `${label}oneoff=False`];
    if (service !== undefined) filters.push(`${label}service=${service}`);
    const ids = (await docker('ps', '--all', '--quiet', ...filters.flatMap((each) => ['--filter', each]))).trim();
    if (ids === '') return [];
    const found = z.array(inspected).parse(JSON.parse(await docker('inspect', ...ids.split('\n'))));
    return found.map(({ Id, State, Config, HostConfig, RestartCount }) => ({
      id: Id,
      service: Config.Labels['com.docker.compose.service'] ?? '',
      running: State.Running,
      pid: State.Pid,
      restarts: RestartCount,
      health: State.Health?.Status ?? 'none',
      oneShot: HostConfig.RestartPolicy.Name === 'on-failure',
      exitCode: State.ExitCode,
    }));
  }

  /** Comes back when everything that is watched is healthy, and everything else runs or has done its work. */
  async healthy(deadlineMs: number): Promise<void> {
    await until(deadlineMs, 'everything is healthy', async () => {
      const all = await this.containers();
      const wrong = all.filter(({ oneShot, running, exitCode, health }) =>
        oneShot ? running || exitCode !== 0 : !running || (health !== 'healthy' && health !== 'none'),
      );
      return wrong.length === 0 && all.length > 0
        ? true
        : wrong.map(({ service, health, exitCode }) => `${service}: ${health}, ${exitCode}`).join('; ');
    });
  }

  /**
   * Kills the first process of a container as the kernel would when memory is short: the engine sees a crash and starts it again, which
   * it does not after `docker kill`.
   */
  async crash(...victims: Container[]): Promise<void> {
    const pids = victims.map(({ pid }) => String(pid));
    await docker(
      ...[
        'run',
        '--rm',
        '--pid',
        'host',
        '--network',
        'none',
        '--user',
        '0:0',
        '--cap-drop',
        'ALL',
        '--cap-add',
        'KILL',
      ],
      ...['--entrypoint', '/bin/sh', 'onward:1.1.0', '-c', `kill -9 ${pids.join(' ')}`],
    );
  }

  /** Memory of each running container in MiB, by service. */
  async memory(): Promise<Map<string, number>> {
    const running = (await this.containers()).filter(({ running: on }) => on);
    const lines = await docker('stats', '--no-stream', '--format', '{{.MemUsage}}', ...running.map(({ id }) => id));
    const used = lines.trim().split('\n').map(mebibytes);
    return new Map(running.map(({ service }, index) => [service, used[index] ?? Number.NaN]));
  }

  /** What Prometheus would be given by a service, asked from within its network. */
  async metrics(service: string, port: number): Promise<string> {
    // Who has just been started does not listen yet: that is an answer that holds nothing.
    const ask =
      'fetch(process.argv[1]).then((answer) => answer.text()).catch(({ cause }) => String(cause)).then(console.log)';
    return this.compose('exec', '-T', 'worker', 'node', '--eval', ask, `http://${service}:${port}/metrics`);
  }

  /** Removes everything that the project has made: containers, networks, volumes. */
  async remove(): Promise<void> {
    await this.compose('down', '--volumes', '--remove-orphans', '--timeout', '10');
  }
}

export async function docker(...args: string[]): Promise<string> {
  return (await run('docker', args, { maxBuffer: MOST_OUTPUT })).stdout;
}

function mebibytes(usage: string): number {
  const [, value, unit = ''] = /^([\d.]+)(\w+)/.exec(usage) ?? [];
  const factor = { KiB: 1 / 1024, MiB: 1, GiB: 1024 }[unit];
  if (value === undefined || factor === undefined) throw new Error(`docker stats says ${usage}.`);
  return Number(value) * factor;
}

/** @param look gives `true` once it is so, else what is still in the way. */
export async function until(deadlineMs: number, what: string, look: () => Promise<true | string>): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const seen = await look();
    if (seen === true) return;
    if (Date.now() > deadline) throw new Error(`After ${deadlineMs / 1000} s it is not so that ${what}: ${seen}`);
    await delay(250);
  }
}
