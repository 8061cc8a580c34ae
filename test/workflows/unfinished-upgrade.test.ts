/**
 * What an upgrade has left, and who finishes it: every way on that a message names is one that is open.
 *
 * @needs temporal
 */
import { ApplicationFailure } from '@temporalio/common';
import { FAILURE } from '../../src/contract/activities';
import { profile, stubActivities, type Stub, type StubActivities } from '../kit/stub-world/stub-activities';
import {
  WorkflowEnvironment,
  answerEverything,
  auditOf,
  failureOf,
  refusalOf,
  statusOf,
  statusWhen,
  tell,
  type UpgradeHandle,
} from '../kit/stub-world/workflow-environment';
import { testInFull } from '../kit/extent';

let environment: WorkflowEnvironment;
beforeAll(async () => {
  environment = await WorkflowEnvironment.start();
});
afterAll(async () => {
  await environment?.close();
});

const APPROVAL = { approval: { beforeCrossing: true } };
const WRONG_NIGHT = { by: 'bo', reason: 'the wrong night' };
const TEMPLATE = 16;

const rejected = (message: string): ApplicationFailure => ApplicationFailure.nonRetryable(message, FAILURE.rejected);

type Change = (usual: StubActivities) => Partial<StubActivities>;

/** A provider on 18.4 whose upgrade waits for its approval: provisioning is off, the site is set up. */
async function atApproval(
  provider: string,
  change: Change,
): Promise<{
  stub: Stub;
  upgrade: UpgradeHandle;
  startAgain: () => Promise<UpgradeHandle>;
  finish: (startedBy?: string) => Promise<UpgradeHandle>;
}> {
  const stub = stubActivities(profile(provider, APPROVAL), { version: '18.4' });
  const activities = { ...stub.activities, ...change(stub.activities) };
  const startAgain = () => environment.upgrade(activities, { provider, startedBy: 'ana' });
  const upgrade = await startAgain();
  await untilApproval(upgrade);
  return {
    stub,
    upgrade,
    startAgain,
    finish: (startedBy) =>
      environment.upgrade(activities, { provider, finish: true, ...(startedBy === undefined ? {} : { startedBy }) }),
  };
}

const untilApproval = (upgrade: UpgradeHandle) =>
  statusWhen(upgrade, ({ gates }) => gates.some(({ step }) => step === 'approveCrossing'));
const untilHeld = (upgrade: UpgradeHandle) => statusWhen(upgrade, ({ holds }) => holds.length > 0);

async function aborted(upgrade: UpgradeHandle): Promise<Error | undefined> {
  await upgrade.signal('abort', WRONG_NIGHT);
  return await failureOf(upgrade);
}

test('a template that was deleted while it was off is missed by nobody on the way back: a warning says so', async () => {
  let isDeleted = false;
  const { upgrade } = await atApproval('deleted', (usual) => ({
    activateTemplates: async () => {
      throw rejected(`There is no service template ${TEMPLATE}.`);
    },
    readTemplates: async (input) => (isDeleted ? { templates: [] } : await usual.readTemplates(input)),
    readActiveTemplates: async (input) => (isDeleted ? [] : await usual.readActiveTemplates(input)),
  }));
  isDeleted = true;
  await aborted(upgrade);
  const { state, notUndone, checks } = await statusOf(upgrade);
  expect({ state, notUndone }).toEqual({ state: 'rolledBack', notUndone: [] });
  expect(checks).toContainEqual(
    expect.objectContaining({
      name: 'stopProvisioning',
      verdict: 'warning',
      message: expect.stringContaining(
        `no longer there, so they are not activated: 1 templates, ${TEMPLATE}`,
      ) as string,
    }),
  );
  expect(await auditOf(upgrade)).toContainEqual(
    expect.objectContaining({ what: 'check', subject: 'stopProvisioning' }),
  );
});

