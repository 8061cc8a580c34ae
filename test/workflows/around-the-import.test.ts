/**
 * An import that was not made at the first request, and holds for days; a package that is in the list before the upgrade begins, or
 * comes while it waits; and an entry that leads to another installation.
 *
 * @needs temporal
 */
import { EventEmitter, once } from 'node:events';
import { ApplicationFailure } from '@temporalio/common';
import { FAILURE } from '../../src/contract/activities';
import type { EntryChange, EntryRef } from '../../src/contract/entry';
import { testInFull } from '../kit/extent';
import { profile, stubActivities, type Stub } from '../kit/stub-world/stub-activities';
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

let environment: WorkflowEnvironment;
beforeAll(async () => {
  environment = await WorkflowEnvironment.start();
});
afterAll(async () => {
  await environment?.close();
});

const resolve = (handle: UpgradeHandle, action: 'retry' | 'doneByHand'): Promise<void> =>
  handle.signal('resolveHold', { step: 'importPackage', action, by: 'ana', reason: 'seen to' });
const holdOf = async (handle: UpgradeHandle, problem: RegExp): Promise<string> =>
  (await statusWhen(handle, ({ holds }) => holds.some((hold) => problem.test(hold.problem)))).holds[0]?.problem ?? '';
const importsIn = ({ calls }: Stub): number => calls.filter((call) => call === 'importPackage').length;

test('a retry looks at everything again: it names all that contradicts, switches off and waits, and imports at last', async () => {
  const provider = 'held-for-days';
  const stub = stubActivities(profile(provider));
  const { activities, calls } = stub;
  const tasks = new EventEmitter();
  const now = { refuses: true, newer: false, planted: false, taskIsOpen: false };
  const handle = await environment.upgrade(
    {
      ...activities,
      importPackage: async (input) => {
        if (now.refuses) throw ApplicationFailure.nonRetryable('Operations says no', FAILURE.rejected);
        return await activities.importPackage(input);
      },
      awaitImport: async () => undefined,
      lookAgain: async (input) => ({
        ...(await activities.lookAgain(input)),
        enabledVersions: now.newer ? ['18.3-9', '19.0-1'] : ['18.3-9'],
      }),
      hashPackage: async (input) =>
        now.planted ? { sha256: 'b'.repeat(64), bytes: 5 } : await activities.hashPackage(input),
      awaitTasksProcessed: async () => {
        if (!now.taskIsOpen) return undefined;
        const processed = once(tasks, 'processed');
        tasks.emit('waited for');
        await processed;
        return { waited: true };
      },
    },
    { provider },
  );
  await holdOf(handle, /Operations says no/);

  Object.assign(now, { refuses: false, newer: true, planted: true, taskIsOpen: true });
  await resolve(handle, 'retry');
  const problem = await holdOf(handle, /newerPackage: 19\.0-1 is enabled/);
  expect(problem).toContain('packageHash: The package of 18.4.1 has SHA-256 bbbb');
  expect(importsIn(stub)).toBe(0);

  Object.assign(now, { newer: false, planted: false });
  await activities.activateTemplates({ entry: { provider }, templateIds: [16] });
  const waited = once(tasks, 'waited for');
  await resolve(handle, 'retry');
  await waited;
  expect(calls.slice(-2)).toEqual(['activateTemplate 16', 'deactivateTemplate 16']);
  now.taskIsOpen = false;
  tasks.emit('processed');
  await answerEverything(handle);
  expect(await handle.result()).toMatchObject({ to: '18.4.1' });
  expect(importsIn(stub)).toBe(1);
});

