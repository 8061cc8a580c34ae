/**
 * The entry of a provider is written anew while its upgrade runs. The upgrade goes on by it only where a person has taken what
 * it says now, and holds until then: before the crossing, after it, and on the way back.
 *
 * @needs temporal
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ChangedField } from '../../src/contract/entry';
import type { Messages } from '../../src/contract/messages';
import type { Hold, UpgradeStatus } from '../../src/contract/status';
import { Rehearsal, type Settings, type Upgrade } from '../kit/rehearsal/rehearsal';
import { testInFull } from '../kit/extent';

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await Rehearsal.start();
});
afterAll(async () => {
  await rehearsal?.close();
});

const BY = { by: 'olga', reason: 'the management node has moved' };

/** The same server by another name. */
const moved = ({ provider, sandbox }: Upgrade): Settings => ({
  operations: { url: sandbox.urls.operations(provider).replace('127.0.0.1', 'localhost') },
});

/** The first hold that names a changed field. */
const changedIn = ({ holds }: UpgradeStatus): Hold | undefined => holds.find(({ changed = [] }) => changed.length > 0);
const fieldOf = (hold: Hold | undefined): ChangedField => hold?.changed?.[0] ?? { field: 'none', digest: 'none' };

const take = (upgrade: Upgrade, field: ChangedField): Promise<void> =>
  upgrade.workflow.signal<[Messages['takeEntry']]>('takeEntry', { ...field, ...BY });

// Security: entry-by-name
test('what has changed is not used before somebody takes it, before the crossing and after it', async () => {
  const upgrade = await rehearsal.provider({ id: 'moves', sourceVersion: '18.4', instances: 1 });
  await upgrade.start();
  await upgrade.workflow.signal('pause', BY);
  await upgrade.statusWhen(({ state }) => state === 'paused');
  rehearsal.changeEntry(upgrade, moved(upgrade));
  await upgrade.workflow.signal('resume', BY);

  // A failure before the crossing would roll back: the way back needs the same connections, so this one holds.
  const held = await upgrade.statusWhen((status) => changedIn(status) !== undefined);
  expect(held).toMatchObject({ state: 'held', crossed: false });
  const change = fieldOf(changedIn(held));
  expect(change.field).toBe('operations.url');
  expect(upgrade.effects('templateDeactivated')).toEqual([]);
  await take(upgrade, { ...change, digest: 'something-else' });
  await take(upgrade, change);

  await upgrade.statusWhen(({ gates }) => gates.some(({ step }) => step === 'updateCustomizations'));
  rehearsal.changeEntry(upgrade, {});
  const operator = upgrade.operate();
  const after = await upgrade.statusWhen((status) => changedIn(status) !== undefined);
  expect(after).toMatchObject({ state: 'held', crossed: true });
  await take(upgrade, fieldOf(changedIn(after)));
  await operator;

  expect(await upgrade.result()).toMatchObject({ provider: 'moves', to: '18.4.1' });
  const taken = (await upgrade.audit()).filter(({ what }) => what.endsWith(':takeEntry'));
  expect(taken).toMatchObject([
    { by: 'olga', verdict: 'refused', detail: expect.stringContaining(change.digest) },
    { by: 'olga', verdict: 'accepted', payload: { ...change, reason: BY.reason } },
    { by: 'olga', verdict: 'accepted' },
  ]);
  await upgrade.expectInvariants();
});

testInFull('a rollback waits as well, and leaves nothing undone', async () => {
  const upgrade = await rehearsal.provider(
    { id: 'moves-back', sourceVersion: '18.4', instances: 1 },
    { taskMonitor: { adapter: 'gate' } },
  );
  const before = await upgrade.state();
  await upgrade.start();
  await upgrade.statusWhen(({ gates }) => gates.some(({ step }) => step === 'drainTasks'));
  rehearsal.changeEntry(upgrade, { ...upgrade.settings, ...moved(upgrade) });
  await upgrade.workflow.signal('abort', BY);

  // It is about to look whether anything is imported; a look of the step may have met the change before.
  const held = await upgrade.statusWhen((status) => changedIn(status)?.actions.join() === 'retry');
  await take(upgrade, fieldOf(changedIn(held)));
  await expect(upgrade.result()).rejects.toThrow();
  expect(await upgrade.status()).toMatchObject({ state: 'rolledBack', notUndone: [] });
  expect(await upgrade.state()).toEqual(before);
  await upgrade.expectInvariants();
});

