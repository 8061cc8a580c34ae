/**
 * Whatever goes wrong before the crossing, on either path, leaves the provider exactly as it was. The sandbox judges.
 *
 * @needs temporal
 */
import { once } from 'node:events';
import type { FaultRule } from '../../src/sandbox/faults';
import type { ProviderOptions } from '../../src/sandbox/world/spec';
import { samples, testInFull } from '../kit/extent';
import { Rehearsal, type Settings, type Upgrade } from '../kit/rehearsal/rehearsal';
import { patience } from '../kit/deadlines';

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await Rehearsal.start();
});
afterAll(async () => {
  await rehearsal?.close();
});

const PATHS = ['18.3', '18.4'].slice(0, samples({ usually: 1, inFull: 2 }));
let upgrades = 0;

async function provider(
  from: string,
  options: Partial<ProviderOptions> = {},
  settings: Settings = {},
): Promise<Upgrade> {
  const id = `before-${++upgrades}`;
  const host = `${id}-host`;
  return await rehearsal.provider(
    { id, sourceVersion: from, instances: 2, gateways: [{ host }, { host }], ...options },
    settings,
  );
}

async function expectUntouched(upgrade: Upgrade, before: Awaited<ReturnType<Upgrade['state']>>): Promise<void> {
  expect(await upgrade.state()).toEqual(before);
  expect(await upgrade.status()).toMatchObject({
    state: 'rolledBack',
    crossed: false,
    notUndone: [],
    gates: [],
    holds: [],
    switchedOff: [],
    kept: [],
  });
  expect(upgrade.effects('packageImported')).toEqual([]);
}

describe.each(PATHS)('from %s, a failure', (from) => {
  type Case = [string, Omit<FaultRule, 'id'>];
  const HALF_WAY: Case = [
    'of the second setup.cmd, half-way',
    { system: 'host', call: 'setup.cmd', kind: 'setupHalfFinishes', skip: 1 },
  ];
  const OTHERS: Case[] = [
    [
      'of the second template to deactivate',
      { system: 'operations', call: 'pem.deactivateST', kind: 'fault', skip: 1 },
    ],
    ['of the staging', { system: 'host', call: 'stage', kind: 'fault' }],
    ['of the first setup.cmd', { system: 'host', call: 'setup.cmd', kind: 'setupFails' }],
    ['of a setup.cmd that did nothing', { system: 'host', call: 'setup.cmd', kind: 'setupDoesNothing' }],
    ['of iisreset', { system: 'host', call: 'iisreset', kind: 'resetTimesOut', times: 3 }],
  ];
  async function expectUndone(fault: Case[1]): Promise<void> {
    const upgrade = await provider(from);
    const before = await upgrade.state();
    rehearsal.sandbox.faults.add({
      ...fault,
      ...(fault.system === 'host' ? { host: `${upgrade.provider}-host` } : { provider: upgrade.provider }),
    });
    await upgrade.start();
    await expect(upgrade.result()).rejects.toMatchObject({
      cause: { type: 'StepFailed', message: expect.stringContaining('Everything done so far was undone') as string },
    });
    await expectUntouched(upgrade, before);
  }
  test.each<Case>([HALF_WAY])('%s is undone', (_, fault) => expectUndone(fault));
  testInFull.each<Case>(OTHERS)('%s is undone', (_, fault) => expectUndone(fault));

  testInFull('of a task that is to be drained is undone', async () => {
    const upgrade = await provider(from, { failedTask: true });
    const before = await upgrade.state();
    await upgrade.start();
    await expect(upgrade.result()).rejects.toMatchObject({ cause: { type: 'StepFailed' } });
    await expectUntouched(upgrade, before);
  });

  testInFull('of the backup touches no site: the step holds, and a rollback undoes the rest', async () => {
    const upgrade = await provider(from);
    const before = await upgrade.state();
    rehearsal.sandbox.faults.add({ system: 'host', call: 'backup', kind: 'fault', host: `${upgrade.provider}-host` });
    await upgrade.start();
    await upgrade.operateResolving('rollback');
    await expect(upgrade.result()).rejects.toMatchObject({
      cause: { message: expect.stringContaining('was not touched') as string },
    });
    await expectUntouched(upgrade, before);
    expect(upgrade.effects('setupRan')).toEqual([]);
  });

  testInFull('that was undone does not keep the provider from being upgraded afterwards', async () => {
    const upgrade = await provider(from);
    rehearsal.sandbox.faults.add({
      system: 'host',
      call: 'setup.cmd',
      kind: 'setupFails',
      skip: 1,
      host: `${upgrade.provider}-host`,
    });
    await upgrade.start();
    await expect(upgrade.result()).rejects.toMatchObject({ cause: { type: 'StepFailed' } });
    await upgrade.start();
    await upgrade.operate();
    expect(await upgrade.result()).toMatchObject({ from, to: '18.4.1' });
    expect(upgrade.effectCounts()).toMatchObject({ packageImported: 1, instanceUpgraded: 2 });
  });
});

