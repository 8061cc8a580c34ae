/**
 * Somebody who may send to the namespace, and has no key: in clear, as a copy of what others have sent, as rubbish. To real upgrades whose payloads
 * are encrypted, after the cut-over.
 *
 * @needs temporal
 */
import { execFile } from 'node:child_process';
import { createSecretKey, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { Client, WorkflowFailedError } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import { TemporalUpgrades } from '../../src/cli/upgrade/temporal-upgrades';
import { startCodecServer } from '../../src/codec-server/server';
import type { AuditEntry } from '../../src/contract/status';
import { findTemporalCli } from '../../src/temporal/cli-binary';
import { EncryptionCodec } from '../../src/temporal/codec';
import { readEncryption } from '../../src/temporal/codec-keys';
import { workerConverter } from '../../src/temporal/data-converter';
import { replay } from '../../src/worker/replay';
import { builtWorkflows } from '../../src/worker/workflow-bundle';
import { aMoment } from '../kit/deadlines';
import { testInFull } from '../kit/extent';
import { Rehearsal, type Upgrade } from '../kit/rehearsal/rehearsal';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

const before = { ...process.env };
process.env['ONWARD_TEST_KEY'] = randomBytes(32).toString('base64');
process.env['ONWARD_CODEC_KEYS'] = 'k1=env:ONWARD_TEST_KEY';
process.env['ONWARD_PLAINTEXT_UNTIL'] = '2020-01-01T00:00:00Z';

let rehearsal: Rehearsal;
/** Who has no keys. */
let mallory: Client;
let target: Upgrade;

const waiting = { id: 'target', instances: 1, openTasks: 0 };
const asked = { approval: { beforeCrossing: true } };
const isAsked = (upgrade: Upgrade): Promise<unknown> =>
  upgrade.statusWhen(({ gates }) => gates.some(({ step }) => step === 'approveCrossing'));

beforeAll(async () => {
  rehearsal = await Rehearsal.start();
  const { connection, options } = rehearsal.client;
  mallory = new Client({ connection, namespace: options.namespace });
  target = await rehearsal.provider(waiting, asked);
  await target.start({ startedBy: 'ana' });
  await isAsked(target);
});
afterAll(async () => {
  await rehearsal?.close();
  process.env = { ...before };
});

const idOf = ({ provider }: Upgrade): string => `upgrade/${provider}`;

async function signalRaw(upgrade: Upgrade, signalName: string, payloads: Payload[]): Promise<void> {
  await mallory.workflowService.signalWorkflowExecution({
    namespace: mallory.options.namespace,
    workflowExecution: { workflowId: idOf(upgrade) },
    signalName,
    input: { payloads },
  });
}

async function eventsOf(upgrade: Upgrade): Promise<HistoryEvent[]> {
  return (await upgrade.workflow.fetchHistory()).events ?? [];
}

/** What others have sent, as it stands in the history for all who may read it. The server keeps it back while a workflow task is at work. */
async function sentTo(upgrade: Upgrade, name: string): Promise<Payload[]> {
  for (;;) {
    const events = await eventsOf(upgrade);
    const signals = events.flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => (signal ? [signal] : []));
    const payloads = signals.find(({ signalName }) => signalName === name)?.input?.payloads;
    if (payloads) return payloads;
    await aMoment();
  }
}

async function trailWhenLongerThan(entries: number): Promise<AuditEntry[]> {
  await target.statusWhen(({ auditEntries }) => auditEntries > entries);
  return (await target.audit()).slice(entries);
}

const approval = { by: 'bob', reason: 'looks good' };
const inClear = (): Payload[] => [defaultPayloadConverter.toPayload(approval)];

/** Bob approves the crossing of another provider. */
async function copied(): Promise<Payload[]> {
  const other = await rehearsal.provider({ ...waiting, id: 'other' }, asked);
  await other.start({ startedBy: 'ana' });
  await isAsked(other);
  await other.workflow.signal('approveCrossing', approval);
  const payloads = await sentTo(other, 'approveCrossing');
  expect(payloads).toHaveLength(1);
  await other.operate();
  return payloads;
}

async function encryptedForNobody(): Promise<Payload[]> {
  const { keys } = await readEncryption({ codecKeys: process.env['ONWARD_CODEC_KEYS'] });
  return new EncryptionCodec(keys, { namespace: rehearsal.settings.namespace }).encode(inClear());
}

async function ofAnotherKeyOfThatId(): Promise<Payload[]> {
  const key = { id: 'k1', key: createSecretKey(randomBytes(32)) };
  const codec = new EncryptionCodec([key], { namespace: rehearsal.settings.namespace });
  return codec.encode(inClear(), { workflowId: idOf(target) });
}

const broken = (encoding: string): Payload[] => [
  { metadata: { encoding: Buffer.from(encoding) }, data: Buffer.from('{') },
];

