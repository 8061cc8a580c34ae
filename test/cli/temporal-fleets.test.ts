/** @needs temporal */
import path from 'node:path';
import type { NativeConnection } from '@temporalio/worker';
import { TemporalFleets } from '../../src/cli/fleet/temporal-fleets';
import { CONTROL_TASK_QUEUE } from '../../src/contract/provider';
import { connectClient } from '../../src/temporal/connection';
import { connectWorker } from '../../src/temporal/worker-connection';
import '../kit/quiet-runtime';
import { Workers } from '../kit/workers';
import { temporalServer, type TemporalServer } from '../kit/temporal-server';
import { aMoment, patience } from '../kit/deadlines';

const input = { name: 'autumn', startedBy: 'ana', providers: { notYetOn: '18.4.1' as const } };

describe('fleets on a Temporal server', () => {
  let server: TemporalServer;
  let connection: NativeConnection;
  let fleets: TemporalFleets;
  const workers = new Workers();

  beforeAll(async () => {
    server = await temporalServer();
    connection = await connectWorker(server.settings);
    fleets = new TemporalFleets(await connectClient(server.settings), patience(30_000));
    const workflowsPath = path.join(__dirname, 'small-fleet.ts');
    await workers.start({
      connection,
      namespace: server.settings.namespace,
      taskQueue: CONTROL_TASK_QUEUE,
      workflowsPath,
    });
  });
  afterAll(async () => {
    await workers.end();
    await fleets?.close();
    await connection?.close();
    await server?.close();
  });

  test('one that runs is asked with all its parts, counted by who waits, listed, and not started twice', async () => {
    await fleets.start(input);
    await expect(fleets.start(input)).rejects.toMatchObject({
      kind: 'refused',
      message: 'There is a fleet autumn already.',
    });
    const { execution, status } = await fleets.view('autumn');
    expect(execution).toBe('running');
    while ((await fleets.waiting('autumn', 5)).count === 0) await aMoment();
    expect(await fleets.waiting('autumn', 5)).toMatchObject({
      count: 1,
      upgrades: [{ provider: 'contoso', openGates: 2 }],
    });
    expect(await fleets.running('autumn', 5)).toMatchObject([{ provider: 'contoso', execution: 'running' }]);
    expect(await fleets.waiting('spring', 5)).toEqual({ count: 0, upgrades: [] });
    expect(await fleets.providers(status)).toEqual([{ wave: 1, provider: 'contoso', from: '18.3', state: 'running' }]);
    // Each workflow comes into the lists in its own time.
    while ((await fleets.list())[0]?.state === undefined) await aMoment();
    expect(await fleets.list()).toMatchObject([{ fleet: 'autumn', execution: 'running', state: 'planned' }]);
  });

  test('what is said to one is answered, and one that is not there is not found', async () => {
    const message = { by: 'ben', reason: 'CAB' };
    expect(await fleets.messages.send({ fleet: 'autumn' }, 'proceed', message)).toMatchObject({
      message: 'The fleet goes on.',
    });
    while ((await fleets.view('autumn')).execution === 'running') await aMoment();
    const questions = [
      () => fleets.view('spring'),
      () => fleets.plan('spring'),
      () => fleets.messages.send({ fleet: 'spring' }, 'proceed', message),
    ];
    for (const ask of questions)
      await expect(ask()).rejects.toMatchObject({ kind: 'notFound', message: 'There is no fleet spring.' });
  });
});