testInFull(
  'an import that was made by hand meanwhile is taken, whatever would contradict another request',
  async () => {
    const provider = 'imported-by-hand';
    const stub = stubActivities(profile(provider));
    let byHand = false;
    let newer = false;
    const handle = await environment.upgrade(
      {
        ...stub.activities,
        importPackage: async () => {
          throw ApplicationFailure.nonRetryable('Operations says no', FAILURE.rejected);
        },
        awaitImport: async (input) => (byHand ? await stub.activities.awaitImport(input) : undefined),
        lookAgain: async (input) => ({
          ...(await stub.activities.lookAgain(input)),
          enabledVersions: newer ? ['19.0-1'] : [],
        }),
      },
      { provider },
    );
    await holdOf(handle, /Operations says no/);
    newer = true;
    await resolve(handle, 'retry');
    await holdOf(handle, /newerPackage/);
    byHand = true;
    await resolve(handle, 'doneByHand');
    await answerEverything(handle);
    expect(await handle.result()).toMatchObject({ packageVersion: '18.4.1-12' });
    expect((await auditOf(handle)).filter(({ what }) => what === 'hold')).toHaveLength(2);
  },
);

describe('where the package was in the list before the upgrade', () => {
  const listed = { applicationId: 17, packageVersion: '18.4.1-12' };
  const ABORT = { by: 'bo', reason: 'wrong night' };

  /** A provider in whose list it is. */
  async function withPackage(provider: string, settings: object): Promise<Stub> {
    const stub = stubActivities(profile(provider, settings));
    const { activities } = stub;
    const facts = await activities.readOperations({ entry: { provider } });
    Object.assign(facts, { enabledVersions: ['18.3-9', '18.4.1-12'] });
    Object.assign(activities, { findImported: async () => listed, importPackage: async () => listed });
    return stub;
  }

  // Security: forward-only
  test('there is only forward from the first change on, and everybody is told so at once', async () => {
    const provider = 'listed-before';
    const stub = await withPackage(provider, {
      approval: { beforeCrossing: true },
      onFailureBeforeCrossing: 'rollback',
    });
    const { activities, calls } = stub;
    const tasks = new EventEmitter();
    let areOpen = true;
    let fails = true;
    const handle = await environment.upgrade(
      {
        ...activities,
        awaitTasksProcessed: async () => {
          if (areOpen) await once(tasks, 'processed');
          return undefined;
        },
        resetIis: async (input) => {
          if (fails) throw ApplicationFailure.nonRetryable('iisreset says no', FAILURE.rejected);
          return await activities.resetIis(input);
        },
      },
      { provider, startedBy: 'ana' },
    );
    const atTasks = await statusWhen(handle, ({ step }) => step === 'drainTasks');
    expect(atTasks).toMatchObject({ crossed: false, switchedOff: [{ what: 'provisioning' }] });
    expect(atTasks.forwardOnly).toContain('18.4.1-12 was in the package list before this upgrade');
    expect(atTasks.checks).toContainEqual(
      expect.objectContaining({
        name: 'packageListed',
        verdict: 'warning',
        message: expect.stringContaining('cannot be aborted') as string,
      }),
    );
    expect(await refusalOf(handle, 'abort', ABORT)).toBe(atTasks.forwardOnly);

    areOpen = false;
    tasks.emit('processed');
    // A failure that would roll back elsewhere.
    const { holds } = await statusWhen(handle, (status) => status.holds.length > 0);
    expect(holds).toMatchObject([{ step: 'upgradeEndpoints', actions: ['retry', 'doneByHand'] }]);
    await handle.cancel();
    await statusWhen(handle, (status) => status.cancelRefusedAt !== undefined && status.holds.length > 0);
    fails = false;
    await handle.signal('resolveHold', { step: 'upgradeEndpoints', action: 'retry', by: 'ana', reason: 'repaired' });
    const { gates } = await statusWhen(handle, (status) => status.gates.some(({ step }) => step === 'approveCrossing'));
    expect(gates[0]?.instructions).toContain('there is only forward');
    expect(gates[0]?.instructions).not.toContain('abort');
    await answerEverything(handle);
    expect(await handle.result()).toMatchObject({ packageVersion: '18.4.1-12' });
    expect(calls).not.toContain('importPackage');
    expect(calls.filter((call) => call.startsWith('activateTemplate'))).toEqual(['activateTemplate 16']);
    expect(calls.filter((call) => call.startsWith('restoreSite'))).toEqual([]);
  });

  testInFull('it can be aborted until it has begun to change anything', async () => {
    const provider = 'listed-untouched';
    const { activities, calls } = await withPackage(provider, {});
    const facts = await activities.readOperations({ entry: { provider } });
    const instances = facts.instances.map((instance) => ({ ...instance, cloud: 'unknown' as const }));
    const handle = await environment.upgrade(
      { ...activities, readOperations: async () => ({ ...facts, instances }) },
      { provider },
    );
    const { listedBefore } = await statusWhen(handle, ({ gates }) => gates.length === 2);
    expect(listedBefore).toContain('it can be aborted until it begins to change anything');
    await tell(handle, 'abort', ABORT);
    expect(await failureOf(handle)).toMatchObject({ type: FAILURE.aborted });
    expect(calls).toEqual([]);
    expect(await statusOf(handle)).toMatchObject({ state: 'rolledBack' });
  });
});

