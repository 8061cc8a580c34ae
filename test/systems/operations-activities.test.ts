import { heartbeating } from '../../activities/polling';
import { FAILURE, type TemplateCandidates } from '../../src/contract/activities';
import { closeConnections } from '../../src/systems/http';
import { inBatches } from '../../workflows/kit/settle-all';
import { activityEnvironment } from '../kit/activity-environment';
import { RawAnswer } from './support/scripted-server';
import { QUICK, Vendor, hangUp, ok, refuse } from './support/vendor';

let vendor: Vendor;
beforeEach(async () => {
  vendor = await Vendor.start();
});
afterEach(async () => {
  closeConnections();
  await vendor.stop();
});

const offer = (id: number, active: boolean) => ({
  name: `Office 365 offer ${id}`,
  active,
  office365: true,
  resources: ['Office 365 Tenant'],
});
const offered = { packageVersion: '18.3-9', status: 'Ready', portal: 'https://portal.office.com' };
const text = (part: string) => expect.stringContaining(part) as string;

describe('reading', () => {
  test('the preflight gets everything that Operations and the APS controller know', async () => {
    expect(await vendor.run('readOperations', {})).toEqual({
      build: 'oa-7.4-2210',
      applicationId: 17,
      enabledVersions: ['18.3-9'],
      disabledVersions: [],
      companions: [{ application: 'http://www.odin.com/Domains', version: '2.1-4' }],
      instances: [
        {
          id: 31,
          resourceId: 'uuid-31',
          name: 'CSP uuid-31',
          packageVersion: '18.3-9',
          status: 'Ready',
          endpointUrl: 'https://gw31.example/Gateway/aps/',
          cloud: 'global',
        },
        expect.objectContaining({ id: 32, cloud: 'germany' }),
      ],
      templates: [
        { id: 16, name: 'Office 365 E3', active: true, azureCsp: false, dnsHosting: true, trialOnCcpV1: false },
        { id: 17, name: 'Office 365 Trial', active: false, azureCsp: true, dnsHosting: false, trialOnCcpV1: true },
      ],
    });
  });

  test.each([
    ['does not know the type of service templates', { status: 404, body: '{"error":"APS::Util::ResourceNotFound"}' }],
    ['lists none', { body: '[]' }],
  ])('templates are found by their resource types where the APS controller %s', async (_, answer) => {
    vendor.onAps('/aps/2/resources', () => answer);
    const { templates } = await vendor.run('readTemplates', {});
    expect(templates.map(({ id }) => id)).toEqual([16, 17]);
  });

  test.each([
    ['the APS controller lists', 200],
    ['their resources show', 404],
  ])('thousands of templates that %s are read in pages', async (_, status) => {
    for (let id = 100; id < 700; id++) vendor.templates.set(id, offer(id, id % 3 > 0));
    if (status !== 200) vendor.onAps('/aps/2/resources', () => ({ status }));
    const read: number[] = [];
    for (let left: TemplateCandidates | undefined, pages = 1; ; pages++) {
      const page = await vendor.run('readTemplates', left ? { candidates: left } : {});
      expect(page.templates.length).toBeLessThanOrEqual(250);
      read.push(...page.templates.map(({ id }) => id));
      left = page.left;
      if (left) continue;
      expect(pages).toBe(3);
      break;
    }
    const all = [...vendor.templates].filter(([, { office365 }]) => office365).map(([id]) => id);
    expect(read).toEqual(all);
    expect((await vendor.run('readOperations', {})).templates.length).toBeLessThanOrEqual(250);
  });

  test.each([
    ['the APS controller lists', 200, 2_000, 2],
    ['their resources show', 404, 250, 11],
  ])('thousands of active templates that %s are read in pages', async (_, status, most, pages) => {
    for (let id = 100; id < 2_700; id++) vendor.templates.set(id, offer(id, true));
    if (status !== 200) vendor.onAps('/aps/2/resources', () => ({ status }));
    const first = await vendor.run('readActiveTemplates', {});
    if (Array.isArray(first)) throw new Error('all in one result');
    const read = [first];
    for (const ids of inBatches(first.left?.ids ?? [], most)) {
      const candidates = { listedByApplication: status === 200, ids };
      const page = await vendor.run('readActiveTemplates', { candidates });
      read.push(Array.isArray(page) ? { templates: page } : page);
    }
    expect(read).toHaveLength(pages);
    expect(Math.max(...read.map(({ templates }) => templates.length))).toBeLessThanOrEqual(most);
    const all = [...vendor.templates].filter(([, { office365, active }]) => office365 && active).map(([id]) => id);
    expect(read.flatMap(({ templates }) => templates.map(({ id }) => id))).toEqual(all);
  });

  test('a controller that is down does not make templates disappear', async () => {
    vendor.onAps('/aps/2/resources', () => ({ status: 503 }));
    await expect(vendor.run('readTemplates', {})).rejects.toMatchObject({ type: FAILURE.malformedAnswer });
  });

  test('an application that was never imported has no instances', async () => {
    vendor.on('pem.APS.getApplications', () => ok([]));
    expect(await vendor.run('readOperations', {})).toMatchObject({ applicationId: undefined, instances: [] });
  });

  test('an instance without an end-point URI anywhere is a matter for a person', async () => {
    vendor.onAps('/aps/2/applications', () => ({ body: '[]' }));
    await expect(vendor.run('readOperations', {})).rejects.toMatchObject({
      type: FAILURE.unexpectedState,
      nonRetryable: true,
      message: text('application instance 31 has no Application API end-point URI'),
    });
  });
});

