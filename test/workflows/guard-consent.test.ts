/** @needs temporal */
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { FAILURE, type Notice } from '../../src/contract/activities';
import type { GuardInput } from '../../src/contract/consent';
import { frozen } from '../../src/inventory/frozen-profile';
import { Guard } from '../kit/handles/guard';
import { profile, stubActivities, type StubActivities } from '../kit/stub-world/stub-activities';
import { WorkflowEnvironment, answerEverything, statusOf } from '../kit/stub-world/workflow-environment';
import { aMoment } from '../kit/deadlines';
import { testInFull } from '../kit/extent';

const DAY = 24 * 3600 * 1000;
const daysAgo = (days: number): string => new Date(Date.now() - days * DAY).toISOString();

let environment: WorkflowEnvironment;
beforeAll(async () => {
  environment = await WorkflowEnvironment.start();
});
afterAll(async () => {
  await environment?.close();
});

/** A guard whose clock began ten days ago unless said otherwise. */
async function guarded(
  provider: string,
  input: Partial<GuardInput> = {},
  world: Partial<StubActivities> = {},
): Promise<Guard> {
  const entry = profile(provider);
  await environment.serveOnce(provider, stubActivities(entry, { change: world }).activities);
  return await Guard.start(environment.client, `test/${provider}`, entry, { consentedAt: daysAgo(10), ...input });
}

async function failureOf({ handle }: Guard): Promise<Error | undefined> {
  const error: unknown = await handle.result().catch((failure: unknown) => failure);
  return error instanceof WorkflowFailedError ? error.cause : undefined;
}

