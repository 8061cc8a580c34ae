/** @needs temporal */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { temporal } from '@temporalio/proto';
import { aMoment } from '../kit/deadlines';
import { testInFull } from '../kit/extent';
import { testAtMicrosoft } from '../kit/microsoft-adapter';
import { Rehearsal, type Upgrade } from '../kit/rehearsal/rehearsal';

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await Rehearsal.start();
});
afterAll(async () => {
  await rehearsal?.close();
});

/** As the demo has it: three instances, two gateway sites on one host; three templates are active, one is not. */
const likeTheDemo = (id: string) => ({ id, instances: 3, gateways: [{ host: `${id}-host` }, { host: `${id}-host` }] });

const { EventType } = temporal.api.enums.v1;
const WORKFLOW_TASK: ReadonlySet<number> = new Set([
  EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
]);
/**
 * How many workflow tasks there are hangs on how close together answers come, so `npm run bench -- cost` compares all events with
 * those of a bare workflow; what the code decides is the others.
 */
const MAX_OTHER_EVENTS = 215;

async function expectUpgraded(upgrade: Upgrade, before: Awaited<ReturnType<Upgrade['state']>>): Promise<void> {
  const after = await upgrade.state();
  expect(after.templates).toEqual(before.templates);
  expect(after.instances.map(({ packageVersion, status }) => `${packageVersion} ${status}`)).toEqual(
    before.instances.map(() => '18.4.1-12 Ready'),
  );
  expect(after.gateways.map(({ state }) => state)).toEqual(
    before.gateways.map(() => expect.objectContaining({ versions: ['18.4.1.12'], served: ['18.4.1.12'] }) as unknown),
  );
}

test('from 18.3: every change happens exactly once, and provisioning is restored exactly as it was', async () => {
  const upgrade = await rehearsal.provider({ ...likeTheDemo('whole-18-3'), sourceVersion: '18.3' });
  const before = await upgrade.state();
  await upgrade.start();
  await upgrade.operate();

  expect(await upgrade.result()).toMatchObject({ from: '18.3', to: '18.4.1', instances: 3, sites: 2 });
  await expectUpgraded(upgrade, before);
  const after = await upgrade.state();
  expect(after.instances.every(({ consentOf }) => consentOf !== null)).toBe(true);
  expect(after.billingTemplates.flatMap(({ parameters }) => parameters)).not.toContain('o365_based_on_email');
  expect(upgrade.effectCounts()).toMatchObject({
    templateDeactivated: 3,
    setupRan: 2,
    iisReset: 1,
    packageImported: 1,
    instanceUpgradeStarted: 3,
    instanceUpgraded: 3,
    consentGiven: 3,
    parameterRemoved: 3,
    storeSynchronised: 2,
    customizationUpdated: 3,
    templateActivated: 3,
  });
  expect(upgrade.effects().filter((effect, index, all) => all.indexOf(effect) !== index)).toEqual([]);
  const { events } = await upgrade.workflow.fetchHistory();
  const others = events?.filter(({ eventType }) => !WORKFLOW_TASK.has(Number(eventType)));
  expect(others?.length).toBeLessThanOrEqual(MAX_OTHER_EVENTS);
});

test('from 18.4: tokens and billing parameters are left alone', async () => {
  const upgrade = await rehearsal.provider({
    ...likeTheDemo('whole-18-4'),
    sourceVersion: '18.4',
    build: 'oa-7.4-2210',
  });
  const before = await upgrade.state();
  await upgrade.start();
  await upgrade.operate();

  expect(await upgrade.result()).toMatchObject({ from: '18.4', to: '18.4.1', instances: 3, sites: 2 });
  await expectUpgraded(upgrade, before);
  const after = await upgrade.state();
  expect(after.billingTemplates).toEqual(before.billingTemplates);
  expect(upgrade.effectCounts()).not.toHaveProperty('consentGiven');
  expect(upgrade.effectCounts()).toMatchObject({ packageImported: 1, instanceUpgraded: 3, setupRan: 2, iisReset: 1 });
});