testInFull('the package itself cannot be replaced on the way: it is put back', async () => {
  const upgrade = await rehearsal.provider(
    { id: 'swapped', sourceVersion: '18.4', instances: 1 },
    { approval: { beforeCrossing: true } },
  );
  await upgrade.start({ startedBy: 'ana' });
  await upgrade.statusWhen(({ gates }) => gates.some(({ step }) => step === 'approveCrossing'));
  const url = rehearsal.sandbox.urls.package('18.4.1');
  rehearsal.changeEntry(upgrade, { packages: { '18.4.1': { url, sha256: 'b'.repeat(64) } } });
  await upgrade.workflow.signal('approveCrossing', BY);

  const held = await upgrade.statusWhen((status) => changedIn(status) !== undefined);
  const change = fieldOf(changedIn(held));
  expect(change.field).toBe('packages.18.4.1.sha256');
  await take(upgrade, change);
  expect(upgrade.effects('packageImported')).toEqual([]);
  rehearsal.changeEntry(upgrade, upgrade.settings);
  await upgrade.operateResolving('retry');
  expect(await upgrade.result()).toMatchObject({ to: '18.4.1' });
  expect(await upgrade.audit()).toContainEqual(
    expect.objectContaining({
      verdict: 'refused',
      subject: change.field,
      detail: expect.stringContaining('put it back'),
    }),
  );
  await upgrade.expectInvariants();
});

testInFull(
  'a moved package, a renamed secret and another certificate authority are taken after the crossing, and what lies behind the new URL is hashed first',
  async () => {
    const [genuine, vendor] = [rehearsal.sandbox.urls.package('18.4.1'), createServer()];
    const directory = mkdtempSync(path.join(tmpdir(), 'onward-renamed-'));
    const file = Buffer.from(await (await fetch(genuine)).arrayBuffer());
    let served = Buffer.from('planted');
    vendor.on('request', (_, response: ServerResponse) => response.end(served)).listen(0, '127.0.0.1');
    await once(vendor, 'listening');
    try {
      const upgrade = await rehearsal.provider({ id: 'renamed', sourceVersion: '18.4', instances: 1 });
      const refuses = rehearsal.sandbox.faults.add({
        provider: 'renamed',
        system: 'operations',
        call: 'pem.APS.importPackage',
        kind: 'fault',
      });
      const imports = () => rehearsal.sandbox.journal.entries({ name: 'pem.APS.importPackage', provider: 'renamed' });
      await upgrade.start();
      await upgrade.statusWhen(({ holds }) => holds.length > 0);
      const before = imports().length;
      rehearsal.sandbox.faults.remove(refuses);
      const url = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}/o365.zip`;
      process.env['ONWARD_RENAMED'] = 'secret';
      const operations = {
        url: rehearsal.sandbox.urls.operations('renamed'),
        user: 'onward',
        password: 'env:ONWARD_RENAMED',
      };
      const aps = { url: rehearsal.sandbox.urls.aps('renamed'), caFile: path.join(directory, 'ca.pem') };
      copyFileSync(rehearsal.sandbox.caFile, aps.caFile);
      const sha256 = createHash('sha256').update(file).digest('hex');
      rehearsal.changeEntry(upgrade, { operations, aps, packages: { '18.4.1': { url, sha256 } } });

      const retry = { step: 'importPackage', action: 'retry', ...BY };
      await upgrade.workflow.signal('resolveHold', retry);
      const taken = new Set<string>();
      const problem = () =>
        upgrade.statusWhen((status) => {
          const open = changedIn(status)?.changed?.some(({ field }) => !taken.has(field)) ?? false;
          return open || status.holds.some((hold) => /packageHash/.test(hold.problem));
        });
      for (let status = await problem(); changedIn(status); status = await problem())
        for (const change of changedIn(status)?.changed ?? [])
          if (!taken.has(change.field)) await take(upgrade, change).then(() => taken.add(change.field));
      expect([...taken].sort()).toEqual([
        'aps.caFile',
        'operations.password',
        'operations.user',
        'packages.18.4.1.url',
      ]);
      expect(imports()).toHaveLength(before);

      served = file;
      await upgrade.workflow.signal('resolveHold', retry);
      await upgrade.operate();
      expect(await upgrade.result()).toMatchObject({ to: '18.4.1' });
      expect(upgrade.effectCounts()).toMatchObject({ packageImported: 1 });
      await upgrade.expectInvariants();
    } finally {
      delete process.env['ONWARD_RENAMED'];
      vendor.close();
      rmSync(directory, { recursive: true });
    }
  },
);
