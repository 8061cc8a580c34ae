/**
 * A clone of an endpoint host that serves its task queue: nothing is done there, and a person decides.
 *
 * @needs temporal
 */
import { Rehearsal } from '../kit/rehearsal/rehearsal';

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await Rehearsal.start();
});
afterAll(async () => {
  await rehearsal?.close();
});

test('a clone of the host that the preflight has seen holds the upgrade untouched, which goes on once the host itself is back', async () => {
  const host = 'cloned-host';
  const copy = 'cloned-host-copy';
  // Without the names from the installation a person confirms them: the clone comes up while the upgrade waits for that.
  const upgrade = await rehearsal.provider(
    { id: 'cloned', instances: 1, openTasks: 0, gateways: [{ host }] },
    { installedSites: [] },
  );
  await upgrade.start();
  const { gates } = await upgrade.statusWhen((status) => status.gates.length > 0);
  rehearsal.sandbox.hosts.clone(host, copy);
  await rehearsal.takeDown(host);
  await rehearsal.bringUp(host, copy);
  await upgrade.workflow.signal('confirmStep', {
    step: 'collectGatewaySites',
    item: gates[0]?.item,
    by: 'ana',
    evidence: 'our notes',
  });
  const { holds } = await upgrade.statusWhen((status) => status.holds.length > 0);
  expect(holds).toMatchObject([
    {
      step: 'upgradeEndpoints',
      actions: ['retry', 'rollback'],
      problem: expect.stringMatching(/is not the machine that the preflight has seen: smbiosUuid is /) as string,
    },
  ]);
  expect(rehearsal.sandbox.journal.entries({ kind: 'effect', system: 'host' })).toEqual([]);

  await rehearsal.takeDown(host);
  await rehearsal.bringUp(host);
  const decision = { step: 'upgradeEndpoints', action: 'retry', by: 'ana', reason: 'ended the worker on the clone' };
  await upgrade.workflow.signal('resolveHold', decision);
  await upgrade.operate();
  expect(await upgrade.result()).toMatchObject({ to: '18.4.1' });
  expect(rehearsal.sandbox.journal.entries({ kind: 'effect', host: copy })).toEqual([]);
});
