/**
 * The entry of a provider is written anew while its upgrade runs. The upgrade goes on by it only where a person has taken what
 * it says now, and holds until then: before the crossing, after it, and on the way back.
 *
 * @needs temporal
 */
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
