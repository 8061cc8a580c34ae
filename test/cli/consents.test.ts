/** @needs temporal */
import { createSecretKey, randomBytes } from 'node:crypto';
import { Client } from '@temporalio/client';
import type { Consents } from '../../src/cli/consent/consents';
import type { ConsentKey } from '../../src/cli/consent/messages';
import { TemporalConsents } from '../../src/cli/consent/temporal-consents';
import { CliError } from '../../src/cli/kit/cli-error';
import { CONSENT_MEMO, type ConsentStatus, type GuardMessages } from '../../src/contract/consent';
import { EncryptionCodec } from '../../src/temporal/codec';
import { connectClient } from '../../src/temporal/connection';
import { aMoment, patience } from '../kit/deadlines';
import { Guard } from '../kit/handles/guard';
import { profile, stubActivities } from '../kit/stub-world/stub-activities';
import { WorkflowEnvironment } from '../kit/stub-world/workflow-environment';
import { FakeMailbox } from './fake-mailbox';
import { onward } from './fake-upgrades';

const DAY = 24 * 3600 * 1000;

const consent = (change: Partial<ConsentStatus> = {}): ConsentStatus => ({
  provider: 'contoso',
  instance: { id: 67301, name: 'CSP \u202eEMEA' },
  workflowId: 'consent/contoso/67301',
  state: 'expiring',
  consentedAt: '2026-08-15T10:00:00.000Z',
  assumed: false,
  expiresAt: '2026-11-13T10:00:00.000Z',
  nextNoticeAt: '2026-11-06T10:00:00.000Z',
  renewals: 0,
  ...change,
});

class FakeConsents implements Consents {
  closed = 0;
  readonly messages = new FakeMailbox<ConsentKey, GuardMessages>('Thank you. The connection is being tested.');
  constructor(
    private readonly all: ConsentStatus[] = [],
    private readonly unreadable: string[] = [],
  ) {}
  async list(provider?: string) {
    const consents = this.all.filter((one) => provider === undefined || one.provider === provider);
    return { consents, unreadable: this.unreadable };
  }
  async close() {
    this.closed += 1;
  }
}

const withConsents = (commandLine: string[], consents: Consents) =>
  onward(commandLine, undefined, { connectConsents: async () => consents });

describe('the commands about consents', () => {
  test('list when every refresh token ends, what is wrong with it, and how to go on, safely for a terminal', async () => {
    const waiting = { by: 'petra', consentedAt: '2026-11-03T10:00:00.000Z', askedAt: '2026-11-03T10:00:00.000Z' };
    const { code, stdout } = await withConsents(
      ['consents'],
      new FakeConsents([consent({ renewal: waiting, lastProblem: 'Graph: no token' })]),
    );
    expect(code).toBe(0);
    expect(stdout).toContain('contoso 67301  "CSP \\u{202e}EMEA"  expiring  ends in 9 d');
    expect(stdout).toContain('onward confirm-renewal contoso 67301 --evidence');
    expect(stdout).toContain('The last renewal did not count: Graph: no token');
  });

  test('say first which tokens Microsoft refuses before their end, with its words', async () => {
    const at = '2026-11-03T10:00:00.000Z';
    const words = { problem: 'Graph: AADSTS50078 \u202e', unanswered: 'No account.' };
    const test = { result: 'fails' as const, ...words, at, since: at };
    const { stdout } = await withConsents(['consents'], new FakeConsents([consent({ state: 'failing', test })]));
    expect(stdout).toContain('failing  ends in 9 d');
    expect(stdout).toMatch(/Test Connection fails since 2026-11-03 10:00.* UTC\. Graph: AADSTS50078 \\u\{202e\}/);
    expect(stdout).toContain('The newest test could not be made: No account.');
  });

  test('say where the begin of the 90 days is an assumption, and that there are none', async () => {
    const assumed = await withConsents(['consents'], new FakeConsents([consent({ assumed: true })]));
    expect(assumed.stdout).toContain('assumed to be of 2026-08-15');
    const none = await withConsents(['consents', 'fabrikam'], new FakeConsents([consent()]));
    expect(none.stdout).toContain('No consent is guarded');
  });

  test('tell which statuses cannot be read, beside those that can, and do not say that there are none', async () => {
    const unreadable = ['The memo of consent/fabrikam/1 cannot be read. Its key is missing.'];
    const beside = await withConsents(['consents', '--json'], new FakeConsents([consent()], unreadable));
    expect(beside).toMatchObject({ code: 1, stderr: expect.stringContaining('consent/fabrikam/1 cannot be read') });
    expect(JSON.parse(beside.stdout)).toMatchObject([{ provider: 'contoso' }]);
    const alone = await withConsents(['consents'], new FakeConsents([], unreadable));
    expect(alone).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('Its key is missing.') });
  });

  test('send a renewal and its confirmation as what they are, in the name of who is at the terminal', async () => {
    const consents = new FakeConsents();
    const { stdout } = await withConsents(['renew', 'contoso', '67301', '--at', '2026-11-01'], consents);
    expect(stdout).toContain('The connection is being tested');
    await withConsents(['confirm-renewal', 'contoso', '67301', '--evidence', 'green', '--signal'], consents);
    const key = { provider: 'contoso', instance: '67301' };
    expect(consents.messages.sent).toEqual([
      { to: key, name: 'consentRenewed', message: { by: 'ana@csp.example', at: '2026-11-01' }, waits: true },
      { to: key, name: 'confirmRenewal', message: { by: 'ana@csp.example', evidence: 'green' }, waits: false },
    ]);
    expect(consents.closed).toBe(2);
  });

  test('send nothing that is not valid, and name every problem', async () => {
    const { code, stderr } = await onward(['renew', 'contoso', '67301', '--at', 'friday', '--by', '']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/at must be a time like/);
    expect(stderr).toMatch(/by must not be empty/);
  });
});

