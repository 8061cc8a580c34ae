/** What is done to the containers while an upgrade runs in them. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { ProviderOptions } from '../../src/sandbox/world/spec';
import { docker, until, type ComposeProject, type Container } from './project';
import { effect, journal, Upgrade, type Moment } from './upgrade';

const HEALTHY_MS = 10 * 60_000;
/** Another image as far as the engine knows. What another build makes of an upgrade is tested in test/replay. */
const OTHER_IMAGE = 'onward:compose-check';

/** What a scenario has measured: words for people. */
export type Figure = string;

export interface Scenario {
  name: string;
  /** What is special about its provider. */
  provider?: Partial<ProviderOptions>;
  /** Runs one upgrade of `provider` to its end. */
  play(project: ComposeProject, provider: string): Promise<Figure>;
}

const IMPORTED = effect('packageImported');
const COMES_ON = effect('instanceUpgradeStarted');

export function scenarios({ restartEngine }: { restartEngine?: string | undefined }): Scenario[] {
  return [
    { name: 'an upgrade, answered through the command line', play: undisturbed },
    { name: 'an upgrade, watched by doctor, exporter and metrics', play: watched },
    kill('the worker, at the import', ['demo-worker']),
    kill('the endpoint worker, in setup.cmd', ['endpoint-gw-host-01'], {
      when: ({ kind, name }) => kind === 'call' && name === 'setup.cmd',
      comesOn: effect('iisReset'),
    }),
    kill('Temporal, at the import', ['temporal']),
    kill('PostgreSQL, at the import', ['postgres']),
    kill('everything but the sandbox, at the import', [
      ...['demo-worker', 'endpoint-gw-host-01', 'endpoint-gw-host-02', 'temporal', 'postgres'],
    ]),
    killSome('one of two workers, at the import', 2, 1),
    killSome('two of three workers, at the import', 3, 2),
    { name: 'two workers replaced by two of an image with another name', play: replaced },
    { name: 'the database lost, and restored from a backup', play: restored },
    ...(restartEngine === undefined
      ? []
      : [
          disturbed('the engine restarted, at the import', async () => {
            await promisify(execFile)('/bin/sh', ['-c', restartEngine]);
          }),
        ]),
    // The last, and on a host that no other has upgraded (its site there runs 18.4): to a new database, older claims are those of strangers.
    {
      name: 'the disk of the database full, before the import',
      provider: { gateways: [{ host: 'gw-host-02' }], sourceVersion: '18.4' },
      play: filled,
    },
  ];
}

async function undisturbed(project: ComposeProject, provider: string): Promise<Figure> {
  const began = Date.now();
  const upgrade = new Upgrade(project, provider);
  await upgrade.start();
  await upgrade.complete();
  return `completed in ${seconds(Date.now() - began)}`;
}

/** What docs/monitoring.md says that one sees, asked of the containers by the command line and as Prometheus would. */
async function watched(project: ComposeProject, provider: string): Promise<Figure> {
  await project.onward('doctor');
  const upgrade = new Upgrade(project, provider);
  await upgrade.start();
  const began = Date.now();
  // The exporter of the file looks at the namespace of production.
  await startExporter(project.with({ TEMPORAL_NAMESPACE: 'demo' }));
  await serves('the exporter', () => project.metrics('exporter', 9465), [
    /^onward_exporter_up 1$/m,
    /^onward_upgrades\{state="waiting",step="\w+"\} 1$/m,
    // One for each of its instances.
    /^onward_gates\{asked="partnerAdministrator"\} 2$/m,
    new RegExp(`^onward_switched_off_timestamp_seconds{provider="${provider}",what="provisioning"}`, 'm'),
    /^onward_task_queue_workers\{task_queue="onward",build="unversioned"\} 1$/m,
  ]);
  const shown = seconds(Date.now() - began);
  await startExporter(project);
  await upgrade.complete();
  await serves('the worker', () => project.metrics('demo-worker', 9464), [
    /^onward_system_call_duration_seconds_count\{.*result="ok".*system="Operations".*\} [1-9]/m,
    /^onward_answers_total\{.*message="consentCompleted".*verdict="accepted".*\} [1-9]/m,
  ]);
  await serves("the host's worker", () => project.metrics('endpoint-gw-host-01', 9464), [
    /^onward_system_call_duration_seconds_count\{.*result="ok".*system="PowerShell".*\} [1-9]/m,
  ]);
  return `doctor finds nothing wrong, the exporter shows both gates after ${shown}`;
}