testInFull('a provider half of whose instances run 18.4.1 already is finished, not upgraded again', async () => {
  const upgrade = await rehearsal.provider({
    id: 'half-done',
    instances: [
      { name: 'Done', gateway: 0, packageVersion: '18.4.1-12' },
      { name: 'Not yet', gateway: 1 },
    ],
    gateways: [{ packageVersion: '18.4.1-12' }, {}],
  });
  await upgrade.start();
  await upgrade.operate();
  await upgrade.result();
  expect(upgrade.effectCounts()).toMatchObject({ setupRan: 1, instanceUpgraded: 1 });
  const { checks } = await upgrade.status();
  expect(checks).toContainEqual(
    expect.objectContaining({
      name: 'sourceVersion',
      verdict: 'warning',
      message: expect.stringContaining('1 of 2') as string,
    }),
  );
});

testInFull(
  'a provider without adapters is upgraded all the same: its operator looks at tasks and connections',
  async () => {
    const upgrade = await rehearsal.provider(
      { id: 'by-hand', instances: 1, openTasks: 0 },
      { taskMonitor: { adapter: 'gate' }, connectionTest: { adapter: 'gate' }, installedSites: [] },
    );
    await upgrade.start();
    const answered = await upgrade.operate();
    expect(await upgrade.result()).toMatchObject({ to: '18.4.1' });
    const gates = answered.flatMap((event) => (event.kind === 'answered' ? [event.gate] : []));
    expect(gates).toEqual(
      expect.arrayContaining([
        'drainTasks/tasks',
        expect.stringMatching(/^collectGatewaySites\/name-/),
        expect.stringMatching(/^acquireRefreshTokens\/connection-/),
        'validate/tasks',
        expect.stringMatching(/^validate\/connection-/),
      ]),
    );
  },
);

testInFull(
  'a token of the inventory proves nothing: it waits until Test Connection of the application succeeds',
  async () => {
    const { urls, world } = rehearsal.sandbox;
    const upgrade = await rehearsal.provider(
      { id: 'no-token', sourceVersion: '18.4', instances: 1, openTasks: 0 },
      (provider) => {
        for (const instance of provider.instances) delete instance.refreshToken;
        return { connectionTest: testAtMicrosoft(rehearsal.sandbox, provider) };
      },
    );
    const [instance] = world.provider('no-token').instances;
    await upgrade.start();
    const looked: string[] = [];
    const operated = upgrade.operate({
      leaves: ({ item = '' }) => {
        if (/^connection-/.test(item)) looked.push(item);
        return false;
      },
    });
    const { gates } = await upgrade.statusWhen((status) => status.gates.some(({ step }) => step === 'validate'));
    expect(gates[0]?.instructions).not.toContain('contradicts');
    // The operator has pressed the button, seen it fail, and said nothing.
    while (looked.length < 2) await aMoment();
    expect((await upgrade.status()).gates).toHaveLength(1);
    const consent = `${urls.control('no-token')}instances/${instance?.instanceId}/consent`;
    expect((await fetch(consent, { method: 'POST' })).status).toBe(200);
    await operated;
    expect(await upgrade.result()).toMatchObject({ to: '18.4.1' });
  },
);

testInFull.each([
  ['its connection string is encrypted', { connectionString: 'encrypted' as const }],
  ['it has no connection string where one is looked for', { connectionString: 'missing' as const }],
  ['its account of Windows may have the role through a group', { login: 'CONTOSO\\GW-HOST-01$', sysadmin: 0 as const }],
  ['SQL Server does not know its login', { sysadmin: null }],
])('a person is asked once about the database of a gateway where %s', async (what, gateway) => {
  const upgrade = await rehearsal.provider({
    id: `database-${what.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`.slice(0, 40),
    instances: 1,
    gateways: [{ localDb: false, ...gateway }],
  });
  await upgrade.start();
  const [gate] = (await upgrade.statusWhen(({ gates }) => gates.length > 0)).gates;
  expect(gate).toMatchObject({ step: 'preflight', asked: 'operator' });
  expect(gate?.title).toContain('the login of the gateway database is sysadmin');
  expect(upgrade.effects()).toEqual([]);
  await upgrade.operate();
  expect(await upgrade.result()).toMatchObject({ to: '18.4.1' });
});

