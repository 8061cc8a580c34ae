import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { FAILURE, type EndpointActivities } from '../../src/contract/activities';
import type { SiteBackup } from '../../src/contract/facts';
import type { Operation } from '../../src/contract/operation';
import type { EndpointSettings } from '../../src/systems/endpoint/settings';
import { recordsFolder } from '../../src/systems/endpoint/upgrade-records';
import { activityEnvironment, FROM, HostWorld, hostSpec, NEXT, OPERATION, SIGNATURE, TO } from './host-world';
import { testInFull } from '../kit/extent';
import { patience } from '../kit/deadlines';

let world: HostWorld;
let activities: EndpointActivities;
afterEach(() => world.end());

async function start(options: Parameters<typeof HostWorld.start>[0] = {}): Promise<void> {
  world = await HostWorld.start(options);
  activities = world.activities('stand-in');
  await world.claim(OPERATION);
}
const stage = () => activities.stagePackage({ host: world.host, ...world.packageOf(OPERATION) });
const copyFor = (operation: Operation): Promise<SiteBackup | undefined> =>
  activities.backupSite({ host: world.host, site: world.planned(0), operation });
async function backUp(): Promise<SiteBackup> {
  const backup = await copyFor(OPERATION);
  if (backup === undefined) throw new Error('There is nothing to back up: the files are new');
  return backup;
}
const setUp = (site = world.planned(0), operation = OPERATION) =>
  activities.runSetup({ host: world.host, site, ...world.packageOf(operation) });
/** As the workflow goes about it. */
const stageAndSetUp = async () => {
  await stage();
  return await setUp();
};
const reset = (purpose: 'upgrade' | 'rollback' = 'upgrade', operation = OPERATION) =>
  activities.resetIis({ host: world.host, operation, purpose });
