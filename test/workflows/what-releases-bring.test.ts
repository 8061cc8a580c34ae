/**
 * What a release may ask for beside the ordinary: steps that are left out or declined, steps that stay, undos that ask, and
 * more releases than one.
 *
 * @needs temporal
 */
import { ApplicationFailure } from '@temporalio/common';
import { FAILURE } from '../../src/contract/activities';
import type { UpgradeRequest } from '../../src/contract/upgrade-input';
import type { StepStatus } from '../../src/contract/status';
import { testInFull } from '../kit/extent';
import {
  operationsFacts,
  packages,
  profile,
  stubActivities,
  type StubActivities,
} from '../kit/stub-world/stub-activities';
import {
  WorkflowEnvironment,
  answerEverything,
  auditOf,
  failureOf,
  planOf,
  refusalOf,
  statusOf,
  statusWhen,
  tell,
  type UpgradeHandle,
} from '../kit/stub-world/workflow-environment';

let environment: WorkflowEnvironment;
beforeAll(async () => {
  environment = await WorkflowEnvironment.start(require.resolve('./invented.workflows.ts'));
});
afterAll(async () => {
  await environment?.close();
});

interface Begun {
  handle: UpgradeHandle;
  calls: string[];
}

/** An upgrade of a provider on this version. */
async function upgradeFrom(
  version: string,
  provider: string,
  {
    change = {},
    settings = {},
    to,
  }: { change?: Partial<StubActivities>; settings?: object } & Pick<UpgradeRequest, 'to'> = {},
): Promise<Begun> {
  const entry = profile(provider, { packages: packages('18.4.1', '18.4.2', '19.1'), ...settings });
  const { activities, calls } = stubActivities(entry, { version, change });
  const handle = await environment.upgrade(activities, { provider, ...(to === undefined ? {} : { to }) });
  return { handle, calls };
}

const refusing = (name: keyof StubActivities): Partial<StubActivities> => ({
  [name]: async () => {
    throw ApplicationFailure.nonRetryable(`${name} says no`, FAILURE.rejected);
  },
});

const switched = (step: string, item: string) => ({ step, item, by: 'ana', evidence: 'seen in the panel' });

/** As soon as a person has to decide about this step. */
async function undecided(handle: UpgradeHandle, step: string): Promise<void> {
  await statusWhen(handle, ({ gates }) =>
    gates.some((gate) => gate.answer.name === 'decideStep' && gate.step === step),
  );
}

/** Switches the synchronisation off, and comes to the first optional step. */
async function comeToDecision(handle: UpgradeHandle): Promise<void> {
  await statusWhen(handle, ({ gates }) => gates.some(({ item }) => item === 'off'));
  await tell(handle, 'confirmStep', switched('stopSynchronisation', 'off'));
  await undecided(handle, 'drainTasks');
}

async function stepOf(handle: UpgradeHandle, name: string): Promise<StepStatus | undefined> {
  const { steps } = await statusOf(handle);
  return steps.find((step) => step.name === name);
}

describe('an optional step', () => {
  testInFull('is declined with a reason that is kept, and the upgrade goes on without it', async () => {
    let waits = 0;
    const awaitTasksProcessed = async (): Promise<void> => void waits++;
    const { handle } = await upgradeFrom('18.4.1', 'declined', { change: { awaitTasksProcessed } });
    await comeToDecision(handle);
    expect((await planOf(handle)).steps).toContainEqual(
      expect.objectContaining({
        name: 'drainTasks',
        requirement: 'optional',
        because: 'Without it open tasks may fail.',
      }),
    );
    expect(await statusOf(handle)).toMatchObject({
      state: 'waiting',
      gates: [{ id: 'drainTasks', asked: 'operator', instructions: 'Without it open tasks may fail.' }],
    });
    expect(await stepOf(handle, 'drainTasks')).toMatchObject({ state: 'waiting' });

    const reason = 'nobody orders at night';
    await tell(handle, 'decideStep', { step: 'drainTasks', action: 'decline', by: 'bo', reason });
    await statusWhen(handle, ({ crossed }) => crossed);
    expect(await stepOf(handle, 'drainTasks')).toMatchObject({
      state: 'declined',
      note: `bo declined it: ${reason}`,
    });
    expect(waits).toBe(0);
    await answerEverything(handle, 'decline');
    expect(await handle.result()).toMatchObject({ from: '18.4.1', to: '19.1' });
    expect(await stepOf(handle, 'announcePlans')).toMatchObject({ state: 'declined' });
    expect(await auditOf(handle)).toContainEqual(
      expect.objectContaining({
        what: 'step',
        subject: 'drainTasks',
        detail: expect.stringContaining(reason) as string,
      }),
    );
  });

  testInFull('that a person wants is done like any other, and begins once', async () => {
    const { handle } = await upgradeFrom('18.4.1', 'wanted');
    await answerEverything(handle, 'run');
    await handle.result();
    for (const step of ['drainTasks', 'announcePlans']) {
      expect(await stepOf(handle, step)).toMatchObject({ state: 'done' });
      const told = (await auditOf(handle)).filter(({ what, subject }) => what === 'step' && subject === step);
      expect(told.map(({ detail }) => detail)).toEqual(['began', 'done']);
    }
  });

  test('is not done where the upgrade is aborted while somebody decides', async () => {
    const { handle, calls } = await upgradeFrom('18.4.1', 'aborted-decision');
    await comeToDecision(handle);
    await tell(handle, 'abort', { by: 'ana', reason: 'wrong night' });
    await statusWhen(handle, ({ gates }) => gates.some(({ item }) => item === 'on'));
    await tell(handle, 'confirmStep', switched('stopSynchronisation', 'on'));
    expect(await failureOf(handle)).toMatchObject({ type: FAILURE.aborted });
    expect(await stepOf(handle, 'drainTasks')).toMatchObject({ state: 'failed', note: 'stopped' });
    expect(calls).toEqual(['resetIis upgrade']);
  });
});

