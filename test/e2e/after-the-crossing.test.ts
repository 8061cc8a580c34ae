/**
 * Whatever goes wrong after the crossing, on either path, holds; a person repairs it and the upgrade goes on. The sandbox judges.
 *
 * @needs temporal
 */
import type { FaultRule } from '../../src/sandbox/faults';
import type { ProviderOptions } from '../../src/sandbox/world/spec';
import { resolveSecret } from '../../src/inventory/secrets';
import { operationsConnection } from '../../src/contract/provider';
import { OperationsClient } from '../../src/systems/operations';
import { samples, testInFull } from '../kit/extent';
import { Rehearsal, type Settings, type Upgrade } from '../kit/rehearsal/rehearsal';
import { timings } from '../kit/deadlines';

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
  return await rehearsal.provider(
    { id: `after-${++upgrades}`, sourceVersion: from, instances: 2, ...options },
    settings,
  );
}

const fault = (upgrade: Upgrade, rule: Omit<FaultRule, 'id' | 'provider'>): FaultRule =>
  rehearsal.sandbox.faults.add({ ...rule, provider: upgrade.provider });

async function expectUpgradedOnce(upgrade: Upgrade, from: string): Promise<void> {
  expect(await upgrade.result()).toMatchObject({ from, to: '18.4.1' });
  const { templates, instances } = await upgrade.state();
  expect(templates.filter(({ active }) => active)).toHaveLength(3);
  expect(instances.map(({ packageVersion, status }) => `${packageVersion} ${status}`)).toEqual(
    Array(2).fill('18.4.1-12 Ready'),
  );
  expect(upgrade.effectCounts()).toMatchObject({
    templateDeactivated: 2,
    setupRan: 1,
    iisReset: 1,
    packageImported: 1,
    instanceUpgraded: 2,
    templateActivated: 2,
  });
  expect(upgrade.effects('siteRestored')).toEqual([]);
}

/** A client of the provider's Operations, for what a person would do in its panel. */
function panel(upgrade: Upgrade): OperationsClient {
  const url = rehearsal.sandbox.urls.operations(upgrade.provider);
  return new OperationsClient(operationsConnection.parse({ url }), resolveSecret);
}

