/** @needs temporal */
import path from 'node:path';
import type { Client } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { connect } from '../../src/cli/kit/temporal/connect';
import { TemporalUpgrades } from '../../src/cli/upgrade/temporal-upgrades';
import type { Upgrades } from '../../src/cli/upgrade/upgrades';
import { CONTROL_TASK_QUEUE } from '../../src/contract/provider';
import { QUERY, type AuditEntry } from '../../src/contract/status';
import { connectClient, localSettings } from '../../src/temporal/connection';
import { startDevServer, type DevServer } from '../../src/temporal/dev-server';
import { testInFull } from '../kit/extent';
import '../kit/quiet-runtime';
import { Workers } from '../kit/workers';
import { profile } from './fixtures';
import { aMoment, patience } from '../kit/deadlines';

const by = { by: 'ana', reason: 'because' };

describe('upgrades on a Temporal server', () => {
  let server: DevServer;
  let connection: NativeConnection;
  let client: Client;
  let upgrades: Upgrades;
  const workers = new Workers();

  beforeAll(async () => {
    server = await startDevServer();
    connection = await NativeConnection.connect({ address: server.address });
    client = await connectClient(localSettings(server.address));
    upgrades = new TemporalUpgrades(client, patience(30_000));
    await workers.start({
      connection,
      taskQueue: CONTROL_TASK_QUEUE,
      workflowsPath: path.join(__dirname, 'small-upgrade.ts'),
      activities: { loadProvider: async () => profile, hashPackage: async () => ({ sha256: '0', bytes: 1 }) },
    });
  });
  afterAll(async () => {
    await workers.end();
    await upgrades?.close();
    await connection?.close();
    await server?.close();
  });

  async function over(provider: string): Promise<void> {
    while ((await upgrades.summary(provider)).execution === 'running') await aMoment();
  }

  test('one that runs is seen, listed, and not started twice', async () => {
    await upgrades.start({ provider: 'contoso', startedBy: 'ana' });
    expect(await upgrades.view('contoso')).toMatchObject({
      execution: 'running',
      status: { provider: 'contoso', startedBy: 'ana', state: 'waiting' },
    });
    await expect(upgrades.start({ provider: 'contoso' })).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('running already') as string,
    });
    while ((await upgrades.running()).length === 0) await aMoment();
    expect(await upgrades.running()).toMatchObject([{ provider: 'contoso', workflowId: 'upgrade/contoso' }]);
  });

  test('one that is not there is not found, whatever it is asked', async () => {
    for (const question of [
      () => upgrades.view('nobody'),
      () => upgrades.audit('nobody'),
      () => upgrades.summary('nobody'),
      () => upgrades.record('nobody'),
      () => upgrades.messages.send({ provider: 'nobody' }, 'pause', by),
      () => upgrades.messages.sendWithoutWaiting({ provider: 'nobody' }, 'pause', by),
    ]) {
      await expect(question()).rejects.toMatchObject({ kind: 'notFound', message: 'There is no upgrade of nobody.' });
    }
  });

  test('answers are told what came of them, refusals with the reason of the upgrade', async () => {
    await upgrades.start({ provider: 'answers' });
    expect(await upgrades.messages.send({ provider: 'answers' }, 'pause', by)).toEqual({
      recorded: true,
      message: 'Paused.',
    });
    await expect(
      upgrades.messages.send({ provider: 'answers' }, 'pause', { ...by, reason: 'none' }),
    ).rejects.toMatchObject({
      kind: 'refused',
      message: 'That is no reason.',
    });
    await expect(upgrades.messages.send({ provider: 'answers' }, 'abort', by)).rejects.toMatchObject({
      kind: 'refused',
      message: 'The point of no return is passed.',
    });
  });

  test('a message that comes again changes nothing, and has the verdict of the first', async () => {
    await upgrades.start({ provider: 'twice' });
    const { workflowId } = await upgrades.summary('twice');
    const workflow = client.workflow.getHandle(workflowId);
    const answer = (id: string) => workflow.query<AuditEntry | null, [string]>(QUERY.answer, id);
    expect(await answer('m-1')).toBeNull();
    await workflow.signal('pause', { ...by, id: 'm-1' });
    await workflow.signal('pause', { ...by, id: 'm-1', reason: 'none' });
    await workflow.signal('pause', { ...by, id: 'm-2', reason: 'none' });
    await workflow.signal('pause', { ...by, id: 'm-2' });
    await workflow.signal('pause', { by: 'ana', id: 'm-3' });
    await workflow.signal('pause', { ...by, id: '' });
    expect(await answer('m-1')).toMatchObject({ verdict: 'accepted', detail: 'Paused.', id: 'm-1', payload: by });
    expect(await answer('m-2')).toMatchObject({ verdict: 'refused', detail: 'That is no reason.', id: 'm-2' });
    expect(await answer('m-3')).toMatchObject({ verdict: 'refused', detail: expect.stringContaining('reason') });
    const audit = await upgrades.audit('twice');
    expect(audit.map(({ id, verdict }) => [id, verdict])).toEqual([
      ['m-1', 'accepted'],
      ['m-2', 'refused'],
      ['m-3', 'refused'],
      [undefined, 'refused'],
    ]);
    await expect(workflow.executeUpdate('pause', { args: [{ ...by, id: 'm-1' }] })).resolves.toEqual({
      recorded: true,
      message: 'Paused.',
    });
    expect(await upgrades.audit('twice')).toHaveLength(4);
  });

  test('the record of one that completed has its input, its frozen entry, its actions and its result; it may be started again', async () => {
    await upgrades.start({ provider: 'complete', startedBy: 'ana' });
    await upgrades.messages.sendWithoutWaiting({ provider: 'complete' }, 'resume', by);
    await over('complete');
    expect(await upgrades.record('complete')).toMatchObject({
      execution: 'completed',
      input: { provider: 'complete', startedBy: 'ana' },
      profile: { provider: 'contoso' },
      actions: [
        { name: 'loadProvider', summary: 'read the entry', outcome: 'completed', attempts: 1 },
        { name: 'hashPackage', summary: 'hash the package', outcome: 'completed', attempts: 1 },
      ],
      result: { provider: 'complete' },
      sdks: [expect.stringContaining('typescript')],
    });
    // Whether there is a next release for it is seen by its preflight.
    await expect(upgrades.start({ provider: 'complete' })).resolves.toMatchObject({ workflowId: 'upgrade/complete' });
  });

  test('one that failed says why, and may be started again', async () => {
    await upgrades.start({ provider: 'failing' });
    await upgrades.messages.sendWithoutWaiting({ provider: 'failing' }, 'resume', { ...by, reason: 'fail' });
    await over('failing');
    expect(await upgrades.view('failing')).toMatchObject({ execution: 'failed', failure: 'The step failed.' });
    expect(await upgrades.record('failing')).toMatchObject({
      failure: { type: 'StepFailed', message: 'The step failed.' },
    });
    await expect(upgrades.start({ provider: 'failing' })).resolves.toMatchObject({ workflowId: 'upgrade/failing' });
  });

  test('one that failed before it could answer anything still says why', async () => {
    await upgrades.start({ provider: 'broken' });
    await over('broken');
    await expect(upgrades.view('broken')).rejects.toMatchObject({
      kind: 'failure',
      message: 'The upgrade of broken failed at once: plans: is missing',
    });
  });

  test('without a worker the server is still asked, and says who does not answer', async () => {
    await workers.end();
    const impatient = new TemporalUpgrades(client, patience(3_000));
    await expect(impatient.view('contoso')).rejects.toMatchObject({ kind: 'noWorker' });
    expect(await upgrades.summary('contoso')).toMatchObject({ execution: 'running', provider: 'contoso' });
    await upgrades.messages.sendWithoutWaiting({ provider: 'contoso' }, 'resume', by);
  });

  testInFull('without a server that is what is said', async () => {
    await server.close();
    await expect(upgrades.summary('contoso')).rejects.toMatchObject({ kind: 'unreachable' });
    await expect(connect(localSettings(server.address))).rejects.toMatchObject({ kind: 'unreachable' });
  });
});
