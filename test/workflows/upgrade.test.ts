/** @needs temporal */
import type { WorkflowHandle } from '@temporalio/client';
import { EventEmitter, on } from 'node:events';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { FAILURE } from '../../src/contract/activities';
import type { Recorded } from '../../src/contract/messages';
import { profile, stubActivities, type StubActivities } from '../kit/stub-world/stub-activities';
import {
  WorkflowEnvironment,
  answerEverything,
  auditOf,
  failureOf,
  refusalOf,
  statusOf,
  statusWhen,
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

/** An activity that tells when it was called, and returns when it is let go. */
function barrier(): { reached: Promise<void>; open: () => void; pass: () => Promise<void> } {
  let reach: () => void = () => undefined;
  let open: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const opened = new Promise<void>((resolve) => (open = resolve));
  return {
    reached,
    open: () => open(),
    pass: async () => {
      reach();
      await opened;
    },
  };
}

/** An adapter that proves nothing. */
const microsoftWith = (token: string): object => ({
  adapter: 'microsoft',
  clientId: 'client',
  clientSecret: 'env:CLIENT_SECRET',
  accounts: { 'CSP EMEA': { tenant: 'contoso.example', refreshToken: `env:${token.toUpperCase()}` } },
});

const refusing = (name: keyof StubActivities): Partial<StubActivities> => ({
  [name]: async () => {
    throw ApplicationFailure.nonRetryable(`${name} says no`, FAILURE.rejected);
  },
});

describe('a whole upgrade', () => {
  test('from 18.3 walks the procedure in its order and ends with provisioning as it was', async () => {
    const { activities, calls, notices, told } = stubActivities(profile('from-18.3'));
    const handle = await environment.upgrade(activities, { provider: 'from-18.3' });
    await answerEverything(handle);
    expect(await handle.result()).toMatchObject({
      provider: 'from-18.3',
      from: '18.3',
      to: '18.4.1',
      instances: 2,
      sites: 1,
      packageVersion: '18.4.1-12',
    });
    expect(calls).toEqual([
      'deactivateTemplate 16',
      'stagePackage',
      'backupSite Office365GatewaySite01',
      'runSetup Office365GatewaySite01',
      'resetIis upgrade',
      'importPackage',
      'upgradeInstance 1',
      'upgradeInstance 2',
      'activateTemplate 16',
    ]);
    const { steps } = await statusOf(handle);
    expect(steps.map(({ name, state }) => `${name}: ${state}`)).toEqual([
      'preflight: done',
      'collectGatewaySites: done',
      'stopProvisioning: done',
      'drainTasks: done',
      'upgradeEndpoints: done',
      'approveCrossing: done',
      'importPackage: done',
      'upgradeInstances: done',
      'acquireRefreshTokens: done',
      'removeEmailParameter: done',
      'updateCustomizations: done',
      'validate: done',
      'startProvisioning: done',
      'guardConsents: done',
    ]);
    await told('completed');
    expect(notices.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['gatesOpened', 'completed']));
  });

  test('from 18.4 asks for no consent and leaves billing parameters alone', async () => {
    const { activities } = stubActivities(profile('from-18.4'), { version: '18.4' });
    const handle = await environment.upgrade(activities, { provider: 'from-18.4' });
    await answerEverything(handle);
    expect(await handle.result()).toMatchObject({ from: '18.4', to: '18.4.1' });
    const { steps } = await statusOf(handle);
    expect(steps.map(({ name }) => name)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/acquireRefreshTokens|removeEmailParameter/)]),
    );
  });

  testInFull('may be started again once it is completed, and is refused as there is nothing left to do', async () => {
    const { activities, calls } = stubActivities(profile('again'));
    let packageIsGone = false;
    const world: StubActivities = {
      ...activities,
      hashPackage: async (input) => {
        if (packageIsGone) throw ApplicationFailure.nonRetryable('no such file', FAILURE.rejected);
        return await activities.hashPackage(input);
      },
    };
    const first = await environment.upgrade(world, { provider: 'again' });
    await answerEverything(first);
    await first.result();
    const done = [...calls];
    packageIsGone = true;
    const second = await environment.upgrade(world, { provider: 'again', to: '18.4.1' });
    expect(second.workflowId).toBe(first.workflowId);
    expect(await failureOf(second)).toMatchObject({
      type: FAILURE.alreadyUpgraded,
      message: expect.stringContaining('All instances run 18.4.1 already') as string,
    });
    expect(await statusOf(second)).toMatchObject({ state: 'refused', crossed: false });
    expect(calls).toEqual(done);
  });
});

test('an import that is refused outright says that nothing was imported, and offers no way back', async () => {
  const { activities } = stubActivities(profile('refused-import'), { change: refusing('importPackage') });
  const handle = await environment.upgrade(activities, { provider: 'refused-import' });
  const { holds, crossed } = await statusWhen(handle, (status) => status.holds.length > 0);
  expect(crossed).toBe(true);
  expect(holds).toMatchObject([{ step: 'importPackage', actions: ['retry', 'doneByHand'] }]);
  expect(holds[0]?.problem).toMatch(
    /importPackage says no.* Nothing was imported: version 18\.4\.1 is not in the package list/,
  );
  await handle.terminate();
});