const allowed = () => ({ url: '', sha256: '', ...world.settings.packages[TO] });
/** From now on with another package for this version in the configuration of the host, or with none. */
function work(source: EndpointSettings['packages'][string] | undefined): void {
  const packages: EndpointSettings['packages'] = source === undefined ? {} : { [TO]: source };
  const settings = { ...world.settings, packages };
  activities = world.activities('stand-in', { settings });
}
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
    await stage();
    const first = await setUp();
    expect(first).toEqual({
      exitCode: 0,
      log: 'Gateway Office365GatewayApplication01 is up to date.',
      remarks: [],
      restartWanted: false,
    });
    await expect(setUp()).resolves.toEqual(first);
    expect(world.effects()).toEqual([SETUP_RAN]);
  });

  test('that outlives a PowerShell that died is waited for and not started again', async () => {
    await start();
    world.fault('setup.cmd', 'setupOutlives', { delayMs: patience(800) });
    await expect(stageAndSetUp()).resolves.toMatchObject({ exitCode: 0 });
    expect(world.effects()).toEqual([SETUP_RAN]);
    expect(await deployed()).toBe('new');
  });

  test('that another attempt has left running is waited for and not joined by a second one', async () => {
    await start({ setupMs: patience(800) });
    await stage();
    await Promise.all([setUp(), world.journalled('setup.cmd').then(() => setUp())]);
    expect(count('setup.cmd')).toBe(1);
    expect(world.effects()).toEqual([SETUP_RAN]);
  });

  test('whose end nobody heard of is found to have done its work', async () => {
    await start();
    world.fault('setup.cmd', 'effectThenNoAnswer');
    await expect(stageAndSetUp()).resolves.toMatchObject({ exitCode: 0 });
    expect(world.effects()).toEqual([SETUP_RAN]);
  });

  testInFull('that comes to be run when a later attempt has done its work is not run again', async () => {
    await start();
    await stage();
    world.fault('setup', 'slow', { delayMs: patience(5_000) });
    const orphaned = setUp();
    await world.journalled('setup: slow');
    // Of another worker: on one they take turns.
    activities = world.activities('stand-in');
    await setUp();
    await expect(orphaned).rejects.toMatchObject({
      type: FAILURE.notYet,
      message: expect.stringContaining('has changed GW-HOST-01 since it was looked at') as string,
    });
    expect(world.effects()).toEqual([SETUP_RAN]);
  });

  testInFull('is run again over the mixture that a dead setup.cmd leaves behind', async () => {
    await start();
    await stage();
    world.fault('setup.cmd', 'setupHalfFinishes');
    await expect(setUp()).rejects.toMatchObject({
      type: FAILURE.rejected,
      message: expect.stringMatching(/setup\.cmd of Office365 Gateway 01\/\S+ ended with exit code 1603: Fatal error/),
    });
    expect(await deployed()).toBe('mixed');
    await expect(setUp()).resolves.toMatchObject({ exitCode: 0 });
    expect(await deployed()).toBe('new');
  });

  test.each([
    ['setupFails', FAILURE.rejected, /ended with exit code 1603/],
    ['setupDoesNothing', FAILURE.unexpectedState, /ended with exit code 0, but the files are 18\.3\.0\.9/],
    ['reset', FAILURE.outcomeUnknown, /was ended by SIGKILL/],
  ])('that goes wrong (%s) is %s', async (fault, type, message) => {
    await start();
    world.fault('setup.cmd', fault);
    await expect(stageAndSetUp()).rejects.toMatchObject({ type, message: expect.stringMatching(message) });
    expect(world.effects()).toEqual([]);
  });

  test('is ended with its PowerShell when the upgrade is cancelled, and leaves what it had done so far', async () => {
    await start({ setupMs: patience(60_000) });
    await stage();
    const environment = activityEnvironment();
    activities = world.activities('stand-in', { environment: () => environment });
    const running = setUp();
    await world.journalled('setup.cmd');
    environment.cancel();
    await expect(running).rejects.toThrow(/cancel|abort/i);
    activities = world.activities('stand-in');
    expect(await deployed()).toBe('old');
    expect(world.effects()).toEqual([]);
  });

  test('goes on when its worker ends, and the next worker waits for it', async () => {
    await start();
    world.fault('setup.cmd', 'setupSurvives', { delayMs: patience(1_000) });
    await stage();
    const environment = activityEnvironment();
    activities = world.activities('stand-in', { environment: () => environment });
    const running = setUp();
    await world.journalled('setup.cmd');
    environment.cancel('WORKER_SHUTDOWN');
    await expect(running).rejects.toThrow('WORKER_SHUTDOWN');
    activities = world.activities('stand-in');
    await expect(setUp()).resolves.toMatchObject({ exitCode: 0 });
    expect(count('setup.cmd')).toBe(1);
    expect(world.effects()).toEqual([SETUP_RAN]);
  });

  testInFull('that never ends is ended before the time that Temporal gives is over', async () => {
    await start();
    world.fault('setup.cmd', 'setupHangs', { times: 2 });
    await stage();
    activities = world.activities('stand-in', { environment: () => activityEnvironment(patience(4_000)) });
    await expect(setUp()).rejects.toMatchObject({ type: FAILURE.outcomeUnknown });
    activities = world.activities('stand-in');
    expect(await deployed()).toBe('old');
  });

  test('is not run on a site that was renamed since the plan was made', async () => {
    await start();
    await stage();
    await world.post('rename-site', { from: 'Office365 Gateway 01', to: 'Gateway' });
    await expect(setUp()).rejects.toMatchObject({
      type: FAILURE.unexpectedState,
      message: expect.stringMatching(/no site 'Office365 Gateway 01' any more: was it renamed/),
    });
    expect(count('setup.cmd')).toBe(0);
  });

  test('is not given an address that the site no longer has', async () => {
    await start();
    await expect(setUp({ ...world.planned(0), ip: '10.9.9.9' })).rejects.toMatchObject({
      type: FAILURE.unexpectedState,
      message: expect.stringMatching(
        /no https binding to 10\.9\.9\.9 and port 443 for gateway01\.contoso\.local, it has 10\.1\.2\.11:443:/,
      ),
    });
  });

  test('is not given a name that a batch file would misread', async () => {
    await start();
    const site = { ...world.planned(0), site: 'Gateway & del', application: 'Gate%PATH%' };
    await expect(setUp(site)).rejects.toMatchObject({
      type: FAILURE.rejected,
      message: expect.stringMatching(/cannot be given site "Gateway & del", application "Gate%PATH%"/),
    });
    expect(world.calls()).toEqual(['claim']);
  });
});

