import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { FAILURE, type EndpointActivities } from '../../src/contract/activities';
import type { SiteBackup, StagedPackage } from '../../src/contract/facts';
import type { Operation } from '../../src/contract/operation';
import { activityEnvironment, FROM, HostWorld, hostSpec, NEXT, OPERATION, TO } from './host-world';
import { testInFull } from '../kit/extent';
import { patience } from '../kit/deadlines';

let world: HostWorld;
let activities: EndpointActivities;
afterEach(() => world.end());

async function start(options: Parameters<typeof HostWorld.start>[0] = {}): Promise<void> {
  world = await HostWorld.start(options);
  activities = world.activities('stand-in');
}
const stage = (): Promise<StagedPackage> => activities.stagePackage({ host: world.host, ...world.packageSource });
const copyFor = (operation: Operation): Promise<SiteBackup | undefined> =>
  activities.backupSite({ host: world.host, site: world.planned(0), operation });
async function backUp(): Promise<SiteBackup> {
  const backup = await copyFor(OPERATION);
  if (backup === undefined) throw new Error('There is nothing to back up: the files are new');
  return backup;
}
const setUp = (staged: StagedPackage, site = world.planned(0), operation = OPERATION) =>
  activities.runSetup({ host: world.host, site, staged, operation });
const reset = (purpose: 'upgrade' | 'rollback' = 'upgrade', operation = OPERATION) =>
  activities.resetIis({ host: world.host, operation, purpose });
const restore = (backup: SiteBackup) =>
  activities.restoreSite({ host: world.host, site: world.planned(0), backup, operation: OPERATION });
const deployed = async () => {
  const sites = [world.planned(0)];
  const [version] = await activities.detectSites({ host: world.host, sites, from: FROM, to: TO });
  return version?.deployed;
};
const count = (call: string) => world.calls().filter((name) => name.startsWith(call)).length;
const SETUP_RAN = 'setupRan Office365 Gateway 01/Office365GatewayApplication01';

