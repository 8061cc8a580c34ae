/**
 * What a dead worker was at work on is given back by the one that takes its place on the machine.
 *
 * @needs temporal
 */
import { on } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ActivityNotFoundError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { CONTROL_TASK_QUEUE, endpointTaskQueue } from '../../src/contract/provider';
import type { FaultRule, Faults } from '../../src/sandbox/faults';
import { WorkInHand, notesDirectory } from '../../src/worker/work-in-hand';
import { testInFull } from '../kit/extent';
import { Rehearsal } from '../kit/rehearsal/rehearsal';
import { patience } from '../kit/deadlines';

const HOUR = 3600;
/** Longer than a worker takes to start; what it leaves behind on the machine ends then. */
const SLOW = { kind: 'slow', delayMs: patience(30_000) };

describe('an upgrade whose worker is killed in the midst of a call', () => {
  let rehearsal: Rehearsal;
  beforeAll(async () => {
    rehearsal = await Rehearsal.start({ workers: 'processes' });
  });
  afterAll(async () => {
    await rehearsal?.close();
  });

  testInFull.each([
    ['its endpoint host', 'host-at-work', { system: 'host', call: 'backup' }],
    ['the control plane', undefined, { system: 'operations', call: 'pem.deactivateST' }],
  ])(
    'goes on as soon as the worker of %s is back, however late missed heartbeats would be noticed',
    async (_, host, call) => {
      const id = `at-work-on-${call.system}`;
      const gateways = [{ host: `host-of-${id}` }];
      const upgrade = await rehearsal.provider({ id, instances: 1, gateways }, { timings: { heartbeat: HOUR } });
      const { faults } = rehearsal.sandbox;
      const rule = faults.add({ ...call, ...(host ? { host: `host-of-${id}` } : { provider: id }), ...SLOW });
      const isHit = hit(faults, rule);
      await upgrade.start();
      await isHit;
      await rehearsal.processes
        .get(host === undefined ? CONTROL_TASK_QUEUE : endpointTaskQueue(`host-of-${id}`))
        ?.killAndRestart();
      await upgrade.operate();
      expect(await upgrade.status()).toMatchObject({ state: 'completed' });
    },
  );
});

describe('notes of work in hand', () => {
  const SERVED = 'localhost:7233 default onward';
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'onward-notes-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  async function leave(changes: object = {}): Promise<void> {
    const note = { machine: os.hostname(), pid: process.pid, worker: 'dead', served: SERVED, activity: 'runSetup' };
    const taskToken = Buffer.from('token').toString('base64');
    await writeFile(path.join(directory, 'note.json'), JSON.stringify({ ...note, taskToken, ...changes }));
  }

  /** What is given back, and what lies there afterwards. */
  async function givenBack(answer: () => Promise<void> = async () => undefined, from = directory) {
    const failed: { token: string; failure: unknown }[] = [];
    const fail = async (token: unknown, failure: unknown): Promise<void> => {
      failed.push({ token: String(token), failure });
      await answer();
    };
    await new WorkInHand(from, SERVED).giveBack({ fail });
    return { failed, left: await readdir(directory) };
  }

  test('of a dead worker are given back, and gone', async () => {
    // The same process id, as in a container that was restarted.
    await leave();
    const { failed, left } = await givenBack();
    expect(failed).toEqual([
      {
        token: 'token',
        failure: expect.objectContaining({ type: 'OutcomeUnknown', message: expect.stringContaining('runSetup') }),
      },
    ]);
    expect(failed[0]?.failure).toBeInstanceOf(ApplicationFailure);
    expect(left).toEqual([]);
  });

  test.each([
    ['a worker that lives', { pid: process.ppid }],
    ['another machine', { machine: 'elsewhere' }],
    ['another task queue', { served: 'localhost:7233 default endpoint/gw-host-01' }],
  ])('of %s are left alone', async (_, changes) => {
    await leave(changes);
    expect(await givenBack()).toEqual({ failed: [], left: ['note.json'] });
  });

  test('of what Temporal has given to somebody else since are gone', async () => {
    await leave();
    const gone = async (): Promise<never> => {
      throw new ActivityNotFoundError('Not found');
    };
    expect(await givenBack(gone)).toMatchObject({ left: [] });
  });

  test('that cannot be given back, read or made keep no worker from its work', async () => {
    await leave();
    const refused = async (): Promise<never> => {
      throw new Error('PERMISSION_DENIED');
    };
    expect(await givenBack(refused)).toMatchObject({ left: ['note.json'] });
    await writeFile(path.join(directory, 'note.json'), '{"machine":');
    expect(await givenBack()).toEqual({ failed: [], left: ['note.json'] });
    expect(await givenBack(undefined, path.join(directory, 'note.json'))).toMatchObject({ failed: [] });
  });

  test('lie where the machine keeps such things', () => {
    expect(notesDirectory({ XDG_STATE_HOME: '/var/lib/states' })).toBe('/var/lib/states/onward/workers');
    expect(notesDirectory({})).toBe(path.join(os.homedir(), '.local/state/onward/workers'));
  });
});

async function hit(faults: Faults, { id }: FaultRule): Promise<void> {
  for await (const [rule] of on(faults, 'hit') as AsyncIterableIterator<[FaultRule]>) if (rule.id === id) return;
}
