/** @needs temporal */
import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { FAILURE } from '../../src/contract/activities';
import { emptyLedger } from '../../src/contract/ledger';
import {
  preflightWorkflowId,
  type PreflightInput,
  type PreflightReport,
  type PreflightStatus,
} from '../../src/contract/preflight';
import { QUERY } from '../../src/contract/status';
import { operationsFacts, profile, stubActivities, type StubActivities } from '../kit/stub-world/stub-activities';
import { WorkflowEnvironment, failureOf, statusOf } from '../kit/stub-world/workflow-environment';

let environment: WorkflowEnvironment;
beforeAll(async () => {
  environment = await WorkflowEnvironment.start();
});
afterAll(async () => {
  await environment?.close();
});

const look = (activities: StubActivities, input: PreflightInput) =>
  environment.look(preflightWorkflowId(input.provider, randomUUID()), activities, input);

/** The names of all activities that are called. */
function watched(activities: StubActivities): { world: StubActivities; called: Set<string> } {
  const called = new Set<string>();
  const world = Object.fromEntries(
    Object.entries(activities).map(([name, run]) => [
      name,
      (input: never) => {
        called.add(name);
        return (run as (input: never) => unknown)(input);
      },
    ]),
  );
  return { world: world as unknown as StubActivities, called };
}