describe('provisioning', () => {
  test('a template is switched only when it is not as wanted', async () => {
    await vendor.run('deactivateTemplates', { templateIds: [16] });
    await vendor.run('deactivateTemplates', { templateIds: [16] });
    expect(vendor.counted('pem.deactivateST')).toBe(1);
    await vendor.run('activateTemplates', { templateIds: [16] });
    await vendor.run('activateTemplates', { templateIds: [16] });
    expect(vendor.counted('pem.activateST')).toBe(1);
  });

  test('one template that is refused keeps none of the others from being switched, and each refusal is counted', async () => {
    vendor.on('pem.deactivateST', ({ st_id }) => {
      if (st_id === 16 || st_id === 18) return refuse('it is locked');
      const found = vendor.templates.get(Number(st_id));
      if (found) found.active = false;
      return ok();
    });
    const templateIds = [16, 18, 100, 101];
    for (const id of templateIds.slice(1)) vendor.templates.set(id, offer(id, true));
    await expect(vendor.run('deactivateTemplates', { templateIds })).rejects.toMatchObject({
      type: FAILURE.rejected,
      message: text('service template 16 was refused: it is locked (and 1 more like it)'),
    });
    expect([100, 101].map((id) => vendor.templates.get(id)?.active)).toEqual([false, false]);
  });

  test('a batch that is cancelled switches no further template', async () => {
    const environment = activityEnvironment();
    const templateIds = Array.from({ length: 20 }, (_, index) => 100 + index);
    for (const id of templateIds) vendor.templates.set(id, offer(id, true));
    vendor.once('pem.deactivateST', (args, asked) => {
      environment.cancel();
      return vendor.standard['pem.deactivateST']?.(args, asked) ?? ok();
    });
    await expect(vendor.run('deactivateTemplates', { templateIds }, environment)).rejects.toThrow('CANCELLED');
    expect(vendor.counted('pem.deactivateST')).toBe(1);
  });

  test('a broken connection is worth another look', async () => {
    vendor.once('pem.deactivateST', (args, asked) => {
      vendor.standard['pem.deactivateST']?.(args, asked);
      return hangUp(args, asked);
    });
    await expect(vendor.run('deactivateTemplates', { templateIds: [16] })).rejects.toMatchObject({
      type: FAILURE.outcomeUnknown,
      nonRetryable: false,
    });
    await vendor.run('deactivateTemplates', { templateIds: [16] });
    expect(vendor.counted('pem.deactivateST')).toBe(1);
  });
});

