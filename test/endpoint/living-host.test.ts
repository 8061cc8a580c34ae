/**
 * A host that is alive while Onward works on it: files that others have open, pools that take their time.
 *
 * @uses powershell
 */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { FAILURE, type EndpointActivities } from '../../src/contract/activities';
import type { SiteBackup } from '../../src/contract/facts';
import { patience } from '../kit/deadlines';
import { everything, testInFull } from '../kit/extent';
import { missingTools } from '../kit/tools.cjs';
import {
  activityEnvironment,
  FROM,
  HOST,
  hostSpec,
  HostWorld,
  OPERATION,
  SIGNATURE,
  TO,
  type Engine,
} from './host-world';

/** A genuine PowerShell takes a minute for all this. */
const ENGINES: Engine[] =
  missingTools().powershell === undefined && everything ? ['stand-in', 'PowerShell'] : ['stand-in'];
/** Longer than any script waits in a hurry. */
const LONG_MS = patience(4_000);

let world: HostWorld;
let activities: EndpointActivities;
afterEach(() => world.end());

async function start(engine: Engine, options: Parameters<typeof HostWorld.start>[0] = {}): Promise<void> {
  world = await HostWorld.start(options);
  activities = world.activities(engine);
  await world.claim(OPERATION, engine);
}
/** From now on no script waits for long. */
const hurry = (engine: Engine) => {
  activities = world.activities(engine, { patienceMs: 200 });
};
const site = () => ({ host: world.host, site: world.planned(0), operation: OPERATION });
async function backUp(): Promise<SiteBackup> {
  const backup = await activities.backupSite(site());
  if (backup === undefined) throw new Error('There is nothing to back up: the files are new');
  return backup;
}
async function setUp(): Promise<void> {
  await activities.stagePackage({ host: world.host, ...world.packageOf(OPERATION) });
  await activities.runSetup({ ...site(), ...world.packageOf(OPERATION) });
}
const restore = (backup: SiteBackup) => activities.restoreSite({ ...site(), backup });
const inSite = (...names: string[]) => path.join(world.folder(0), ...names);
async function write(name: string, text: string): Promise<void> {
  await mkdir(path.dirname(inSite(name)), { recursive: true });
  await writeFile(inSite(name), text);
}
/** Some process has the file open. */
const open = (name: string, how: { sharing: 'readWrite' | 'none'; growsEveryMs?: number; afterStopMs?: number }) =>
  world.post('open-file', { path: path.relative(path.join(world.directory, HOST, 'disk'), inSite(name)), ...how });
const versions = async () =>
  (await activities.detectSites({ host: world.host, sites: [world.planned(0)], from: FROM, to: TO }))[0];
const starts = () => world.calls().filter((call) => call.startsWith('Start-WebAppPool'));
const reset = (purpose: 'upgrade' | 'rollback') =>
  activities.resetIis({ host: world.host, operation: OPERATION, purpose });
const POOL = 'Office365 Gateway 01 Office365GatewayApplication01';
const SITELOG = 'App_Data/sitelog/gateway.txt';

