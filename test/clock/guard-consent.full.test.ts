/** @needs java */
import { frozen } from '../../src/inventory/frozen-profile';
import { ApplicationFailure } from '@temporalio/common';
import { FAILURE } from '../../src/contract/activities';
import { CONSENT_MEMO, type GuardInput } from '../../src/contract/consent';
import type { ConnectionTestResult } from '../../src/contract/facts';
import { stateAttribute } from '../../src/temporal/search-attributes';
import { Guard } from '../kit/handles/guard';
import { profile, stubActivities, type StubActivities } from '../kit/stub-world/stub-activities';
import { Notices } from './notices';
import { DAY, SimulatedTime } from './simulated-time';

const FAILS: ConnectionTestResult = {
  ok: false,
  checks: [{ name: 'Graph', ok: false, message: 'AADSTS700082: the refresh token has expired' }],
};
const WORKS: ConnectionTestResult = { ok: true, checks: [] };
const iso = (time: number): string => new Date(time).toISOString();

describe('the guard of a consent, over months', () => {
  let time: SimulatedTime;
  beforeEach(async () => {
    time = await SimulatedTime.start();
  });
  afterEach(() => time.close());

  /** A guard whose clock starts now unless said otherwise. */
  async function guarded(
    input: Partial<GuardInput> = {},
    world: Partial<StubActivities> = {},
    settings: object = {},
  ): Promise<{ guard: Guard; notices: Notices; began: number }> {
    const entry = profile('contoso', settings);
    const notices = new Notices(time);
    await time.serve('contoso', stubActivities(entry, { change: { notify: notices.notify, ...world } }).activities);
    const began = await time.now();
    const guard = await Guard.start(time.client, 'contoso', entry, { consentedAt: iso(began), ...input });
    return { guard, notices, began };
  }

  test('it warns 30, 14, 7, 3 and 1 days before the end, says when the token has expired, and does not let go', async () => {
    const { guard, notices, began } = await guarded();
    expect(await guard.status()).toMatchObject({ state: 'valid', expiresAt: iso(began + 90 * DAY), assumed: false });

    await time.pass(89.9 * DAY);
    expect(notices.daysAfter(began, 'consentExpiring')).toEqual([60, 76, 83, 87, 89]);
    expect(notices.of('consentExpiring').map(({ subject }) => subject)).toEqual(
      [30, 14, 7, 3, 1].map((days) => expect.stringMatching(`expires in ${days} days?$`) as string),
    );
    expect(await guard.status()).toMatchObject({ state: 'expiring', nextNoticeAt: iso(began + 90 * DAY) });

    await time.pass(110.1 * DAY);
    expect(notices.daysAfter(began, 'consentExpired').slice(0, 8)).toEqual([90, 91, 93, 97, 104, 111, 118, 125]);
    expect(notices.daysAfter(began, 'consentExpired').at(-1)).toBe(195);
    expect(notices.of('consentExpired')[0]?.body).toContain('cannot manage or create subscriptions');
    const status = await guard.status();
    expect(status).toMatchObject({ state: 'expired', consentedAt: iso(began) });
    const { typedSearchAttributes, memo } = await guard.handle.describe();
    expect(typedSearchAttributes.get(stateAttribute)).toBe('expired');
    expect(memo?.[CONSENT_MEMO]).toEqual(status);
  });

  test('a renewal resets the clock', async () => {
    const { guard, notices, began } = await guarded();
    await time.pass(80 * DAY);
    const status = await guard.renew();
    expect(status).toMatchObject({ state: 'valid', renewals: 1 });
    const renewed = Date.parse(status.consentedAt);
    expect(Math.floor((renewed - began) / DAY)).toBe(80);
    await time.pass(90.5 * DAY);
    expect(notices.daysAfter(renewed, 'consentExpiring').slice(2)).toEqual([60, 76, 83, 87, 89]);
    expect(notices.daysAfter(renewed, 'consentExpired')).toEqual([90]);
  });

  test('a renewal that the connection test refuses changes nothing, and people hear why', async () => {
    let answer = WORKS;
    const { guard, notices, began } = await guarded({}, { testConnection: async () => answer });
    await time.pass(80 * DAY);
    answer = FAILS;
    const refused = await guard.renew();
    answer = WORKS;
    expect(refused).toMatchObject({
      state: 'expiring',
      consentedAt: iso(began),
      renewals: 0,
      lastProblem: expect.stringContaining('AADSTS700082'),
    });
    await notices.told('renewalRefused');
    expect(notices.of('renewalRefused')).toEqual([
      expect.objectContaining({
        subject: expect.stringContaining('does not count'),
        body: expect.stringContaining('AADSTS700082'),
      }),
    ]);
    await time.pass(11 * DAY);
    expect(notices.daysAfter(began, 'consentExpiring', 'consentExpired')).toEqual([60, 76, 83, 87, 89, 90, 91]);
  });

  test('a token that a policy ends after 13 days is noticed within a day, brought to mind, and well again once it is renewed', async () => {
    let answer = WORKS;
    const { guard, notices, began } = await guarded({}, { testConnection: async () => answer });
    await time.pass(12.5 * DAY);
    expect(notices.all).toEqual([]);
    const { state, test: first } = await guard.status();
    expect({ state, result: first?.result }).toEqual({ state: 'valid', result: 'succeeds' });
    expect((Date.parse(first?.since ?? '') - began) / DAY).toBeCloseTo(1, 1);
    answer = {
      ok: false,
      checks: [{ name: 'Graph', ok: false, message: 'AADSTS50078: multi-factor authentication has expired' }],
    };
    await time.pass(DAY);
    expect(notices.of('connectionFails')).toEqual([
      expect.objectContaining({
        subject: expect.stringMatching(/Test Connection fails$/) as string,
        body: expect.stringContaining('AADSTS50078') as string,
      }),
    ]);
    const status = await guard.status();
    expect(status).toMatchObject({ state: 'failing', test: { result: 'fails' }, consentedAt: iso(began) });
    expect(Date.parse(status.test?.since ?? '') - began).toBeLessThan(13.1 * DAY);
    const { typedSearchAttributes } = await guard.handle.describe();
    expect(typedSearchAttributes.get(stateAttribute)).toBe('failing');

    await time.pass(20 * DAY);
    expect(notices.daysAfter(Date.parse(status.test?.since ?? ''), 'connectionFails')).toEqual([0, 1, 3, 7, 14]);
    answer = WORKS;
    expect(await guard.renew()).toMatchObject({ state: 'valid', renewals: 1 });
    await time.pass(10 * DAY);
    expect(notices.all.at(-1)?.notice.kind).toBe('consentRenewed');
    expect(await guard.status()).toMatchObject({ state: 'valid', test: { result: 'succeeds' } });
  });

  test('a connection that could not be tested is told, is no word against the token, and is told again when it works', async () => {
    let known = true;
    const { guard, notices } = await guarded(
      {},
      {
        testConnection: async () => {
          if (!known) throw ApplicationFailure.nonRetryable('No account in the inventory.', FAILURE.accessDenied);
          return WORKS;
        },
      },
    );
    known = false;
    await time.pass(2.5 * DAY);
    expect(await guard.status()).toMatchObject({ state: 'valid', test: { result: 'notMade' } });
    expect(notices.of('connectionFails').map(({ subject, body }) => subject + body)).toEqual(
      Array<unknown>(2).fill(expect.stringMatching(/could not be tested.*No account in the inventory/s)),
    );
    known = true;
    await time.pass(DAY);
    expect(notices.all.at(-1)?.notice).toMatchObject({ kind: 'connectionWorks' });
    expect(await guard.status()).toMatchObject({ test: { result: 'succeeds' } });
  });

  test('where no adapter can test, nothing is tested; from the day on that one can, it is', async () => {
    let adapter: 'gate' | 'sandbox' = 'gate';
    let tested = 0;
    const { guard } = await guarded(
      {},
      {
        loadProvider: async () => frozen(profile('contoso', { connectionTest: { adapter } })),
        testConnection: async () => {
          tested += 1;
          return WORKS;
        },
      },
      { connectionTest: { adapter } },
    );
    await time.pass(50 * DAY);
    expect(tested).toBe(0);
    expect(await guard.status()).not.toHaveProperty('test');
    adapter = 'sandbox';
    // A guard reads the inventory when it has something to tell: at day 60.
    await time.pass(20.5 * DAY);
    expect(tested).toBe(10);
  });

  test('an expired token can still be renewed', async () => {
    let answer: ConnectionTestResult = FAILS;
    const { guard, notices } = await guarded({}, { testConnection: async () => answer });
    await time.pass(120 * DAY);
    expect(await guard.renew()).toMatchObject({ state: 'expired', renewals: 0 });
    answer = WORKS;
    const status = await guard.renew();
    expect(status).toMatchObject({ state: 'valid', renewals: 1 });
    expect(status.lastProblem).toBeUndefined();
    await time.pass(59 * DAY);
    expect(notices.of('consentRenewed')).toHaveLength(1);
    expect(notices.all.at(-1)?.notice.kind).toBe('consentRenewed');
  });

  test('without an adapter a renewal waits for an operator who has seen Test Connection succeed, and never counts by itself', async () => {
    const { guard, notices, began } = await guarded({}, {}, { connectionTest: { adapter: 'gate' } });
    await time.pass(10 * DAY);
    const { renewal } = await guard.renew();
    await notices.told('gatesOpened');

    await time.pass(200 * DAY);
    expect(await guard.status()).toMatchObject({ state: 'expired', consentedAt: iso(began), renewals: 0, renewal });
    expect(notices.daysAfter(Date.parse(renewal?.askedAt ?? ''), 'reminder').slice(0, 5)).toEqual([1, 3, 7, 14, 21]);

    // The first report is older by now than a token lives; who has renewed again says so, and that day counts.
    await guard.renew({ by: 'cy' });
    await time.pass(2 * DAY);
    await guard.handle.signal('confirmRenewal', { by: 'bo', evidence: 'both green' });
    const status = await guard.statusWhen((now) => now.renewal === undefined);
    expect(status).toMatchObject({ state: 'valid', renewals: 1 });
    expect(Math.floor((Date.parse(status.consentedAt) - began) / DAY)).toBe(210);
  });

  test('what nobody could tell in time is told at once, by one notice', async () => {
    const { notices } = await guarded({ consentedAt: iso((await time.now()) - 85 * DAY) });
    await time.pass(1.5 * DAY);
    expect(notices.of('consentExpiring').map(({ subject }) => subject)).toEqual([
      expect.stringContaining('expires in 5 days'),
    ]);
    await time.pass(DAY);
    expect(notices.of('consentExpiring')).toHaveLength(2);
  });

  test('it goes by the inventory as it is on the day, and by what it knew last where that cannot be read', async () => {
    let known = true;
    const { guard, notices, began } = await guarded(
      {},
      {
        loadProvider: async () => {
          if (!known) throw ApplicationFailure.nonRetryable('Nobody knows contoso.', FAILURE.unknownProvider);
          return frozen(profile('contoso', { reminders: { days: [2], thenEveryDays: 2 } }));
        },
      },
    );
    await time.pass(85 * DAY);
    known = false;
    await time.pass(12 * DAY);
    expect(notices.daysAfter(began, 'consentExpired')).toEqual([90, 92, 94, 96]);
    expect(await guard.audit()).toContainEqual(
      expect.objectContaining({ what: 'inventory', detail: expect.stringContaining('Nobody knows contoso') }),
    );
  });

  test('it goes on for years in short runs, and keeps what it knows', async () => {
    const { guard, notices, began } = await guarded({ historyLimit: 200 });
    const { runId: firstRun } = await guard.handle.describe();
    for (let renewal = 1; renewal <= 6; renewal++) {
      await time.pass(85 * DAY);
      await guard.handle.signal('consentRenewed', { by: 'ana' });
      // This server loses a query that comes while a run hands over to the next; a notice it does not.
      await notices.told('consentRenewed', renewal);
    }
    await time.pass(DAY);
    const status = await guard.status();
    expect(status).toMatchObject({ state: 'valid', renewals: 6 });
    expect((Date.parse(status.consentedAt) - began) / DAY).toBeCloseTo(6 * 85, 1);
    expect(notices.of('consentExpiring')).toHaveLength(3 * 6);
    expect(notices.of('consentExpired')).toEqual([]);
    expect((await guard.audit()).filter(({ what }) => what === 'renewal')).toHaveLength(6);
    const { runId, historyLength } = await guard.handle.describe();
    expect(runId).not.toBe(firstRun);
    expect(historyLength).toBeLessThan(240);
  });
});