describe('what is refused before anything is touched', () => {
  test.each([
    ['an empty object', {}, ['provider']],
    ['a number for the provider', { provider: 7 }, ['provider must be a text']],
    ['an empty provider', { provider: '' }, ['provider must not be empty']],
    ['fields that do not exist', { provider: 'x', providr: 'y', speed: 9 }, ['providr', 'speed']],
    ['several mistakes at once', { provider: 7, startedBy: 7, extra: true }, ['provider', 'startedBy', 'extra']],
  ])('input: %s', async (_, input, problems) => {
    const { activities, calls } = stubActivities(profile('input'));
    const workflowId = `input/${JSON.stringify(input)}`;
    await environment.serveOnce('input', activities);
    const handle: UpgradeHandle = await environment.client.workflow.start('upgradeProvider', {
      workflowId,
      taskQueue: 'test/input',
      args: [input],
    });
    const failure = await failureOf(handle);
    expect(failure).toMatchObject({ type: FAILURE.invalidInput });
    for (const problem of problems) expect(failure?.message).toContain(problem);
    expect(calls).toEqual([]);
  });

  test('a workflow id that would let a provider be upgraded twice at once', async () => {
    const { activities, calls } = stubActivities(profile('input'));
    await environment.serveOnce('input', activities);
    const handle: UpgradeHandle = await environment.client.workflow.start('upgradeProvider', {
      workflowId: 'my-upgrade',
      taskQueue: 'test/input',
      args: [{ provider: 'input' }],
    });
    expect(await failureOf(handle)).toMatchObject({
      type: FAILURE.invalidInput,
      message: expect.stringContaining('has to be "upgrade/input"') as string,
    });
    expect(calls).toEqual([]);
  });

  test.each([
    ['18.3', ['packageHash', 'systemsAnswer: Billing', 'fourEyes']],
    // Which package is meant is not known.
    ['18.2', ['sourceVersion', 'systemsAnswer: Billing', 'fourEyes']],
  ])('the preflight of a provider on %s names every reason at once', async (version, reasons) => {
    const provider = `refused-${version}`;
    const entry = profile(provider, { approval: { beforeCrossing: true } });
    const { activities, calls } = stubActivities(entry, {
      version,
      change: { hashPackage: async () => ({ sha256: 'b'.repeat(64), bytes: 1 }), ...refusing('readBilling') },
    });
    const handle = await environment.upgrade(activities, { provider });
    const failure = await failureOf(handle);
    expect(failure).toMatchObject({ type: FAILURE.refused });
    for (const reason of reasons) expect(failure?.message).toContain(reason);
    expect(calls).toEqual([]);
    expect(await statusOf(handle)).toMatchObject({ state: 'refused', crossed: false });
  });
});

describe('the crossing', () => {
  // Security: starter-cannot-approve
  test('waits for an approval where the provider wants one, and the starter cannot give it', async () => {
    const entry = profile('four-eyes', { approval: { beforeCrossing: true } });
    const { activities, calls } = stubActivities(entry);
    const handle = await environment.upgrade(activities, { provider: 'four-eyes', startedBy: 'Ana' });
    await statusWhen(handle, ({ gates }) => gates.some(({ step }) => step === 'approveCrossing'));
    expect(calls).not.toContain('importPackage');
    expect(await refusalOf(handle, 'approveCrossing', { by: ' ana', reason: 'me again' })).toContain('someone else');
    expect(await statusOf(handle)).toMatchObject({ crossed: false, gates: [{ step: 'approveCrossing' }] });
    await handle.executeUpdate<Recorded, [unknown]>('approveCrossing', { args: [{ by: 'Bo', reason: 'looks good' }] });
    await statusWhen(handle, ({ crossed }) => crossed);
    await answerEverything(handle);
    await handle.result();
    const audit = await auditOf(handle);
    expect(audit).toContainEqual(
      expect.objectContaining({ by: ' ana', what: 'update:approveCrossing', verdict: 'refused' }),
    );
  });

  test('whose outcome is unknown is read back, and not repeated', async () => {
    const { activities, calls } = stubActivities(profile('unknown-outcome'));
    const handle = await environment.upgrade(
      {
        ...activities,
        importPackage: async (input) => {
          await activities.importPackage(input);
          throw ApplicationFailure.nonRetryable('the connection broke', FAILURE.outcomeUnknown);
        },
      },
      { provider: 'unknown-outcome' },
    );
    await answerEverything(handle);
    await handle.result();
    expect(calls.filter((call) => call === 'importPackage')).toHaveLength(1);
  });

  testInFull('that certainly did not happen holds, and a retry imports', async () => {
    const { activities, calls } = stubActivities(profile('lost-import'));
    let lost = true;
    const handle = await environment.upgrade(
      {
        ...activities,
        importPackage: async (input) => {
          if (!lost) return await activities.importPackage(input);
          throw ApplicationFailure.nonRetryable('the connection broke', FAILURE.outcomeUnknown);
        },
        awaitImport: async () => undefined,
      },
      { provider: 'lost-import' },
    );
    const { holds } = await statusWhen(handle, ({ state }) => state === 'held');
    expect(holds).toEqual([expect.objectContaining({ step: 'importPackage', actions: ['retry', 'doneByHand'] })]);
    expect(
      await refusalOf(handle, 'resolveHold', {
        step: 'importPackage',
        action: 'rollback',
        by: 'ana',
        reason: 'afraid',
      }),
    ).toContain(FAILURE.pastPointOfNoReturn);
    lost = false;
    await handle.signal('resolveHold', {
      step: 'importPackage',
      action: 'retry',
      by: 'ana',
      reason: 'network is back',
    });
    await statusWhen(handle, ({ step }) => step === 'acquireRefreshTokens');
    await answerEverything(handle);
    await handle.result();
    expect(calls.filter((call) => call === 'importPackage')).toHaveLength(1);
  });
});