// Security: plaintext-refused, bound-to-workflow
describe('an approval that somebody without keys sends changes nothing, and is kept as refused with the reason:', () => {
  test.each<[what: string, forge: () => Promise<Payload[]>, by: string, reason: string]>([
    [
      'in clear',
      async () => inClear(),
      'bob',
      'was sent in clear. Payloads are encrypted here, each for its workflow: use `onward`',
    ],
    ["as a copy of Bob's approval for another provider", copied, 'unknown', 'was encrypted for another workflow'],
    [
      'encrypted for no workflow in particular',
      encryptedForNobody,
      'bob',
      'was encrypted for no workflow in particular',
    ],
    ['made with another key', ofAnotherKeyOfThatId, 'unknown', 'cannot be decrypted'],
    ['that is no JSON', async () => broken('json/plain'), 'unknown', 'cannot be read'],
    ['of a made-up encoding', async () => broken('text/klingon'), 'unknown', 'cannot be read'],
  ])('%s', async (_, forge, by, reason) => {
    const { auditEntries, crossed } = await target.status();
    expect(crossed).toBe(false);
    await signalRaw(target, 'approveCrossing', await forge());
    expect(await trailWhenLongerThan(auditEntries)).toEqual([
      expect.objectContaining({
        by,
        what: 'signal:approveCrossing',
        verdict: 'refused',
        detail: expect.stringContaining(`approveCrossing ${reason}`) as string,
      }),
    ]);
    expect((await target.status()).gates.map(({ step }) => step)).toEqual(['approveCrossing']);
    expect(target.effects('packageImported')).toEqual([]);
  });

  // Security: no-message-stops
  test('nor does it fail a workflow task, which would be tried again for ever', async () => {
    expect((await eventsOf(target)).filter((event) => event.workflowTaskFailedEventAttributes)).toEqual([]);
  });
});

// Security: plaintext-refused
test('an update in clear is refused to its sender', async () => {
  const { raw } = await target.workflow.describe();
  expect(raw.workflowExecutionInfo?.firstRunId).not.toBe('');
  const update = mallory.workflow.getHandle(idOf(target)).executeUpdate('approveCrossing', { args: [approval] });
  await expect(update).rejects.toThrow();
  expect((await target.status()).gates).toHaveLength(1);
});

// Security: plaintext-refused
test("what only a fleet's workflows say to each other is not heard from anybody else", async () => {
  await signalRaw(target, 'memberOrders', [defaultPayloadConverter.toPayload(null)]);
  await signalRaw(target, 'pause', [defaultPayloadConverter.toPayload(approval)]);
  const { auditEntries } = await target.status();
  await trailWhenLongerThan(auditEntries - 1);
  expect((await target.status()).state).toBe('waiting');
});

// Security: plaintext-start-refused
test('an upgrade that is started in clear fails at once, and says why; nothing was looked at', async () => {
  await rehearsal.sandbox.addProvider({ id: 'started-in-clear', instances: 1 });
  const handle = await mallory.workflow.start('upgradeProvider', {
    workflowId: 'upgrade/started-in-clear',
    taskQueue: 'onward',
    args: [{ provider: 'started-in-clear' }],
  });
  const failure = rehearsal.client.workflow.getHandle(handle.workflowId).result();
  await expect(failure).rejects.toThrow(WorkflowFailedError);
  await expect(failure).rejects.toMatchObject({
    cause: {
      type: 'InvalidInput',
      message: expect.stringContaining('upgradeProvider cannot start: its input was sent in clear.') as string,
    },
  });
  const calls = rehearsal.sandbox.journal.entries().filter(({ provider }) => provider === 'started-in-clear');
  expect(calls).toEqual([]);
});

// Security: forged-result-not-believed
test.each<[what: string, id: string, given: { result?: { payloads: Payload[] } }, reason: string]>([
  ['in clear', 'in-clear', { result: { payloads: [defaultPayloadConverter.toPayload({})] } }, 'was sent in clear'],
  ['that is none', 'no-result', {}, 'is missing'],
])('a result %s that somebody gives in place of an activity is not believed', async (_, id, given, reason) => {
  const upgrade = await rehearsal.provider({ id, instances: 1 });
  rehearsal.sandbox.faults.add({
    provider: upgrade.provider,
    system: 'operations',
    call: '*',
    kind: 'slowBefore',
    delayMs: 10_000,
  });
  await upgrade.start({ startedBy: 'ana' });
  let activityId: string | null | undefined;
  while (!activityId) {
    await aMoment();
    const { raw } = await upgrade.workflow.describe();
    activityId = raw.pendingActivities?.find(({ activityType }) => activityType?.name === 'readOperations')?.activityId;
  }
  await mallory.workflowService.respondActivityTaskCompletedById({
    namespace: mallory.options.namespace,
    workflowId: idOf(upgrade),
    activityId,
    ...given,
  });
  await expect(upgrade.result()).rejects.toMatchObject({
    cause: { message: expect.stringContaining(`The result of readOperations ${reason}`) as string },
  });
  expect(upgrade.effects()).toEqual([]);
});