testInFull('what an undo has switched on is looked at before it counts as undone', async () => {
  // By an activity that nobody has told in time that its upgrade was terminated.
  let isSwitchedOffAgain = false;
  const template = { id: TEMPLATE, name: 'Office 365 E1', azureCsp: false, dnsHosting: false, trialOnCcpV1: false };
  const { upgrade, finish: finishIt } = await atApproval('switched-off-again', (usual) => ({
    readTemplates: async () => ({ templates: [{ ...template, active: !isSwitchedOffAgain }] }),
    readActiveTemplates: async (input) => (isSwitchedOffAgain ? [] : await usual.readActiveTemplates(input)),
  }));
  isSwitchedOffAgain = true;
  const failure = await aborted(upgrade);
  expect(failure?.message).toContain('Not active: "Office 365 E1"');
  expect(failure?.message).toContain('onward finish switched-off-again');
  expect(await statusOf(upgrade)).toMatchObject({ state: 'rollbackIncomplete' });

  const finish = await finishIt();
  const { holds } = await untilHeld(finish);
  expect(holds).toMatchObject([{ step: 'stopProvisioning', actions: ['retry', 'doneByHand'] }]);
  const decide = { step: 'stopProvisioning', action: 'doneByHand', by: 'bo', reason: 'I have activated it.' };
  await tell(finish, 'resolveHold', decide);
  // It is not, and that can be seen.
  await statusWhen(finish, ({ holds: [one] }) => one !== undefined && one.since !== holds[0]?.since);
  isSwitchedOffAgain = false;
  await tell(finish, 'resolveHold', decide);
  await failureOf(finish);
  expect(await statusOf(finish)).toMatchObject({ state: 'rolledBack', notUndone: [], kept: [], switchedOff: [] });
});

test('what cannot be undone holds whoever finishes it, until a person has seen to it; then the provider can be upgraded again', async () => {
  let replaced = true;
  const {
    stub,
    upgrade,
    startAgain,
    finish: finishIt,
  } = await atApproval('replaced', () => ({
    restoreSite: async () => {
      if (replaced) throw ApplicationFailure.nonRetryable('It is another machine.', FAILURE.anotherHost);
    },
  }));
  await aborted(upgrade);
  expect(await statusOf(upgrade)).toMatchObject({ state: 'rollbackIncomplete' });
  expect((await failureOf(await startAgain()))?.message).toContain('onward finish replaced');

  const finish = await finishIt('bo');
  const [hold] = (await untilHeld(finish)).holds;
  expect(hold).toMatchObject({
    step: 'upgradeEndpoints',
    actions: ['retry', 'doneByHand'],
    problem: expect.stringContaining('It is another machine.') as string,
  });
  const decide = (action: string) =>
    tell(finish, 'resolveHold', { step: 'upgradeEndpoints', action, by: 'bo', reason: 'The host was rebuilt.' });
  await decide('retry');
  await statusWhen(finish, ({ holds: [one] }) => one !== undefined && one.since !== hold?.since);
  await decide('doneByHand');
  await failureOf(finish);
  const { state, notUndone, kept } = await statusOf(finish);
  expect({ state, notUndone }).toEqual({ state: 'rolledBack', notUndone: [] });
  expect(kept).toContainEqual(
    expect.stringMatching(/^upgradeEndpoints: .+a person has seen to: It is another machine\.$/),
  );
  expect(await auditOf(finish)).toContainEqual(
    expect.objectContaining({
      by: 'bo',
      verdict: 'accepted',
      payload: expect.objectContaining({ action: 'doneByHand', reason: 'The host was rebuilt.' }) as object,
    }),
  );
  expect(stub.calls.filter((call) => call.startsWith('activateTemplate'))).toEqual([`activateTemplate ${TEMPLATE}`]);

  replaced = false;
  const again = await startAgain();
  await untilApproval(again);
  await aborted(again);
  expect(await statusOf(again)).toMatchObject({ state: 'rolledBack' });
});