describe('consents on a Temporal server', () => {
  let environment: WorkflowEnvironment;
  let consents: TemporalConsents;
  beforeAll(async () => {
    environment = await WorkflowEnvironment.start();
    consents = new TemporalConsents(await connectClient(environment.server.settings), patience(30_000));
  });
  afterAll(async () => {
    await consents?.close();
    await environment?.close();
  });

  async function guarded(provider: string, daysAgo: number, connectionWorks = true): Promise<Guard> {
    const entry = profile(provider);
    const testConnection = async () => ({ ok: connectionWorks, checks: [] });
    await environment.serveOnce(provider, stubActivities(entry, { change: { testConnection } }).activities);
    const consentedAt = new Date(Date.now() - daysAgo * DAY).toISOString();
    const guard = await Guard.start(environment.client, `test/${provider}`, entry, {
      consentedAt,
      ...(connectionWorks ? {} : { looksAt: consentedAt }),
    });
    await guard.status();
    return guard;
  }

  /** Anybody who reaches the server may start them, on a queue that nobody serves. */
  async function guardsNobodyCanRead(): Promise<void> {
    const { client, server } = environment;
    const { connection } = client;
    const { namespace } = server.settings;
    const keys = [{ id: 'made-up', key: createSecretKey(randomBytes(32)) }];
    const dataConverter = { payloadCodecs: [new EncryptionCodec(keys, { namespace })] };
    const start = (by: Client, provider: string, status: unknown) =>
      by.workflow.start('guardConsent', {
        workflowId: `consent/${provider}/1`,
        taskQueue: 'nobody',
        memo: { [CONSENT_MEMO]: status },
      });
    await start(new Client({ connection, namespace, dataConverter }), 'encrypted', consent());
    await start(client, 'nonsense', 'valid');
  }

  test('are listed from what the server itself knows, the most urgent first, and are renewed by the command’s message', async () => {
    await guarded('listed-young', 10);
    await guarded('listed-old', 80);
    await guarded('listed-refused', 2, false);
    await guarded('listed-refused-later', 1, false);
    await guardsNobodyCanRead();
    const list = async (provider?: string) => (await consents.list(provider)).consents;
    let listed = await list();
    while (
      ['expiring', 'failing'].some((wanted) => !listed.some(({ state }) => state === wanted)) ||
      listed.filter(({ state }) => state === 'failing').length < 2 ||
      listed.length < 4
    ) {
      await aMoment();
      listed = await list();
    }
    expect(listed.map(({ provider, state }) => ({ provider, state }))).toEqual([
      { provider: 'listed-refused', state: 'failing' },
      { provider: 'listed-refused-later', state: 'failing' },
      { provider: 'listed-old', state: 'expiring' },
      { provider: 'listed-young', state: 'valid' },
    ]);
    const key = { provider: 'listed-old', instance: '1' };
    expect((await consents.messages.send(key, 'consentRenewed', { by: 'ana' })).recorded).toBe(true);
    while ((await list('listed-old'))[0]?.renewals !== 1) await aMoment();
    expect(await list('listed-old')).toMatchObject([{ state: 'valid' }]);
    const { unreadable } = await consents.list();
    expect(unreadable.sort()).toEqual([
      expect.stringMatching(/^The memo of consent\/encrypted\/1 cannot be read\. .+/),
      'The memo of consent/nonsense/1 cannot be read. It is no status of a consent.',
    ]);
  });

  test('that nobody guards are not found, and a refusal says why', async () => {
    const unknown = consents.messages.send({ provider: 'nobody', instance: '1' }, 'consentRenewed', { by: 'ana' });
    await expect(unknown).rejects.toThrow(CliError);
    await expect(unknown).rejects.toMatchObject({ kind: 'notFound', hint: expect.stringContaining('onward consents') });
    await guarded('refusing', 10);
    const late = { by: 'ana', at: '2020-01-01' };
    await expect(
      consents.messages.send({ provider: 'refusing', instance: '1' }, 'consentRenewed', late),
    ).rejects.toMatchObject({ kind: 'refused', message: expect.stringContaining('has expired') });
  });
});