describe('before the crossing', () => {
  test('an abort undoes everything, in reverse, and the upgrade may be started again', async () => {
    const stop = barrier();
    const { activities, calls } = stubActivities(profile('abort'));
    const handle = await environment.upgrade(
      {
        ...activities,
        resetIis: async (input) => {
          if (input.purpose === 'upgrade') await stop.pass();
          return await activities.resetIis(input);
        },
      },
      { provider: 'abort' },
    );
    await stop.reached;
    await handle.signal('abort', { by: 'ana', reason: 'wrong night' });
    stop.open();
    expect(await failureOf(handle)).toMatchObject({
      type: FAILURE.aborted,
      message: expect.stringContaining('wrong night') as string,
    });
    expect(calls.slice(-3)).toEqual(['restoreSite Office365GatewaySite01', 'resetIis rollback', 'activateTemplate 16']);
    expect(await statusOf(handle)).toMatchObject({ state: 'rolledBack', crossed: false, notUndone: [] });
  });

  testInFull('an abort while the preflight asks touches nothing', async () => {
    const { activities, calls } = stubActivities(profile('abort-early'));
    const facts = await activities.readOperations({} as never);
    const handle = await environment.upgrade(
      {
        ...activities,
        readOperations: async () => ({
          ...facts,
          instances: facts.instances.map((instance) => ({ ...instance, cloud: 'unknown' })),
        }),
      },
      { provider: 'abort-early' },
    );
    await statusWhen(handle, ({ gates }) => gates.length === 2);
    await handle.signal('abort', { by: 'ana', reason: 'it is a German one' });
    expect(await failureOf(handle)).toMatchObject({ type: FAILURE.aborted });
    expect(calls).toEqual([]);
    expect(await statusOf(handle)).toMatchObject({ state: 'rolledBack', crossed: false });
  });

  test('a cancellation undoes everything and ends as cancelled', async () => {
    const entry = profile('cancel', { taskMonitor: { adapter: 'gate' } });
    const { activities, calls } = stubActivities(entry);
    const handle = await environment.upgrade(activities, { provider: 'cancel' });
    await statusWhen(handle, ({ gates }) => gates.some(({ step }) => step === 'drainTasks'));
    await handle.cancel();
    expect(await failureOf(handle)).toBeInstanceOf(CancelledFailure);
    expect(calls).toEqual(['deactivateTemplate 16', 'activateTemplate 16']);
    expect(await statusOf(handle)).toMatchObject({ state: 'rolledBack', gates: [] });
  });

  testInFull('another installation, without any of the instances, holds: nothing is imported there', async () => {
    let elsewhere = true;
    const { activities, calls } = stubActivities(profile('elsewhere'), {
      change: {
        lookAgain: async ({ known }) => ({
          added: [],
          gone: elsewhere ? known : [],
          changed: [],
          enabledVersions: ['18.3-9'],
        }),
      },
    });
    const handle = await environment.upgrade(activities, { provider: 'elsewhere' });
    const answered = answerEverything(handle);
    const { holds } = await statusWhen(handle, (status) => status.holds.length > 0);
    expect(holds[0]?.problem).toContain(
      'None of the 2 instances of this upgrade is there any more ("CSP EMEA", "CSP US")',
    );
    expect(calls).not.toContain('importPackage');
    elsewhere = false;
    await handle.signal('resolveHold', { step: holds[0]?.step, action: 'retry', by: 'ana', reason: 'corrected' });
    await answered;
    expect(await handle.result()).toMatchObject({ instances: 2 });
  });

  test('a person who saw that no task is open is asked again after a wait, and not once more without one', async () => {
    const size = { instances: 2, sites: 2, plans: 1 };
    const entry = profile('asked-twice', { taskMonitor: { adapter: 'gate' } }, size);
    const inSetup = barrier();
    const stub = stubActivities(entry, { size });
    const handle = await environment.upgrade(
      {
        ...stub.activities,
        runSetup: async (input) => {
          await inSetup.pass();
          return await stub.activities.runSetup(input);
        },
      },
      { provider: 'asked-twice' },
    );
    const { gates } = await statusWhen(handle, (status) => status.gates.some(({ step }) => step === 'drainTasks'));
    expect(gates[0]?.instructions).toMatch(
      /APS application with id 17.*aps_application_instance1, aps_application_instance2/,
    );
    const answered = answerEverything(handle);
    await inSetup.reached;
    await handle.signal('pause', { by: 'ana', reason: 'lunch' });
    inSetup.open();
    await statusWhen(handle, ({ state }) => state === 'paused');
    await handle.signal('resume', { by: 'ana', reason: 'after lunch' });
    await answered;
    await handle.result();
    const asked = (await auditOf(handle)).filter(
      ({ subject, detail = '' }) => subject === 'drainTasks/tasks' && detail.startsWith('opened'),
    );
    // At first, and before the second setup.
    expect(asked).toHaveLength(2);
  });

  testInFull('what could not be undone is named in the failure, and the rest is undone all the same', async () => {
    const { activities, calls } = stubActivities(profile('not-undone'), {
      change: { ...refusing('resetIis'), ...refusing('restoreSite') },
    });
    const handle = await environment.upgrade(activities, { provider: 'not-undone' });
    const failure = await failureOf(handle);
    expect(failure).toMatchObject({ type: FAILURE.stepFailed });
    expect(failure?.message).toContain('upgradeEndpoints: restoreSite says no');
    expect(calls.at(-1)).toBe('activateTemplate 16');
    expect(await statusOf(handle)).toMatchObject({ state: 'rollbackIncomplete' });
  });

  testInFull('what stays switched off after a rollback is named by itself', async () => {
    const { activities } = stubActivities(profile('left-off'), {
      change: { ...refusing('stagePackage'), ...refusing('activateTemplates') },
    });
    const handle = await environment.upgrade(activities, { provider: 'left-off' });
    expect((await failureOf(handle))?.message).toContain('provisioning: it is still switched off, since ');
    expect(await statusOf(handle)).toMatchObject({
      state: 'rollbackIncomplete',
      switchedOff: [{ what: 'provisioning' }],
      switchedOffSeconds: {},
      notUndone: [
        'stopProvisioning: activateTemplates says no',
        expect.stringContaining('provisioning: it is still switched off') as string,
      ],
    });
  });

  test('a provider that wants to decide holds instead, and can retry or roll back', async () => {
    let broken = true;
    const { activities, calls } = stubActivities(profile('hold', { onFailureBeforeCrossing: 'hold' }));
    const handle = await environment.upgrade(
      {
        ...activities,
        stagePackage: async (input) => {
          if (!broken) return await activities.stagePackage(input);
          throw ApplicationFailure.nonRetryable('disk full', FAILURE.rejected);
        },
      },
      { provider: 'hold' },
    );
    await statusWhen(handle, ({ holds }) => holds.some(({ problem }) => problem.includes('disk full')));
    broken = false;
    await handle.signal('resolveHold', { step: 'upgradeEndpoints', action: 'retry', by: 'ana', reason: 'made room' });
    await statusWhen(handle, ({ crossed }) => crossed);
    await answerEverything(handle);
    await handle.result();
    expect(calls.filter((call) => call.startsWith('deactivateTemplate'))).toHaveLength(1);
  });

  testInFull('what is switched on again as often as it is switched off makes a hold, and no endless run', async () => {
    let stubborn = true;
    const world = stubActivities(profile('stubborn', { onFailureBeforeCrossing: 'hold' }));
    const { templates } = await world.activities.readOperations({} as never);
    const { readActiveTemplates } = world.activities;
    const activities: StubActivities = {
      ...world.activities,
      readActiveTemplates: async (input) => (stubborn ? templates.slice(0, 1) : readActiveTemplates(input)),
    };
    const handle = await environment.upgrade(activities, { provider: 'stubborn' });
    const { holds } = await statusWhen(handle, (status) => status.holds.length > 0);
    expect(holds).toMatchObject([
      { step: 'upgradeEndpoints', problem: expect.stringContaining('comes back at once') as string },
    ]);
    stubborn = false;
    await handle.signal('resolveHold', {
      step: 'upgradeEndpoints',
      action: 'retry',
      by: 'ana',
      reason: 'switched it off',
    });
    await answerEverything(handle);
    expect(await handle.result()).toMatchObject({ to: '18.4.1' });
  });

  testInFull(
    'what is switched on again at the crossing makes a hold as well, and whoever retries has it looked at anew',
    async () => {
      let stubborn = true;
      const world = stubActivities(profile('stubborn-late'));
      const { templates } = await world.activities.readOperations({} as never);
      const { readActiveTemplates } = world.activities;
      const isSetUp = (): boolean => world.calls.some((call) => call.startsWith('resetIis'));
      const activities: StubActivities = {
        ...world.activities,
        readActiveTemplates: async (input) =>
          stubborn && isSetUp() ? templates.slice(0, 1) : await readActiveTemplates(input),
      };
      const handle = await environment.upgrade(activities, { provider: 'stubborn-late' });
      const { holds } = await statusWhen(handle, (status) => status.holds.length > 0);
      expect(holds).toMatchObject([
        { step: 'approveCrossing', problem: expect.stringContaining('comes back at once') as string },
      ]);
      expect(world.calls).not.toContain('importPackage');
      stubborn = false;
      await handle.signal('resolveHold', {
        step: 'approveCrossing',
        action: 'retry',
        by: 'ana',
        reason: 'stopped him',
      });
      await answerEverything(handle);
      expect(await handle.result()).toMatchObject({ to: '18.4.1' });
    },
  );

  testInFull('what is imported while it undoes is not undone, and said to be for who finishes it', async () => {
    let looks = 0;
    const { activities, calls } = stubActivities(profile('imported-by-hand', { approval: { beforeCrossing: true } }), {
      version: '18.4',
    });
    const imported = { applicationId: 7, packageVersion: '18.4.1-12' };
    const handle = await environment.upgrade(
      { ...activities, findImported: async () => (++looks > 1 ? imported : undefined) },
      { provider: 'imported-by-hand', startedBy: 'ana' },
    );
    await statusWhen(handle, ({ gates }) => gates.some(({ step }) => step === 'approveCrossing'));
    await handle.signal('abort', { by: 'bo', reason: 'the wrong night' });
    await failureOf(handle);
    expect(calls.filter((call) => call.startsWith('activateTemplate'))).toEqual([]);
    const { state, notUndone } = await statusOf(handle);
    expect(state).toBe('rollbackIncomplete');
    expect(notUndone).toContainEqual(expect.stringContaining('18.4.1-12 is in the package list since'));
  });

  testInFull('a site that cannot be backed up is not touched: the step holds', async () => {
    const { activities, calls } = stubActivities(profile('no-backup'), { change: refusing('backupSite') });
    const handle = await environment.upgrade(activities, { provider: 'no-backup' });
    const { holds } = await statusWhen(handle, ({ state }) => state === 'held');
    expect(holds).toEqual([
      expect.objectContaining({
        step: 'upgradeEndpoints',
        problem: expect.stringContaining('was not touched') as string,
      }),
    ]);
    await handle.signal('resolveHold', { step: 'upgradeEndpoints', action: 'rollback', by: 'ana', reason: 'later' });
    await failureOf(handle);
    expect(calls).toEqual(['deactivateTemplate 16', 'stagePackage', 'activateTemplate 16']);
  });

  describe('what a host says of its gateways is seen before the import', () => {
    const remarks = ['The database has drifted from its registered version.'];
    const url = 'https://gw01.test/Office365GatewayApplication01/aps/';
    testInFull.each<[string, string, (world: StubActivities) => Partial<StubActivities>, string, string]>([
      [
        'a person reads what setup.cmd said of a drifted database',
        'drifted',
        ({ runSetup }) => ({ runSetup: async (input) => ({ ...(await runSetup(input)), remarks }) }),
        'setup-gw01.test',
        'has drifted from its registered version',
      ],
      [
        'a person asks a gateway that its host cannot reach',
        'out-of-reach',
        () => ({
          resetIis: async ({ purpose }) => ({
            cannotTell: purpose === 'upgrade' ? [{ url, address: '10.20.0.11', problem: 'no connection' }] : [],
          }),
        }),
        `answers-${url}`,
        'cannot reach 10.20.0.11 (no connection)',
      ],
    ])('%s', async (_, provider, change, item, instructions) => {
      const { activities, calls } = stubActivities(profile(provider));
      const handle = await environment.upgrade({ ...activities, ...change(activities) }, { provider });
      const { gates } = await statusWhen(handle, (status) => status.gates.length > 0);
      expect(gates).toMatchObject([
        { step: 'upgradeEndpoints', item, instructions: expect.stringContaining(instructions) as string },
      ]);
      expect(calls).not.toContain('importPackage');
      await answerEverything(handle);
      await handle.result();
      expect(calls).toContain('importPackage');
    });

    test('one that does not answer after iisreset fails the step, and everything is undone', async () => {
      const { activities, calls } = stubActivities(profile('answers-503'), {
        change: {
          resetIis: async ({ purpose }) => {
            if (purpose === 'rollback') return { cannotTell: [] };
            throw ApplicationFailure.nonRetryable(`${url} answers HTTP 503`, FAILURE.unreachable);
          },
        },
      });
      const handle = await environment.upgrade(activities, { provider: 'answers-503' });
      expect((await failureOf(handle))?.message).toContain('answers HTTP 503');
      expect(calls).not.toContain('importPackage');
      expect(await statusOf(handle)).toMatchObject({ state: 'rolledBack', notUndone: [] });
    });

    test('a restart that setup.cmd wants holds, whatever the provider wants of failures, and a retry goes on after it', async () => {
      let isRestarted = false;
      const { activities, calls } = stubActivities(profile('wants-restart'));
      const handle = await environment.upgrade(
        {
          ...activities,
          runSetup: async (input) => ({
            ...(await activities.runSetup(input)),
            exitCode: 3010,
            restartWanted: !isRestarted,
          }),
        },
        { provider: 'wants-restart' },
      );
      const { holds } = await statusWhen(handle, ({ state }) => state === 'held');
      expect(holds).toMatchObject([
        {
          step: 'upgradeEndpoints',
          problem: expect.stringContaining('Restart host-of-wants-restart, then retry') as string,
        },
      ]);
      expect(calls).not.toContain('resetIis upgrade');
      isRestarted = true;
      await handle.signal('resolveHold', { step: 'upgradeEndpoints', action: 'retry', by: 'ana', reason: 'restarted' });
      await statusWhen(handle, ({ crossed }) => crossed);
      await answerEverything(handle);
      await handle.result();
      expect(calls).toContain('resetIis upgrade');
    });
  });

  test.each([
    [
      'and said so',
      async (handle: WorkflowHandle) => {
        const byHand = { step: 'upgradeEndpoints', action: 'doneByHand', by: 'ana', reason: 'ran setup.cmd' };
        await handle.signal('resolveHold', byHand);
        await statusWhen(handle, ({ gates }) => gates.some(({ step }) => step === 'approveCrossing'));
        await handle.signal('abort', { by: 'ana', reason: 'not today' });
      },
    ],
    [
      'and never mentioned',
      (handle: WorkflowHandle) =>
        handle.signal('resolveHold', { step: 'upgradeEndpoints', action: 'rollback', by: 'ana', reason: 'later' }),
    ],
  ])('what a person has set up by hand without a backup %s stands in what was not undone', async (said, goBack) => {
    const provider = said === 'and said so' ? 'by-hand' : 'by-hand-unsaid';
    let deployed: 'old' | 'new' = 'old';
    const versions = (sites: unknown[]) =>
      sites.map(() => ({ deployed, assemblyVersions: [], webConfigVersion: undefined }));
    const { activities } = stubActivities(profile(provider, { approval: { beforeCrossing: true } }), {
      change: {
        ...refusing('backupSite'),
        claimHost: async ({ sites }) => ({ versions: versions(sites) }),
        detectSites: async ({ sites }) => versions(sites),
      },
    });
    const handle = await environment.upgrade(activities, { provider, startedBy: 'ana' });
    await statusWhen(handle, ({ state }) => state === 'held');
    deployed = 'new';
    await goBack(handle);
    await failureOf(handle);
    expect(await statusOf(handle)).toMatchObject({
      state: 'rollbackIncomplete',
      notUndone: [expect.stringMatching(/upgradeEndpoints: .*is on 18\.4\.1.*no copy to go back to 18\.3/) as string],
    });
  });

  testInFull(
    'a worker on another machine than the preflight has seen holds the step, also where a failure is undone at once',
    async () => {
      const { activities, calls } = stubActivities(profile('cloned'));
      let isClone = true;
      const handle = await environment.upgrade(
        {
          ...activities,
          claimHost: async (input) => {
            if (!isClone) return await activities.claimHost(input);
            throw ApplicationFailure.nonRetryable('GW01 is not the machine', FAILURE.anotherHost);
          },
        },
        { provider: 'cloned' },
      );
      const { holds } = await statusWhen(handle, ({ state }) => state === 'held');
      expect(holds).toMatchObject([{ step: 'upgradeEndpoints', actions: ['retry', 'rollback'] }]);
      isClone = false;
      await handle.signal('resolveHold', {
        step: 'upgradeEndpoints',
        action: 'retry',
        by: 'ana',
        reason: 'ended the clone',
      });
      await answerEverything(handle);
      await handle.result();
      expect(calls).toContain('importPackage');
    },
  );
});