describe('the package', () => {
  test('is unpacked once, unblocked before O365-Web.zip is unpacked', async () => {
    await start();
    await stage();
    const { sha256 } = world.packageOf(OPERATION);
    const web = path.join(world.workDirectory, 'packages', sha256.slice(0, 16), 'web');
    const changed = (await stat(web)).ctimeMs;
    expect((await readdir(web)).sort()).toEqual(['Web', 'setup.cmd']);
    await stage();
    expect((await stat(web)).ctimeMs).toBe(changed);
  });

  // Security: package-by-hash
  test('is not unpacked when it is another file than the configuration of the host names', async () => {
    await start();
    const sha256 = '0'.repeat(64);
    const { url } = allowed();
    work({ url, sha256 });
    await expect(activities.stagePackage({ host: world.host, sha256, operation: OPERATION })).rejects.toMatchObject({
      type: FAILURE.rejected,
      message: expect.stringMatching(/instead of 0000/),
    });
    const folder = path.join(world.workDirectory, 'packages', sha256.slice(0, 16));
    expect(await readdir(folder)).not.toContain('package');
  });

  testInFull('that cannot be fetched may be fetched later', async () => {
    await start();
    work({ ...allowed(), url: 'http://127.0.0.1:9/package.zip' });
    await expect(stage()).rejects.toMatchObject({ type: FAILURE.unreachable, retryable: true });
  });

  test.each([
    ['of a version that is not in it', () => work(undefined), /its own configuration names none of that version/],
    [
      'with another hash than it has',
      () => work({ ...allowed(), sha256: 'f'.repeat(64) }),
      /its own configuration names the one with SHA-256 ffff\S+, the inventory that with [0-9a-f]{64}\..*endpoint\.yaml/,
    ],
  ])(
    '%s is refused by the configuration of the host, and neither downloaded nor run',
    async (_, configure, message) => {
      await start();
      await stage();
      const calls = world.calls();
      configure();
      const refused = { type: FAILURE.rejected, retryable: false, message: expect.stringMatching(message) as string };
      await expect(stage()).rejects.toMatchObject(refused);
      await expect(setUp()).rejects.toMatchObject(refused);
      expect(world.calls()).toEqual(calls);
    },
  );

  test.each(['package.zip', path.join('web', 'setup.cmd'), path.join('web', 'Web', 'bin', 'planted.dll')])(
    'is hashed again before it is run: where %s was planted, setup.cmd is not started, and a retry downloads it anew',
    async (planted) => {
      await start();
      await stage();
      const folder = path.join(world.workDirectory, 'packages', world.packageOf(OPERATION).sha256.slice(0, 16));
      await writeFile(path.join(folder, planted), 'planted');
      await writeFile(path.join(folder, 'staged.json'), JSON.stringify({ directory: path.join(folder, 'web') }));
      await expect(setUp()).rejects.toMatchObject({
        type: FAILURE.unexpectedState,
        message: expect.stringMatching(/is another file than was downloaded|is not what the package holds/) as string,
      });
      expect(count('setup.cmd')).toBe(0);
      await expect(stageAndSetUp()).resolves.toMatchObject({ exitCode: 0 });
      expect(world.effects()).toEqual([SETUP_RAN]);
    },
  );

  test("leaves the signature of its URL in no record and no message of the host's", async () => {
    await start();
    await stageAndSetUp();
    work({ ...allowed(), url: `http://127.0.0.1:9/package.zip?sig=${SIGNATURE}` });
    await rm(path.join(world.workDirectory, 'packages'), { recursive: true });
    const failure: unknown = await stage().catch((error: unknown) => error);
    expect(failure).toMatchObject({
      type: FAILURE.unreachable,
      message: expect.stringContaining('package.zip') as string,
    });
    expect(String(failure)).not.toContain(SIGNATURE);
    work({ ...allowed(), url: `${allowed().url}&more=1`, sha256: '0'.repeat(64) });
    await expect(
      activities.stagePackage({ host: world.host, sha256: '0'.repeat(64), operation: OPERATION }),
    ).rejects.toMatchObject({ message: expect.not.stringContaining(SIGNATURE) as string });
    for (const file of await readdir(world.directory, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      expect(await readFile(path.join(file.parentPath, file.name), 'latin1')).not.toContain(SIGNATURE);
    }
  });
});

describe('a backup', () => {
  test('is taken once, and stays what it is while setup.cmd changes the files', async () => {
    await start();
    const backup = await backUp();
    expect(backup).toMatchObject({ files: 5, digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
    await stageAndSetUp();
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
    await stageAndSetUp().catch(() => undefined);
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
    await stageAndSetUp();
    await world.claim(NEXT);
    await expect(copyFor(NEXT)).resolves.toBeUndefined();
  });

  testInFull('from an earlier, undone run is replaced when the site was changed since', async () => {
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
    await stageAndSetUp();
    await writeFile(path.join(backup.path, 'files', 'Web.config'), 'damaged');
    await expect(restore(backup)).rejects.toMatchObject({ type: FAILURE.unexpectedState });
    expect(await deployed()).toBe('new');
  });

  test('is restored once: files that setup.cmd has added are gone, and those it has changed are back', async () => {
    await start();
    const pristine = await world.state(0);
    const backup = await backUp();
    world.fault('setup.cmd', 'setupHalfFinishes');
    await stageAndSetUp().catch(() => undefined);
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
    await stageAndSetUp();
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
    await stage();
    await setUp();
    await setUp(world.planned(1));
    await reset();
    await reset();
    expect(count('iisreset')).toBe(1);
    await restore(backup);
    await reset('rollback');
    await reset('rollback');
    expect(count('iisreset')).toBe(2);
    await expect(world.served(0)).resolves.toBe('18.3');
  });

  testInFull('is spared where a rollback has nothing to undo', async () => {
    await start();
    await reset('rollback');
    expect(count('iisreset')).toBe(0);
  });

  test.each([
    ['resetTimesOut', 1053],
    ['resetLeavesStopped', 0],
  ])('that goes wrong once (%s) is repeated', async (fault) => {
    await start();
    await stageAndSetUp();
    world.fault('iisreset', fault);
    await reset();
    expect(world.calls().filter((call) => call.startsWith('iisreset'))).toEqual([`iisreset: ${fault}`, 'iisreset']);
    await expect(world.served(0)).resolves.toBe('18.4.1');
  });

  testInFull.each([
    ['resetTimesOut', 3, FAILURE.rejected, /ended with exit code 1053: The service did not respond/],
    ['resetLeavesStopped', 3, FAILURE.rejected, /reported success, but W3SVC is Stopped/],
    ['fault', 1, FAILURE.rejected, /Access is denied/],
    ['effectThenNoAnswer', 1, FAILURE.outcomeUnknown, /without saying what it has done/],
  ])(
    'that goes on going wrong (%s) is given up after %d times, and begun again',
    async (fault, times, type, message) => {
      await start();
      await stageAndSetUp();
      world.fault('iisreset', fault, { times });
      await expect(reset()).rejects.toMatchObject({ type, message: expect.stringMatching(message) });
      await reset();
      expect(count('iisreset')).toBe(times + 1);
      await expect(world.served(0)).resolves.toBe('18.4.1');
    },
  );

  test('needs an elevated session', async () => {
    await start({ spec: hostSpec({ elevated: false }) });
    await expect(activities.readHost({ host: world.host })).resolves.toMatchObject({ elevated: false });
    await expect(reset()).rejects.toMatchObject({ message: expect.stringMatching(/exit code 5: Access denied/) });
    await expect(
      world.run('stand-in', 'inspect', { sites: [], records: recordsFolder(OPERATION), waitMilliseconds: 0 }),
    ).resolves.toMatchObject({ reset: { length: 1 } });
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
    await stage();
    const { directory } = world;
    const interrupted = setUp();
    await world.journalled('setup.cmd');
    await Promise.all([expect(interrupted).rejects.toThrow(), world.end({ keepDisk: true })]);

    await start({ directory, setupMs: patience(1_500) });
    await expect(setUp()).resolves.toMatchObject({ exitCode: 0 });
    expect(world.effects()).toEqual([SETUP_RAN]);
    expect(count('setup.cmd')).toBe(0);
  });

  test('keeps no password of a connection string in what a script tells or writes', async () => {
    await start();
    const told = [await activities.readHost({ host: world.host }), await backUp()];
    expect(JSON.stringify(told)).not.toMatch(/password/i);
    const records = await readdir(world.workDirectory, { recursive: true, withFileTypes: true });
    for (const record of records.filter(({ name }) => name.endsWith('.json'))) {
      expect(await readFile(path.join(record.parentPath, record.name), 'utf8')).not.toMatch(/password/i);
    }
  });
});
