/** @needs temporal */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { parse } from 'yaml';
import { endpointTaskQueue } from '../../src/contract/provider';
import { findTemporalCli } from '../../src/temporal/cli-binary';
import { localSettings } from '../../src/temporal/connection';
import { connectWorker } from '../../src/temporal/worker-connection';
import { type DevServer, startDevServer } from '../../src/temporal/dev-server';
import { SHUTDOWN_GRACE } from '../../src/worker/endpoint';
import { shutdownForceTime } from '../../src/worker/serve';
import { FAREWELL_SECONDS } from '../../src/worker/traces';
import { patience } from '../kit/deadlines';

const ROOT = path.join(__dirname, '../..');
const run = promisify(execFile);

interface Service {
  image: string;
  ports?: string[];
  restart: string;
  command?: string[];
  healthcheck?: { test: string[] };
  depends_on?: object;
  environment?: Record<string, string | null>;
  profiles?: string[];
  build?: object;
  user?: string;
  read_only?: boolean;
  cap_drop?: string[];
  mem_limit?: string;
  pids_limit?: number;
  logging?: { options: Record<string, string> };
  stop_grace_period?: string;
}

describe('docker-compose.yml', () => {
  let services: [string, Service][];
  beforeAll(async () => {
    const text = await readFile(path.join(ROOT, 'docker-compose.yml'), 'utf8');
    services = Object.entries((parse(text, { merge: true }) as { services: Record<string, Service> }).services);
  });

  test('pins the version of every image', () => {
    for (const [, { image }] of services)
      expect(image).toMatch(/^(\$\{ONWARD_IMAGE:-onward:\d+\.\d+\.\d+\}|[\w/-]+:\d+\.\d+[\w.-]*)$/);
  });

  test('opens ports on this machine only', () => {
    const ports = services.flatMap(([, service]) => service.ports ?? []);
    expect(ports).not.toHaveLength(0);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  test('simulates nothing unless the profile of the demo is asked for', () => {
    const demo = services.filter(([, { profiles }]) => profiles?.includes('demo'));
    const told = services.filter(([, { command = [] }]) => command[0] === 'worker' && command.includes('--sandbox'));
    expect(told.map(([name]) => name)).toEqual(['demo-worker', 'endpoint-gw-host-01', 'endpoint-gw-host-02']);
    expect(demo).toEqual(expect.arrayContaining(told));
    for (const [, { environment }] of demo)
      if (environment?.['TEMPORAL_NAMESPACE']) expect(environment['TEMPORAL_NAMESPACE']).toBe('demo');
    expect(demo.map(([name]) => name)).toContain('sandbox');
  });

  test('makes the image once, whatever of it is started', () => {
    const built = services.filter(([, { build }]) => build !== undefined);
    expect(built.map(([name]) => name)).toEqual(['prepare']);
  });

  test('starts nothing else for a command of the command line', () => {
    const commands = services.filter(([, { profiles }]) => profiles?.includes('cli'));
    expect(commands.map(([name]) => name)).toEqual(['onward', 'demo']);
    for (const [name, { depends_on: first }] of commands) expect([name, first]).toEqual([name, undefined]);
  });

  test('asks the database over TCP: at its socket the temporary server of a first start answers', () => {
    const [, postgres] = services.find(([name]) => name === 'postgres') ?? [];
    const [kind, program, ...options] = postgres?.healthcheck?.test ?? [];
    expect([kind, program]).toEqual(['CMD', 'pg_isready']);
    expect(options[options.indexOf('--host') + 1]).toBe('127.0.0.1');
  });

  // Security: containers-hardened
  test('gives a container nothing to write, no capability, and bounds', () => {
    for (const [name, service] of services) {
      expect({ name, ...service }).toMatchObject({
        name,
        read_only: true,
        cap_drop: ['ALL'],
        mem_limit: expect.any(String),
        pids_limit: expect.any(Number),
        logging: { options: { 'max-size': expect.any(String), 'max-file': expect.any(String) } },
      });
      const own = service.image.includes('onward:') && name !== 'prepare';
      if (!own)
        expect([name, service.user]).toEqual([name, name === 'prepare' ? '0:0' : expect.stringMatching(/^[1-9]/)]);
    }
  });

  test('has no password in it', () => {
    const names = services.flatMap(([, { environment }]) => Object.keys(environment ?? {}));
    expect(names.filter((name) => /PASSWORD|PWD/.test(name))).toEqual([]);
  });

  test('gives workers longer to end than their own limits', () => {
    const workers = services.filter(([, { command = [] }]) => command[0] === 'worker');
    // The endpoint worker's (src/worker/endpoint.ts) is the longest; then it sends its last traces.
    for (const [, { stop_grace_period: period = '0s' }] of workers)
      expect(Number.parseInt(period)).toBeGreaterThan(
        Number.parseInt(shutdownForceTime(SHUTDOWN_GRACE)) + FAREWELL_SECONDS,
      );
  });

  test('serves the metrics of every worker where docs/production.md says', () => {
    const workers = services.filter(([, { command = [] }]) => command[0] === 'worker');
    expect(workers).not.toHaveLength(0);
    for (const [name, { environment }] of workers)
      expect([name, environment?.['ONWARD_METRICS']]).toEqual([name, '0.0.0.0:9464']);
  });

  test('sends the traces of every worker to the collector that is named, and none by default', () => {
    const workers = services.filter(([, { command = [] }]) => command[0] === 'worker');
    const NAMES = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_CERTIFICATE'];
    for (const [name, { environment = {} }] of workers)
      // Null is what whoever calls Compose has set, or nothing.
      expect([name, NAMES.map((each) => environment[each])]).toEqual([name, NAMES.map(() => null)]);
  });

  test('watches the health of everything that keeps running', () => {
    const watched = services.filter(([, { restart }]) => restart === 'unless-stopped');
    expect(watched.map(([name]) => name)).toEqual(
      expect.arrayContaining(['postgres', 'temporal', 'sandbox', 'worker', 'demo-worker']),
    );
    for (const [name, { healthcheck }] of watched) expect([name, healthcheck]).toEqual([name, expect.anything()]);
  });
});

describe('what its containers run', () => {
  beforeAll(() => Runtime.install({ logger: new DefaultLogger('ERROR') }));

  let server: DevServer;
  let folder: string;
  beforeAll(async () => {
    server = await startDevServer();
    folder = await mkdtemp(path.join(os.tmpdir(), 'onward-compose-'));
    await symlink((await findTemporalCli()).path, path.join(folder, 'temporal'));
  });
  afterAll(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });

  const environment = (namespace: string) => ({
    PATH: `${folder}${path.delimiter}${process.env['PATH']}`,
    HOME: folder,
    TEMPORAL_ADDRESS: server.address,
    TEMPORAL_NAMESPACE: namespace,
  });

  test('the set-up prepares a namespace in which a worker can start, also when it runs again', async () => {
    const env = environment('upgrades');
    for (const attempt of [1, 2]) {
      await run('sh', [path.join(ROOT, 'docker/temporal-setup.sh')], { env, timeout: patience(25_000) });
      const connection = await connectWorker({ ...localSettings(server.address), namespace: 'upgrades' });
      expect([attempt, connection]).toEqual([attempt, expect.any(NativeConnection)]);
      await connection.close();
    }
  });

  test('a worker whose inventory is not mounted ends at once, and says so', async () => {
    const nowhere = path.join(folder, 'nowhere');
    const started = run(process.execPath, [path.join(ROOT, 'tools/onward.mjs'), 'worker', '--inventory', nowhere], {
      env: environment('default'),
    });
    await expect(started).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${nowhere}: there is no`),
    });
  });

  test('the health check of a worker tells one that polls from one that does not', async () => {
    const taskQueue = endpointTaskQueue('gw-host-01');
    const check = () =>
      run(process.execPath, [path.join(ROOT, 'docker/check-worker.mjs'), taskQueue], { env: environment('default') });
    await expect(check()).rejects.toThrow(`has polled ${taskQueue}`);

    const connection = await connectWorker(localSettings(server.address));
    const activities = { readHost: async () => 'read' };
    const worker = await Worker.create({ connection, taskQueue, activities });
    await worker.runUntil(async () => {
      for (let healthy = false; !healthy;) {
        healthy = await check().then(
          () => true,
          () => false,
        );
      }
    });
    await connection.close();
  });
});
