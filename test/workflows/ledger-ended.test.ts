/**
 * A ledger that somebody ends by force, at any moment of whoever writes to it: it forgets nothing.
 *
 * @needs temporal
 */
import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createLedgerActivities } from '../../activities/ledger';
import { ledgerWorkflowId, type Entered } from '../../src/contract/ledger';
import type { Operation } from '../../src/contract/operation';
import { connectClient } from '../../src/temporal/connection';
import { temporalServer, type TemporalServer } from '../kit/temporal-server';

let server: TemporalServer;
let client: Client;
beforeAll(async () => {
  server = await temporalServer();
  client = await connectClient(server.settings);
});
afterAll(async () => {
  await client.connection.close();
  await server.close();
});

const { enterInstallation, noteInLedger } = createLedgerActivities();
/** Of an operation: an activity of it, by this client. */
async function by<T>(whose: Client, act: () => Promise<T>): Promise<T> {
  const answer: unknown = await new MockActivityEnvironment({ taskQueue: 'nobody' }, { client: whose }).run(act);
  return answer as T;
}

/** An installation whose provisioning is off, and whose import is requested. */
async function withNotes(name: string) {
  const operation: Operation = {
    provider: name,
    from: '18.3',
    to: '18.4.1',
    firstRun: 'first-run',
    workflowId: `upgrade/${name}`,
  };
  const entrant = { installation: `resource-of-${name}`, operation, instances: [`resource-of-${name}`] };
  const off = { step: 'stopProvisioning', what: 'provisioning', before: [16], facts: {} };
  await by(client, () => enterInstallation(entrant));
  await by(client, () => noteInLedger({ ...entrant, note: { type: 'begun', ...off } }));
  await by(client, () => noteInLedger({ ...entrant, note: { type: 'importing', requestId: 'request-1' } }));
  const end = () => client.workflow.getHandle(ledgerWorkflowId(entrant.installation)).terminate('the wrong button');
  return { entrant, end };
}

const told = ({ ledger }: Entered) => ({
  begun: ledger?.begun.map(({ what, before }) => [what, before]),
  requests: ledger?.requests,
});
const NOTED = { begun: [['provisioning', [[16]]]], requests: ['request-1'] };

/** As `object`, with some of its methods in other words. */
function instead<T extends object>(object: T, methods: Partial<T>): T {
  return new Proxy(object, {
    get: (target, name) => {
      const value: unknown = Reflect.get(name in methods ? methods : target, name);
      return typeof value === 'function' ? (value as (...all: unknown[]) => unknown).bind(target) : value;
    },
  });
}

test('whoever comes next begins it anew with all that was noted, also where the worker dies after each of its calls', async () => {
  const { entrant, end } = await withNotes('dies-reviving');
  await end();
  for (let calls = 1; ; calls += 1) {
    let left = calls;
    const once =
      <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        const answer = await call(...args);
        left -= 1;
        if (left === 0) throw new Error('killed');
        return answer;
      };
    const workflow = instead(client.workflow, {
      signalWithStart: once(
        client.workflow.signalWithStart.bind(client.workflow),
      ) as Client['workflow']['signalWithStart'],
      getHandle: ((...of: Parameters<Client['workflow']['getHandle']>) => {
        const handle = client.workflow.getHandle(...of);
        return instead(handle, {
          signal: once<Parameters<typeof handle.signal>, void>(handle.signal.bind(handle)) as (typeof handle)['signal'],
        });
      }) as Client['workflow']['getHandle'],
    });
    const entering: Promise<Entered> = by(instead(client, { workflow }), () => enterInstallation(entrant));
    const entered = await entering.catch((error: Error) => {
      if (error.message !== 'killed') throw error;
    });
    expect(told(await by(client, () => enterInstallation(entrant)))).toEqual(NOTED);
    if (entered) break;
    await end();
  }
});

test('two that revive it at once leave what one of them has noted since', async () => {
  const { entrant, end } = await withNotes('revived-twice');
  await end();
  await Promise.all([1, 2, 3].map(() => by(client, () => enterInstallation(entrant))));
  await by(client, () => noteInLedger({ ...entrant, note: { type: 'settled', step: 'stopProvisioning' } }));
  await Promise.all([1, 2].map(() => by(client, () => enterInstallation(entrant))));
  expect(told(await by(client, () => enterInstallation(entrant)))).toEqual({ ...NOTED, begun: [] });
  await end();
  expect(told(await by(client, () => enterInstallation(entrant)))).toEqual({ ...NOTED, begun: [] });
});

test('a note for a ledger that was ended since it was read begins no ledger that knows of nothing else', async () => {
  const { entrant, end } = await withNotes('ended-meanwhile');
  const handleOf = (...of: Parameters<Client['workflow']['getHandle']>) => {
    const handle = client.workflow.getHandle(...of);
    const signal = async (...args: Parameters<typeof handle.signal>) => {
      await end();
      await handle.signal(...args);
    };
    return instead(handle, { signal: signal as (typeof handle)['signal'] });
  };
  const workflow = instead(client.workflow, { getHandle: handleOf as Client['workflow']['getHandle'] });
  const note = { type: 'importing' as const, requestId: 'request-2' };
  const unlucky = by(instead(client, { workflow }), () => noteInLedger({ ...entrant, note }));
  await expect(unlucky).rejects.toThrow();
  // As Temporal does with what has failed.
  expect(await by(client, () => noteInLedger({ ...entrant, note }))).toMatchObject({ requests: ['request-1'] });
  const requests = ['request-1', 'request-2'];
  expect(told(await by(client, () => enterInstallation(entrant)))).toEqual({ ...NOTED, requests });
});
