/**
 * An upgrade whose payloads are encrypted: what the server keeps, what the codec server shows, and a rotation in mid-upgrade.
 *
 * @needs temporal
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { Client } from '@temporalio/client';
import { evidencePack } from '../../src/cli/upgrade/evidence-pack';
import { TemporalUpgrades } from '../../src/cli/upgrade/temporal-upgrades';
import { startCodecServer, type CodecServer } from '../../src/codec-server/server';
import { CONTROL_TASK_QUEUE } from '../../src/contract/provider';
import { findTemporalCli } from '../../src/temporal/cli-binary';
import { EncryptionCodec } from '../../src/temporal/codec';
import { readCodecKeys } from '../../src/temporal/codec-keys';
import { connectClient } from '../../src/temporal/connection';
import { rawHistories } from './raw-histories';
import { Rehearsal, type Upgrade } from '../kit/rehearsal/rehearsal';
import { aMoment, patience } from '../kit/deadlines';

const run = promisify(execFile);
const TOKEN = randomBytes(24).toString('hex');
const before = { ...process.env };
process.env['ONWARD_TEST_KEY_1'] = randomBytes(32).toString('base64');
process.env['ONWARD_TEST_KEY_2'] = randomBytes(32).toString('base64');
const FIRST = 'k1=env:ONWARD_TEST_KEY_1';
const SECOND = 'k2=env:ONWARD_TEST_KEY_2';

/** What only payloads say of the provider below; its id and its hosts' names stand in workflow ids and task queues. */
const CONFIDENTIAL = ['Sealed Hosting', 'CSP EMEA', 'office365gateway01', 'GatewayApplication', 'olga@', 'ticket 4711'];

let rehearsal: Rehearsal;
let upgrade: Upgrade;
let codecServer: CodecServer;
let temporal: (...args: string[]) => Promise<{ stdout: string; stderr: string }>;

beforeAll(async () => {
  // The first part of a rotation: everybody knows the new key before anybody uses it.
  process.env['ONWARD_CODEC_KEYS'] = `${FIRST},${SECOND}`;
  rehearsal = await Rehearsal.start({ workers: 'processes' });
  upgrade = await rehearsal.provider({ id: 'sealed', name: 'Sealed Hosting', instances: 1 });
  codecServer = await codecServerWith(`${SECOND},${FIRST}`);
  const { path } = await findTemporalCli();
  temporal = (...args) => run(path, [...args, ...rehearsal.connectionArguments], { maxBuffer: 64 * 1024 * 1024 });
});
afterAll(async () => {
  await codecServer?.close();
  await rehearsal?.close();
  process.env = { ...before };
});

async function codecServerWith(keys: string): Promise<CodecServer> {
  const { namespace } = rehearsal.settings;
  const codec = new EncryptionCodec(await readCodecKeys(keys), { namespace });
  return startCodecServer({ codec, token: TOKEN, namespace, uiOrigins: [] });
}

const through = (server: CodecServer, token = TOKEN): string[] => [
  '--codec-endpoint',
  server.url,
  '--codec-auth',
  `Bearer ${token}`,
];
/** What `temporal workflow show` prints, with payloads as text where they are text. */
const show = async (...more: string[]): Promise<string> => {
  const { stdout } = await temporal('workflow', 'show', '-w', 'upgrade/sealed', '--output', 'json', ...more);
  return stdout.replace(/"data": "([^"]*)"/g, (_, data: string) => Buffer.from(data, 'base64').toString());
};
const keyIds = (raw: string): Set<string> => new Set(raw.match(/^k[12]$/gm));

async function clientWith(codecKeys: string | undefined, use: (client: Client) => Promise<void>): Promise<void> {
  const client = await connectClient({ ...rehearsal.settings, codecKeys });
  await use(client).finally(() => client.connection.close());
}

// Security: nothing-in-clear
test('the server keeps nothing of an upgrade in clear but ids, names of steps, and states', async () => {
  // The failure of the first attempt is in the history, too.
  rehearsal.sandbox.faults.add({
    provider: 'sealed',
    system: 'operations',
    call: 'pem.deactivateST',
    kind: 'error500',
  });
  await upgrade.start({ startedBy: 'olga@operations.example' });
  const waits = upgrade.statusWhen(({ gates }) => gates.some(({ step }) => step === 'updateCustomizations'));
  const goneHome = new AbortController();
  await Promise.all([
    waits.then(() => goneHome.abort()),
    upgrade.operate({ leaves: ({ step }) => step === 'updateCustomizations', signal: goneHome.signal }),
  ]);

  const histories = await rawHistories(rehearsal.client);
  expect([...histories.keys()]).toContainEqual(expect.stringContaining('upgrade/sealed'));
  for (const raw of histories.values()) {
    for (const text of CONFIDENTIAL) expect(raw).not.toContain(text);
    expect(raw).not.toMatch(/HTTP 500|pem\.|at .*\.ts:\d/);
    expect(keyIds(raw)).toEqual(new Set(['k1']));
  }
  expect([...histories.values()].join('\n')).toContain('Encoded failure');
});