async function startExporter(project: ComposeProject): Promise<void> {
  await project.compose('up', '--detach', '--no-deps', 'exporter');
}

async function serves(who: string, read: () => Promise<string>, expected: RegExp[]): Promise<void> {
  await until(HEALTHY_MS, `${who} serves what was expected`, async () => {
    const text = await read();
    const missing = expected.filter((each) => !each.test(text));
    return missing.length === 0 ? true : missing.map(String).join('; ');
  });
}

interface Moments {
  when: Moment;
  comesOn: Moment;
}

/** Something happens in mid-upgrade; the upgrade has to come on, everything has to be healthy again, and the upgrade to complete. */
function disturbed(
  name: string,
  disturb: (project: ComposeProject) => Promise<void>,
  { when, comesOn }: Moments = { when: IMPORTED, comesOn: COMES_ON },
): Scenario {
  return {
    name,
    async play(project, provider) {
      const upgrade = new Upgrade(project, provider);
      await upgrade.start();
      await upgrade.reaches(when);
      await disturb(project);
      const disturbedAt = Date.now();
      const { seq } = (await journal(project)).at(-1) ?? { seq: 0 };
      await upgrade.reaches(comesOn, { after: seq });
      const cameOn = seconds(Date.now() - disturbedAt);
      await project.healthy(HEALTHY_MS);
      const healthy = seconds(Date.now() - disturbedAt);
      await upgrade.complete();
      return `came on after ${cameOn}, all healthy after ${healthy}`;
    },
  };
}

const kill = (name: string, services: string[], moments?: Moments): Scenario =>
  disturbed(
    `killed: ${name}`,
    async (project) => {
      const victims = (await project.containers()).filter(({ service }) => services.includes(service));
      await crash(project, victims);
    },
    moments,
  );

/** The engine has to have seen each of them die, or nothing was tried. */
async function crash(project: ComposeProject, victims: Container[]): Promise<void> {
  await project.crash(...victims);
  await until(HEALTHY_MS, 'the engine has started again what was killed', async () => {
    const now = await project.containers();
    const same = victims.filter(({ id, restarts }) => now.some((each) => each.id === id && each.restarts === restarts));
    return same.length === 0 ? true : same.map(({ service }) => service).join(', ');
  });
}

function killSome(name: string, workers: number, killed: number): Scenario {
  const { play } = disturbed(name, async (project) => {
    await crash(project, (await project.containers('demo-worker')).slice(0, killed));
  });
  return {
    name: `killed: ${name}`,
    async play(project, provider) {
      await scale(project, workers);
      const figure = await play(project, provider);
      await scale(project, 1);
      return figure;
    },
  };
}

async function scale(project: ComposeProject, workers: number): Promise<void> {
  await project.compose(
    'up',
    '--detach',
    '--no-deps',
    '--no-recreate',
    '--scale',
    `demo-worker=${workers}`,
    'demo-worker',
  );
  await project.healthy(HEALTHY_MS);
}

async function replaced(project: ComposeProject, provider: string): Promise<Figure> {
  await scale(project, 2);
  const upgrade = new Upgrade(project, provider);
  await upgrade.start();
  await upgrade.reaches(IMPORTED);
  const old = await project.containers('demo-worker');
  await docker('tag', 'onward:1.1.0', OTHER_IMAGE);
  try {
    await scale(project.with({ ONWARD_IMAGE: OTHER_IMAGE }), 4);
    const slowest = await stopInOrder(old);
    await upgrade.complete();
    await docker('rm', ...old.map(({ id }) => id));
    await project.compose('up', '--detach', '--no-deps', '--scale', 'demo-worker=1', 'demo-worker');
    await project.healthy(HEALTHY_MS);
    return `the slowest old worker ended after ${seconds(slowest)}`;
  } finally {
    await docker('rmi', OTHER_IMAGE).catch((error: Error) => console.error(error.message));
  }
}

/** @throws where one had to be killed. Returns how long the slowest took, in milliseconds. */
async function stopInOrder(workers: Container[]): Promise<number> {
  let slowest = 0;
  for (const { id } of workers) {
    const began = Date.now();
    await docker('stop', id);
    slowest = Math.max(slowest, Date.now() - began);
    const code = Number((await docker('inspect', '--format', '{{.State.ExitCode}}', id)).trim());
    if (code !== 0) throw new Error(`A worker that was stopped ended with ${code}.`);
  }
  return slowest;
}

