/**
 * There is only forward, whatever button is pressed: Temporal's Terminate and Reset, a second entry of the inventory, a retry while an
 * import runs. The sandbox's journal and the invariants judge.
 *
 * @needs temporal
 */
import { readFileSync } from 'node:fs';
import type { WorkflowHandle } from '@temporalio/client';
import path from 'node:path';
import { upgradeWorkflowId } from '../../src/contract/provider';
import type { FaultRule } from '../../src/sandbox/faults';
import { hostProgramData } from '../../src/sandbox/hosts/disk';
import { addTemplate, removeInstance } from '../../src/sandbox/world/growth';
import { FAILURE } from '../../src/contract/activities';
import { testInFull } from '../kit/extent';
import { Rehearsal, type Settings, type Upgrade } from '../kit/rehearsal/rehearsal';
import { aMoment, timings } from '../kit/deadlines';

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await Rehearsal.start();
});
afterAll(async () => {
  await rehearsal?.close();
});

let providers = 0;
const provider = (settings: Settings = {}, sourceVersion = '18.4'): Promise<Upgrade> =>
  rehearsal.provider({ id: `forward-${++providers}`, sourceVersion, instances: 2 }, settings);

const fault = (upgrade: Upgrade, rule: Omit<FaultRule, 'id' | 'provider'>): FaultRule =>
  rehearsal.sandbox.faults.add({ ...rule, provider: upgrade.provider });

const atApproval = ({ gates }: { gates: { step: string }[] }): boolean =>
  gates.some(({ step }) => step === 'approveCrossing');
const leavesApproval = { leaves: ({ step }: { step: string }) => step === 'approveCrossing' };
/** How long a host may say nothing: long enough for a worker that starts on a busy machine. */
const SOON_SILENT = timings({
  retryFor: 20,
  heartbeat: 5,
  hostAnswer: 30,
  drain: 60,
  import: 60,
  instanceUpgrade: 60,
  script: 60,
});
/** How long an import may take. */
const IMPATIENT = timings({
  retryFor: 20,
  heartbeat: 5,
  hostAnswer: 30,
  drain: 60,
  import: 1.5,
  instanceUpgrade: 60,
  script: 60,
});
const WANTS_APPROVAL = { approval: { beforeCrossing: true } };

/** Resets the upgrade to before this activity was scheduled for the first time; what people have said since is said again. */
async function resetBefore(upgrade: Upgrade, activity: string): Promise<void> {
  await upgrade.reset((events) => {
    const scheduled = events.findIndex(
      ({ activityTaskScheduledEventAttributes: each }) => each?.activityType?.name === activity,
    );
    return events.slice(0, scheduled).findLast((event) => event.workflowTaskCompletedEventAttributes);
  });
}

/** A server lists a workflow about a second after it has begun. */
async function ledgerIsListed(upgrade: Upgrade): Promise<void> {
  const query = `WorkflowId = '${upgrade.ledger().workflowId}'`;
  while ((await rehearsal.client.workflow.count(query)).count === 0) await aMoment();
}

/** How it has ended; the last note of the upgrade may not be taken in yet. */
async function ledgerEnds(upgrade: Upgrade): Promise<string> {
  for (;;) {
    const { status } = await upgrade.ledger().describe();
    if (status.name !== 'RUNNING') return status.name;
    await aMoment();
  }
}

async function expectUpgraded(upgrade: Upgrade): Promise<void> {
  const { templates, instances } = await upgrade.state();
  expect(templates.filter(({ active }) => active)).toHaveLength(3);
  expect(instances.map(({ packageVersion }) => packageVersion)).toEqual(['18.4.1-12', '18.4.1-12']);
  expect(upgrade.effectCounts()).toMatchObject({ packageImported: 1, instanceUpgraded: 2 });
  expect(upgrade.effects('siteRestored')).toEqual([]);
}