describe('looking again', () => {
  const look = { known: ['uuid-31', 'uuid-32'], endpoints: [] };

  test('tells what has come and what is gone', async () => {
    vendor.instances.delete(32);
    vendor.instances.set(33, { ...offered, resourceId: 'uuid-33' });
    const { added, gone } = await vendor.run('lookAgain', look);
    expect(added).toMatchObject([{ id: 33, resourceId: 'uuid-33' }]);
    expect(gone).toEqual(['uuid-32']);
  });

  test('finds none of the instances in another installation, though their numbers are there', async () => {
    vendor.instances.set(31, { ...offered, resourceId: 'uuid-of-another' });
    vendor.instances.set(32, { ...offered, resourceId: 'uuid-of-one-more' });
    expect(await vendor.run('lookAgain', look)).toMatchObject({ gone: look.known });
  });

  test('finds none of them where the APS controller is that of another installation', async () => {
    const others = [{ aps: { endpoint: 'https://gw.example/Gateway/aps/' }, app: { aps: { id: 'uuid-of-another' } } }];
    vendor.onAps('/aps/2/applications', () => ({ body: JSON.stringify(others) }));
    expect(await vendor.run('lookAgain', look)).toMatchObject({ added: [], gone: look.known, changed: [] });
  });
});

describe('importing the package', () => {
  const input = { version: '18.4.1', requestId: 'r-1' };
  const imported = { applicationId: 17, packageVersion: '18.4.1-12' };
  const importCalls = () => vendor.calls.filter((call) => /^txn|importPackage/.test(call));

  test('happens in a transaction of its own', async () => {
    expect(await vendor.run('importPackage', input)).toEqual(imported);
    expect(importCalls()).toEqual(['txn.Begin', 'pem.APS.importPackage', 'txn.Commit']);
  });

  test('does not happen when the version is listed already, whatever its release', async () => {
    vendor.packages = ['18.3-9', '18.4.1-9', '18.4.1-10'];
    expect(await vendor.run('importPackage', input)).toEqual({ applicationId: 17, packageVersion: '18.4.1-10' });
    expect(importCalls()).toEqual([]);
  });

  test('sends nothing while an earlier request is at work again, nor once it has imported the package', async () => {
    const another = { ...input, requestId: 'r-2', earlierRequestIds: ['r-1'] };
    vendor.requests.set('r-1', { status: 1, messages: ['Updating upgrade relations'] });
    await expect(vendor.run('importPackage', another)).rejects.toMatchObject({
      type: FAILURE.notYet,
      message: text('that request is at work again: Updating upgrade relations. Nothing was sent.'),
    });
    vendor.on('pem.getRequestStatus', () => {
      vendor.packages.push('18.4.1-12');
      return ok({ request_status: 0 });
    });
    // Whether its tasks have failed, reading it back tells.
    await expect(vendor.run('importPackage', another)).rejects.toMatchObject({ type: FAILURE.notYet });
    expect(importCalls()).toEqual([]);
  });

  test('sends nothing where another file lies behind the URL by now', async () => {
    vendor.file = 'planted';
    await expect(vendor.run('importPackage', input)).rejects.toMatchObject({
      type: FAILURE.rejected,
      message: expect.stringMatching(
        /^package server: GET of the package of 18\.4\.1 brought a file with SHA-256 \w{64}, and the inventory expects \w{64}; nothing was sent/,
      ) as string,
    });
    expect(importCalls()).toEqual([]);
  });

  test('that was refused has closed its transaction: nothing is rolled back, and it is said that nothing was imported', async () => {
    vendor.on('pem.APS.importPackage', () => ({
      status: -1,
      module_id: 'APS',
      extype_id: 1,
      error_message: 'Core type http://aps-standard.org/types/core/x/1.0 is unknown.',
    }));
    vendor.on('txn.Rollback', () => refuse('Transaction 84211 does not exist.'));
    await expect(vendor.run('importPackage', input)).rejects.toMatchObject({
      type: FAILURE.rejected,
      message: expect.stringMatching(
        /was refused: Core type .* is unknown \(module APS, type 1\)\. Nothing was imported: the package list does not have it/,
      ) as string,
    });
    expect(importCalls()).toEqual(['txn.Begin', 'pem.APS.importPackage']);
  });

  test('that was refused although the package is listed by now is read back before anything else', async () => {
    vendor.on('pem.APS.importPackage', () => {
      vendor.packages.push('18.4.1-12');
      return refuse('The package is imported already.');
    });
    await expect(vendor.run('importPackage', input)).rejects.toMatchObject({
      type: FAILURE.outcomeUnknown,
      message: text('The package is imported already'),
    });
  });

  test('that was refused stays refused when the package list cannot be read', async () => {
    vendor.on('pem.APS.importPackage', () => {
      vendor.onAps('/aps/2/packages', () => ({ status: 500 }));
      return refuse('Cannot get the package.');
    });
    await expect(vendor.run('importPackage', input)).rejects.toMatchObject({
      type: FAILURE.rejected,
      message: expect.stringMatching(/Cannot get the package.*could not be read.*HTTP 500/) as string,
    });
  });

  test('whose request id is in use, because the answer of txn.Begin was lost, may begin again under another', async () => {
    vendor.on('txn.Begin', () => ({
      ...(refuse('Request r-1 is in use.') as object),
      module_id: 'OpenAPI',
      extype_id: 3001,
    }));
    await expect(vendor.run('importPackage', input)).rejects.toMatchObject({ type: FAILURE.unreachable });
    expect(importCalls()).toEqual(['txn.Begin']);
  });

  test.each([
    ['pem.APS.importPackage', 'breaks the connection', hangUp],
    ['pem.APS.importPackage', 'answers HTTP 500', () => new RawAnswer({ status: 500 })],
    ['txn.Commit', 'breaks the connection', hangUp],
    ['txn.Commit', 'refuses', () => refuse('Deadlock.')],
    ['txn.Commit', 'answers nonsense', () => new RawAnswer({ body: '<html/>' })],
  ])('whose outcome is unknown, because %s %s, is neither repeated nor rolled back', async (method, _, reply) => {
    vendor.on(method, reply);
    await expect(vendor.run('importPackage', input)).rejects.toMatchObject({
      type: FAILURE.outcomeUnknown,
      nonRetryable: true,
      message: expect.not.stringContaining('secret') as string,
    });
    expect(vendor.counted(method)).toBe(1);
    expect(vendor.counted('txn.Rollback')).toBe(0);
  });

  test('is certain not to have begun when the package list could not be read', async () => {
    vendor.onAps('/aps/2/packages', () => ({ status: 500 }));
    await expect(vendor.run('importPackage', input)).rejects.toMatchObject({ type: FAILURE.unreachable });
    expect(importCalls()).toEqual([]);
  });

  test('is certain not to have begun when the transaction could not begin', async () => {
    vendor.on('txn.Begin', hangUp);
    await expect(vendor.run('importPackage', input)).rejects.toMatchObject({ type: FAILURE.unreachable });
    expect(importCalls()).toEqual(['txn.Begin']);
  });
});

