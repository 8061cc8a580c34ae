/** Several upgrades of one provider, one after the other: what one has left on a host is nothing to the next. */
import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { FAILURE, type EndpointActivities } from '../../src/contract/activities';
import type { SiteBackup } from '../../src/contract/facts';
import { operationId, type Operation } from '../../src/contract/operation';
import { patience } from '../kit/deadlines';
import { HostWorld, NEXT, OPERATION } from './host-world';
import { testInFull } from '../kit/extent';

let world: HostWorld;
let activities: EndpointActivities;
afterEach(() => world.end());

async function start(options: Parameters<typeof HostWorld.start>[0] = {}): Promise<void> {
  world = await HostWorld.start(options);
  activities = world.activities('stand-in');
  await world.claim(OPERATION);
}

/** The first site, as an operation finds and changes it. */
const on = (operation: Operation) => ({ host: world.host, site: world.planned(0), operation });
const deployed = async ({ from, to }: Operation) => {
  const [version] = await activities.detectSites({ host: world.host, sites: [world.planned(0)], from, to });
  return version?.deployed;
};
async function setUp(operation: Operation): Promise<void> {
  const source = world.packageOf(operation);
  await activities.stagePackage({ host: world.host, ...source });
  await activities.runSetup({ ...on(operation), ...source });
}
const iisresets = () => world.calls().filter((call) => call === 'iisreset').length;

const LATER: Operation = { ...OPERATION, from: '18.4.1', to: '18.5', firstRun: '0199a2f0-7d11-7a3e-b1c2-9f0e8d7c6b5a' };

test('the undo of the next release goes back to the files of the last one, never further', async () => {
  await start();
  const first = await activities.backupSite(on(OPERATION));
  await setUp(OPERATION);
  await activities.resetIis({ ...on(OPERATION), purpose: 'upgrade' });
  const released = await world.state(0);

  await world.claim(LATER);
  const backup = (await activities.backupSite(on(LATER))) as SiteBackup;
  expect(backup.path).not.toBe(first?.path);
  await setUp(LATER);
  await activities.resetIis({ ...on(LATER), purpose: 'upgrade' });
  await expect(deployed(LATER)).resolves.toBe('new');
  await activities.restoreSite({ ...on(LATER), backup });
  await activities.resetIis({ ...on(LATER), purpose: 'rollback' });
  expect(await world.state(0)).toEqual(released);
  expect(iisresets()).toBe(3);
});

test('files of both versions are backed up by nobody: the copy of the older operation is named, and a person decides', async () => {
  await start();
  const older = (await activities.backupSite(on(OPERATION))) as SiteBackup;
  world.fault('setup.cmd', 'setupHalfFinishes');
  await setUp(OPERATION).catch(() => undefined);

  await world.claim(NEXT);
  await expect(activities.backupSite(on(NEXT))).rejects.toMatchObject({
    type: FAILURE.noBackup,
    retryable: false,
    message: expect.stringContaining(
      `The newest copy of an older operation is in ${older.path} (${operationId(OPERATION)}, `,
    ) as string,
  });
  await expect(deployed(NEXT)).resolves.toBe('mixed');

  await rm(world.folder(0), { recursive: true });
  await cp(path.join(older.path, 'files'), world.folder(0), { recursive: true });
  await expect(activities.backupSite(on(NEXT))).resolves.toMatchObject({ digest: older.digest });
});

testInFull('the newest of several copies is the one that is named', async () => {
  await start();
  await activities.backupSite(on(OPERATION));
  await world.claim(NEXT);
  const newest = (await activities.backupSite(on(NEXT))) as SiteBackup;
  world.fault('setup.cmd', 'setupHalfFinishes');
  await setUp(NEXT).catch(() => undefined);
  const third = { ...OPERATION, firstRun: 'third' };
  await world.claim(third);
  await expect(activities.backupSite(on(third))).rejects.toThrow(`in ${newest.path} (${operationId(NEXT)}, `);
});

test('a setup.cmd that an operation has left running is waited for before its site is backed up', async () => {
  await start();
  world.fault('setup.cmd', 'setupOutlives', { delayMs: patience(800) });
  await activities.stagePackage({ host: world.host, ...world.packageOf(OPERATION) });
  const abandoned = activities.runSetup({ ...on(OPERATION), ...world.packageOf(OPERATION) });
  await world.journalled('setup.cmd');
  await world.claim(NEXT);
  await expect(activities.backupSite(on(NEXT))).resolves.toBeUndefined();
  await expect(deployed(NEXT)).resolves.toBe('new');
  await abandoned;
});

testInFull(
  'what an older operation has restarted counts for nothing: new files that were found are served after an iisreset',
  async () => {
    await start();
    await activities.backupSite(on(OPERATION));
    await setUp(OPERATION);
    await world.claim(NEXT);
    await activities.resetIis({ ...on(NEXT), purpose: 'upgrade' });
    await activities.resetIis({ ...on(NEXT), purpose: 'upgrade' });
    expect(iisresets()).toBe(1);
    await expect(world.served(0)).resolves.toBe('18.4.1');
    await activities.resetIis({ ...on(NEXT), purpose: 'rollback' });
    expect(iisresets()).toBe(1);
  },
);

testInFull('a reset of its workflow leads an operation back to its own copy', async () => {
  await start();
  const backup = await activities.backupSite(on(OPERATION));
  await setUp(OPERATION);
  await expect(activities.backupSite(on({ ...OPERATION }))).resolves.toEqual(backup);
});