// Security: forward-only
test('terminated after the instances were upgraded, a new start says how it is finished, and finish brings it to its end', async () => {
  const upgrade = await provider();
  await upgrade.start();
  await upgrade.statusWhen(({ step, crossed }) => crossed && step === 'updateCustomizations');
  await upgrade.workflow.terminate('the wrong button');
  await upgrade.start();
  await expect(upgrade.result()).rejects.toMatchObject({
    cause: {
      type: FAILURE.refused,
      message: expect.stringContaining(`onward finish ${upgrade.provider}`) as string,
    },
  });
  await upgrade.start({ finish: true, startedBy: 'ana' });
  await upgrade.operate();
  expect(await upgrade.result()).toMatchObject({ from: '18.4', to: '18.4.1' });
  expect((await upgrade.status()).finishes).toContain(`${upgrade.provider}/18.4-18.4.1/`);
  await expectUpgraded(upgrade);
  expect(await ledgerEnds(upgrade)).toBe('COMPLETED');
});

testInFull('the signal finish to the ledger brings a terminated upgrade to its end', async () => {
  const upgrade = await provider();
  await upgrade.start();
  await upgrade.statusWhen(({ step, crossed }) => crossed && step === 'updateCustomizations');
  await upgrade.workflow.terminate('the wrong button');
  const { runId } = await upgrade.workflow.describe();
  await upgrade.ledger().signal('finish', { by: 'ana', reason: 'somebody terminated it' });
  upgrade.startedByWorkflow();
  while ((await upgrade.workflow.describe()).runId === runId) await aMoment();
  expect(await upgrade.status()).toMatchObject({ startedBy: 'ana' });
  await upgrade.operate();
  expect(await upgrade.result()).toMatchObject({ from: '18.4', to: '18.4.1' });
  await expectUpgraded(upgrade);
  expect(await ledgerEnds(upgrade)).toBe('COMPLETED');
});

test('terminated before the crossing, finish undoes what was begun and ends as rolled back', async () => {
  const upgrade = await provider(WANTS_APPROVAL);
  const before = await upgrade.state();
  await upgrade.start({ startedBy: 'ana' });
  const operated = upgrade.statusWhen(atApproval);
  await operated;
  await upgrade.workflow.terminate('the wrong button');
  await upgrade.start({ startedBy: 'ana' });
  await expect(upgrade.result()).rejects.toMatchObject({
    cause: { message: expect.stringContaining('provisioning is off since') as string },
  });
  await upgrade.start({ finish: true, startedBy: 'ana' });
  await expect(upgrade.result()).rejects.toThrow();
  expect(await upgrade.status()).toMatchObject({ state: 'rolledBack', notUndone: [] });
  expect(await upgrade.state()).toEqual(before);
  expect(await ledgerEnds(upgrade)).toBe('COMPLETED');
});

testInFull(
  'what is off is not forgotten when the instance that was installed first is removed: a new start is refused, and finish restores',
  async () => {
    const upgrade = await provider(WANTS_APPROVAL);
    const before = await upgrade.state();
    await upgrade.start({ startedBy: 'ana' });
    await upgrade.statusWhen(atApproval);
    await ledgerIsListed(upgrade);
    await upgrade.workflow.terminate('the wrong button');
    const { world } = rehearsal.sandbox;
    const [first] = before.instances;
    removeInstance(world, world.provider(upgrade.provider), first?.id ?? 0);
    const double = await rehearsal.secondEntry(upgrade);
    await expect(double.result()).rejects.toMatchObject({
      cause: { message: expect.stringContaining(`onward finish ${upgrade.provider}`) as string },
    });
    await upgrade.start({ startedBy: 'ana' });
    await expect(upgrade.result()).rejects.toMatchObject({
      cause: { message: expect.stringContaining('provisioning is off since') as string },
    });
    await upgrade.start({ finish: true, startedBy: 'ana' });
    await expect(upgrade.result()).rejects.toThrow();
    expect(await upgrade.status()).toMatchObject({ state: 'rolledBack', notUndone: [] });
    expect((await upgrade.state()).templates).toEqual(before.templates);
    expect(await ledgerEnds(upgrade)).toBe('COMPLETED');
  },
);

testInFull.each([
  ['cancelled', (ledger: WorkflowHandle) => ledger.cancel()],
  ['terminated', (ledger: WorkflowHandle) => ledger.terminate('the wrong button')],
])('a ledger that is %s keeps what was begun, and finish undoes it', async (_, press) => {
  const upgrade = await provider(WANTS_APPROVAL);
  const before = await upgrade.state();
  await upgrade.start({ startedBy: 'ana' });
  await upgrade.statusWhen(atApproval);
  await upgrade.workflow.terminate('the wrong button');
  await press(upgrade.ledger());
  await upgrade.start({ finish: true });
  await expect(upgrade.result()).rejects.toThrow();
  expect(await upgrade.status()).toMatchObject({ state: 'rolledBack', notUndone: [] });
  expect(await upgrade.state()).toEqual(before);
  expect(await ledgerEnds(upgrade)).toBe('COMPLETED');
});