describe('waiting for the import', () => {
  const input = {
    version: '18.4.1',
    requestIds: ['r-1'],
    purpose: 'readBack' as const,
  };

  test('ends when the package is listed and the tasks of the request are done', async () => {
    vendor.packages.push('18.4.1-12');
    vendor.requests.set('r-1', { status: 1, messages: ['Updating upgrade relations'] });
    const environment = activityEnvironment();
    const progress: unknown[] = [];
    environment.on('heartbeat', (details: unknown) => {
      progress.push(details);
      if (progress.length === 3) vendor.requests.clear();
    });
    expect(await vendor.run('awaitImport', input, environment)).toEqual({
      applicationId: 17,
      packageVersion: '18.4.1-12',
    });
    expect(progress[0]).toEqual({ running: ['Updating upgrade relations'], listed: true });
    expect(vendor.counted('pem.getRequestStatus')).toBeGreaterThan(3);
  });

  test('ends with nothing once the package has been missing for long enough with nothing at work', async () => {
    const began = performance.now();
    expect(await vendor.run('awaitImport', input)).toBeUndefined();
    expect(performance.now() - began).toBeGreaterThanOrEqual(QUICK.absenceMs);
    expect(vendor.counted('pem.getRequestStatus')).toBeGreaterThanOrEqual(3);
  });

  test('sees a package that appears late', async () => {
    let looks = 0;
    vendor.on('pem.getRequestStatus', () => {
      looks += 1;
      if (looks === 3) vendor.packages.push('18.4.1-12');
      return ok({ request_status: 0 });
    });
    expect(await vendor.run('awaitImport', input)).toEqual({ applicationId: 17, packageVersion: '18.4.1-12' });
  });

  test('reads back an import that was made by hand, under a request that Operations does not know', async () => {
    vendor.packages.push('18.4.1-12');
    vendor.on('pem.getRequestStatus', () => refuse('Request r-1 does not exist.'));
    expect(await vendor.run('awaitImport', input)).toEqual({ applicationId: 17, packageVersion: '18.4.1-12' });
  });

  test('waits for every request of an import, also where the package is listed', async () => {
    vendor.packages.push('18.4.1-12');
    vendor.requests.set('r-1', { status: 1, messages: ['Updating upgrade relations'] });
    const environment = activityEnvironment();
    let looks = 0;
    environment.on('heartbeat', () => {
      looks += 1;
      if (looks === 3) vendor.requests.clear();
    });
    const all = { ...input, requestIds: ['r-0', 'r-1', 'r-2'], purpose: 'beforeAnother' as const };
    expect(await vendor.run('awaitImport', all, environment)).toEqual({
      applicationId: 17,
      packageVersion: '18.4.1-12',
    });
    expect(looks).toBeGreaterThanOrEqual(3);
  });

  test('of a failed request allows another import where the package is not listed, and none where it is', async () => {
    vendor.requests.set('r-1', { status: 2, messages: ['Task #7: no space left on device'] });
    const before = { ...input, purpose: 'beforeAnother' as const };
    expect(await vendor.run('awaitImport', before)).toBeUndefined();
    vendor.packages.push('18.4.1-12');
    await expect(vendor.run('awaitImport', before)).rejects.toMatchObject({ message: text('no space left on device') });
    const byHand = { ...input, purpose: 'byHand' as const };
    expect(await vendor.run('awaitImport', byHand)).toMatchObject({ packageVersion: '18.4.1-12' });
  });

  test('fails with the messages of a failed request', async () => {
    vendor.requests.set('r-1', { status: 2, messages: ['Task #7: no space left on device'] });
    await expect(vendor.run('awaitImport', input)).rejects.toMatchObject({
      type: FAILURE.rejected,
      nonRetryable: true,
      message: text('no space left on device'),
    });
  });
});

