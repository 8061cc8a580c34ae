/**
 * What a host trusts: its own configuration, the machine that it is, and folders that nobody but administrators can reach.
 *
 * @uses powershell
 */
import { existsSync } from 'node:fs';
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { FAILURE, type EndpointActivities } from '../../src/contract/activities';
import { operationId } from '../../src/contract/operation';
import { simulatedPowershell, urlOfHost } from '../../src/sandbox/adapters';
import { patience } from '../kit/deadlines';
import { everything } from '../kit/extent';
import { missingTools } from '../kit/tools.cjs';
import { HOST, HostWorld, OPERATION, type Engine } from './host-world';

/** A genuine PowerShell takes a minute for all this. */
const ENGINES: Engine[] =
  missingTools().powershell === undefined && everything ? ['stand-in', 'PowerShell'] : ['stand-in'];

let world: HostWorld;
let activities: EndpointActivities;
afterEach(() => world.end());

async function start(engine: Engine): Promise<void> {
  world = await HostWorld.start();
  activities = world.activities(engine);
}
const stage = () => activities.stagePackage({ host: world.host, ...world.packageOf(OPERATION) });
const backUp = () => activities.backupSite({ host: world.host, site: world.planned(0), operation: OPERATION });
/** Makes a folder where there is none, changes the access to it where that is given, and tells it. */
async function access(at: string, change: { owner?: string; list?: string } = {}): Promise<string> {
  const below = path.relative(path.join(world.directory, HOST, 'disk'), at);
  return ((await world.post('access', { path: below, ...change })) as { access: string }).access;
}
const untrusted = (why: RegExp) => ({
  type: FAILURE.unexpectedState,
  retryable: false,
  message: expect.stringMatching(new RegExp(`${why.source}, so what lies in it is not to be trusted`)) as string,
});