// Security: bound-to-run
testInFull('a message of the command line counts in one run: a copy of it is refused in the next', async () => {
  const first = await rehearsal.provider({ ...waiting, id: 'twice' }, asked);
  await first.start({ startedBy: 'ana' });
  await isAsked(first);
  const upgrades = new TemporalUpgrades(rehearsal.client);
  await upgrades.messages.send({ provider: 'twice' }, 'pause', { by: 'olga', reason: 'a call' });
  await upgrades.messages.send({ provider: 'twice' }, 'abort', { by: 'olga', reason: 'not today' });
  const abort = await sentTo(first, 'abort');
  await expect(first.result()).rejects.toThrow();

  const second = await rehearsal.nextUpgrade(first);
  await second.start({ startedBy: 'ana' });
  await isAsked(second);
  const { auditEntries } = await second.status();
  await signalRaw(second, 'abort', abort);
  await second.statusWhen((status) => status.auditEntries > auditEntries);
  expect((await second.audit()).at(-1)).toMatchObject({
    what: 'signal:abort',
    verdict: 'refused',
    detail: expect.stringContaining('was sent to another run of this workflow') as string,
  });
  await second.operate();
});

testInFull(
  'a worker that was down judges what waits for it, and every replay judges as it has, wherever the cut-over stands',
  async () => {
    const upgrade = await rehearsal.provider({ ...waiting, id: 'over-the-cut' }, asked);
    const { settings } = rehearsal;
    const withCutOver = (plaintextUntil: string | undefined) => ({ ...settings, plaintextUntil });
    const inClearWhileDown = async (signal: string, plaintextUntil: string | undefined): Promise<void> => {
      await rehearsal.endControlPlane();
      await signalRaw(upgrade, signal, inClear());
      await rehearsal.controlPlane({ settings: withCutOver(plaintextUntil) });
    };
    await upgrade.start({ startedBy: 'ana' });
    await isAsked(upgrade);
    await inClearWhileDown('pause', '2999-01-01T00:00:00Z');
    await upgrade.statusWhen(({ paused }) => paused !== undefined);
    await inClearWhileDown('resume', '2020-01-01T00:00:00Z');
    await upgrade.statusWhen(
      ({ paused, lastRefused }) => paused !== undefined && lastRefused?.what === 'signal:resume',
    );

    await rehearsal.endControlPlane();
    await rehearsal.controlPlane({ settings: withCutOver(undefined) });
    expect(await upgrade.status()).toMatchObject({ paused: approval, lastRefused: { what: 'signal:resume' } });
    await upgrade.workflow.signal('resume', { by: 'olga', reason: 'it is over' });
    await upgrade.operate();
    for (const cutOver of [undefined, '2020-01-01T00:00:00Z', '2999-01-01T00:00:00Z']) {
      const converter = await workerConverter(withCutOver(cutOver));
      const history = await upgrade.workflow.fetchHistory();
      const histories = [{ workflowId: idOf(upgrade), history }];
      for await (const { problem } of replay(histories, { converter, workflows: builtWorkflows(converter) })) {
        expect({ cutOver, problem }).toEqual({ cutOver, problem: undefined });
      }
    }
  },
);

testInFull(
  'the command temporal answers through the path of the workflow, and is told so where it names none',
  async () => {
    const { namespace } = rehearsal.settings;
    const { keys, plaintextUntil } = await readEncryption({
      codecKeys: process.env['ONWARD_CODEC_KEYS'],
      plaintextUntil: process.env['ONWARD_PLAINTEXT_UNTIL'],
    });
    const token = randomBytes(24).toString('hex');
    const codec = new EncryptionCodec(keys, { namespace, plaintextUntil });
    const server = await startCodecServer({ codec, token, namespace, uiOrigins: [] });
    try {
      const { path } = await findTemporalCli();
      const approve = async (endpoint: string): Promise<unknown> => {
        const input = ['--name', 'approveCrossing', '--input', JSON.stringify(approval)];
        const through = ['--codec-endpoint', endpoint, '--codec-auth', `Bearer ${token}`];
        const signal = ['workflow', 'signal', '-w', idOf(target), ...input, ...through];
        return await promisify(execFile)(path, [...signal, ...rehearsal.connectionArguments]);
      };
      await expect(approve(server.url)).rejects.toMatchObject({
        stderr: expect.stringContaining('/for/<workflow id>') as string,
      });
      await approve(`${server.url}/for/${idOf(target)}`);
      await target.statusWhen(({ crossed }) => crossed);
    } finally {
      await server.close();
    }
  },
);

test('whoever has the keys is understood all the same', async () => {
  if (!(await target.status()).crossed) await target.workflow.signal('approveCrossing', approval);
  await target.operate();
  expect(await target.result()).toMatchObject({ provider: 'target', to: '18.4.1' });
});