describe('upgrading an instance', () => {
  const input = { instanceId: 31, version: '18.4.1' };
  const upgrades = () => vendor.counted('pem.APS.upgradeApplicationInstance');
  const finish = () => vendor.instances.set(31, { ...mine(), packageVersion: '18.4.1-12', status: 'Ready' });
  const mine = () => {
    const instance = vendor.instances.get(31);
    if (!instance) throw new Error('instance 31 is missing');
    return instance;
  };
  /** What happens at the nth look at the instance. */
  const atLooks = (events: Record<number, () => void>) => {
    const look = vendor.standard['pem.APS.getApplicationInstance'];
    let looks = 0;
    vendor.on('pem.APS.getApplicationInstance', (args, asked) => {
      looks += 1;
      events[looks]?.();
      return look?.(args, asked) ?? refuse('');
    });
  };
  const become = (status: string) => () => {
    mine().status = status;
  };
  const retryAfter = (phase: string) => activityEnvironment({ attempt: 2, heartbeatDetails: { phase } });

  test('starts it and returns when it is Ready with the new version', async () => {
    atLooks({ 4: finish });
    await vendor.run('upgradeInstance', input);
    expect(mine()).toMatchObject({ packageVersion: '18.4.1-12', status: 'Ready' });
    expect(upgrades()).toBe(1);
  });

  test('does nothing where the version is there', async () => {
    finish();
    await vendor.run('upgradeInstance', input);
    expect(upgrades()).toBe(0);
  });

  test('waits for an upgrade that is on its way', async () => {
    mine().status = 'Upgrading';
    atLooks({ 3: finish });
    await vendor.run('upgradeInstance', input);
    expect(upgrades()).toBe(0);
  });

  test('is not started with a package that somebody has disabled since', async () => {
    const disabled = { id: 'http://www.parallels.com/Office365', version: '18.4.1', release: '12', enabled: false };
    vendor.onAps('/aps/2/packages', () => ({ body: JSON.stringify([disabled]) }));
    await expect(vendor.run('upgradeInstance', { ...input, version: '18.4.1-12' })).rejects.toMatchObject({
      type: FAILURE.rejected,
      message: text('18.4.1-12 is not enabled: no instance can be upgraded to it'),
    });
    expect(upgrades()).toBe(0);
  });

  test('is not started where a newer version is enabled by now: the instance would get that one', async () => {
    vendor.packages.push('18.4.1-12', '19.0-1');
    await expect(vendor.run('upgradeInstance', { ...input, version: '18.4.1-12' })).rejects.toMatchObject({
      type: FAILURE.rejected,
      message: text('19.0-1 is enabled and newer than 18.4.1-12: instances would get it instead'),
    });
    expect(upgrades()).toBe(0);
  });

  test('waits until an instance that is being configured can be upgraded', async () => {
    mine().status = 'Configuring Service';
    atLooks({ 2: become('Ready'), 4: finish });
    await vendor.run('upgradeInstance', input);
    expect(upgrades()).toBe(1);
  });

  test('does not start it twice while Operations has not begun yet', async () => {
    vendor.on('pem.APS.upgradeApplicationInstance', () => ok());
    atLooks({ 6: finish });
    await vendor.run('upgradeInstance', input);
    expect(upgrades()).toBe(1);
  });

  test('an attempt after a lost answer gives Operations time to begin, then asks again', async () => {
    atLooks({ 2: become('Upgrading'), 4: finish });
    await vendor.run('upgradeInstance', input, retryAfter('asked'));
    expect(upgrades()).toBe(0);

    vendor.instances.set(31, { ...mine(), packageVersion: '18.3-9', status: 'Ready' });
    vendor.on('pem.APS.upgradeApplicationInstance', () => {
      finish();
      return ok();
    });
    await vendor.run('upgradeInstance', input, retryAfter('asked'));
    expect(upgrades()).toBe(1);
  });

  test('reports that it asked before it asks, so that a later attempt knows', async () => {
    vendor.on('pem.APS.upgradeApplicationInstance', hangUp);
    const environment = retryAfter('');
    const progress: unknown[] = [];
    environment.on('heartbeat', (details: unknown) => progress.push(details));
    await expect(vendor.run('upgradeInstance', input, environment)).rejects.toMatchObject({
      type: FAILURE.outcomeUnknown,
    });
    expect(progress).toEqual([{ phase: 'asked' }]);
  });

  test('forgets that it asked when Operations refused', async () => {
    vendor.on('pem.APS.upgradeApplicationInstance', () => refuse('No upgrade is available.'));
    const environment = retryAfter('');
    const progress: unknown[] = [];
    environment.on('heartbeat', (details: unknown) => progress.push(details));
    await expect(vendor.run('upgradeInstance', input, environment)).rejects.toMatchObject({
      type: FAILURE.rejected,
      message: text('application instance 31 was refused: No upgrade is available.'),
    });
    expect(progress).toEqual([{ phase: 'asked' }, {}]);
  });

  test('an upgrade that ends with the old version is a failure', async () => {
    atLooks({ 3: become('Ready') });
    await expect(vendor.run('upgradeInstance', input)).rejects.toMatchObject({
      type: FAILURE.rejected,
      message: text('the instance is Ready and still of version 18.3-9'),
    });
  });

  test('waiting ends when the activity is cancelled', async () => {
    mine().status = 'Upgrading';
    const environment = activityEnvironment();
    atLooks({ 2: () => environment.cancel() });
    await expect(vendor.run('upgradeInstance', input, environment)).rejects.toThrow('CANCELLED');
  });
});