testInFull('a decision is refused where nothing is to be decided, and a confirmation is none', async () => {
  const { handle } = await upgradeFrom('18.4.1', 'decisions');
  const decision = { step: 'drainTasks', action: 'run', by: 'ana', reason: 'as always' };
  await statusWhen(handle, ({ gates }) => gates.some(({ item }) => item === 'off'));
  expect(await refusalOf(handle, 'decideStep', decision)).toContain('Nothing is asked about step drainTasks now');
  expect(await refusalOf(handle, 'decideStep', { ...decision, step: 'stopSynchronisation' })).toContain(
    'Nothing is asked about step stopSynchronisation now',
  );
  await comeToDecision(handle);
  expect(await refusalOf(handle, 'confirmStep', { step: 'drainTasks', by: 'ana', evidence: 'done' })).toContain(
    'Nothing is asked about step drainTasks now',
  );
  expect(await refusalOf(handle, 'decideStep', { ...decision, action: 'later' })).toContain(
    'action must be run or decline',
  );
  expect(await stepOf(handle, 'drainTasks')).toMatchObject({ state: 'waiting' });
  await answerEverything(handle);
  await handle.result();
});

describe('a conditional step', () => {
  const planned = async (handle: UpgradeHandle) =>
    (await planOf(handle)).steps.find(({ name }) => name === 'clearCache');
  const because = 'Odin Automation, any version below 8.0';

  testInFull('is skipped where its condition does not hold, and the plan says so beforehand', async () => {
    const { handle } = await upgradeFrom('18.4.1', 'skipped');
    await comeToDecision(handle);
    expect(await planned(handle)).toMatchObject({ requirement: 'conditional', because, applies: false });
    await answerEverything(handle);
    await handle.result();
    expect(await stepOf(handle, 'clearCache')).toMatchObject({ state: 'skipped', note: `only for ${because}` });
  });

  testInFull('is done where its condition holds', async () => {
    const readOperations = async () => ({ ...operationsFacts('18.4.1'), build: 'oa-7.4-1' });
    const { handle } = await upgradeFrom('18.4.1', 'applies', { change: { readOperations } });
    await comeToDecision(handle);
    expect(await planned(handle)).toMatchObject({ requirement: 'conditional', because, applies: true });
    await answerEverything(handle);
    await handle.result();
    expect(await stepOf(handle, 'clearCache')).toMatchObject({ state: 'done' });
  });
});