describe('setup.cmd', () => {
  test('runs once, however often it is asked for', async () => {
    await start();
    const staged = await stage();
    const first = await setUp(staged);
    expect(first).toEqual({ exitCode: 0, log: 'Gateway Office365GatewayApplication01 is up to date.' });
    await expect(setUp(staged)).resolves.toEqual(first);
    expect(world.effects()).toEqual([SETUP_RAN]);
  });

  test('that outlives a PowerShell that died is waited for and not started again', async () => {
    await start();
    world.fault('setup.cmd', 'setupOutlives', { delayMs: patience(800) });
    await expect(setUp(await stage())).resolves.toMatchObject({ exitCode: 0 });
    expect(world.effects()).toEqual([SETUP_RAN]);
    expect(await deployed()).toBe('new');
  });

  test('that another attempt has left running is waited for and not joined by a second one', async () => {
    await start({ setupMs: patience(800) });
    const staged = await stage();
    await Promise.all([setUp(staged), world.journalled('setup.cmd').then(() => setUp(staged))]);
    expect(count('setup.cmd')).toBe(1);
    expect(world.effects()).toEqual([SETUP_RAN]);
  });

  test('whose end nobody heard of is found to have done its work', async () => {
    await start();
    world.fault('setup.cmd', 'effectThenNoAnswer');
    await expect(setUp(await stage())).resolves.toMatchObject({ exitCode: 0 });
    expect(world.effects()).toEqual([SETUP_RAN]);
  });

  testInFull('that comes to be run when a later attempt has done its work is not run again', async () => {
    await start();
    const staged = await stage();
    world.fault('setup', 'slow', { delayMs: patience(5_000) });
    const orphaned = setUp(staged);
    await world.journalled('setup: slow');
    await setUp(staged);
    await expect(orphaned).rejects.toMatchObject({
      type: FAILURE.notYet,
      message: expect.stringContaining('has changed GW-HOST-01 since it was looked at') as string,
    });
    expect(world.effects()).toEqual([SETUP_RAN]);
  });

  testInFull('is run again over the mixture that a dead setup.cmd leaves behind', async () => {
    await start();
    const staged = await stage();
    world.fault('setup.cmd', 'setupHalfFinishes');
    await expect(setUp(staged)).rejects.toMatchObject({
      type: FAILURE.rejected,
      message: expect.stringMatching(/setup\.cmd of Office365 Gateway 01\/\S+ ended with exit code 1603: Fatal error/),
    });
    expect(await deployed()).toBe('mixed');
    await expect(setUp(staged)).resolves.toMatchObject({ exitCode: 0 });
    expect(await deployed()).toBe('new');
  });

  test.each([
    ['setupFails', FAILURE.rejected, /ended with exit code 1603/],
    ['setupDoesNothing', FAILURE.unexpectedState, /ended with exit code 0, but the files are 18\.3\.0\.9/],
    ['reset', FAILURE.outcomeUnknown, /was ended by SIGKILL/],
  ])('that goes wrong (%s) is %s', async (fault, type, message) => {
    await start();
    world.fault('setup.cmd', fault);
    await expect(setUp(await stage())).rejects.toMatchObject({ type, message: expect.stringMatching(message) });
    expect(world.effects()).toEqual([]);
  });

  test('is ended with its PowerShell when the upgrade is cancelled, and leaves what it had done so far', async () => {
    await start({ setupMs: patience(60_000) });
    const staged = await stage();
    const environment = activityEnvironment();
    activities = world.activities('stand-in', () => environment);
    const running = setUp(staged);
    await world.journalled('setup.cmd');
    environment.cancel();
    await expect(running).rejects.toThrow(/cancel|abort/i);
    activities = world.activities('stand-in');
    expect(await deployed()).toBe('old');
    expect(world.effects()).toEqual([]);
  });

  testInFull('that never ends is ended before the time that Temporal gives is over', async () => {
    await start();
    world.fault('setup.cmd', 'setupHangs', { times: 2 });
    const staged = await stage();
    activities = world.activities('stand-in', () => activityEnvironment(patience(4_000)));
    await expect(setUp(staged)).rejects.toMatchObject({ type: FAILURE.outcomeUnknown });
    activities = world.activities('stand-in');
    expect(await deployed()).toBe('old');
  });

  test('is not run on a site that was renamed since the plan was made', async () => {
    await start();
    const staged = await stage();
    await world.post('rename-site', { from: 'Office365 Gateway 01', to: 'Gateway' });
    await expect(setUp(staged)).rejects.toMatchObject({
      type: FAILURE.unexpectedState,
      message: expect.stringMatching(/no site 'Office365 Gateway 01' any more: was it renamed/),
    });
    expect(count('setup.cmd')).toBe(0);
  });

  test('is not given an address that the site no longer has', async () => {
    await start();
    await expect(setUp(await stage(), { ...world.planned(0), ip: '10.9.9.9' })).rejects.toMatchObject({
      type: FAILURE.unexpectedState,
      message: expect.stringMatching(/no https binding to 10\.9\.9\.9, it has 10\.1\.2\.11/),
    });
  });

  test('is not given a name that a batch file would misread', async () => {
    await start();
    const site = { ...world.planned(0), site: 'Gateway & del', application: 'Gate%PATH%' };
    await expect(setUp({ directory: '/staged' }, site)).rejects.toMatchObject({
      type: FAILURE.rejected,
      message: expect.stringMatching(/cannot be given site "Gateway & del", application "Gate%PATH%"/),
    });
    expect(world.calls()).toEqual([]);
  });
});

