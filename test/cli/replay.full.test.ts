/** @needs temporal */
import { createSecretKey, randomBytes } from 'node:crypto';
import { Client } from '@temporalio/client';
import type { CliContext } from '../../src/cli/kit/context';
import { runReplay } from '../../src/cli/operations/run-replay';
import { CONSENT_MEMO } from '../../src/contract/consent';
import { EncryptionCodec } from '../../src/temporal/codec';
import { connectClient } from '../../src/temporal/connection';
import { aMoment } from '../kit/deadlines';
import { temporalServer } from '../kit/temporal-server';

test('onward replay goes through all that runs, and names what nobody here can read', async () => {
  const server = await temporalServer();
  const client = await connectClient(server.settings);
  const { connection } = client;
  const { connectionOptions, namespace } = server.settings;
  const keys = [{ id: 'made-up', key: createSecretKey(randomBytes(32)) }];
  const dataConverter = { payloadCodecs: [new EncryptionCodec(keys, { namespace })] };
  const stranger = new Client({ connection, namespace, dataConverter });
  const memo = { [CONSENT_MEMO]: 'for nobody here' };
  const start = (by: Client, instance: number, more: object = {}) =>
    by.workflow.start('guardConsent', { workflowId: `consent/contoso/${instance}`, taskQueue: 'nobody', ...more });
  const handles = [await start(client, 1), await start(stranger, 2, { memo }), await start(client, 3)];

  const said: string[] = [];
  const context: CliContext = {
    stdout: { write: (text: string) => said.push(text) },
    stderr: { write: (text: string) => said.push(text) },
    env: {},
    platform: process.platform,
    now: () => new Date(),
    interrupted: () => new AbortController().signal,
  };
  const query = "WorkflowType = 'guardConsent'";
  // The server's lists are a moment behind.
  while ((await stranger.workflow.count(query)).count < handles.length) await aMoment();
  await expect(
    runReplay(context, { address: connectionOptions.address ?? '', namespace, query }),
  ).rejects.toMatchObject({
    kind: 'failure',
    message: expect.stringMatching(/^1 of 3 workflows cannot go on/) as string,
    problems: [expect.stringMatching(/^consent\/contoso\/2: .*made-up/)],
  });
  for (const handle of handles) await handle.terminate();
  await connection.close();
  await server.close();
});