describe('the guard of a consent', () => {
  test('refuses answers that cannot be right, says why, and changes nothing', async () => {
    const consentedAt = daysAgo(10);
    const guard = await guarded('answers', { consentedAt });
    const before = await guard.status();
    for (const [name, payload, reason] of [
      ['consentRenewed', { by: 'ana', at: daysAgo(-1) }, 'lies in the future'],
      ['consentRenewed', { by: 'ana', at: daysAgo(91) }, 'has expired'],
      ['consentRenewed', { by: 'ana', at: consentedAt }, 'is known already'],
      ['consentRenewed', { by: 'ana', at: 'last Friday' }, 'at must be a time like'],
      ['consentRenewed', { by: '' }, 'by must not be empty'],
      ['consentRenewed', { by: 'ana', instance: '1' }, 'instance'],
      ['consentRenewed', 'ana', 'was not understood'],
      ['confirmRenewal', { by: 'ana' }, 'evidence must be a text'],
      ['confirmRenewal', { by: 'ana', evidence: 'seen' }, 'No renewal waits'],
    ] as const)
      expect(await guard.refusal(name, payload)).toContain(reason);
    await guard.handle.signal('consentRenewed', { by: 'mallory', at: 'x'.repeat(100_000) });
    const audit = await guard.audit();
    expect(audit.at(-1)).toMatchObject({ by: 'mallory', what: 'signal:consentRenewed', verdict: 'refused' });
    expect(JSON.stringify(audit).length).toBeLessThan(10_000);
    expect(await guard.status()).toEqual(before);
  });

  testInFull('counts a renewal from the day on which it was given, where that was earlier', async () => {
    const guard = await guarded('earlier', { consentedAt: daysAgo(80) });
    const at = daysAgo(5);
    expect(await guard.renew({ by: 'ana', at })).toMatchObject({ state: 'valid', consentedAt: at, renewals: 1 });
  });

  test('does not believe a renewal that nobody can test', async () => {
    const guard = await guarded(
      'untested',
      {},
      {
        testConnection: async () => {
          throw ApplicationFailure.nonRetryable('No account in the inventory.', FAILURE.accessDenied);
        },
      },
    );
    const { consentedAt } = await guard.status();
    expect(await guard.renew()).toMatchObject({
      consentedAt,
      renewals: 0,
      lastProblem: expect.stringContaining('No account in the inventory'),
    });
  });

  test('does not count a renewal because the token of the inventory works: somebody confirms it, and reads what contradicts', async () => {
    let works = true;
    const guard = await guarded(
      'evidence',
      {},
      {
        loadProvider: async () =>
          frozen(
            profile('evidence', {
              connectionTest: {
                adapter: 'microsoft',
                clientId: 'client',
                clientSecret: 'env:CLIENT_SECRET',
                accounts: { 'CSP EMEA': { tenant: 'contoso.example', refreshToken: 'env:TOKEN' } },
              },
            }),
          ),
        testConnection: async () => ({
          ok: works,
          checks: [{ name: 'Graph', ok: works, ...(works ? {} : { message: 'the token has expired' }) }],
        }),
      },
    );
    expect(await guard.renew()).toMatchObject({ renewals: 0, renewal: { askedAt: expect.any(String) as string } });
    await guard.handle.signal('confirmRenewal', { by: 'bo', evidence: 'both green' });
    expect(await guard.statusWhen(({ renewal }) => renewal === undefined)).toMatchObject({ renewals: 1 });
    works = false;
    const { renewal } = await guard.renew({ by: 'cy' });
    expect(renewal?.contradiction).toContain('token has expired');
    await guard.handle.signal('confirmRenewal', { by: 'bo', evidence: 'both green' });
    expect(await guard.statusWhen((status) => status.renewal === undefined)).toMatchObject({ renewals: 2 });
    expect((await guard.audit()).at(-1)?.detail).toContain('token has expired');
  });

  test.each([
    [{ adapter: 'sandbox' } as const, 'Test Connection of "CSP EMEA" fails'],
    [
      {
        adapter: 'microsoft',
        clientId: 'client',
        clientSecret: 'env:CLIENT_SECRET',
        accounts: { 'CSP EMEA': { tenant: 'contoso.example', refreshToken: 'env:TOKEN' } },
      } as const,
      'asks with the token of the inventory',
    ],
  ])(
    'tests the connection by itself, and tells what fails long before the 90 days are over: %j',
    async (entry, words) => {
      const provider = `fails-${entry.adapter}`;
      const told: Notice[] = [];
      const guard = await guarded(
        provider,
        { looksAt: daysAgo(1) },
        {
          loadProvider: async () => frozen(profile(provider, { connectionTest: entry })),
          notify: async ({ notice }) => void told.push(notice),
          testConnection: async () => ({
            ok: false,
            checks: [{ name: 'Graph', ok: false, message: 'AADSTS53003: access has been blocked' }],
          }),
        },
      );
      const status = await guard.statusWhen(({ test }) => test !== undefined);
      expect(status).toMatchObject({ state: 'failing', test: { result: 'fails' } });
      expect(status.test?.problem).toContain(words);
      expect(status.test?.problem).toContain('AADSTS53003');
      const audit = await guard.audit();
      expect(audit).toContainEqual(
        expect.objectContaining({ by: 'guard', what: 'connectionTest', verdict: 'refused' }),
      );
      while (told.length === 0) await aMoment();
      expect(told).toEqual([expect.objectContaining({ kind: 'connectionFails' })]);
      expect(Date.parse(status.nextNoticeAt)).toBeLessThan(Date.now() + 1.1 * DAY);
    },
  );

  test('what failed stands until it was seen to succeed: not while nobody can be asked; and no longer than an adapter can test', async () => {
    const test = { result: 'fails', problem: 'AADSTS50078', at: daysAgo(1), since: daysAgo(2) } as const;
    const notMade = await guarded(
      'not-asked',
      { looksAt: daysAgo(1), test },
      {
        testConnection: async () => {
          throw ApplicationFailure.nonRetryable('No account in the inventory.', FAILURE.accessDenied);
        },
      },
    );
    expect(await notMade.statusWhen((status) => status.test?.unanswered !== undefined)).toMatchObject({
      state: 'failing',
      test: { ...test, unanswered: 'No account in the inventory.' },
    });

    const byHand = frozen(profile('by-hand', { connectionTest: { adapter: 'gate' } }));
    const untested = await guarded('by-hand', { looksAt: daysAgo(1), test }, { loadProvider: async () => byHand });
    expect(await untested.statusWhen((status) => status.test === undefined)).toMatchObject({ state: 'valid' });
  });

  test('asks for a new consent only where one is needed', async () => {
    const told: Notice[] = [];
    const guard = await guarded(
      'nothing-to-renew',
      { looksAt: daysAgo(1) },
      {
        notify: async ({ notice }) => void told.push(notice),
        testConnection: async () => {
          throw ApplicationFailure.nonRetryable('No account in the inventory.', FAILURE.accessDenied);
        },
      },
    );
    await guard.statusWhen(({ test }) => test !== undefined);
    while (told.length === 0) await aMoment();
    expect(told[0]?.body).toContain('no word against the token');
    expect(told[0]?.body).not.toMatch(/Manage Refresh Token|onward renew/);
  });

  testInFull('says once, and not every day, that the inventory cannot be read', async () => {
    const unreadable = {
      at: daysAgo(1),
      by: 'guard',
      what: 'inventory',
      verdict: 'refused',
      detail: 'The settings that were known last still hold: Nobody knows unread.',
    } as const;
    const guard = await guarded(
      'unread',
      { looksAt: daysAgo(1), audit: [unreadable] },
      {
        loadProvider: async () => {
          throw ApplicationFailure.nonRetryable('Nobody knows unread.', FAILURE.unknownProvider);
        },
      },
    );
    await guard.statusWhen(({ test }) => test !== undefined);
    expect(await guard.audit()).toEqual([unreadable]);
  });

  testInFull('where the date is an assumption, says so, and takes an older one from who knows better', async () => {
    const bodies: string[] = [];
    const guard = await guarded(
      'assumed',
      { consentedAt: daysAgo(61), assumed: true },
      { notify: async ({ notice }) => void bodies.push(notice.body) },
    );
    await guard.statusWhen(({ nextNoticeAt }) => Date.parse(nextNoticeAt) > Date.now());
    expect(await guard.status()).toMatchObject({ state: 'expiring', assumed: true });
    const at = daysAgo(81);
    expect(await guard.renew({ by: 'ana', at })).toMatchObject({ assumed: false, consentedAt: at });
    expect(bodies[0]).toContain('The date is an assumption');
  });

  test('loses nothing that arrives when a run hands over to the next', async () => {
    const guard = await guarded('handover', { historyLimit: 12 });
    const { runId: firstRun } = await guard.handle.describe();
    const senders = Array.from({ length: 60 }, (_, index) => `sender-${index}`);
    // Each is later than the one before, so each that finds no other under way counts.
    await Promise.all(senders.map((by) => guard.handle.signal('consentRenewed', { by })));
    await guard.statusWhen(({ renewal }) => renewal === undefined);
    const audit = await guard.audit();
    const heard = audit.filter(({ what }) => what === 'signal:consentRenewed').map(({ by }) => by);
    expect(heard.sort()).toEqual(senders.sort());
    const accepted = audit.filter(({ what, verdict }) => what.startsWith('signal') && verdict === 'accepted');
    expect(accepted.length).toBeGreaterThan(0);
    expect(await guard.status()).toMatchObject({ renewals: accepted.length });
    // Before it hands over it tells people of the last renewal.
    while ((await guard.handle.describe()).runId === firstRun) await aMoment();
    const { historyLength } = await guard.handle.describe();
    expect(historyLength).toBeLessThan(200);
  });

  test('ends when it is cancelled, because the instance is gone', async () => {
    const guard = await guarded('gone');
    await guard.handle.cancel();
    expect(await failureOf(guard)).toBeInstanceOf(CancelledFailure);
  });

  test('refuses input that is not usable, with every problem', async () => {
    const failure = await failureOf(await guarded('input', { consentedAt: 'yesterday', renewals: -1 }));
    expect(failure).toMatchObject({ type: FAILURE.invalidInput });
    expect(failure?.message).toMatch(/consentedAt: .*renewals: /);
  });
});