describe.each(ENGINES)('through %s', (engine) => {
  test.each([
    ['that others may read', { sharing: 'readWrite', growsEveryMs: 50 }],
    ['that nobody else may read', { sharing: 'none', growsEveryMs: 50 }],
  ] as const)(
    'an application that writes a log %s is backed up, set up and rolled back, and the log is left as it is',
    async (_, how) => {
      await start(engine);
      await write(SITELOG, 'first line\n');
      await open(SITELOG, how);
      const before = (await stat(inSite(SITELOG))).size;
      const backup = await backUp();
      expect(backup).toMatchObject({ files: 5, leftOut: [SITELOG] });
      await setUp();
      expect(await versions()).toMatchObject({ deployed: 'new' });
      await restore(backup);
      expect(await versions()).toMatchObject({ deployed: 'old' });
      expect((await stat(inSite(SITELOG))).size).toBeGreaterThan(before);
      expect(existsSync(path.join(backup.path, 'files', SITELOG))).toBe(how.sharing === 'readWrite');
    },
  );

  test('a file that grows wherever it lies is known by its growing', async () => {
    await start(engine);
    await write('trace/today.txt', 'first line\n'.repeat(1000));
    await open('trace/today.txt', { sharing: 'readWrite', growsEveryMs: 1 });
    const backup = await backUp();
    expect(backup).toMatchObject({ files: 5, leftOut: ['trace/today.txt'] });
    await setUp();
    await restore(backup);
    expect(await versions()).toMatchObject({ deployed: 'old' });
  });

  test('a file of the application that nobody may read keeps the backup from being made, by its name, until it is let go', async () => {
    await start(engine);
    await open('bin/Office365.Data.dll', { sharing: 'none', afterStopMs: 0 });
    await expect(activities.backupSite(site())).rejects.toMatchObject({
      type: FAILURE.notYet,
      message: expect.stringMatching(/Office365\.Data\.dll is in use: The process cannot access the file/) as string,
    });
  });

  test('what an upgrade will need of the host is looked at before: files, space, package; nothing is left behind', async () => {
    await start(engine, { spec: hostSpec({ freeBytes: 3 * 2 ** 20 }) });
    await write(SITELOG, 'first line\n');
    await open(SITELOG, { sharing: 'none', growsEveryMs: 50 });
    await open('bin/Office365.Data.dll', { sharing: 'none' });
    activities = world.activities(engine, { patienceMs: 100 });
    const before = await readdir(world.workDirectory, { recursive: true });
    const { disk, sites } = await activities.readHost({ host: world.host, packages: [TO] });
    expect(disk).toEqual({ freeBytes: 3 * 2 ** 20, packages: { [TO]: { bytes: expect.any(Number) as number } } });
    const [first, second] = sites.flatMap(({ applications }) => applications);
    expect(first?.unread).toEqual([
      expect.stringMatching(/^bin\/Office365\.Data\.dll \(.*being used by another process/),
    ]);
    expect(second).toMatchObject({ bytes: expect.any(Number) as number, unread: [] });
    expect((await readdir(world.workDirectory, { recursive: true })).filter((name) => name !== 'packages')).toEqual(
      before,
    );
    expect(world.effects()).toEqual([]);
    await expect(activities.readHost({ host: world.host })).resolves.not.toHaveProperty('disk');
  });

  test('a look before the upgrade makes a work directory that is missing for administrators alone', async () => {
    world = await HostWorld.start();
    activities = world.activities(engine);
    await activities.readHost({ host: world.host, packages: [TO] });
    await expect(activities.readHost({ host: world.host })).resolves.toMatchObject({ exposed: [] });
    expect(existsSync(world.workDirectory)).toBe(true);
  });

  testInFull(
    'a package that cannot be unpacked on the host is told before the upgrade, and one that lies there is not fetched again',
    async () => {
      await start(engine);
      world.fault('Expand-Archive', 'diskIsFull');
      const look = async () => (await activities.readHost({ host: world.host, packages: [TO] })).disk;
      const problem = expect.stringMatching(/There is not enough space on the disk/) as string;
      await expect(look()).resolves.toMatchObject({ packages: { [TO]: { problem } } });
      await activities.stagePackage({ host: world.host, ...world.packageOf(OPERATION) });
      await expect(look()).resolves.toMatchObject({ packages: { [TO]: { bytes: 0 } } });
    },
  );

  testInFull(
    'a package that cannot be fetched by the host is tried again, then told without what gives access to it',
    async () => {
      await start(engine);
      const packages = { [TO]: { url: `${world.url}/nothing.zip?sig=${SIGNATURE}`, sha256: 'a'.repeat(64) } };
      const look = (attempt: number) =>
        world
          .activities(engine, {
            settings: { ...world.settings, packages },
            environment: () => activityEnvironment(undefined, attempt),
          })
          .readHost({ host: world.host, packages: [TO] });
      await expect(look(1)).rejects.toMatchObject({ type: FAILURE.unreachable, retryable: true });
      const { disk } = await look(3);
      expect(disk).toMatchObject({
        packages: { [TO]: { problem: expect.stringMatching(/cannot be downloaded/) as string } },
      });
      expect(JSON.stringify(disk)).not.toContain(SIGNATURE);
    },
  );

  test('the version that an assembly says of itself is read from its text where a compiler left its numbers at zero', async () => {
    await start(engine);
    const text = await readFile(inSite('bin', 'Office365.Data.dll'), 'latin1');
    await writeFile(
      inSite('bin', 'Office365.Data.dll'),
      text.replace(/^FileVersion=.*$/m, 'FileVersion=v18.3.0.9'),
      'latin1',
    );
    await expect(versions()).resolves.toMatchObject({ deployed: 'old', assemblyVersions: ['18.3.0.9'] });
  });

  test('a PowerShell that finds none of its own modules says which commands it misses, and where it looked', async () => {
    await start(engine);
    world.fault('discover', 'foreignModules');
    await expect(activities.readHost({ host: world.host })).rejects.toMatchObject({
      type: FAILURE.unexpectedState,
      retryable: false,
      message: expect.stringMatching(/knows no Get-Acl, Set-Acl; its PSModulePath is/) as string,
    });
  });

  testInFull('files that are held after the pool has stopped are waited for', async () => {
    await start(engine);
    const pristine = await world.state(0);
    const backup = await backUp();
    await setUp();
    await open('bin/Office365.Data.dll', { sharing: 'readWrite', afterStopMs: patience(700) });
    await restore(backup);
    expect(await world.state(0)).toMatchObject({ files: (pristine as { files: string }).files });
    expect(world.effects().filter((effect) => effect.startsWith('siteRestored'))).toHaveLength(1);
  });

  test('files that are not let go in time leave the whole site as it was, and its pool started', async () => {
    await start(engine);
    const backup = await backUp();
    await setUp();
    const whole = await world.state(0);
    await open('bin/Office365.Data.dll', { sharing: 'readWrite' });
    hurry(engine);
    await expect(restore(backup)).rejects.toMatchObject({
      type: FAILURE.notYet,
      retryable: true,
      message: expect.stringMatching(/Office365\.Data\.dll is in use/) as string,
    });
    expect(await world.state(0)).toMatchObject({ files: (whole as { files: string }).files });
    expect(starts()).toEqual(['Start-WebAppPool']);
  });

  testInFull('a pool that goes on stopping is waited for, and stopped and started once', async () => {
    await start(engine);
    const backup = await backUp();
    await setUp();
    world.fault('Stop-WebAppPool', 'poolStopsSlowly', { delayMs: patience(900) });
    await restore(backup);
    expect(world.calls().filter((call) => call.includes('WebAppPool'))).toEqual([
      'Stop-WebAppPool: poolStopsSlowly',
      'Start-WebAppPool',
    ]);
    expect(await versions()).toMatchObject({ deployed: 'old' });
  });

  testInFull(
    'a pool that does not stop in time is told as such, whatever its start says then, and is gone on with',
    async () => {
      await start(engine);
      const backup = await backUp();
      await setUp();
      world.fault('Stop-WebAppPool', 'poolStopsSlowly', { delayMs: LONG_MS });
      hurry(engine);
      await expect(restore(backup)).rejects.toMatchObject({
        type: FAILURE.notYet,
        message: expect.stringMatching(/the application pool '.+' is Stopping and not yet Stopped/) as string,
      });
      activities = world.activities(engine);
      await restore(backup);
      expect(await versions()).toMatchObject({ deployed: 'old' });
      expect(starts()).toEqual(['Start-WebAppPool']);
    },
  );

  testInFull('a start that fails is repeated, also by the next attempt, which finds the files in order', async () => {
    await start(engine);
    const backup = await backUp();
    await setUp();
    world.fault('Start-WebAppPool', 'fault', { times: 2 });
    await restore(backup);
    expect(starts()).toEqual(['Start-WebAppPool: fault', 'Start-WebAppPool: fault', 'Start-WebAppPool']);

    await write('robots.txt', 'Disallow: /\n');
    world.fault('Start-WebAppPool', 'fault', { times: 1000 });
    hurry(engine);
    await expect(restore(backup)).rejects.toMatchObject({
      type: FAILURE.notYet,
      message: expect.stringMatching(/is Stopped and not yet Started: Access is denied/) as string,
    });
    world.faults.clear();
    activities = world.activities(engine);
    const stops = () => world.calls().filter((call) => call.startsWith('Stop-WebAppPool')).length;
    const before = stops();
    await restore(backup);
    expect(stops()).toBe(before);
    await expect(world.served(0)).resolves.toBe('18.3');
  });

  test('a pool that was stopped stays stopped', async () => {
    await start(engine);
    const backup = await backUp();
    await setUp();
    await world.windows('Stop-WebAppPool', { name: POOL });
    await restore(backup);
    expect(starts()).toEqual([]);
    expect(await versions()).toMatchObject({ deployed: 'old' });
  });

  test('a restore that was ended in its middle is gone on with, and nothing serves a half until then', async () => {
    await start(engine);
    const pristine = await world.state(0);
    const backup = await backUp();
    await setUp();
    // As a script leaves it that was ended between two files.
    await world.windows('Stop-WebAppPool', { name: POOL });
    await writeFile(path.join(backup.path, 'restoring.json'), JSON.stringify({ pool: 'Started', half: true }));
    await writeFile(inSite('Web.config'), await readFile(path.join(backup.path, 'files', 'Web.config')));
    await open('bin/Office365.Data.dll', { sharing: 'readWrite' });
    hurry(engine);
    await expect(restore(backup)).rejects.toMatchObject({ type: FAILURE.notYet });
    expect(starts()).toEqual([]);
    await expect(world.served(0)).rejects.toThrow(/does not answer/);
    await world.post('close-files', {});
    await restore(backup);
    expect(await world.state(0)).toEqual(pristine);
  });

  test('a package that is unpacked by half says why, and is unpacked anew', async () => {
    await start(engine);
    world.fault('Expand-Archive', 'diskIsFull', { skip: 1 });
    const stage = () => activities.stagePackage({ host: world.host, ...world.packageOf(OPERATION) });
    await expect(stage()).rejects.toMatchObject({
      type: FAILURE.rejected,
      message: expect.stringMatching(/There is not enough space on the disk/) as string,
    });
    await expect(activities.runSetup({ ...site(), ...world.packageOf(OPERATION) })).rejects.toMatchObject({
      type: FAILURE.unexpectedState,
    });
    expect(world.calls()).not.toContain('setup.cmd');
    await stage();
  });

  test.each([
    ['setupDrifts', 0],
    ['setupDriftsAndFails', 1],
  ])('a database that has drifted is no silent success: %s', async (fault, exitCode) => {
    await start(engine);
    world.fault('setup.cmd', fault);
    await activities.stagePackage({ host: world.host, ...world.packageOf(OPERATION) });
    const run = () => activities.runSetup({ ...site(), ...world.packageOf(OPERATION) });
    const first = await run();
    expect(first).toMatchObject({ exitCode, remarks: [expect.stringMatching(/has drifted from its registered/)] });
    expect(first.log).not.toContain('drifted');
    await expect(run()).resolves.toEqual(first);
    expect(world.calls().filter((call) => call.startsWith('setup.cmd'))).toHaveLength(1);
  });

  test.each(['setupWantsRestart', 'setupNeedsRestart'])(
    'a restart that setup.cmd wants is named, and its work is known after it: %s',
    async (fault) => {
      await start(engine);
      world.fault('setup.cmd', fault);
      await activities.stagePackage({ host: world.host, ...world.packageOf(OPERATION) });
      const run = () => activities.runSetup({ ...site(), ...world.packageOf(OPERATION) });
      for (let attempt = 0; attempt < 2; attempt += 1) {
        if (fault === 'setupWantsRestart') {
          await expect(run()).resolves.toMatchObject({ exitCode: 3010, restartWanted: true });
        } else {
          await expect(run()).rejects.toMatchObject({
            type: FAILURE.restartWanted,
            retryable: false,
            message: expect.stringMatching(
              /3010: a restart of gw-host-01 is wanted.* Restart gw-host-01, then retry/,
            ) as string,
          });
        }
      }
      const up = once(world.hosts.restarts, 'up');
      await world.post('restart', {});
      await up;
      await expect(run()).resolves.toMatchObject({ exitCode: 3010, restartWanted: false });
      expect(world.calls().filter((call) => call.startsWith('setup.cmd'))).toHaveLength(1);
    },
  );

  test('an iisreset that leaves a service stopping is run again once that has stopped', async () => {
    await start(engine);
    await setUp();
    world.fault('iisreset', 'resetStopsHalf', { delayMs: patience(700) });
    await expect(reset('upgrade')).resolves.toEqual({ cannotTell: [] });
    expect(world.calls().filter((call) => /^(iisreset|setup\.cmd)/.test(call))).toEqual([
      'setup.cmd',
      'iisreset: resetStopsHalf',
      'iisreset',
    ]);
    await expect(world.served(0)).resolves.toBe('18.4.1');
  });

  test('a gateway is asked at its planned address, by its name, and not trusted to answer because it is not trusted', async () => {
    const spec = hostSpec();
    const sites = spec.sites.map((one) => ({ ...one, untrusted: true }));
    await start(engine, { spec: { ...spec, sites } });
    activities = world.activities(engine, { patienceMs: 200 });
    await setUp();
    world.fault('iisreset', 'resetLeavesPoolsDown');
    await expect(reset('upgrade')).rejects.toMatchObject({
      type: FAILURE.unreachable,
      message: expect.stringMatching(
        /gateway01\.contoso\.local\/Office365GatewayApplication01\/aps\/ at 10\.1\.2\.11 answers HTTP 503 .*does not trust its certificate \(RemoteCertificateChainErrors\)/,
      ) as string,
    });
    await world.windows('Start-WebAppPool', { name: POOL });
    await expect(reset('upgrade')).resolves.toEqual({ cannotTell: [] });
  });

  testInFull(
    'an address that the host cannot reach is no gateway that does not answer, and no rollback ends with it',
    async () => {
      const spec = hostSpec();
      const [first, ...others] = spec.sites;
      if (!first) throw new Error('The host has a site');
      const bindings = [{ address: '*', port: 443, hostHeader: first.hostname }];
      await start(engine, { spec: { ...spec, sites: [{ ...first, ip: '10.0.0.9', bindings }, ...others] } });
      activities = world.activities(engine, { patienceMs: 200 });
      const elsewhere = { ...world.planned(0), ip: '10.20.0.11' };
      const backup = await backUp();
      await activities.stagePackage({ host: world.host, ...world.packageOf(OPERATION) });
      // Translated on the way to the host: setup.cmd of the sandbox takes the address of any site that is bound to all.
      await activities.runSetup({ ...site(), site: elsewhere, ...world.packageOf(OPERATION) });
      const cannotTell = [
        {
          url: 'https://gateway01.contoso.local/Office365GatewayApplication01/aps/',
          address: '10.20.0.11',
          problem: expect.stringMatching(/no connection/) as string,
        },
      ];
      await expect(reset('upgrade')).resolves.toEqual({ cannotTell });
      await restore(backup);
      await expect(reset('rollback')).resolves.toEqual({ cannotTell });
    },
  );

  testInFull('a gateway whose pool was stopped before is not expected to answer after a rollback', async () => {
    await start(engine);
    const backup = await backUp();
    await setUp();
    await world.windows('Stop-WebAppPool', { name: POOL });
    await restore(backup);
    world.fault('iisreset', 'resetLeavesPoolsDown');
    await expect(reset('rollback')).resolves.toEqual({ cannotTell: [] });
  });
});