describe('after the crossing', () => {
  // Security: forward-only
  test('cancellation and abort are refused where everybody can see it, and the upgrade goes on', async () => {
    const { activities, calls } = stubActivities(profile('too-late'));
    const handle = await environment.upgrade(activities, { provider: 'too-late' });
    await statusWhen(handle, ({ step }) => step === 'acquireRefreshTokens');
    await handle.cancel();
    const { cancelRefusedAt } = await statusWhen(handle, (status) => status.cancelRefusedAt !== undefined);
    expect(cancelRefusedAt).toBeDefined();
    expect(await refusalOf(handle, 'abort', { by: 'ana', reason: 'please' })).toContain(FAILURE.pastPointOfNoReturn);
    await answerEverything(handle);
    await handle.result();
    expect(calls.at(-1)).toBe('activateTemplate 16');
    expect(calls.filter((call) => call.startsWith('restore'))).toEqual([]);
    const audit = await auditOf(handle);
    expect(audit.filter(({ verdict }) => verdict === 'refused').map(({ what }) => what)).toEqual([
      'cancel',
      'update:abort',
    ]);
  });

  test('a failed step holds, and work done by hand has to stand the verification', async () => {
    const done = new Set<number>();
    const { activities } = stubActivities(profile('by-hand-after'), { change: refusing('upgradeInstance') });
    const { instances } = await activities.readOperations({} as never);
    const handle = await environment.upgrade(
      {
        ...activities,
        lookAgain: async ({ versions = [] }) => ({
          added: [],
          gone: [],
          changed: versions.includes('18.3') ? [] : instances.filter(({ id }) => !done.has(id)),
          enabledVersions: [],
        }),
      },
      { provider: 'by-hand-after' },
    );
    const byHand = { step: 'upgradeInstances', action: 'doneByHand', by: 'ana', reason: 'upgraded in the panel' };
    await statusWhen(handle, ({ holds }) => holds.length === 1);
    await handle.signal('resolveHold', byHand);
    await statusWhen(handle, ({ holds }) => holds.some(({ problem }) => problem.includes('not done yet')));
    for (const { id } of instances) done.add(id);
    await handle.signal('resolveHold', byHand);
    await statusWhen(handle, ({ step }) => step === 'acquireRefreshTokens');
    await answerEverything(handle);
    expect(await handle.result()).toMatchObject({ to: '18.4.1' });
  });
});