describe('what an upgrade leaves', () => {
  const guardsOf = (provider: string): Guard[] => [1, 2].map((id) => Guard.of(environment.client, provider, id));

  testInFull(
    'after 18.4, where nobody consents: guards that say that their clock is an assumption, from the connection test on',
    async () => {
      const { activities } = stubActivities(profile('left-18.4'), { version: '18.4' });
      const handle = await environment.upgrade(activities, { provider: 'left-18.4' });
      await answerEverything(handle);
      await handle.result();
      const { steps } = await statusOf(handle);
      const validated = steps.find(({ name }) => name === 'validate');
      for (const status of await Promise.all(guardsOf('left-18.4').map((guard) => guard.status()))) {
        expect(status).toMatchObject({ state: 'valid', assumed: true });
        expect(Date.parse(status.consentedAt)).toBeGreaterThanOrEqual(Date.parse(validated?.startedAt ?? ''));
        expect(Date.parse(status.consentedAt)).toBeLessThanOrEqual(Date.parse(validated?.endedAt ?? ''));
      }
    },
  );

  test('guards for the instances of that provider, which go on after it and are not stopped with it', async () => {
    const { activities } = stubActivities(profile('left'));
    const handle = await environment.upgrade(activities, { provider: 'left' });
    await answerEverything(handle);
    await handle.result();
    const statuses = await Promise.all(guardsOf('left').map((guard) => guard.status()));
    expect(statuses.map(({ instance, assumed }) => ({ instance, assumed }))).toEqual([
      { instance: { id: 1, name: 'CSP EMEA' }, assumed: false },
      { instance: { id: 2, name: 'CSP US' }, assumed: false },
    ]);
  });

  testInFull(
    'to a guard that runs already: word of the new consent, which it tests; a mere test would tell it nothing',
    async () => {
      const old = await guarded('left-twice', { consentedAt: daysAgo(80) });
      const { runId } = await old.handle.describe();
      const { activities } = stubActivities(profile('left-twice'));
      const handle = await environment.upgrade(activities, { provider: 'left-twice' });
      await answerEverything(handle);
      await handle.result();
      const status = await old.statusWhen(({ renewals }) => renewals === 1);
      expect(Date.parse(status.consentedAt)).toBeLessThan(Date.parse((await statusOf(handle)).endedAt ?? ''));
      expect((await old.handle.describe()).runId).toBe(runId);
      expect(await old.audit()).toContainEqual(
        expect.objectContaining({
          by: expect.stringMatching(/^left-twice\/18\.3-18\.4\.1\//) as string,
          what: 'renewal',
          verdict: 'done',
        }),
      );

      const { activities: from184 } = stubActivities(profile('left-known'), { version: '18.4' });
      await environment.serveOnce('left-known', from184);
      const known = await guarded('left-known', { consentedAt: daysAgo(80) });
      const upgrade = await environment.upgrade(from184, { provider: 'left-known' });
      await answerEverything(upgrade);
      await upgrade.result();
      expect(await known.status()).toMatchObject({ state: 'expiring', renewals: 0, assumed: false });
    },
  );
});
