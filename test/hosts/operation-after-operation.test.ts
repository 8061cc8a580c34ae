/**
 * An upgrade that was ended by force is finished from its ledger, with its own copies. Where the ledger is lost as well, one that is
 * started anew is another operation: what the first has left on the hosts is a fact to it, and nothing that it may undo or go back to by itself.
 *
 * @needs temporal
 */
import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { WorkflowNotFoundError } from '@temporalio/client';
import { applicationDirectory } from '../../src/sandbox/hosts/disk';
import { aMoment } from '../kit/deadlines';
import { testInFull } from '../kit/extent';
import { Rehearsal, type Settings, type Upgrade } from '../kit/rehearsal/rehearsal';

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await Rehearsal.start();
});
afterAll(async () => {
  await rehearsal?.close();
});

const onHost = (id: string, settings: Settings): Promise<Upgrade> =>
  rehearsal.provider({ id, instances: 1, openTasks: 0, gateways: [{ host: `${id}-host` }] }, settings);
const waitsForApproval = (upgrade: Upgrade) =>
  upgrade.statusWhen(({ gates }) => gates.some(({ step }) => step === 'approveCrossing'));
const loseEverything = async (upgrade: Upgrade): Promise<void> => {
  await upgrade.workflow.terminate('nobody was patient');
  const { client } = rehearsal;
  const { workflowId } = upgrade.ledger();
  await client.workflowService.deleteWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId },
  });
  const isThere = (): Promise<boolean> =>
    upgrade
      .ledger()
      .describe()
      .then(() => true)
      .catch((error: unknown) => {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      });
  while (await isThere()) await aMoment();
};
const holds = (upgrade: Upgrade) => upgrade.statusWhen(({ holds: [hold] }) => hold !== undefined);

testInFull(
  'files of both versions that it has left itself are put back from its own copy by who finishes it',
  async () => {
    const upgrade = await onHost('own-half', { onFailureBeforeCrossing: 'hold' });
    const before = await upgrade.state();
    rehearsal.sandbox.faults.add({
      system: 'host',
      host: 'own-half-host',
      call: 'setup.cmd',
      kind: 'setupHalfFinishes',
    });
    await upgrade.start();
    await holds(upgrade);
    await upgrade.workflow.terminate('nobody was patient');

    await upgrade.start({ finish: true });
    await expect(upgrade.result()).rejects.toThrow();
    expect(await upgrade.status()).toMatchObject({ state: 'rolledBack', notUndone: [] });
    expect(await upgrade.state()).toEqual(before);
  },
);

test('files of both versions hold it; the message names the copy to put back by hand, and a retry goes on from there', async () => {
  const upgrade = await onHost('half-way', { onFailureBeforeCrossing: 'hold' });
  const host = 'half-way-host';
  rehearsal.sandbox.faults.add({ system: 'host', host, call: 'setup.cmd', kind: 'setupHalfFinishes' });
  await upgrade.start();
  await holds(upgrade);
  await loseEverything(upgrade);

  await upgrade.start();
  const [hold] = (await holds(upgrade)).holds;
  const [, copy = ''] =
    /The newest copy of an older operation is in (\S+) \(half-way\/18\.3-18\.4\.1\//.exec(hold?.problem ?? '') ?? [];
  const [gateway] = rehearsal.sandbox.world.provider('half-way').gateways;
  const { sites } = rehearsal.sandbox.world.hosts().find(({ name }) => name === host) ?? { sites: [] };
  const site = sites.find(({ applications }) => applications.length > 0);
  if (gateway === undefined || site === undefined) throw new Error('The provider has no gateway site.');
  const disks = path.join(rehearsal.sandbox.dataDirectory, 'hosts');
  const files = applicationDirectory(disks, host, site, gateway.application);
  await rm(files, { recursive: true });
  await cp(path.join(copy, 'files'), files, { recursive: true });
  await upgrade.operateResolving('retry');
  expect(await upgrade.result()).toMatchObject({ to: '18.4.1' });
});

testInFull('a rollback says of files that it found new already that it cannot undo them', async () => {
  const upgrade = await onHost('new-already', { approval: { beforeCrossing: true } });
  await upgrade.start({ startedBy: 'ana' });
  await waitsForApproval(upgrade);
  await loseEverything(upgrade);
  const left = await upgrade.state();

  await upgrade.start({ startedBy: 'ana' });
  await waitsForApproval(upgrade);
  await upgrade.workflow.signal('abort', { by: 'bo', reason: 'wrong night' });
  await expect(upgrade.result()).rejects.toMatchObject({
    cause: {
      type: 'Aborted',
      message: expect.stringMatching(
        /On new-already-host ".+" is on 18\.4\.1, which was not this upgrade's doing.+ folder backups of /,
      ) as string,
    },
  });
  expect((await upgrade.status()).state).toBe('rollbackIncomplete');
  expect((await upgrade.state()).gateways).toEqual(left.gateways);
  expect(upgrade.effects('siteRestored')).toEqual([]);
});