describe('a look before the upgrade', () => {
  test('reads everything, takes hold of nothing, and tells what each step would change', async () => {
    const { activities, calls, notices } = stubActivities(profile('looked-at'));
    const { world, called } = watched(activities);
    const handle = await look(world, { provider: 'looked-at', startedBy: 'ana@csp.example' });
    const report: PreflightReport = await handle.result();
    expect(report).toMatchObject({ provider: 'looked-at', verdict: 'clear', path: { from: '18.3', to: '18.4.1' } });
    expect([...called].sort()).toEqual([
      'hashPackage',
      'loadProvider',
      'readBilling',
      'readHost',
      'readLedger',
      'readOpenTasks',
      'readOperations',
      'testConnection',
    ]);
    expect([calls, notices]).toEqual([[], []]);
    const changes = report.steps.flatMap(({ name, changes: made }) =>
      made.map(({ call, on = '' }) => `${name}: ${call} on ${on}`),
    );
    expect(changes).toEqual(
      expect.arrayContaining([
        'stopProvisioning: pem.deactivateST on Office 365 E1',
        expect.stringMatching(/^upgradeEndpoints: setup\.cmd on https:/),
        'importPackage: pem.APS.importPackage on the package of 18.4.1',
        'upgradeInstances: pem.APS.upgradeApplicationInstance on CSP EMEA, CSP US',
        'startProvisioning: pem.activateST on Office 365 E1',
      ]),
    );
    expect(report.off).toEqual([
      { what: 'provisioning', from: 'stopProvisioning', to: 'startProvisioning', seconds: 2400, questions: 6 },
    ]);
  });

  test('says of no step that it would be undone where the package is in the package list already', async () => {
    const undosOf = async (provider: string, enabledVersions: string[]) => {
      const operations = { ...operationsFacts(), enabledVersions };
      const { activities } = stubActivities(profile(provider), { change: { readOperations: async () => operations } });
      const { steps }: PreflightReport = await (await look(activities, { provider, startedBy: 'ana' })).result();
      return steps.flatMap(({ undo, undoneBy }) => (undoneBy === undefined ? [] : [{ undo, by: undoneBy.length }]));
    };
    const before = await undosOf('not-listed', ['18.3-1']);
    expect(before.filter(({ by }) => by === 0)).toEqual([]);
    const none = 'none: 18.4.1-12 is in the package list already, and what is imported cannot be rolled back';
    expect(await undosOf('listed-already', ['18.3-1', '18.4.1-12'])).toEqual(before.map(() => ({ undo: none, by: 0 })));
  });

  test('finds what the upgrade is refused for, check by check', async () => {
    const instances = operationsFacts().instances.map((each) => ({ ...each, status: 'Upgrading' }));
    const { activities } = stubActivities(profile('refused-alike'), {
      change: {
        readOperations: async () => ({ ...operationsFacts(), instances, enabledVersions: ['19.0-3'] }),
        hashPackage: async () => ({ sha256: 'b'.repeat(64), bytes: 5 }),
      },
    });
    const report = await (await look(activities, { provider: 'refused-alike' })).result();
    const upgrade = await environment.upgrade(activities, { provider: 'refused-alike' });
    await failureOf(upgrade);
    const { checks } = await statusOf(upgrade);
    expect(report.verdict).toBe('refused');
    const own = ['openTasks', 'connections'];
    expect(report.checks.filter(({ name }) => !own.includes(name))).toEqual(checks);
    expect(report.checks.filter(({ verdict }) => verdict === 'refusal').map(({ name }) => name)).toEqual([
      'instancesReady',
      'newerPackage',
      'packageHash',
    ]);
  });

  test('asks nobody, and tells who will be asked for what', async () => {
    const entry = profile('asks', {
      installedSites: [],
      taskMonitor: { adapter: 'gate' },
      connectionTest: { adapter: 'gate' },
      approval: { beforeCrossing: true },
    });
    const { activities } = stubActivities(entry);
    const report = await (await look(activities, { provider: 'asks', startedBy: 'ana@csp.example' })).result();
    const asks = report.steps.flatMap(({ name, asks: questions = [] }) =>
      questions.map(({ asked, times }) => `${name}: ${asked} ${times}`),
    );
    expect(asks).toEqual([
      'collectGatewaySites: operator 1',
      'drainTasks: operator 1',
      'approveCrossing: approver 1',
      'acquireRefreshTokens: partnerAdministrator 2',
      'acquireRefreshTokens: operator 2',
      'removeEmailParameter: operator 1',
      'removeEmailParameter: operator 1',
      'updateCustomizations: operator 2',
      'validate: operator 1',
      'validate: operator 2',
    ]);
  });

  test('tells where the first steps would stop, which of the tasks are open, and which connection fails today', async () => {
    const { activities } = stubActivities(profile('stops', { gatewayAddresses: {} }), {
      change: {
        readOpenTasks: async () => ({ open: [{ id: 7, name: 'Provisioning of Office 365', status: 'Failed' }] }),
        testConnection: async () => ({ ok: false, checks: [{ name: 'Graph', ok: false, message: 'AADSTS700082' }] }),
      },
    });
    const { verdict, checks } = await (await look(activities, { provider: 'stops' })).result();
    expect(verdict).toBe('refused');
    const said = (name: string) => checks.filter((check) => check.name === name);
    expect(said('collectGatewaySites')).toMatchObject([
      { verdict: 'refusal', message: expect.stringContaining('gw01.test does not resolve') as string },
    ]);
    expect(said('openTasks')).toMatchObject([
      { verdict: 'warning', message: expect.stringContaining('#7 Provisioning of Office 365 (Failed)') as string },
    ]);
    expect(said('connections').map(({ verdict: each }) => each)).toEqual(['warning', 'warning']);
  });

  test('finds the address of a gateway however its name is written in the inventory', async () => {
    const { activities } = stubActivities(profile('shouting', { gatewayAddresses: { 'GW01.Test': '10.0.0.31' } }));
    const { verdict, checks } = await (await look(activities, { provider: 'shouting' })).result();
    expect(checks.filter(({ name }) => name === 'collectGatewaySites')).toEqual([]);
    expect(verdict).toBe('clear');
  });

  test('tells that another upgrade has the installation, without taking it', async () => {
    const holder = {
      provider: 'other',
      from: '18.3',
      to: '18.4.1',
      firstRun: 'run-1',
      workflowId: 'upgrade/other',
    };
    const { activities } = stubActivities(profile('held'), {
      change: {
        readLedger: async ({ instances: [installation = ''] }) => ({
          installation,
          kept: { ledger: { ...emptyLedger(installation), holder }, holderRuns: true },
        }),
        enterInstallation: async () => {
          throw ApplicationFailure.nonRetryable('a look took hold of the installation', FAILURE.rejected);
        },
      },
    });
    const { verdict, checks } = await (await look(activities, { provider: 'held' })).result();
    expect(verdict).toBe('refused');
    expect(checks.filter(({ name }) => name === 'installation')).toMatchObject([
      { verdict: 'refusal', message: expect.stringContaining('belongs to other/18.3-18.4.1/run-1') as string },
    ]);
  });

  test('tells that the ledger cannot be read, beside all else that it finds', async () => {
    const { activities } = stubActivities(profile('unread'), {
      version: '18.2',
      change: {
        readLedger: async () => {
          throw ApplicationFailure.nonRetryable('the ledger is not answered', FAILURE.unreachable);
        },
      },
    });
    const { checks } = await (await look(activities, { provider: 'unread' })).result();
    const against = checks.filter(({ verdict }) => verdict === 'refusal').map(({ name }) => name);
    expect(against).toEqual(['sourceVersion', 'installation']);
  });

  test('says which system it waits for', async () => {
    let answer: () => void = () => undefined;
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    const { activities } = stubActivities(profile('slow'), {
      change: {
        readBilling: async () => {
          asked();
          await new Promise<void>((resolve) => (answer = resolve));
          return { templates: [] };
        },
      },
    });
    const handle = await look(activities, { provider: 'slow' });
    await isAsked;
    expect((await handle.query<PreflightStatus>(QUERY.status)).waitsFor).toContain('Billing');
    answer();
    await handle.result();
    expect(await handle.query<PreflightStatus>(QUERY.status)).toEqual({ provider: 'slow', waitsFor: [] });
  });
});