testInFull(
  'an abort is looked into first: where somebody has imported the package meanwhile, the upgrade goes on',
  async () => {
    const provider = 'listed-meanwhile';
    const listed = { applicationId: 17, packageVersion: '18.4.1-12' };
    let isListed = false;
    const { activities, calls } = stubActivities(profile(provider, { taskMonitor: { adapter: 'gate' } }));
    const handle = await environment.upgrade(
      { ...activities, findImported: async () => (isListed ? listed : undefined) },
      { provider },
    );
    await statusWhen(handle, ({ gates }) => gates.some(({ step }) => step === 'drainTasks'));
    isListed = true;
    await tell(handle, 'abort', { by: 'bo', reason: 'wrong night' });
    await statusWhen(handle, ({ forwardOnly }) => forwardOnly !== undefined);
    expect(await auditOf(handle)).toContainEqual(
      expect.objectContaining({
        what: 'update:abort',
        verdict: 'accepted',
        detail: expect.stringContaining('package list are read before the first undo') as string,
      }),
    );
    await answerEverything(handle);
    expect(await handle.result()).toMatchObject({ to: '18.4.1' });
    expect(calls.filter((call) => call.startsWith('activateTemplate'))).toHaveLength(1);
  },
);

testInFull(
  'an address that leads to another installation is not gone by, though somebody has taken it: not even by an undo',
  async () => {
    const provider = 'taken-elsewhere';
    const moved = { field: 'operations.url', digest: 'moved' };
    const { activities, calls } = stubActivities(profile(provider, { taskMonitor: { adapter: 'gate' } }));
    let elsewhere = false;
    const expectMoved = ({ entry }: { entry: EntryRef }): void => {
      if (!elsewhere || entry.digests?.[moved.field] === moved.digest) return;
      const change: EntryChange = { provider, changed: [moved] };
      throw ApplicationFailure.nonRetryable(
        'The entry is not what this upgrade has read.',
        FAILURE.entryChanged,
        change,
      );
    };
    let gone: string[] = ['resource-1', 'resource-2'];
    const handle = await environment.upgrade(
      {
        ...activities,
        activateTemplates: async (input) => {
          expectMoved(input);
          await activities.activateTemplates(input);
        },
        lookAgain: async (input) => ({ ...(await activities.lookAgain(input)), gone }),
      },
      { provider },
    );
    await statusWhen(handle, ({ gates }) => gates.some(({ step }) => step === 'drainTasks'));
    elsewhere = true;
    await handle.signal('abort', { by: 'bo', reason: 'wrong night' });
    await statusWhen(handle, ({ holds }) => holds.some(({ changed = [] }) => changed.length > 0));
    await handle.signal('takeEntry', { ...moved, by: 'ana', reason: 'the management node has moved' });
    const { holds } = await statusWhen(handle, (status) =>
      status.holds.some(({ problem }) => problem.includes('is this another installation?')),
    );
    expect(holds).toMatchObject([{ step: 'stopProvisioning', actions: ['retry'] }]);
    expect(calls).toEqual(['deactivateTemplate 16']);
    gone = [];
    await handle.signal('resolveHold', { step: 'stopProvisioning', action: 'retry', by: 'ana', reason: 'corrected' });
    expect(await failureOf(handle)).toMatchObject({ type: FAILURE.aborted });
    expect(calls).toEqual(['deactivateTemplate 16', 'activateTemplate 16']);
  },
);

