/**
 * Two upgrades that want one endpoint host: the second waits, visibly, until the first can no longer change the host.
 *
 * @needs temporal
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { JournalEntry } from '../../src/sandbox/journal';
import { hostProgramData } from '../../src/sandbox/hosts/disk';
import { testInFull } from '../kit/extent';
import { Rehearsal, type Settings, type Upgrade } from '../kit/rehearsal/rehearsal';
import { TemporalCalls } from '../kit/rehearsal/temporal-calls';
import { aMoment } from '../kit/deadlines';

const temporal = new TemporalCalls();
let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await Rehearsal.start({ onConnection: temporal.watch });
});
afterAll(async () => {
  await rehearsal?.close();
});

const APPROVED: Settings = { approval: { beforeCrossing: true } };
let hosts = 0;
const newHost = (): string => `shared-${++hosts}`;

/** A provider with one gateway site on each of these hosts. */
const onHosts = (id: string, on: string[], settings: Settings = {}): Promise<Upgrade> =>
  rehearsal.provider({ id, instances: on.length, openTasks: 0, gateways: on.map((host) => ({ host })) }, settings);

const waitsForApproval = (upgrade: Upgrade) =>
  upgrade.statusWhen(({ gates }) => gates.some(({ step }) => step === 'approveCrossing'));
const waitsForHost = (upgrade: Upgrade, host: string, owner: Upgrade) =>
  upgrade.statusWhen(({ steps }) =>
    steps.some(
      ({ note }) =>
        note ===
        `waits for ${host}, which belongs to upgrade/${owner.provider} until that has upgraded its instances or ended`,
    ),
  );
const approve = (upgrade: Upgrade) => upgrade.workflow.signal('approveCrossing', { by: 'anton', reason: 'agreed' });

const CHANGES = ['backup', 'stage', 'setup', 'reset', 'restore'];
const changesOf = (host: string): JournalEntry[] =>
  rehearsal.sandbox.journal
    .entries({ kind: 'call', system: 'host', host })
    .filter(({ name }) => CHANGES.includes(name));
const lastSeq = (): number => rehearsal.sandbox.journal.entries().at(-1)?.seq ?? 0;
const claimFile = (host: string): string =>
  path.join(hostProgramData(path.join(rehearsal.sandbox.dataDirectory, 'hosts'), host), 'Onward', 'claim.json');

async function expectUpgraded(...upgrades: Upgrade[]): Promise<void> {
  for (const upgrade of upgrades) {
    await upgrade.operate();
    expect(await upgrade.result()).toMatchObject({ to: '18.4.1' });
  }
}

test('the second waits without a change and without growing, says for whom, and goes on once the first has upgraded its instances', async () => {
  const host = newHost();
  const first = await onHosts('first', [host], APPROVED);
  const second = await onHosts('second', [host]);
  await first.start({ startedBy: 'ana' });
  await waitsForApproval(first);
  const changes = changesOf(host).length;

  await second.start();
  await waitsForHost(second, host, first);
  const { historyLength } = await second.workflow.describe();
  const waits = async () => (await second.workflow.describe()).raw.pendingActivities?.[0];
  let wait = await waits();
  for (; wait?.activityType?.name !== 'awaitClaimEnd' || (wait.attempt ?? 0) < 3; wait = await waits()) await aMoment();
  expect(wait.lastFailure?.message).toContain('free when that upgrade has upgraded its instances or ended');
  expect((await second.workflow.describe()).historyLength).toBeLessThanOrEqual(historyLength + 1);
  expect(changesOf(host)).toHaveLength(changes);

  await approve(first);
  await expectUpgraded(first, second);
  const [upgraded] = rehearsal.sandbox.journal.entries({ name: 'instanceUpgraded', provider: first.provider });
  const [setUp] = rehearsal.sandbox.journal.entries({ name: 'setupRan', provider: second.provider });
  expect(setUp?.seq).toBeGreaterThan(upgraded?.seq ?? Infinity);
});

testInFull.each(['refuse', 'effectThenNoAnswer'])(
  'one that waits while Temporal answers nothing about the first (%s) tells why, and goes on once it answers again',
  async (kind) => {
    const host = newHost();
    const first = await onHosts(`asked-for-${kind.toLowerCase()}`, [host], APPROVED);
    const second = await onHosts(`asks-${kind.toLowerCase()}`, [host]);
    await first.start({ startedBy: 'ana' });
    await waitsForApproval(first);
    await second.start();
    await waitsForHost(second, host, first);
    const call = 'DescribeWorkflowExecution';
    const { faults } = rehearsal.sandbox;
    const rule = faults.add({ provider: second.provider, system: 'temporal', call, kind, times: Infinity });
    const problem = async () =>
      (await second.workflow.describe()).raw.pendingActivities?.find(
        ({ activityType }) => activityType?.name === 'awaitClaimEnd',
      )?.lastFailure?.message ?? '';
    for (; !(await problem()).startsWith('Temporal: '); await aMoment());
    expect(await problem()).toContain(`Temporal: reading the state of upgrade/${first.provider} failed: `);
    expect(await problem()).toContain('Look at the Temporal server');
    expect(changesOf(host).filter(({ provider }) => provider === second.provider)).toEqual([]);

    await approve(first);
    await expectUpgraded(first);
    // The host is free, and nobody can know it.
    expect((await second.status()).steps).toContainEqual(
      expect.objectContaining({ name: 'upgradeEndpoints', state: 'running' }),
    );
    faults.remove(rule);
    await expectUpgraded(second);
  },
);