test('a pause stops before the next changing call, and a resume goes on', async () => {
  const stop = barrier();
  const { activities, calls } = stubActivities(profile('pause'));
  const handle = await environment.upgrade(
    {
      ...activities,
      awaitTasksProcessed: async () => {
        await stop.pass();
      },
    },
    { provider: 'pause' },
  );
  await stop.reached;
  await handle.signal('pause', { by: 'ana', reason: 'freeze' });
  stop.open();
  expect(await statusWhen(handle, ({ state }) => state === 'paused')).toMatchObject({
    paused: { by: 'ana', reason: 'freeze' },
  });
  expect(calls).toEqual(['deactivateTemplate 16']);
  expect(await refusalOf(handle, 'pause', { by: 'bo', reason: 'too' })).toContain('Paused already, by ana');
  await handle.signal('resume', { by: 'bo', reason: 'over' });
  await statusWhen(handle, ({ crossed }) => crossed);
  await answerEverything(handle);
  await handle.result();
});

testInFull('a notice that does not go out is sent again, and each target is told by itself', async () => {
  const entry = profile('notices', { notify: [{ kind: 'log' }, { kind: 'webhook', url: 'http://hooks.test/x' }] });
  const { activities } = stubActivities(entry, { version: '18.4' });
  const delivered: string[] = [];
  const news = new EventEmitter();
  let webhookIsDown = true;
  const handle = await environment.upgrade(
    {
      ...activities,
      notify: async ({ target, notice }) => {
        const kind = entry.notify[target]?.kind;
        if (kind === 'webhook' && webhookIsDown) {
          webhookIsDown = false;
          throw ApplicationFailure.retryable('the webhook is down', FAILURE.unreachable);
        }
        delivered.push(`${kind} ${notice.kind}`);
        news.emit('delivered');
      },
    },
    { provider: 'notices' },
  );
  const heard = on(news, 'delivered');
  await answerEverything(handle);
  await handle.result();
  // The last ones may come after the end.
  while (delivered.length < 6) await heard.next();
  expect(delivered.sort()).toEqual([
    'log completed',
    'log crossed',
    'log gatesOpened',
    'webhook completed',
    'webhook crossed',
    'webhook gatesOpened',
  ]);
});