test('an answer that goes through the codec server is encrypted, one that does not is understood all the same', async () => {
  const signal = ['workflow', 'signal', '-w', 'upgrade/sealed', '--name', 'confirmStep', '--input'];
  const answer = (item: string, by: string, evidence: string): string =>
    JSON.stringify({ step: 'updateCustomizations', item, by, evidence });
  await temporal(...signal, answer('controlPanel', 'olga@operations.example', 'ticket 4711'), ...through(codecServer));
  await temporal(...signal, answer('nowhere', 'otto@operations.example', 'in clear'));
  const trail = async (): Promise<string> => JSON.stringify(await upgrade.audit());
  while (!(await trail()).includes('nowhere')) await aMoment();
  expect(await trail()).toContain('ticket 4711');

  const raw = [...(await rawHistories(rehearsal.client)).values()].join('\n');
  expect(raw).toContain('in clear');
  expect(raw).not.toContain('ticket 4711');
});

test('a worker that lacks a key keeps the upgrade waiting; with the key it goes on, and the new key encrypts', async () => {
  const worker = rehearsal.processes.get(CONTROL_TASK_QUEUE);
  process.env['ONWARD_CODEC_KEYS'] = SECOND;
  process.env['ONWARD_TEST_SILENT'] = 'It fails again and again.';
  await worker?.killAndRestart();
  delete process.env['ONWARD_TEST_SILENT'];
  await clientWith(`${FIRST},${SECOND}`, async (client) => {
    await expect(new TemporalUpgrades(client, patience(60_000)).view('sealed')).rejects.toMatchObject({
      message: 'Could not ask the upgrade of sealed for its status: the worker failed, and its reason is encrypted.',
    });
  });
  expect((await upgrade.workflow.describe()).status.name).toBe('RUNNING');

  process.env['ONWARD_CODEC_KEYS'] = `${SECOND},${FIRST}`;
  await worker?.killAndRestart();
  await upgrade.operate();
  expect(await upgrade.result()).toMatchObject({ provider: 'sealed', to: '18.4.1' });
  const { runId } = await upgrade.workflow.describe();
  const raw = (await rawHistories(rehearsal.client)).get(`upgrade/sealed ${runId}`);
  expect(keyIds(raw ?? '')).toEqual(new Set(['k1', 'k2']));
});

test('temporal workflow show tells everything in clear through the codec server, and nothing without it', async () => {
  const plain = await show();
  const clear = await show(...through(codecServer));
  for (const text of CONFIDENTIAL) {
    expect(plain).not.toContain(text);
    expect(clear).toContain(text);
  }
  const query = ['workflow', 'query', '-w', 'upgrade/sealed', '--type', 'status', '--output', 'json'];
  expect((await temporal(...query, ...through(codecServer))).stdout).toContain('"state": "completed"');
});

test('what is begun is finished from the ledger of the installation, which says nothing in clear', async () => {
  const ended = await rehearsal.provider(
    { id: 'sealed-again', name: 'Sealed Hosting', sourceVersion: '18.4', instances: 1 },
    { approval: { beforeCrossing: true } },
  );
  const before = await ended.state();
  await ended.start({ startedBy: 'olga@operations.example' });
  await ended.statusWhen(({ gates }) => gates.some(({ step }) => step === 'approveCrossing'));
  await ended.workflow.terminate('the wrong button');
  await ended.start({ finish: true });
  await expect(ended.result()).rejects.toThrow();
  expect(await ended.status()).toMatchObject({ state: 'rolledBack', notUndone: [] });
  expect(await ended.state()).toEqual(before);
  const ledger = await ended.ledger().describe();
  const raw = (await rawHistories(rehearsal.client)).get(`${ledger.workflowId} ${ledger.runId}`);
  for (const text of CONFIDENTIAL) expect(raw).not.toContain(text);
  expect(keyIds(raw ?? '')).toEqual(new Set(['k2']));
});

test('a wrong token opens nothing, and the CLI says so', async () => {
  const query = ['workflow', 'query', '-w', 'upgrade/sealed', '--type', 'status'];
  await expect(temporal(...query, ...through(codecServer, 'not-the-token-of-it'))).rejects.toMatchObject({
    stdout: '',
    stderr: expect.stringContaining('The token is missing or wrong.') as string,
  });
});

test('whoever has the keys sees the status and the evidence pack as if nothing were encrypted', async () => {
  await clientWith(`${SECOND},${FIRST}`, async (client) => {
    const upgrades = new TemporalUpgrades(client);
    const { status } = await upgrades.view('sealed');
    const [audit, record] = [await upgrades.audit('sealed'), await upgrades.record('sealed')];
    const pack = evidencePack(status, audit, record, { now: new Date(), onwardVersion: '1.0.0' });
    expect(pack.inputs).toMatchObject({ workflow: { provider: 'sealed' }, profile: { name: 'Sealed Hosting' } });
    expect(pack.actions.map(({ summary }) => summary ?? '')).toContainEqual(expect.stringMatching(/[a-z]/));
    expect(pack.result).toMatchObject({ to: '18.4.1' });
  });
});

test('whoever lacks a key is told which one it is', async () => {
  await clientWith(SECOND, async (client) => {
    const reading = new TemporalUpgrades(client).record('sealed');
    await expect(reading).rejects.toThrow('encrypted with the key "k1", which this process does not have (it has k2)');
  });
  await clientWith(undefined, async (client) => {
    await expect(new TemporalUpgrades(client).record('sealed')).rejects.toThrow(/encrypted.*ONWARD_CODEC_KEYS/);
  });
});