testInFull(
  'who finishes an upgrade while a host that was set up does not answer is held by its undo, until the host is back',
  async () => {
    const host = 'silent-host';
    const upgrade = await rehearsal.provider(
      { id: 'silent', sourceVersion: '18.4', instances: 1, gateways: [{ host }] },
      { ...WANTS_APPROVAL, timings: SOON_SILENT },
    );
    const before = await upgrade.state();
    await upgrade.start({ startedBy: 'ana' });
    await upgrade.statusWhen(atApproval);
    await upgrade.workflow.terminate('the wrong button');
    await rehearsal.takeDown(host);
    await upgrade.start({ finish: true });
    const [hold] = (await upgrade.statusWhen(({ holds }) => holds.length > 0)).holds;
    expect(hold).toMatchObject({ step: 'upgradeEndpoints', actions: ['retry', 'doneByHand'] });
    await rehearsal.bringUp(host);
    await upgrade.operateResolving('retry');
    await expect(upgrade.result()).rejects.toThrow();
    expect(await upgrade.status()).toMatchObject({ state: 'rolledBack', notUndone: [] });
    expect(await upgrade.state()).toEqual(before);
  },
);

testInFull('a template that a rollback could not activate is not forgotten: finish activates it', async () => {
  const upgrade = await provider(WANTS_APPROVAL);
  const before = await upgrade.state();
  await upgrade.start({ startedBy: 'ana' });
  await upgrade.statusWhen(atApproval);
  fault(upgrade, { system: 'operations', call: 'pem.activateST', kind: 'fault' });
  await upgrade.workflow.signal('abort', { by: 'bo', reason: 'wrong night' });
  await expect(upgrade.result()).rejects.toThrow();
  expect(await upgrade.status()).toMatchObject({ state: 'rollbackIncomplete' });
  await upgrade.start({ startedBy: 'ana' });
  await expect(upgrade.result()).rejects.toMatchObject({
    cause: { message: expect.stringContaining(`onward finish ${upgrade.provider}`) as string },
  });
  await upgrade.start({ finish: true });
  await expect(upgrade.result()).rejects.toThrow();
  expect(await upgrade.status()).toMatchObject({ state: 'rolledBack' });
  expect(await upgrade.state()).toEqual(before);
});

// Security: forward-only
test('an abort that was refused after the crossing is refused again after a Reset to before it', async () => {
  const upgrade = await provider(WANTS_APPROVAL);
  await upgrade.start({ startedBy: 'ana' });
  await upgrade.statusWhen(atApproval);
  await upgrade.workflow.signal('approveCrossing', { by: 'bo', reason: 'It is time.' });
  await upgrade.statusWhen(({ step, crossed }) => crossed && step === 'updateCustomizations');
  await upgrade.workflow.signal('abort', { by: 'bo', reason: 'wrong night' });
  await upgrade.statusWhen(({ lastRefused }) => lastRefused?.what === 'signal:abort');
  await resetBefore(upgrade, 'claimHost');
  const { forwardOnly } = await upgrade.statusWhen((status) => status.forwardOnly !== undefined);
  expect(forwardOnly).toContain(FAILURE.pastPointOfNoReturn);
  await upgrade.operate({ leaves: () => false });
  expect(await upgrade.result()).toMatchObject({ to: '18.4.1' });
  await expectUpgraded(upgrade);
});