describe('answers', () => {
  test('that are early, unknown, malformed or late change nothing, and the audit trail says who tried what', async () => {
    const { activities } = stubActivities(profile('answers'));
    const handle = await environment.upgrade(activities, { provider: 'answers' });
    await statusWhen(handle, ({ gates }) => gates.length === 2);
    const tries: [string, unknown, string][] = [
      [
        'confirmStep',
        { step: 'updateCustomizations', by: 'ana', evidence: 'early' },
        'Nothing is asked about step updateCustomizations',
      ],
      ['consentCompleted', { instance: '99', by: 'ana' }, 'from instance "99"'],
      ['consentCompleted', { instance: '1' }, 'by must be a text'],
      ['consentCompleted', 'yes', 'consentCompleted was not understood'],
      ['confirmStep', { step: 'acquireRefreshTokens', by: 'ana', evidence: 'x'.repeat(1_000_000) }, 'longer than'],
      ['resolveHold', { step: 'importPackage', action: 'skip', by: 'ana', reason: 'hm' }, 'action must be'],
      ['approveCrossing', { by: 'ana', reason: 'late' }, 'Nothing is asked about the crossing'],
      ['resume', { by: 'ana', reason: 'why not' }, 'not paused'],
      ['abort', JSON.parse('{"by":"ana","reason":"x","__proto__":{"admin":true}}') as unknown, 'not understood'],
    ];
    for (const [name, payload] of tries) await handle.signal(name, payload);
    const before = await statusWhen(handle, ({ auditEntries }) => auditEntries > tries.length);
    expect(before.gates.map(({ item }) => item)).toEqual(['1', '2']);
    const refused = (await auditOf(handle)).filter(({ verdict }) => verdict === 'refused');
    expect(refused.map(({ what }) => what)).toEqual(tries.map(([name]) => `signal:${name}`));
    for (const [index, [, , reason]] of tries.entries()) expect(refused[index]?.detail).toContain(reason);
    expect(JSON.stringify(refused).length).toBeLessThan(20_000);
    await answerEverything(handle);
    await handle.result();
  });

  testInFull('consents may name the instance by its name, and the second one is refused', async () => {
    const stop = barrier();
    const { activities } = stubActivities(profile('consents'));
    const handle = await environment.upgrade(
      {
        ...activities,
        testConnection: async (input) => {
          await stop.pass();
          return await activities.testConnection(input);
        },
      },
      { provider: 'consents' },
    );
    await statusWhen(handle, ({ gates }) => gates.length === 2);
    await handle.executeUpdate<Recorded, [unknown]>('consentCompleted', {
      args: [{ instance: 'CSP EMEA', by: 'ana' }],
    });
    expect(await refusalOf(handle, 'consentCompleted', { instance: '1', by: 'bo' })).toContain(
      'ana has answered already',
    );
    stop.open();
    await statusWhen(handle, ({ gates }) => gates.length === 1);
    expect(await refusalOf(handle, 'consentCompleted', { instance: '1', by: 'bo' })).toContain('Waited for: 2');
    await answerEverything(handle);
    await handle.result();
  });

  testInFull('a consent that the connection test does not confirm leaves the gate open, and says why', async () => {
    let consented = false;
    const { activities } = stubActivities(profile('wrong-tenant'));
    const handle = await environment.upgrade(
      {
        ...activities,
        testConnection: async (input) =>
          consented
            ? await activities.testConnection(input)
            : {
                ok: false,
                checks: [{ name: 'PartnerCenter', ok: false, message: 'the consent is of another tenant' }],
              },
      },
      { provider: 'wrong-tenant' },
    );
    await statusWhen(handle, ({ gates }) => gates.length === 2);
    await handle.signal('consentCompleted', { instance: '1', by: 'ana' });
    const { gates } = await statusWhen(handle, (status) =>
      status.gates.some(({ lastProblem }) => lastProblem !== undefined),
    );
    expect(gates.find(({ item }) => item === '1')?.lastProblem).toContain('another tenant');
    consented = true;
    await answerEverything(handle);
    await handle.result();
  });

  testInFull(
    'what contradicts Test Connection is told against the first answer, and whoever answers again has read it',
    async () => {
      const entry = profile('contradicted', { connectionTest: microsoftWith('inventory') });
      let works = true;
      const { activities } = stubActivities(entry, { version: '18.4' });
      const handle = await environment.upgrade(
        {
          ...activities,
          testConnection: async () => ({
            ok: works,
            checks: [{ name: 'Graph', ok: works, ...(works ? {} : { message: 'the token has expired' }) }],
          }),
        },
        { provider: 'contradicted' },
      );
      const opened = async (item: string) =>
        (await statusWhen(handle, ({ gates }) => gates.some((gate) => gate.item === item))).gates.find(
          (gate) => gate.item === item,
        );
      for (const item of ['controlPanel', 'store-main']) {
        const gate = await opened(item);
        await handle.signal('confirmStep', { ...gate?.answer.payload, by: 'bo', evidence: 'ticket 4711' });
      }
      const gate = await opened('connection-1');
      expect(gate?.instructions).not.toContain('contradicts');
      works = false;
      const answer = { ...gate?.answer.payload, by: 'bo', evidence: 'both green' };
      await handle.signal('confirmStep', answer);
      const { gates } = await statusWhen(handle, (status) =>
        status.gates.some(({ lastProblem }) => lastProblem !== undefined),
      );
      expect(gates.find(({ item }) => item === 'connection-1')?.lastProblem).toMatch(
        /adapter microsoft, with the token of the inventory, contradicts.*token has expired.*answer again/,
      );
      await handle.signal('confirmStep', answer);
      await statusWhen(handle, (status) => !status.gates.some(({ item }) => item === 'connection-1'));
      works = true;
      await answerEverything(handle);
      await handle.result();
    },
  );
});