describe('Office 365 tasks', () => {
  const task = (id: number, name: string, status: string) => ({ id, name, status });
  /** By an adapter of whoever has put the worker together. */
  async function awaitTasks(looks: object[][], environment = activityEnvironment()) {
    const seen: unknown[] = [];
    environment.on('heartbeat', (details: unknown) => seen.push(details));
    vendor.taskMonitor = { adapter: 'slides', looks };
    await vendor.run('awaitTasksProcessed', {}, environment);
    return seen;
  }

  test('are waited for', async () => {
    const open = task(10, 'Office 365: provision subscription', 'Running');
    const seen = await awaitTasks([[open, open], [open], []]);
    expect(seen).toEqual(expect.arrayContaining([{ open: 2 }, { open: 1 }, { open: 0 }]));
  });

  test('that failed wait for a person, and are named', async () => {
    await expect(awaitTasks([[task(11, 'Office 365: add domain', 'Failed')]])).rejects.toMatchObject({
      type: FAILURE.rejected,
      message: text('#11 Office 365: add domain'),
    });
  });

  test('that are still open when the time is over are named, before Temporal gives up without a word', async () => {
    const open = task(12, 'Office 365: move mailbox', 'Running');
    await expect(awaitTasks([[open]], activityEnvironment({ scheduleToCloseTimeoutMs: 50 }))).rejects.toMatchObject({
      type: FAILURE.notYet,
      nonRetryable: true,
      message: text('is not done within its time: #12 Office 365: move mailbox'),
    });
  });

  test('cannot be read where a person has to look', async () => {
    await expect(vendor.run('awaitTasksProcessed', {})).rejects.toMatchObject({
      type: FAILURE.invalidInput,
      nonRetryable: true,
    });
  });

  test.each([
    ['has no such adapter', { adapter: 'mail' }, 'this worker has no adapter mail'],
    [
      'has another idea of its settings',
      { adapter: 'slides', looks: [] },
      'adapter slides of this worker refuses looks',
    ],
  ])('may be read by another worker where this one %s', async (_, monitor, problem) => {
    vendor.taskMonitor = monitor;
    await expect(vendor.run('awaitTasksProcessed', {})).rejects.toMatchObject({
      type: FAILURE.invalidInventory,
      nonRetryable: false,
      message: text(problem),
    });
  });
});

test('a single call that takes longer than the heartbeat timeout does not lose the activity', async () => {
  const environment = activityEnvironment({ heartbeatTimeoutMs: 15 });
  let beats = 0;
  const fourBeats = new Promise<void>((resolve) => {
    environment.on('heartbeat', () => {
      beats += 1;
      if (beats === 4) resolve();
    });
  });
  await environment.run(() => heartbeating(() => fourBeats));
  expect(beats).toBe(4);
});