describe('the package', () => {
  test('is unpacked once, unblocked before O365-Web.zip is unpacked', async () => {
    await start();
    const { directory } = await stage();
    expect((await readdir(directory)).sort()).toEqual(['Web', 'setup.cmd']);
    await expect(stage()).resolves.toEqual({ directory });
  });

  // Security: package-by-hash
  test('is not unpacked when it is another file than the inventory names', async () => {
    await start();
    const sha256 = '0'.repeat(64);
    await expect(activities.stagePackage({ host: world.host, ...world.packageSource, sha256 })).rejects.toMatchObject({
      type: FAILURE.rejected,
      message: expect.stringMatching(/instead of 0000/),
    });
    const folder = path.join(world.host.workDirectory, 'packages', sha256);
    expect(await readdir(folder)).not.toContain('package');
  });

  test('that cannot be fetched may be fetched later', async () => {
    await start();
    const packageUrl = 'http://127.0.0.1:9/package.zip';
    await expect(
      activities.stagePackage({ host: world.host, ...world.packageSource, packageUrl }),
    ).rejects.toMatchObject({ type: FAILURE.unreachable, retryable: true });
  });
});

describe('a backup', () => {
  test('is taken once, and stays what it is while setup.cmd changes the files', async () => {
    await start();
    const backup = await backUp();
    expect(backup).toMatchObject({ files: 5, digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
    await setUp(await stage());
    await expect(backUp()).resolves.toEqual(backup);
  });

  test.each([
    ['backup', 'fault'],
    ['Backup-WebConfiguration', 'fault'],
  ])('that is not possible (%s: %s) says so, and setup.cmd was not near', async (call, kind) => {
    await start();
    world.fault(call, kind);
    await expect(backUp()).rejects.toMatchObject({ type: FAILURE.noBackup, retryable: false });
    await expect(backUp()).resolves.toMatchObject({ files: 5 });
  });

  test('is refused for files of both versions', async () => {
    await start();
    world.fault('setup.cmd', 'setupHalfFinishes');
    await setUp(await stage()).catch(() => undefined);
    await expect(backUp()).rejects.toMatchObject({
      type: FAILURE.noBackup,
      message: expect.stringMatching(
        /not those of 18\.3 any more \(assemblies 18\.3\.0\.9, web\.config 18\.4\.1\.12\).* No older operation has left a copy/,
      ),
    });
  });

  test('is not needed for files that are new already, which this operation does not change', async () => {
    await start();
    await backUp();
    await setUp(await stage());
    await expect(copyFor(NEXT)).resolves.toBeUndefined();
  });

  test('from an earlier, undone run is replaced when the site was changed since', async () => {
    await start();
    const first = await backUp();
    await writeFile(path.join(world.folder(0), 'robots.txt'), 'Disallow: /\n');
    const second = await backUp();
    expect(second).toMatchObject({ path: first.path, files: 6 });
    expect(second.digest).not.toBe(first.digest);
  });

  testInFull('that was damaged is not restored', async () => {
    await start();
    const backup = await backUp();
    await setUp(await stage());
    await writeFile(path.join(backup.path, 'files', 'Web.config'), 'damaged');
    await expect(restore(backup)).rejects.toMatchObject({ type: FAILURE.unexpectedState });
    expect(await deployed()).toBe('new');
  });

  test('is restored once: files that setup.cmd has added are gone, and those it has changed are back', async () => {
    await start();
    const pristine = await world.state(0);
    const backup = await backUp();
    world.fault('setup.cmd', 'setupHalfFinishes');
    await setUp(await stage()).catch(() => undefined);
    await mkdir(path.join(world.folder(0), 'new'));
    await writeFile(path.join(world.folder(0), 'new', 'page.aspx'), 'new');
    await restore(backup);
    await restore(backup);
    expect(world.effects().filter((effect) => effect.startsWith('siteRestored'))).toHaveLength(1);
    expect(await world.state(0)).toEqual(pristine);
  });

  testInFull('that is restored while PowerShell dies is restored by the next attempt', async () => {
    await start();
    const pristine = await world.state(0);
    const backup = await backUp();
    await setUp(await stage());
    world.fault('Stop-WebAppPool', 'effectThenNoAnswer');
    await expect(restore(backup)).rejects.toMatchObject({ type: FAILURE.outcomeUnknown });
    await restore(backup);
    expect(await world.state(0)).toEqual(pristine);
  });
});

describe('iisreset', () => {
  testInFull('runs once after all that was done, and again only after something else was done', async () => {
    await start();
    const backup = await backUp();
    const staged = await stage();
    await setUp(staged);
    await setUp(staged, world.planned(1));
    await reset();
    await reset();
    expect(count('iisreset')).toBe(1);
    await restore(backup);
    await reset('rollback');
    await reset('rollback');
    expect(count('iisreset')).toBe(2);
    await expect(world.served(0)).resolves.toBe('18.3');
  });

  test('is spared where a rollback has nothing to undo', async () => {
    await start();
    await reset('rollback');
    expect(count('iisreset')).toBe(0);
  });

  testInFull.each([
    ['resetTimesOut', FAILURE.rejected, /ended with exit code 1053: The service did not respond/],
    ['resetLeavesStopped', FAILURE.rejected, /reported success, but W3SVC is Stopped/],
    ['fault', FAILURE.rejected, /Access is denied/],
    ['effectThenNoAnswer', FAILURE.outcomeUnknown, /without saying what it has done/],
  ])('that goes wrong (%s) is %s, and is repeated', async (fault, type, message) => {
    await start();
    await setUp(await stage());
    world.fault('iisreset', fault);
    await expect(reset()).rejects.toMatchObject({ type, message: expect.stringMatching(message) });
    await reset();
    expect(count('iisreset')).toBe(2);
    await expect(world.served(0)).resolves.toBe('18.4.1');
  });

  test('needs an elevated session', async () => {
    await start({ spec: hostSpec({ elevated: false }) });
    await expect(activities.readHost({ host: world.host })).resolves.toMatchObject({ elevated: false });
    await expect(reset()).rejects.toMatchObject({ message: expect.stringMatching(/exit code 5: Access denied/) });
  });
});

describe('a host', () => {
  test('without the site, the application or its folder says which of them is missing', async () => {
    await start();
    const key = world.planned(0);
    const detect = (site: string, application: string) =>
      activities.detectSites({ host: world.host, sites: [{ site, application }], from: FROM, to: TO });
    await expect(detect('Elsewhere', key.application)).rejects.toThrow(/no such site/);
    await expect(detect(key.site, 'Elsewhere')).rejects.toThrow(/no such application/);
    await rm(world.folder(0), { recursive: true });
    await expect(detect(key.site, key.application)).rejects.toThrow(/has no folder/);
  });

  testInFull('is what it was after a restart of the sandbox, and a setup.cmd that was running goes on', async () => {
    await start({ setupMs: patience(1_500) });
    await backUp();
    const staged = await stage();
    const { directory } = world;
    const interrupted = setUp(staged);
    await world.journalled('setup.cmd');
    await Promise.all([expect(interrupted).rejects.toThrow(), world.end({ keepDisk: true })]);

    await start({ directory, setupMs: patience(1_500) });
    await expect(setUp(staged)).resolves.toMatchObject({ exitCode: 0 });
    expect(world.effects()).toEqual([SETUP_RAN]);
    expect(count('setup.cmd')).toBe(0);
  });

  test('keeps no password of a connection string in what a script tells or writes', async () => {
    await start();
    const told = [await activities.readHost({ host: world.host }), await backUp()];
    expect(JSON.stringify(told)).not.toMatch(/password/i);
    const records = await readdir(world.host.workDirectory, { recursive: true, withFileTypes: true });
    for (const record of records.filter(({ name }) => name.endsWith('.json'))) {
      expect(await readFile(path.join(record.parentPath, record.name), 'utf8')).not.toMatch(/password/i);
    }
  });
});