describe.each(ENGINES)('through %s', (engine) => {
  test("what Onward keeps on a host is made for administrators alone, and stays readable to nobody else's account", async () => {
    await start(engine);
    await world.claim(OPERATION, engine);
    const backup = await backUp();
    for (const folder of [world.workDirectory, path.dirname(world.claimFile), backup?.path ?? '']) {
      expect(await access(folder)).toMatch(
        /^O:BAG:SYD:(PAI\(A;OICI;FA;;;SY\)\(A;OICI;FA;;;BA\)|AI\(A;OICIID;FA;;;SY\)\(A;OICIID;FA;;;BA\))$/,
      );
    }
    await expect(activities.readHost({ host: { name: HOST } })).resolves.toMatchObject({ exposed: [] });
  });

  // Security: host-folders
  test.each([
    ['with the access that every folder of a drive has', {}, /inherits its access from the folder that it is in/],
    ['that any user may fill', { list: 'D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;AU)' }, /is open to AU/],
    [
      'that belongs to a user',
      { owner: 'S-1-5-21-1-2-3-1104', list: 'D:P(A;OICI;FA;;;SY)' },
      /belongs to S-1-5-21-1-2-3-1104/,
    ],
  ])('a work directory %s is not worked in, and the preflight is told', async (_, given, why) => {
    await start(engine);
    await access(world.workDirectory, given);
    await expect(world.claim(OPERATION, engine)).rejects.toMatchObject(untrusted(why));
    await expect(activities.readHost({ host: { name: HOST } })).resolves.toMatchObject({
      exposed: [expect.stringMatching(why)],
    });
    expect(world.effects()).toEqual([]);
  });

  test('a work directory that is opened later is not worked in any more, also where all is staged', async () => {
    await start(engine);
    await world.claim(OPERATION, engine);
    await stage();
    await access(world.workDirectory, { list: 'D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;WD)' });
    const setUp = activities.runSetup({ host: world.host, site: world.planned(0), ...world.packageOf(OPERATION) });
    await expect(setUp).rejects.toMatchObject(untrusted(/is open to WD/));
    expect(world.calls()).not.toContain('setup.cmd');
  });

  test('a claim in a folder that any user has made counts for nothing', async () => {
    await start(engine);
    await access(path.dirname(world.claimFile));
    await writeFile(world.claimFile, JSON.stringify({ operation: operationId(OPERATION) }));
    await expect(stage()).rejects.toMatchObject(untrusted(/Onward inherits its access from the folder that it is in/));
  });

  test('a work directory that is a link, or lies behind one, is not worked in', async () => {
    await start(engine);
    await world.claim(OPERATION, engine);
    await rename(world.workDirectory, `${world.workDirectory}-elsewhere`);
    await symlink(`${world.workDirectory}-elsewhere`, world.workDirectory);
    await expect(stage()).rejects.toMatchObject(untrusted(/Onward is a link to another folder/));
    const behind = path.join(world.workDirectory, 'deeper');
    await mkdir(behind);
    activities = world.activities(engine, { settings: { ...world.settings, workDirectory: behind } });
    await expect(stage()).rejects.toMatchObject(untrusted(/Onward is a link to another folder/));
  });

  test('a file with more access than its folder gives has it again after a restore, and its copy has not', async () => {
    await start(engine);
    await world.claim(OPERATION, engine);
    const config = path.join(world.folder(0), 'Web.config');
    const bin = path.join(world.folder(0), 'bin');
    await access(config, { list: 'D:(A;;FR;;;IU)' });
    await access(bin, { list: 'D:P(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;IU)' });
    const backup = await backUp();
    if (backup === undefined) throw new Error('There is nothing to back up: the files are new');
    await stage();
    await activities.runSetup({ host: world.host, site: world.planned(0), ...world.packageOf(OPERATION) });
    const restore = () =>
      activities.restoreSite({ host: world.host, site: world.planned(0), backup, operation: OPERATION });
    await restore();
    expect(await access(config)).toContain('(A;;FR;;;IU)');
    expect(await access(bin)).toBe('O:BAG:SYD:PAI(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;IU)');
    const copy = path.join(backup.path, 'files', 'Web.config');
    expect(await access(copy)).toBe('O:BAG:SYD:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)');
    const restores = world.effects().length;
    await restore();
    expect(world.effects()).toHaveLength(restores);
    await access(bin, { list: 'D:' });
    await restore();
    expect(await access(bin)).toContain(';;;IU)');
  });

  // Security: known-machine
  test('a clone that serves the task queue of the host is told by its hardware, and nothing is read or done there', async () => {
    await start(engine);
    await world.claim(OPERATION, engine);
    world.hosts.clone(HOST, 'gw-host-01-copy');
    const own = engine === 'stand-in' ? { ONWARD_PWSH: '', PATH: '' } : {};
    const powershell = simulatedPowershell(urlOfHost(world.url, 'gw-host-01-copy'), { ...process.env, ...own });
    const settings = world.hosts.endpointSettings('gw-host-01-copy');
    const onCopy = world.activities(engine, { powershell, settings });
    const site = { host: world.host, site: world.planned(0), operation: OPERATION };
    const wrong = {
      type: FAILURE.anotherHost,
      retryable: false,
      message: expect.stringMatching(
        /GW-HOST-01 is not the machine that the preflight has seen: smbiosUuid is '\S+' and not '\S+'\. .* end it there/,
      ) as string,
    };
    const source = world.packageOf(OPERATION);
    const backup = { path: '', files: 0, bytes: 0, digest: '', leftOut: [] };
    await expect(onCopy.detectSites({ ...site, sites: [site.site], from: '18.3', to: '18.4.1' })).rejects.toMatchObject(
      wrong,
    );
    await expect(onCopy.backupSite(site)).rejects.toMatchObject(wrong);
    await expect(onCopy.stagePackage({ ...site, ...source })).rejects.toMatchObject(wrong);
    await expect(onCopy.runSetup({ ...site, ...source })).rejects.toMatchObject(wrong);
    await expect(onCopy.resetIis({ ...site, purpose: 'upgrade' })).rejects.toMatchObject(wrong);
    await expect(onCopy.restoreSite({ ...site, backup })).rejects.toMatchObject(wrong);
    await expect(onCopy.restartHost({ ...site, before: new Date().toISOString() })).rejects.toMatchObject(wrong);
    await expect(onCopy.readHost({ host: { name: HOST } })).resolves.toMatchObject({
      identity: { computerName: 'GW-HOST-01', machineGuid: world.host.identity.machineGuid },
    });
    expect(world.effects()).toEqual([]);
    expect(existsSync(path.join(settings.workDirectory, 'backups'))).toBe(false);
  });

  test('a call that names no machine is refused like one for another machine', async () => {
    await start(engine);
    const host = { name: HOST } as typeof world.host;
    await expect(activities.stagePackage({ host, ...world.packageOf(OPERATION) })).rejects.toMatchObject({
      type: FAILURE.anotherHost,
    });
  });

  test('a setup.cmd is seen to run whatever folder it was started from, and however that was spelled', async () => {
    await start(engine);
    await world.claim(OPERATION, engine);
    await stage();
    world.fault('setup.cmd', 'setupOutlives', { delayMs: patience(engine === 'stand-in' ? 1_500 : 8_000) });
    const running = activities.runSetup({ host: world.host, site: world.planned(0), ...world.packageOf(OPERATION) });
    await world.journalled('setup.cmd');
    const seen = await world.run(engine, 'inspect', { sites: [], records: '', waitMilliseconds: 0 });
    expect(seen.running).toEqual([{ site: 'Office365 Gateway 01', application: 'Office365GatewayApplication01' }]);
    const other = path.join(path.dirname(world.workDirectory), 'Other', '.', '..', 'Elsewhere');
    const elsewhere = world.activities(engine, { settings: { ...world.settings, workDirectory: other } });
    await elsewhere.backupSite({ host: world.host, site: world.planned(1), operation: OPERATION });
    // The copy was not begun before the setup.cmd of the other folder had ended.
    expect(world.effects()).toEqual(['setupRan Office365 Gateway 01/Office365GatewayApplication01']);
    await expect(running).resolves.toMatchObject({ exitCode: 0 });
  });
});