describe.each(PATHS)('from %s, an abort', (from) => {
  /** Longer than it takes to say something. */
  const SLOW_MS = patience(1_000);
  type Case = [string, Omit<FaultRule, 'id'> | undefined, Settings];
  // Slow at the second site: the first one has to be restored.
  const IN_ENDPOINTS: Case = [
    'upgradeEndpoints',
    { system: 'host', call: 'setup.cmd', kind: 'slow', delayMs: SLOW_MS, skip: 1 },
    {},
  ];
  const OTHERS: Case[] = [
    ['collectGatewaySites', undefined, { installedSites: [] }],
    ['stopProvisioning', { system: 'operations', call: 'pem.deactivateST', kind: 'slow', delayMs: SLOW_MS }, {}],
    ['drainTasks', undefined, { taskMonitor: { adapter: 'gate' } }],
    ['approveCrossing', undefined, { approval: { beforeCrossing: true } }],
  ];
  async function expectUndone([step, fault, settings]: Case): Promise<void> {
    const upgrade = await provider(from, {}, settings);
    const before = await upgrade.state();
    if (fault)
      rehearsal.sandbox.faults.add({
        ...fault,
        ...(fault.system === 'host' ? { host: `${upgrade.provider}-host` } : { provider: upgrade.provider }),
      });
    const isHit = fault && once(rehearsal.sandbox.faults, 'hit');
    await upgrade.start({ startedBy: 'ana' });
    // A look at the status may come when it is over.
    if (isHit) await isHit;
    else await upgrade.statusWhen(({ gates }) => gates.some((gate) => gate.step === step));
    if (step === 'upgradeEndpoints') expect(upgrade.effects('setupRan')).toHaveLength(1);
    await upgrade.workflow.signal('abort', { by: 'bo', reason: 'wrong night' });
    await expect(upgrade.result()).rejects.toMatchObject({
      cause: { type: 'Aborted', message: expect.stringContaining('bo aborted the upgrade: wrong night') as string },
    });
    await expectUntouched(upgrade, before);
  }
  test.each<Case>([IN_ENDPOINTS])('in %s is undone', (...abort) => expectUndone(abort));
  testInFull.each<Case>(OTHERS)('in %s is undone', (...abort) => expectUndone(abort));

  testInFull('by cancelling the workflow is undone as well, and ends as cancelled', async () => {
    const upgrade = await provider(from, {}, { approval: { beforeCrossing: true } });
    const before = await upgrade.state();
    await upgrade.start({ startedBy: 'ana' });
    await upgrade.statusWhen(({ gates }) => gates.some(({ step }) => step === 'approveCrossing'));
    await upgrade.workflow.cancel();
    await expect(upgrade.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    await expectUntouched(upgrade, before);
    expect((await upgrade.workflow.describe()).status.name).toBe('CANCELLED');
  });
});