describe('a rollback', () => {
  testInFull('keeps what a lasting step has done, and says what stays', async () => {
    const { handle } = await upgradeFrom('18.4.1', 'kept', { change: refusing('stagePackage') });
    await answerEverything(handle);
    const kept = 'installCertificate: the new certificate on the endpoint hosts';
    expect(await failureOf(handle)).toMatchObject({
      type: FAILURE.stepFailed,
      message: expect.stringContaining(`What stays, as far as it was done: ${kept}.`) as string,
    });
    expect(await statusOf(handle)).toMatchObject({ state: 'rolledBack', notUndone: [], kept: [kept] });
    expect(await stepOf(handle, 'installCertificate')).toMatchObject({ state: 'done', phase: 'lasting' });
  });

  testInFull('keeps what a lasting step may have done although it failed', async () => {
    const { handle } = await upgradeFrom('18.4.1', 'kept-perhaps', { change: refusing('resetIis') });
    expect((await failureOf(handle))?.message).toContain('What stays, as far as it was done: installCertificate');
    expect(await stepOf(handle, 'installCertificate')).toMatchObject({ state: 'failed' });
  });

  test('waits for the person whom an undo asks, takes no other message meanwhile, and ends with the answer', async () => {
    const { handle } = await upgradeFrom('18.4.1', 'undo-asks');
    await comeToDecision(handle);
    expect(await statusOf(handle)).toMatchObject({ switchedOff: [{ what: 'synchronisation' }] });
    await tell(handle, 'abort', { by: 'ana', reason: 'wrong night' });

    const { state, gates } = await statusWhen(handle, (status) => status.gates.some(({ item }) => item === 'on'));
    expect(state).toBe('rollingBack');
    expect(gates.map(({ id }) => id)).toEqual(['stopSynchronisation/on']);
    expect(await stepOf(handle, 'stopSynchronisation')).toMatchObject({ state: 'waiting' });
    const said = { by: 'bo', reason: 'let us see' };
    for (const name of ['pause', 'resume', 'abort', 'approveCrossing', 'overrideWindow'])
      expect(await refusalOf(handle, name, said)).toContain('is being undone; only what the undo asks for');
    expect(await refusalOf(handle, 'resolveHold', { step: 'drainTasks', action: 'retry', ...said })).toContain(
      'does not hold',
    );
    expect(await refusalOf(handle, 'decideStep', { step: 'drainTasks', action: 'run', ...said })).toContain(
      'Nothing is asked about step drainTasks now',
    );

    await tell(handle, 'confirmStep', switched('stopSynchronisation', 'on'));
    expect(await failureOf(handle)).toMatchObject({ type: FAILURE.aborted });
    expect(await statusOf(handle)).toMatchObject({
      state: 'rolledBack',
      gates: [],
      notUndone: [],
      switchedOff: [],
      switchedOffSeconds: { synchronisation: expect.any(Number) as number },
    });
    expect(await stepOf(handle, 'stopSynchronisation')).toMatchObject({ state: 'undone' });
  });

  testInFull('waits for that person also where the upgrade was cancelled', async () => {
    const { handle } = await upgradeFrom('18.4.1', 'cancelled-undo');
    await comeToDecision(handle);
    await handle.cancel();
    await statusWhen(handle, ({ gates }) => gates.some(({ item }) => item === 'on'));
    await tell(handle, 'confirmStep', switched('stopSynchronisation', 'on'));
    await failureOf(handle);
    expect((await handle.describe()).status.name).toBe('CANCELLED');
    expect(await statusOf(handle)).toMatchObject({ state: 'rolledBack', switchedOff: [] });
  });
});

describe('which release', () => {
  testInFull('follows from what is installed, where one release alone can follow it', async () => {
    const { handle } = await upgradeFrom('18.2', 'one-fits');
    await answerEverything(handle);
    expect(await handle.result()).toMatchObject({ from: '18.2', to: '18.4.2', packageVersion: '18.4.2-12' });
  });

  testInFull.each(['18.4.1', '18.4.2'])('may be said: %s', async (to) => {
    const { handle } = await upgradeFrom('18.3', `to-${to}`, { to });
    await answerEverything(handle);
    expect(await handle.result()).toMatchObject({ from: '18.3', to });
  });

  test.each([
    [
      'several can follow and nobody says which',
      '18.3',
      undefined,
      '18.4.1 and 18.4.2 can follow 18.3; say which, by "to".',
    ],
    ['nobody knows it', '18.3', '20.1', 'There is no release 20.1; Onward knows 18.4.1, 18.4.2, 19.1.'],
    [
      'it leads on only from another',
      '18.3',
      '19.1',
      'One upgrade after another leads there: 18.3 -> 18.4.1 -> 19.1. Begin with 18.4.1.',
    ],
  ])('is refused where %s', async (what, version, to, reason) => {
    const { handle, calls } = await upgradeFrom(version, what.replaceAll(' ', '-'), { to });
    expect(await failureOf(handle)).toMatchObject({
      type: FAILURE.refused,
      message: expect.stringContaining(reason) as string,
    });
    expect(calls).toEqual([]);
  });

  testInFull('comes next is decided anew by each upgrade of a provider', async () => {
    const { handle } = await upgradeFrom('18.3', 'one-after-another', { to: '18.4.1' });
    await answerEverything(handle);
    await handle.result();
    const next = await environment.client.workflow.start('upgradeProvider', {
      workflowId: handle.workflowId,
      taskQueue: 'test/one-after-another',
      args: [{ provider: 'one-after-another' }],
    });
    await answerEverything(next);
    expect(await next.result()).toMatchObject({ from: '18.4.1', to: '19.1' });
  });
});
