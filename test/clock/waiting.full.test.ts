/** @needs java */
import { ApplicationFailure } from '@temporalio/common';
import { FAILURE, noticeWorkflowId, type Notice } from '../../src/contract/activities';
import type { UpgradeInput } from '../../src/contract/upgrade-input';
import { endpointTaskQueue, upgradeWorkflowId } from '../../src/contract/provider';
import type { UpgradeResult } from '../../src/contract/status';
import { Guard } from '../kit/handles/guard';
import { profile, stubActivities, type StubActivities } from '../kit/stub-world/stub-activities';
import { answerEverything, statusOf, statusWhen, type UpgradeHandle } from '../kit/stub-world/workflow-environment';
import { Notices } from './notices';
import { DAY, SimulatedTime } from './simulated-time';

const HOUR = 3_600_000;
/** After 1, 3 and 7 days, then every week: 200 days of them. */
const LADDER = [1, 3, ...Array.from({ length: 28 }, (_, week) => 7 * (week + 1))];

describe('an upgrade that waits for people, over months', () => {
  let time: SimulatedTime;
  beforeEach(async () => {
    time = await SimulatedTime.start();
  });
  afterEach(() => time.close());

  async function upgrading(
    settings: object = {},
    world: Partial<StubActivities> = {},
    version?: string,
  ): Promise<{ handle: UpgradeHandle; notices: Notices; calls: string[]; guards: Guard[] }> {
    const provider = 'contoso';
    const notices = new Notices(time);
    const { activities, calls } = stubActivities(profile(provider, settings), {
      version,
      change: { notify: notices.notify, ...world },
    });
    await time.serve(provider, activities);
    await time.serve(endpointTaskQueue(`host-of-${provider}`), activities);
    const handle: UpgradeHandle = await time.client.workflow.start<(input: UpgradeInput) => Promise<UpgradeResult>>(
      'upgradeProvider',
      { workflowId: upgradeWorkflowId(provider), taskQueue: provider, args: [{ provider, startedBy: 'bo' }] },
    );
    const guards = [1, 2].map((instance) => Guard.of(time.client, provider, instance));
    return { handle, notices, calls, guards };
  }

  const hours = (seconds = 0): number => Math.floor(seconds / 3600);
  const hoursOff = ({ body }: Notice): number => Number(/Provisioning has been off for (\d+) h/.exec(body)?.[1]);

  test('gates are brought back to mind after 1, 3 and 7 days, then weekly, and after 200 days nothing was taken for a yes', async () => {
    const { handle, notices, calls } = await upgrading();
    const { gates } = await statusWhen(handle, (status) => status.gates.length === 2);
    const [opened] = gates.map(({ openedAt }) => Date.parse(openedAt));
    await time.pass(200 * DAY);

    expect(notices.daysAfter(opened ?? 0, 'gatesOpened')).toEqual([0]);
    expect(notices.daysAfter(opened ?? 0, 'reminder')).toEqual(LADDER);
    expect(notices.of('reminder').at(-1)?.body).toContain('Consent for instance "CSP US"');
    const status = await statusOf(handle);
    expect(status).toMatchObject({ state: 'waiting', step: 'acquireRefreshTokens' });
    expect(status.gates.map(({ id }) => id)).toEqual(gates.map(({ id }) => id));
    expect(status.gates.map(({ nextReminderAt }) => nextReminderAt)).toEqual(
      gates.map(() => new Date((opened ?? 0) + 203 * DAY).toISOString()),
    );
    expect(calls).not.toContain('activateTemplate 16');
  });

  test('every reminder says for how long provisioning has been off, and so does the end', async () => {
    const { handle, notices } = await upgrading();
    await statusWhen(handle, (status) => status.gates.length === 2);
    await time.pass(10 * DAY);
    expect(notices.of('reminder').map(hoursOff)).toEqual([24, 72, 168]);

    await answerEverything(handle);
    const { switchedOffSeconds } = await handle.result();
    expect(hours(switchedOffSeconds['provisioning'])).toBe((10 * DAY) / HOUR);
  });

  test('a gate that opens after the first reminder begins the ladder anew, for everything that is open', async () => {
    const { handle, notices } = await upgrading({ connectionTest: { adapter: 'gate' } });
    const { gates } = await statusWhen(handle, (status) => status.gates.length === 2);
    const opened = Date.parse(gates[0]?.openedAt ?? '');
    await time.pass(2 * DAY);
    await handle.signal('consentCompleted', { instance: '1', by: 'ana' });
    await statusWhen(handle, (status) => status.gates.some(({ item }) => item === 'connection-1'));
    await time.pass(8.5 * DAY);

    expect(notices.daysAfter(opened, 'gatesOpened')).toEqual([0, 2]);
    expect(notices.daysAfter(opened, 'reminder')).toEqual([1, 3, 5, 9]);
  });

  test('before the crossing an approval is waited for just as long, and an abort after 200 days still undoes everything', async () => {
    const { handle, notices, calls } = await upgrading({ approval: { beforeCrossing: true } }, {}, '18.4');
    const { gates } = await statusWhen(handle, (status) => status.gates.length === 1);
    await time.pass(200 * DAY);
    expect(notices.daysAfter(Date.parse(gates[0]?.openedAt ?? ''), 'reminder')).toEqual(LADDER);
    expect(await statusOf(handle)).toMatchObject({ crossed: false, step: 'approveCrossing' });
    expect(calls).not.toContain('importPackage');

    await handle.signal('abort', { by: 'ana', reason: 'nobody wants it' });
    const { switchedOffSeconds } = await statusWhen(handle, ({ state }) => state === 'rolledBack');
    expect(calls.slice(-3)).toEqual(['restoreSite Office365GatewaySite01', 'resetIis rollback', 'activateTemplate 16']);
    expect(hours(switchedOffSeconds['provisioning'])).toBe((200 * DAY) / HOUR);
  });

  test('a hold is brought back to mind by the same ladder', async () => {
    const upgradeInstance = async (): Promise<never> => {
      throw ApplicationFailure.nonRetryable('upgradeInstance says no', FAILURE.rejected);
    };
    const { handle, notices } = await upgrading({}, { upgradeInstance }, '18.4');
    const { holds } = await statusWhen(handle, (status) => status.holds.length === 1);
    await time.pass(30 * DAY);
    expect(notices.of('held')).toHaveLength(1);
    expect(notices.daysAfter(Date.parse(holds[0]?.since ?? ''), 'reminder')).toEqual([1, 3, 7, 14, 21, 28]);
    expect(await statusOf(handle)).toMatchObject({ state: 'held' });
  });

  test('a provider has reminders as it wants them', async () => {
    const { handle, notices } = await upgrading({ reminders: { days: [0.5, 2], thenEveryDays: 10 } });
    const { gates } = await statusWhen(handle, (status) => status.gates.length === 2);
    await time.pass(35 * DAY);
    expect(notices.daysAfter(Date.parse(gates[0]?.openedAt ?? ''), 'reminder')).toEqual([0.5, 2, 12, 22, 32]);
  });

  test('an upgrade that completes leaves a guard for every instance, whose clock began with the consent', async () => {
    const { handle, notices, guards } = await upgrading();
    const { gates } = await statusWhen(handle, (status) => status.gates.length === 2);
    const opened = Date.parse(gates[0]?.openedAt ?? '');
    await time.pass(20 * DAY);
    await handle.signal('consentCompleted', { instance: '1', by: 'ana' });
    await statusWhen(handle, (status) => !status.gates.some(({ item }) => item === '1'));
    await time.pass(20 * DAY);
    await answerEverything(handle);
    await handle.result();
    await notices.told('completed');
    for (const notice of notices.of('completed')) await time.endsAsOrphan(noticeWorkflowId(notice));

    const statuses = await Promise.all(guards.map((guard) => guard.status()));
    expect(statuses.map(({ consentedAt }) => Math.floor((Date.parse(consentedAt) - opened) / DAY))).toEqual([20, 40]);
    expect(statuses).toEqual([
      expect.objectContaining({ state: 'valid', assumed: false, instance: { id: 1, name: 'CSP EMEA' } }),
      expect.objectContaining({ state: 'valid', assumed: false, instance: { id: 2, name: 'CSP US' } }),
    ]);
    await time.pass(41 * DAY);
    expect(notices.of('consentExpiring').map(({ subject }) => subject)).toEqual([
      expect.stringMatching(/CSP EMEA.* expires in 30 days/),
    ]);
  });
});