const DATABASES = ['temporal', 'temporal_visibility'];

/**
 * The backup is taken while people are asked. Then they answer, and what they did is in the systems. The restored upgrade asks for the
 * same again: it looks at what is done already, and nothing happens twice.
 */
async function restored(project: ComposeProject, provider: string): Promise<Figure> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'onward-backup-'));
  const dump = (database: string): string => path.join(folder, `${database}.dump`);
  const inDatabase = ['exec', '-T', 'postgres'];
  const user = ['--username', 'temporal'];
  try {
    const upgrade = new Upgrade(project, provider);
    await upgrade.start();
    const asked = await upgrade.asksPeople();
    for (const database of DATABASES)
      await project.pipe({ to: dump(database) }, ...inDatabase, 'pg_dump', ...user, '--format', 'custom', database);
    await upgrade.answer();
    await upgrade.asksPeople((open) => !open.some((id) => asked.includes(id)));

    const began = Date.now();
    await removeDatabase(project);
    await project.compose('up', '--detach', '--no-deps', 'postgres');
    await until(HEALTHY_MS, 'the new PostgreSQL is healthy', async () => {
      const [{ health } = { health: 'not there' }] = await project.containers('postgres');
      return health === 'healthy' ? true : health;
    });
    for (const database of DATABASES)
      await project.pipe(
        { from: dump(database) },
        ...[...inDatabase, 'pg_restore', ...user, '--clean', '--if-exists', '--create'],
        ...['--dbname', 'postgres', '--exit-on-error'],
      );
    await project.compose('up', '--detach');
    await project.healthy(HEALTHY_MS);
    const back = Date.now();
    const again = await upgrade.asksPeople();
    if (again.join() !== asked.join()) throw new Error(`It asked for ${asked.join()}, and now for ${again.join()}.`);
    await upgrade.complete();
    return `restored and healthy after ${seconds(back - began)}, ${again.length} gates open again`;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function removeDatabase(project: ComposeProject): Promise<void> {
  await project.compose('stop', 'demo-worker', 'worker', 'exporter', 'temporal-ui', 'temporal');
  await project.compose('rm', '--stop', '--force', 'postgres');
  await docker('volume', 'rm', `${project.name}_postgres`);
}

/** A new database on a small disk. In mid-upgrade others fill it, until PostgreSQL can write no longer; then somebody makes room. */
async function filled(project: ComposeProject, provider: string): Promise<Figure> {
  const small = project.under('small-disk.yml');
  await removeDatabase(project);
  const fill = async (): Promise<void> => {
    const write = 'dd if=/dev/zero of=/disk/others bs=64k 2>&1 || true';
    const written = await small.compose('exec', '-T', 'others', 'sh', '-c', write);
    if (!written.includes(NO_SPACE)) throw new Error(`The disk is not full: ${written}`);
    const [database] = await small.containers('postgres');
    if (database === undefined) throw new Error('There is no PostgreSQL.');
    // What it has in reserve lasts for some MiB of changes: it is told to begin the next piece of its log, until there is none.
    await until(HEALTHY_MS, 'PostgreSQL has ended for want of room, and was started again', async () => {
      const next = docker('exec', database.id, 'psql', '--username', 'temporal', '--command', 'SELECT pg_switch_wal()');
      const answer = await next.catch((error: Error) => error.message);
      return (await small.containers('postgres'))[0]?.restarts === database.restarts ? answer : true;
    });
    if (!(await small.compose('logs', 'postgres')).includes(NO_SPACE))
      throw new Error('PostgreSQL ended, and not for want of room.');
  };
  const { play } = disturbed(
    '',
    async () => {
      await fill();
      await small.compose('exec', '-T', 'others', 'rm', '/disk/others');
    },
    { when: effect('templateDeactivated'), comesOn: IMPORTED },
  );
  try {
    await small.compose('up', '--detach');
    await small.healthy(HEALTHY_MS);
    return await play(small, provider);
  } finally {
    await small.compose('rm', '--stop', '--force', 'others');
    await removeDatabase(small);
    await project.compose('up', '--detach');
    await project.healthy(HEALTHY_MS);
  }
}

const NO_SPACE = 'No space left on device';

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;