testInFull('an instance that is removed while the upgrade waits is left out of what is yet to be done', async () => {
  const provider = 'removed-instance';
  const { activities, calls } = stubActivities(profile(provider));
  let gone: string[] = [];
  const handle = await environment.upgrade(
    {
      ...activities,
      lookAgain: async (input) => ({
        ...(await activities.lookAgain(input)),
        gone: gone.filter((each) => input.known.includes(each)),
      }),
      importPackage: async (input) => {
        gone = ['resource-2'];
        return await activities.importPackage(input);
      },
    },
    { provider },
  );
  const { gates } = await statusWhen(handle, (status) => status.gates.length > 0);
  expect(gates.map(({ id }) => id)).toEqual(['acquireRefreshTokens/1']);
  await answerEverything(handle);
  expect(await handle.result()).toMatchObject({ instances: 1 });
  expect(calls.filter((call) => call.startsWith('upgradeInstance'))).toEqual(['upgradeInstance 1']);
});

test('where the ledger was deleted and the package is listed by now, an abort undoes nothing', async () => {
  const provider = 'ledger-deleted';
  const listed = { applicationId: 17, packageVersion: '18.4.1-12' };
  let isListed = false;
  const { activities, calls } = stubActivities(profile(provider, { approval: { beforeCrossing: true } }));
  const handle = await environment.upgrade(
    {
      ...activities,
      findImported: async () => (isListed ? listed : undefined),
      enterInstallation: async (input) => {
        const { ledger, ...refused } = await activities.enterInstallation(input);
        return ledger ? { ledger: isListed ? { ...ledger, begun: [] } : ledger } : (refused as { refused: string });
      },
    },
    { provider, startedBy: 'ana' },
  );
  await statusWhen(handle, ({ gates }) => gates.some(({ step }) => step === 'approveCrossing'));
  isListed = true;
  await tell(handle, 'abort', { by: 'bo', reason: 'wrong night' });
  await statusWhen(handle, ({ forwardOnly }) => forwardOnly !== undefined);
  expect(calls.filter((call) => /^(restoreSite|activateTemplate)/.test(call))).toEqual([]);
  await answerEverything(handle);
  expect(await handle.result()).toMatchObject({ to: '18.4.1' });
});

test('another request knows of those before it: one that is at work again by then is read back, and nobody is asked', async () => {
  const provider = 'request-again';
  const stub = stubActivities(profile(provider));
  const asked: { requestId: string; earlierRequestIds?: string[] }[] = [];
  const handle = await environment.upgrade(
    {
      ...stub.activities,
      importPackage: async (input) => {
        asked.push(input);
        if (asked.length === 1) throw ApplicationFailure.nonRetryable('Operations says no', FAILURE.rejected);
        throw ApplicationFailure.nonRetryable('that request is at work again', FAILURE.notYet);
      },
      // Read back it has failed at first, and imports the package once somebody has resubmitted its task.
      awaitImport: async () => (asked.length === 1 ? undefined : { applicationId: 17, packageVersion: '18.4.1-12' }),
    },
    { provider },
  );
  await holdOf(handle, /Operations says no/);
  await resolve(handle, 'retry');
  await answerEverything(handle);
  await handle.result();
  expect(asked.map(({ earlierRequestIds }) => earlierRequestIds)).toEqual([undefined, [asked[0]?.requestId]]);
});