testInFull('a retry waits for an import that still runs, and never makes a second one', async () => {
  const upgrade = await provider({ timings: IMPATIENT });
  const stuck = fault(upgrade, { system: 'operations', call: 'pem.APS.importPackage', kind: 'stuckTask' });
  await upgrade.start();
  const [first] = (await upgrade.statusWhen(({ holds }) => holds.length > 0)).holds;
  expect(first).toMatchObject({ step: 'importPackage' });
  const retry = { step: 'importPackage', action: 'retry', by: 'ana', reason: 'once more' };
  await upgrade.workflow.signal('resolveHold', retry);
  // The request runs on: the retry waits for it in vain, although the package is listed.
  await upgrade.statusWhen(({ holds }) => holds.length > 0 && holds[0]?.since !== first?.since);
  expect(upgrade.effects('instanceUpgradeStarted')).toEqual([]);
  rehearsal.sandbox.faults.remove(stuck);
  await upgrade.operateResolving('retry');
  await upgrade.result();
  await expectUpgraded(upgrade);
  expect(
    rehearsal.sandbox.journal.entries({ kind: 'call', name: 'pem.APS.importPackage', provider: upgrade.provider }),
  ).toHaveLength(1);
});

test('a second entry for the same installation, however its address is spelled, is refused while the first upgrade runs', async () => {
  const upgrade = await provider(WANTS_APPROVAL);
  await upgrade.start({ startedBy: 'ana' });
  await upgrade.statusWhen(atApproval);
  const double = await rehearsal.secondEntry(upgrade);
  const failure = await double.result().then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({
    cause: { type: FAILURE.refused, message: expect.stringContaining(upgradeWorkflowId(upgrade.provider)) as string },
  });
  await upgrade.workflow.signal('approveCrossing', { by: 'bo', reason: 'It is time.' });
  await upgrade.operate(leavesApproval);
  await upgrade.result();
});

testInFull('what a reset upgrade had begun is undone by its ledger, and not by its history', async () => {
  const upgrade = await provider(WANTS_APPROVAL);
  const before = await upgrade.state();
  await upgrade.start({ startedBy: 'ana' });
  await upgrade.statusWhen(atApproval);
  await resetBefore(upgrade, 'noteInLedger');
  await upgrade.workflow.signal('abort', { by: 'bo', reason: 'wrong night' });
  await upgrade.operate(leavesApproval);
  await expect(upgrade.result()).rejects.toThrow();
  expect(await upgrade.status()).toMatchObject({ state: 'rolledBack' });
  expect(await upgrade.state()).toEqual(before);
});

testInFull('what somebody had activated meanwhile, and was switched off again, is not forgotten either', async () => {
  const upgrade = await provider(WANTS_APPROVAL);
  await upgrade.start({ startedBy: 'ana' });
  await upgrade.statusWhen(atApproval);
  const { world } = rehearsal.sandbox;
  const offer = addTemplate(world, world.provider(upgrade.provider), 'Office 365 new offer');
  await upgrade.workflow.signal('approveCrossing', { by: 'bo', reason: 'It is time.' });
  await upgrade.statusWhen(({ step, crossed }) => crossed && step === 'updateCustomizations');
  await upgrade.workflow.terminate('the wrong button');
  expect(offer.active).toBe(false);
  await upgrade.start({ finish: true, startedBy: 'ana' });
  await upgrade.operate();
  await upgrade.result();
  expect(offer.active).toBe(true);
});

testInFull('who finishes an upgrade claims its hosts before instances are upgraded through them', async () => {
  const host = 'forward-host';
  const upgrade = await rehearsal.provider(
    { id: `forward-${++providers}`, sourceVersion: '18.4', instances: 2, gateways: [{ host }] },
    { timings: IMPATIENT },
  );
  const stuck = fault(upgrade, { system: 'operations', call: 'pem.APS.importPackage', kind: 'stuckTask' });
  await upgrade.start();
  await upgrade.statusWhen(() => upgrade.effects('packageImported').length > 0);
  await upgrade.workflow.terminate('the wrong button');
  rehearsal.sandbox.faults.remove(stuck);
  await upgrade.start({ finish: true, startedBy: 'ana' });
  // What is stuck is put right by who retries.
  await upgrade.operateResolving('retry');
  await upgrade.result();
  await expectUpgraded(upgrade);
  const hosts = path.join(rehearsal.sandbox.dataDirectory, 'hosts');
  const claim: unknown = JSON.parse(
    readFileSync(path.join(hostProgramData(hosts, host), 'Onward', 'claim.json'), 'utf8'),
  );
  const { raw } = await upgrade.workflow.describe();
  expect(claim).toMatchObject({ run: raw.workflowExecutionInfo?.firstRunId });
});
