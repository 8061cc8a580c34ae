import { createHash } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { createBillingActivities } from '../../activities/billing';
import { createMicrosoftActivities } from '../../activities/microsoft';
import { createNetworkActivities, type NetworkDependencies } from '../../activities/network';
import { FAILURE } from '../../src/contract/activities';
import type { ConnectionTestResult } from '../../src/contract/facts';
import { connectionTest, type ConnectionTestSetting } from '../../src/contract/provider';
import { resolveSecret } from '../../src/inventory/secrets';
import { defineAdapter } from '../../src/systems/adapter';
import { Adapters } from '../../src/systems/adapters';
import type { TestedInstance } from '../../src/systems/connection-test';
import { closeConnections } from '../../src/systems/http';
import { SystemError } from '../../src/systems/system-error';
import { activityEnvironment } from '../kit/activity-environment';
import { entriesOf } from '../kit/entries';
import { profile } from '../kit/stub-world/stub-activities';
import {
  answeringCalls,
  scriptedServer,
  SILENCE,
  type Answering,
  type ScriptedServer,
} from './support/scripted-server';

const open: ScriptedServer[] = [];
afterEach(async () => {
  closeConnections();
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function serve(answering: Answering): Promise<ScriptedServer> {
  const server = await scriptedServer(answering);
  open.push(server);
  return server;
}

const entry = { provider: 'contoso' };
const text = (part: string) => expect.stringContaining(part) as string;

describe('readBilling', () => {
  test('tells the parameters once per service template, however many plans share it', async () => {
    const parameters: Record<number, string[]> = {
      61: ['aps_defaults_o365', 'o365_based_on_email'],
      62: ['aps_defaults_o365'],
    };
    const templates: Record<number, number> = { 101: 61, 102: 61, 103: 62 };
    const server = await serve(
      answeringCalls((_, args) => {
        const { Method, Params } = args as { Method: string; Params: number[] };
        const [plan = 0, template = 0] = Params;
        if (Method === 'PlanParamsGetAndValidate_API')
          return { Result: [(parameters[template] ?? []).map((id) => [id, 0])] };
        const fields = Array.from({ length: 20 }, () => '');
        return {
          Result: [fields.map((_field, n) => (n === 1 ? `Plan ${plan}` : n === 17 ? (templates[plan] ?? 0) : 0))],
        };
      }),
    );
    const entries = entriesOf(profile('contoso', { billing: { url: server.url } }));
    const billingActivities = createBillingActivities({ entries, resolveSecret });
    const read = () => billingActivities.readBilling({ entry, plans: [101, 102, 103] });
    expect(await activityEnvironment().run(read)).toEqual({
      templates: [
        { planId: 101, planName: 'Plan 101', serviceTemplateId: 61, parameters: parameters[61] },
        { planId: 103, planName: 'Plan 103', serviceTemplateId: 62, parameters: parameters[62] },
      ],
    });
  });
});

describe('testConnection', () => {
  const instance = { id: 31, name: 'CSP EMEA', resourceId: 'eb1a5b99-cc59-4773-8d25-d583b2c9a60c' };
  const tested: unknown[] = [];
  const echo = defineAdapter({
    settings: z.strictObject({ result: z.custom<ConnectionTestResult>() }),
    create: ({ result }) => ({
      proves: true as const,
      run: async (about: TestedInstance) => {
        tested.push(about);
        return result;
      },
    }),
  });
  const adapters = new Adapters({ resolveSecret }, { connectionTest: { echo } });
  const runTest = (setting: ConnectionTestSetting) => {
    const entries = entriesOf(profile('contoso', { connectionTest: setting }));
    const activities = createMicrosoftActivities({ entries, adapters });
    return activityEnvironment().run(() => activities.testConnection({ entry, instance }));
  };

  test('gives the instance to the adapter of the entry, and tells what that says', async () => {
    const result = { ok: false, checks: [{ name: 'Graph' as const, ok: false, message: 'No consent.' }] };
    expect(await runTest({ adapter: 'echo', result })).toEqual(result);
    expect(tested).toEqual([instance]);
  });

  test('is for a person where the adapter is gate', async () => {
    await expect(runTest({ adapter: 'gate' })).rejects.toMatchObject({
      type: FAILURE.invalidInput,
      nonRetryable: true,
      message: text('A person has to press Test Connection.'),
    });
  });

  const microsoft = (accounts: object, url = 'http://127.0.0.1:1') =>
    connectionTest.parse({
      adapter: 'microsoft',
      loginUrl: url,
      partnerCenterUrl: url,
      graphUrl: url,
      clientId: 'client',
      clientSecret: 'env:TEST_CLIENT_SECRET',
      accounts,
    });

  test('with Microsoft uses the account of the instance, by name or id, and resolves its secrets', async () => {
    process.env.TEST_CLIENT_SECRET = 'client-secret';
    process.env.TEST_REFRESH_TOKEN = 'refresh-token';
    const server = await serve(() => ({
      status: 400,
      body: '{"error":"invalid_grant","error_description":"AADSTS700082: expired"}',
    }));
    const setting = microsoft(
      { '31': { tenant: 'contoso.onmicrosoft.com', refreshToken: 'env:TEST_REFRESH_TOKEN' } },
      server.url,
    );
    const result = await runTest(setting);
    expect(result).toMatchObject({ ok: false });
    expect(new URLSearchParams(server.asked[0]?.body).get('refresh_token')).toBe('refresh-token');
    expect(new URLSearchParams(server.asked[0]?.body).get('client_secret')).toBe('client-secret');
  });

  test('with an instance that has no account names what to add', async () => {
    const run = runTest(microsoft({}));
    await expect(run).rejects.toMatchObject({
      type: FAILURE.accessDenied,
      nonRetryable: true,
      message: text("Add the entry 'CSP EMEA' to connectionTest.accounts"),
    });
  });

  test('with a secret that is not there names the reference', async () => {
    delete process.env.TEST_CLIENT_SECRET;
    const setting = microsoft({ 'CSP EMEA': { tenant: 't', refreshToken: 'env:TEST_REFRESH_TOKEN' } });
    await expect(runTest(setting)).rejects.toMatchObject({
      type: FAILURE.accessDenied,
      nonRetryable: true,
      message: text('env:TEST_CLIENT_SECRET'),
    });
  });
});

describe('resolveHostnames', () => {
  const failing = (code: string) => async () => {
    throw Object.assign(new Error(code), { code });
  };
  const entries = entriesOf(profile('contoso'));
  const resolve = (names: Partial<NetworkDependencies>, ...hostnames: string[]) =>
    activityEnvironment().run(() => createNetworkActivities({ entries, ...names }).resolveHostnames({ hostnames }));

  test('gives every address once, in the order of numbers', async () => {
    const names = {
      resolve4: async () => ['10.0.0.10', '10.0.0.9', '9.255.0.1', '10.0.0.9'],
      lookup: failing('ENOTFOUND'),
    };
    expect(await resolve({ names }, 'gw.example')).toEqual({ 'gw.example': ['9.255.0.1', '10.0.0.9', '10.0.0.10'] });
  });

  test("falls back to this machine's own view", async () => {
    const names = { resolve4: failing('ECONNREFUSED'), lookup: async () => ['10.0.0.9'] };
    expect(await resolve({ names }, 'gw.example')).toEqual({ 'gw.example': ['10.0.0.9'] });
    expect(await resolve({}, '127.0.0.1')).toEqual({ '127.0.0.1': ['127.0.0.1'] });
  });

  test('gives nothing for a name that does not exist', async () => {
    const names = { resolve4: failing('ENODATA'), lookup: failing('ENOTFOUND') };
    expect(await resolve({ names }, 'gone.example')).toEqual({ 'gone.example': [] });
  });

  test('does not take a name service that is down for a name that does not exist', async () => {
    const names = { resolve4: failing('ETIMEOUT'), lookup: failing('EAI_AGAIN') };
    await expect(resolve({ names }, 'gw.example')).rejects.toMatchObject({
      type: FAILURE.unreachable,
      nonRetryable: false,
      message: text('resolving of gw.example got no answer (EAI_AGAIN)'),
    });
  });
});

describe('hashPackage', () => {
  const hash = (url: string, environment = activityEnvironment()) =>
    environment.run(() => {
      const packages = { '18.4.1': { url, sha256: 'a'.repeat(64) } };
      const entries = entriesOf(profile('contoso', { packages }));
      return createNetworkActivities({ entries }).hashPackage({ entry, version: '18.4.1' });
    });

  test('tells size and SHA-256 of the file', async () => {
    const file = Buffer.alloc(3_000_000, 'package');
    const server = await serve(() => ({ body: file }));
    expect(await hash(`${server.url}o365.zip`)).toEqual({
      bytes: 3_000_000,
      sha256: createHash('sha256').update(file).digest('hex'),
    });
  });

  test('does not hash an error page', async () => {
    const server = await serve(() => ({ status: 404, body: 'not found' }));
    await expect(hash(`${server.url}o365.zip?sig=secret`)).rejects.toMatchObject({
      type: FAILURE.rejected,
      message: expect.stringMatching(
        /^package server: GET of the package of 18\.4\.1 was answered with HTTP 404/,
      ) as string,
    });
  });

  test('does not take a download that broke off for the file', async () => {
    const server = await serve(() => ({ headers: { 'content-length': '1000', connection: 'close' }, body: 'half' }));
    await expect(hash(server.url)).rejects.toMatchObject({ type: FAILURE.outcomeUnknown, nonRetryable: false });
  });

  test('stops when the activity is cancelled', async () => {
    const environment = activityEnvironment();
    const server = await serve(() => {
      environment.cancel();
      return SILENCE;
    });
    await expect(hash(server.url, environment)).rejects.toThrow('CANCELLED');
  });
});

describe('failures as workflows see them', () => {
  const failing = (error: unknown) =>
    activityEnvironment().run(async () => {
      throw error;
    });
  const problem = {
    system: 'Operations',
    call: 'pem.activateST',
    object: 'service template 16',
    problem: 'failed',
    next: 'Look.',
  };

  test.each([
    [FAILURE.unreachable, false],
    [FAILURE.outcomeUnknown, false],
    [FAILURE.malformedAnswer, false],
    [FAILURE.notYet, false],
    [FAILURE.rejected, true],
    [FAILURE.accessDenied, true],
    [FAILURE.unexpectedState, true],
    [FAILURE.invalidInventory, true],
  ])('%s is final: %s', async (type, nonRetryable) => {
    await expect(failing(new SystemError({ type, ...problem }))).rejects.toMatchObject({
      type,
      nonRetryable,
      message: 'Operations: pem.activateST of service template 16 failed. Look.',
      details: [{ system: 'Operations', call: 'pem.activateST', object: 'service template 16' }],
    });
  });

  test('never hold a secret that this process has resolved, wherever it stood', async () => {
    process.env.TEST_SECRET = 'hunter2hunter2';
    await resolveSecret('env:TEST_SECRET');
    const errors = [
      new SystemError({ type: FAILURE.rejected, ...problem, problem: 'was refused: wrong password hunter2hunter2' }),
      new Error('outer hunter2hunter2', { cause: new Error('inner hunter2hunter2') }),
      ApplicationFailure.create({ message: 'hunter2hunter2', details: [{ log: ['with hunter2hunter2'] }] }),
    ];
    for (const error of errors) {
      const seen: unknown = await failing(error).catch((reason: unknown) => reason);
      const shown: unknown[] = [];
      for (let link = seen; link instanceof Error; link = link.cause) {
        shown.push(link.message, link.stack, JSON.stringify((link as ApplicationFailure).details));
      }
      expect(shown.join('\n')).toContain('[secret]');
      expect(shown.join('\n')).not.toContain('hunter2');
    }
  });
});