testInFull('an undo of the first is over before the second changes anything', async () => {
  const host = newHost();
  const first = await onHosts('undone', [host], APPROVED);
  const second = await onHosts('patient', [host]);
  await first.start({ startedBy: 'ana' });
  await waitsForApproval(first);
  await second.start();
  await waitsForHost(second, host, first);
  await first.workflow.signal('abort', { by: 'bo', reason: 'wrong night' });
  await expect(first.result()).rejects.toMatchObject({ cause: { type: 'Aborted' } });
  await expectUpgraded(second);
  const [restored] = rehearsal.sandbox.journal.entries({ name: 'siteRestored', provider: first.provider });
  const reset = rehearsal.sandbox.journal
    .entries({ name: 'iisReset', host })
    .find(({ seq }) => seq > (restored?.seq ?? Infinity));
  const [setUp] = rehearsal.sandbox.journal.entries({ name: 'setupRan', provider: second.provider });
  expect(setUp?.seq).toBeGreaterThan(reset?.seq ?? Infinity);
});

testInFull('one that waits can be aborted, and the host is not touched for it', async () => {
  const host = newHost();
  const first = await onHosts('owner', [host], APPROVED);
  const second = await onHosts('gives-up', [host]);
  const before = await second.state();
  await first.start({ startedBy: 'ana' });
  await waitsForApproval(first);
  const seq = lastSeq();
  await second.start();
  await waitsForHost(second, host, first);
  await second.workflow.signal('abort', { by: 'bo', reason: 'takes too long' });
  await expect(second.result()).rejects.toMatchObject({ cause: { type: 'Aborted' } });
  expect(await second.state()).toEqual(before);
  expect(changesOf(host).filter((entry) => entry.seq > seq)).toEqual([]);
  await approve(first);
  await expectUpgraded(first);
});

testInFull('a terminated upgrade leaves no host locked, neither for others nor for itself', async () => {
  const host = newHost();
  const first = await onHosts('terminated', [host], APPROVED);
  const second = await onHosts('heir', [host]);
  await first.start({ startedBy: 'ana' });
  await waitsForApproval(first);
  await first.workflow.terminate('the operator knows what this means');
  await second.start();
  await expectUpgraded(second);
  await first.start({ startedBy: 'ana', finish: true });
  await expect(first.result()).rejects.toMatchObject({ cause: { type: 'Aborted' } });
  await first.start({ startedBy: 'ana' });
  await waitsForApproval(first);
  await approve(first);
  await expectUpgraded(first);
});

testInFull('a reset of the workflow goes on with its claim', async () => {
  const host = newHost();
  const first = await onHosts('reset', [host], APPROVED);
  const second = await onHosts('waits-on', [host]);
  await first.start({ startedBy: 'ana' });
  await waitsForApproval(first);
  await first.reset((events) => events.findLast((event) => event.workflowTaskCompletedEventAttributes));
  await second.start();
  await waitsForHost(second, host, first);
  await rehearsal.client.workflow.getHandle(first.workflow.workflowId).terminate();
  await expectUpgraded(second);
});

testInFull('two upgrades that share two hosts never wait for each other', async () => {
  const [one, other] = [newHost(), newHost()];
  const first = await onHosts('ascending', [one, other]);
  const second = await onHosts('descending', [other, one]);
  await Promise.all([first.start(), second.start()]);
  await Promise.all([expectUpgraded(first), expectUpgraded(second)]);
});

test.each([
  [
    'of another Temporal namespace',
    JSON.stringify({
      operation: 'elsewhere/18.3-18.4.1/x',
      workflowId: 'upgrade/elsewhere',
      run: 'x',
      namespace: 'x',
      at: '2026-01-01T00:00:00Z',
    }),
    'another Temporal namespace',
  ],
  ['that cannot be read', '{"upgr', 'cannot be read'],
])('a claim %s stands: what was done is undone, and the message says what to do', async (what, claim, says) => {
  const host = newHost();
  const upgrade = await onHosts(`claim-${what.replaceAll(' ', '-')}`.toLowerCase(), [host]);
  const before = await upgrade.state();
  // Where Onward itself has made the folder, so that it is trusted.
  const trusted = { path: 'ProgramData/Onward', list: 'D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)' };
  await fetch(new URL(`hosts/${host}/access`, rehearsal.sandbox.urls.sim), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(trusted),
  });
  writeFileSync(claimFile(host), claim);
  await upgrade.start();
  await expect(upgrade.result()).rejects.toMatchObject({
    cause: { type: 'StepFailed', message: expect.stringMatching(`${host}: the claim.*${says}.*claim.json`) as string },
  });
  expect(await upgrade.state()).toEqual(before);
  expect(changesOf(host)).toEqual([]);
  expect(readFileSync(claimFile(host), 'utf8')).toBe(claim);
});