testInFull(
  'a host that does not answer keeps nobody from finishing: the step that needs it holds, and undoes on the machine that it was',
  async () => {
    let silent = false;
    const restored: unknown[] = [];
    const unlessSilent = (): void => {
      if (silent) throw ApplicationFailure.nonRetryable('The host does not answer.', FAILURE.unreachable);
    };
    const { upgrade, finish: finishIt } = await atApproval('silent', (usual) => ({
      restoreSite: async ({ host }) => void restored.push(host.identity),
      readHost: async (input) => {
        unlessSilent();
        return await usual.readHost(input);
      },
      claimHost: async (input) => {
        unlessSilent();
        return await usual.claimHost(input);
      },
    }));
    await upgrade.terminate('the wrong button');
    silent = true;
    const finish = await finishIt();
    const { holds } = await untilHeld(finish);
    expect(holds).toMatchObject([
      { step: 'upgradeEndpoints', problem: expect.stringContaining('The host does not answer.') as string },
    ]);
    silent = false;
    await tell(finish, 'resolveHold', { step: 'upgradeEndpoints', action: 'retry', by: 'bo', reason: 'It is back.' });
    await failureOf(finish);
    expect(await statusOf(finish)).toMatchObject({ state: 'rolledBack', notUndone: [] });
    expect(restored).toEqual([expect.objectContaining({ smbiosUuid: 'hardware-of-host-of-silent' })]);
  },
);

// Security: starter-cannot-approve
testInFull(
  'who has started an upgrade does not approve its crossing when it is finished, whoever finishes it',
  async () => {
    let imported = false;
    const { upgrade, finish: finishIt } = await atApproval('four-eyes', () => ({
      findImported: async () => (imported ? { applicationId: 17, packageVersion: '18.4.1-12' } : undefined),
    }));
    await upgrade.terminate('the wrong button');
    imported = true;
    const finish = await finishIt();
    await untilApproval(finish);
    const approve = (by: string) => refusalOf(finish, 'approveCrossing', { by, reason: 'It is time.' });
    expect(await approve('Ana ')).toContain('someone else has to approve');
    expect(await approve('bo')).toBeUndefined();
    await answerEverything(finish);
    expect(await finish.result()).toMatchObject({ to: '18.4.1' });
  },
);

testInFull(
  'where the ledger is lost, who finishes it says from which version, and is asked which templates were active',
  async () => {
    const provider = 'lost';
    const active = new Set<number>();
    const template = { id: TEMPLATE, name: 'Office 365 E1', azureCsp: false, dnsHosting: false, trialOnCcpV1: false };
    const { activities } = stubActivities(profile(provider), {
      version: '18.4.1',
      change: {
        findImported: async () => ({ applicationId: 17, packageVersion: '18.4.1-12' }),
        readTemplates: async () => ({ templates: [{ ...template, active: active.has(TEMPLATE) }] }),
        readActiveTemplates: async () => (active.has(TEMPLATE) ? [template] : []),
        activateTemplates: async ({ templateIds }) => templateIds.forEach((id) => active.add(id)),
      },
    });
    const unsaid = await environment.upgrade(activities, { provider, finish: true });
    expect((await failureOf(unsaid))?.message).toContain('Say it by "from"');
    const finish = await environment.upgrade(activities, { provider, finish: true, from: '18.4' });
    const asked = { step: 'stopProvisioning', item: 'templates', by: 'bo' };
    await statusWhen(finish, ({ gates }) => gates.some(({ id }) => id === 'stopProvisioning/templates'));
    await tell(finish, 'confirmStep', { ...asked, evidence: '16, 99' });
    await statusWhen(finish, ({ gates: [gate] }) => gate?.lastProblem?.includes('99') === true);
    await tell(finish, 'confirmStep', { ...asked, evidence: String(TEMPLATE) });
    await answerEverything(finish);
    expect(await finish.result()).toMatchObject({ from: '18.4', to: '18.4.1' });
    expect([...active]).toEqual([TEMPLATE]);
  },
);
