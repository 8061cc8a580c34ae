/** A worker that is killed in the middle of a call, and restarted: the upgrade completes, and nothing happens twice. */
import { once } from 'node:events';
import { CONTROL_TASK_QUEUE, endpointTaskQueue } from '../../src/contract/provider';
import type { FaultRule } from '../../src/sandbox/faults';
import { Rehearsal } from './rehearsal';

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await Rehearsal.start({ workers: 'processes' });
}, 600_000);
afterAll(async () => {
  await rehearsal?.close();
});

/** Longer than it takes to kill a worker after the call was seen. */
const SLOW_MS = 3_000;
const slow = (system: string, call: string): Omit<FaultRule, 'id'> => ({
  system,
  call,
  kind: 'slow',
  delayMs: SLOW_MS,
});

test.each([
  ['deactivating a template', 'control plane', slow('operations', 'pem.deactivateST')],
  ['committing the import', 'control plane', slow('operations', 'txn.Commit')],
  ['asking for an instance upgrade', 'control plane', slow('operations', 'pem.APS.upgradeApplicationInstance')],
  ['running setup.cmd', 'endpoint', slow('host', 'setup.cmd')],
  ['resetting IIS', 'endpoint', slow('host', 'iisreset')],
])(
  'while it is %s',
  async (what, victim, fault) => {
    const id = `killed-${what.replaceAll(/[^a-z]+/gi, '-').toLowerCase()}`;
    const host = `${id}-host`;
    const upgrade = await rehearsal.provider(
      { id, instances: 2, gateways: [{ host }, { host }] },
      { timings: { retryFor: 60, heartbeat: 2, hostAnswer: 60 } },
    );
    const { faults } = rehearsal.sandbox;
    faults.clear();
    faults.add(fault);
    const hit = once(faults, 'hit');
    await upgrade.start();
    await hit;
    await rehearsal.processes
      .get(victim === 'endpoint' ? endpointTaskQueue(host) : CONTROL_TASK_QUEUE)
      ?.killAndRestart();
    await upgrade.operate();
    expect(await upgrade.result()).toMatchObject({ to: '18.4.1' });
    expect(upgrade.effectCounts()).toMatchObject({
      templateDeactivated: 2,
      packageImported: 1,
      instanceUpgradeStarted: 2,
      instanceUpgraded: 2,
      templateActivated: 2,
    });
    expect(upgrade.effects().filter((effect, index, all) => all.indexOf(effect) !== index)).toEqual([]);
  },
  120_000,
);
