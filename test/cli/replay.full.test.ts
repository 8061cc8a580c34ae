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

test('onward replay goes through all that runs, also where nobody here can read the memo of one', async () => {
  const server = await temporalServer();
  const { connection } = await connectClient(server.settings);
  const { connectionOptions, namespace } = server.settings;
  const keys = [{ id: 'made-up', key: createSecretKey(randomBytes(32)) }];
  const dataConverter = { payloadCodecs: [new EncryptionCodec(keys, { namespace })] };
  const stranger = new Client({ connection, namespace, dataConverter });
  const memo = { [CONSENT_MEMO]: 'for nobody here' };
  const start = { workflowId: 'consent/contoso/1', taskQueue: 'nobody', memo };
  const handle = await stranger.workflow.start('guardConsent', start);

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
  while ((await stranger.workflow.count(query)).count === 0) await aMoment();
  await runReplay(context, { address: connectionOptions.address ?? '', namespace, query });
  expect(said.join('')).toMatch(/^All 1 workflows can go on with build/);
  await handle.terminate();
  await connection.close();
  await server.close();
});