describe('a provider that must not be upgraded is refused without a single change', () => {
  test.each([
    [
      'a Germany instance',
      { instances: [{ name: 'CSP DE', cloud: 'germany' as const }, { name: 'CSP EMEA' }] },
      'microsoftCloudGermany',
    ],
    ['version 18.2', { sourceVersion: '18.2' }, 'sourceVersion'],
    ['platform 8.2', { build: 'oa-8.2-1216' }, 'requiredVersions'],
    ['a SQL login without sysadmin', { gateways: [{ localDb: false, sysadmin: 0 as const }] }, 'sqlSysadmin'],
  ])('%s', async (what, options, check) => {
    const upgrade = await rehearsal.provider({
      id: `refused-${what.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`,
      ...options,
    });
    const before = await upgrade.state();
    await upgrade.start();
    await expect(upgrade.result()).rejects.toMatchObject({
      cause: { type: 'Refused', message: expect.stringContaining(check) as string },
    });
    expect(await upgrade.state()).toEqual(before);
    expect(upgrade.effects()).toEqual([]);
  });

  test('a gateway site that was renamed', async () => {
    const upgrade = await rehearsal.provider({
      id: 'renamed',
      instances: 1,
      gateways: [{ installedAs: 'Original name', site: 'New name' }],
    });
    await upgrade.start();
    await expect(upgrade.result()).rejects.toMatchObject({
      cause: { message: expect.stringMatching(/"New name" but was installed as "Original name"/) as string },
    });
    expect(upgrade.effects()).toEqual([]);
  });

  test('an endpoint host without a worker', async () => {
    const upgrade = await rehearsal.provider(
      { id: 'silent', instances: 1 },
      {
        endpointHosts: [{ name: 'nobody-there' }],
        timings: { hostAnswer: 1 },
      },
    );
    await upgrade.start();
    await expect(upgrade.result()).rejects.toMatchObject({
      cause: { message: expect.stringContaining('onward worker --host nobody-there') as string },
    });
    expect(upgrade.effects()).toEqual([]);
  });

  test('a provider that the inventory does not know', async () => {
    await rehearsal.provider({ id: 'known-one' });
    const handle = await rehearsal.client.workflow.start('upgradeProvider', {
      workflowId: 'upgrade/knwon-one',
      taskQueue: 'onward',
      args: [{ provider: 'knwon-one' }],
    });
    await expect(handle.result()).rejects.toMatchObject({
      cause: { type: 'UnknownProvider', message: expect.stringContaining('known-one') as string },
    });
  });
});

testInFull(
  'a webhook that is down delays no upgrade and keeps none open, and hears everything when it is up again',
  async () => {
    const heard: string[] = [];
    let isDown = true;
    const webhook = createServer((request, response) => {
      void text(request).then((body) => {
        if (!isDown) heard.push((JSON.parse(body) as { kind: string }).kind);
        response.writeHead(isDown ? 503 : 204).end(() => webhook.emit('heard'));
      });
    });
    webhook.listen(0, '127.0.0.1');
    await once(webhook, 'listening');
    try {
      const url = `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/`;
      const upgrade = await rehearsal.provider(
        { id: 'unheard', sourceVersion: '18.4', instances: 1 },
        { notify: [{ kind: 'webhook', url }] },
      );
      await upgrade.start();
      await upgrade.operate();
      expect(await upgrade.result()).toMatchObject({ to: '18.4.1' });
      expect(heard).toEqual([]);
      isDown = false;
      while (!['crossed', 'gatesOpened', 'completed'].every((kind) => heard.includes(kind)))
        await once(webhook, 'heard');
    } finally {
      webhook.close();
    }
  },
);