describe.each(PATHS)('from %s', (from) => {
  type Case = [string, string, Omit<FaultRule, 'id' | 'provider'>, Settings];
  const IMPATIENT = timings({
    retryFor: 20,
    heartbeat: 5,
    hostAnswer: 30,
    drain: 60,
    import: 1.5,
    instanceUpgrade: 1.5,
    script: 60,
  });
  const call = (name: string, kind: string, skip = 0) => ({ system: 'operations', call: name, kind, skip });
  const REFUSED: Case = ['an import that is refused', 'importPackage', call('pem.APS.importPackage', 'fault'), {}];
  const OTHERS: Case[] = [
    ['an import that fails in its tasks', 'importPackage', call('pem.APS.importPackage', 'failedUpgradeTask'), {}],
    ['an import that gets stuck', 'importPackage', call('pem.APS.importPackage', 'stuckTask'), { timings: IMPATIENT }],
    ['a refused instance upgrade', 'upgradeInstances', call('pem.APS.upgradeApplicationInstance', 'fault', 1), {}],
    [
      'an instance upgrade that fails in its task',
      'upgradeInstances',
      call('pem.APS.upgradeApplicationInstance', 'failedUpgradeTask'),
      { timings: IMPATIENT },
    ],
    ['a template that cannot be activated', 'startProvisioning', call('pem.activateST', 'fault', 1), {}],
  ];
  async function expectHold([, step, rule, settings]: Case): Promise<void> {
    const upgrade = await provider(from, {}, settings);
    fault(upgrade, rule);
    await upgrade.start();
    const events = await upgrade.operateResolving('retry');
    expect(events).toContainEqual({ kind: 'resolved', step, action: 'retry' });
    await expectUpgradedOnce(upgrade, from);
  }
  test.each<Case>([REFUSED])('%s holds, and a retry goes on', (...failure) => expectHold(failure));
  testInFull.each<Case>(OTHERS)('%s holds, and a retry goes on', (...failure) => expectHold(failure));

  testInFull.each<[string, Omit<FaultRule, 'id' | 'provider'>]>([
    ['the import call', { system: 'operations', call: 'pem.APS.importPackage', kind: 'effectThenNoAnswer' }],
    ['the commit', { system: 'operations', call: 'txn.Commit', kind: 'effectThenNoAnswer' }],
    ['the commit, with a malformed answer', { system: 'operations', call: 'txn.Commit', kind: 'malformed' }],
    ['the import call, with HTTP 500', { system: 'operations', call: 'pem.APS.importPackage', kind: 'error500' }],
  ])('an import whose outcome is unknown at %s is read back and never made twice', async (_, rule) => {
    const upgrade = await provider(from);
    fault(upgrade, rule);
    await upgrade.start();
    await upgrade.operateResolving('retry');
    await expectUpgradedOnce(upgrade, from);
  });

  testInFull('a task that failed during the upgrade holds the validation until somebody has processed it', async () => {
    const upgrade = await provider(from);
    await upgrade.start();
    const at = rehearsal.sandbox.urls.control(upgrade.provider);
    const operated = upgrade.operate({
      leaves: ({ step, item }) => step === 'updateCustomizations' && item === 'controlPanel',
    });
    const { gates } = await upgrade.statusWhen(
      (status) =>
        status.gates.some(({ id }) => id === 'updateCustomizations/controlPanel') && status.gates.length === 1,
    );
    const created = await fetch(new URL('tasks', at), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Provisioning Office 365 user', status: 'Failed', periodic: false }),
    });
    const { id } = (await created.json()) as { id: number };
    await upgrade.workflow.signal('confirmStep', { ...gates[0]?.answer.payload, by: 'ana', evidence: 'done' });
    const { holds } = await upgrade.statusWhen((status) => status.holds.length > 0);
    expect(holds).toEqual([
      expect.objectContaining({ step: 'validate', problem: expect.stringContaining(String(id)) as string }),
    ]);
    await fetch(new URL(`tasks/${id}/process`, at), { method: 'POST' });
    await upgrade.workflow.signal('resolveHold', {
      step: 'validate',
      action: 'retry',
      by: 'ana',
      reason: 'processed it',
    });
    await operated;
    await expectUpgradedOnce(upgrade, from);
  });

  type ByHand = [string, string, Omit<FaultRule, 'id' | 'provider'>, (upgrade: Upgrade) => Promise<void>];
  testInFull.each<ByHand>([
    [
      'the import',
      'importPackage',
      call('pem.APS.importPackage', 'fault'),
      async (upgrade) => {
        const transaction = await panel(upgrade).begin('by-hand');
        await panel(upgrade).importPackage(rehearsal.sandbox.urls.package('18.4.1'), transaction);
        await panel(upgrade).commit(transaction);
      },
    ],
    [
      'an instance upgrade',
      'upgradeInstances',
      call('pem.APS.upgradeApplicationInstance', 'fault', 1),
      async (upgrade) => {
        for (const { id, packageVersion } of (await upgrade.state()).instances)
          if (!packageVersion.startsWith('18.4.1-')) await panel(upgrade).upgradeApplicationInstance(id, '18.4.1-12');
      },
    ],
    [
      'the activation of a template',
      'startProvisioning',
      call('pem.activateST', 'fault', 1),
      async (upgrade) => {
        for (const { id, active, name } of (await upgrade.state()).templates)
          if (!active && !name.includes('retired')) await panel(upgrade).activateServiceTemplate(id);
      },
    ],
  ])('%s that a person does instead is accepted once it stands the verification', async (_, step, rule, doIt) => {
    const upgrade = await provider(from);
    fault(upgrade, rule);
    await upgrade.start();
    const operated = upgrade.operate();
    const byHand = { step, action: 'doneByHand', by: 'ana', reason: 'did it in the panel' };
    await upgrade.statusWhen(({ holds }) => holds.length > 0);
    await upgrade.workflow.signal('resolveHold', byHand);
    await upgrade.statusWhen(({ holds }) => holds.some(({ problem }) => problem.includes('not done yet')));
    await doIt(upgrade);
    // The systems' own tasks take a moment: what is not there yet is said again.
    for (let holds = 1; holds > 0;) {
      await upgrade.workflow.executeUpdate('resolveHold', { args: [byHand] });
      const status = await upgrade.statusWhen(
        (seen) => seen.endedAt !== undefined || seen.holds.length > 0 || seen.step !== step,
      );
      holds = status.holds.length;
    }
    await operated;
    await expectUpgradedOnce(upgrade, from);
  });

  testInFull('a cancellation is refused and the upgrade ends as if nobody had asked', async () => {
    const upgrade = await provider(from);
    await upgrade.start();
    await upgrade.statusWhen(({ gates, crossed }) => crossed && gates.length > 0);
    await upgrade.workflow.cancel();
    await upgrade.statusWhen(({ cancelRefusedAt }) => cancelRefusedAt !== undefined);
    await upgrade.operate();
    await expectUpgradedOnce(upgrade, from);
    expect((await upgrade.workflow.describe()).status.name).toBe('COMPLETED');
  });
});

testInFull(
  'a consent given for another tenant leaves the gate open, with the reason, until the right one is given',
  async () => {
    const upgrade = await provider('18.3');
    await upgrade.start();
    const { gates } = await upgrade.statusWhen((status) => status.gates.length === 2);
    const [wrong] = gates;
    const at = rehearsal.sandbox.urls.control(upgrade.provider);
    await fetch(new URL(`instances/${wrong?.item}/consent`, at), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ tenant: 'somebody-else.onmicrosoft.com' }),
    });
    await upgrade.workflow.signal('consentCompleted', { instance: wrong?.item, by: 'petra@csp.example' });
    const status = await upgrade.statusWhen((seen) => seen.gates.some(({ lastProblem }) => lastProblem !== undefined));
    expect(status.gates.find(({ item }) => item === wrong?.item)?.lastProblem).toContain(
      'somebody-else.onmicrosoft.com',
    );
    await upgrade.operate();
    await upgrade.result();
  },
);

// Security: verified-answers
testInFull('a parameter that is still there leaves the gate open, and says on which templates', async () => {
  const upgrade = await provider('18.3');
  await upgrade.start();
  const operated = upgrade.operate({
    leaves: ({ id, lastProblem }) => id === 'removeEmailParameter/parameter' && lastProblem === undefined,
  });
  await upgrade.statusWhen(({ gates }) => gates.some(({ id }) => id === 'removeEmailParameter/parameter'));
  await upgrade.workflow.signal('confirmStep', {
    step: 'removeEmailParameter',
    item: 'parameter',
    by: 'ana',
    evidence: 'I think so',
  });
  const audit = async () =>
    (await upgrade.audit()).filter(({ verdict }) => verdict === 'refused').map(({ detail }) => detail);
  await operated;
  await upgrade.result();
  expect(await audit()).toEqual([expect.stringContaining('o365_based_on_email is still on billing service templates')]);
});
