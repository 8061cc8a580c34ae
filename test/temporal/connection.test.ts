/** @needs temporal */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http2 from 'node:http2';
import type net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { findTemporalCli } from '../../src/temporal/cli-binary';
import { connectClient, InvalidTemporalSettings, localSettings, temporalSettings } from '../../src/temporal/connection';
import { type DevServer, startDevServer } from '../../src/temporal/dev-server';
import { connectWorker } from '../../src/temporal/worker-connection';

describe('settings from the environment', () => {
  const before = { ...process.env };
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'onward-settings-'));
    for (const name of Object.keys(process.env)) if (name.startsWith('TEMPORAL_')) delete process.env[name];
    process.env['TEMPORAL_CONFIG_FILE'] = path.join(folder, 'temporal.toml');
  });
  afterEach(async () => {
    process.env = { ...before };
    await rm(folder, { recursive: true });
  });

  test('are the local server and its default namespace when nothing is set', () => {
    expect(temporalSettings()).toMatchObject({
      connectionOptions: { address: 'localhost:7233' },
      namespace: 'default',
    });
  });

  test('are told in one error with everything that is wrong, also in temporal.toml', async () => {
    await writeFile(path.join(folder, 'temporal.toml'), '[profile.default.tls]\nclient_cert_path = "/nowhere/c.pem"\n');
    process.env['TEMPORAL_ADDRESS'] = 'http://temporal.example';
    const read = (): unknown => temporalSettings();
    expect(read).toThrow(InvalidTemporalSettings);
    expect(read).toThrow(/TEMPORAL_ADDRESS(.*\n)+.*CERT_PATH.*ENOENT(.*\n)+.*KEY_PATH/);
  });

  test('come from a profile of temporal.toml, and variables win', async () => {
    const file = '[profile.production]\naddress = "temporal.example:7233"\nnamespace = "upgrades"\napi_key = "k"\n';
    await writeFile(path.join(folder, 'temporal.toml'), file);
    process.env['TEMPORAL_PROFILE'] = 'production';
    process.env['TEMPORAL_NAMESPACE'] = 'rehearsal';
    expect(temporalSettings()).toEqual({
      connectionOptions: { address: 'temporal.example:7233', apiKey: 'k', tls: true, metadata: undefined },
      namespace: 'rehearsal',
    });
  });

  test('never show the API key, not even where it cannot be sent', async () => {
    Object.assign(process.env, { TEMPORAL_API_KEY: 'hunter2-the-key\n', TEMPORAL_ADDRESS: '127.0.0.1:1' });
    expect(() => temporalSettings()).toThrow('TEMPORAL_API_KEY holds a space, a line break');
    const settings = {
      connectionOptions: { address: '127.0.0.1:1', apiKey: 'hunter2-the-key\n' },
      namespace: 'default',
    };
    const refusal = connectClient(settings);
    await expect(refusal).rejects.toThrow('Metadata string value "Bearer [secret]" contains illegal characters');
    await expect(refusal).rejects.not.toThrow('hunter2');
  });

  test('name a profile that is not there', () => {
    process.env['TEMPORAL_PROFILE'] = 'prodction';
    expect(() => temporalSettings()).toThrow(/temporal\.toml(.*\n)+.*Profile 'prodction' not found/);
  });
});

describe('connecting', () => {
  let server: DevServer;
  beforeAll(async () => {
    server = await startDevServer();
  });
  afterAll(() => server.close());

  test('says that no server answers, and what to do', async () => {
    const nobody = localSettings('127.0.0.1:1');
    await expect(connectClient(nobody)).rejects.toThrow(
      /127\.0\.0\.1:1 does not answer.*ECONNREFUSED.*TEMPORAL_ADDRESS/,
    );
    await expect(connectWorker(nobody)).rejects.toThrow(
      /127\.0\.0\.1:1 does not answer.*Connection refused.*TEMPORAL_ADDRESS/,
    );
  });

  test.each([
    ['a client', connectClient],
    ['a worker', connectWorker],
  ])('says so at once: %s does not try again', async (_, connect) => {
    // Questions are counted, not connections: a transport may open another where one broke.
    const questions: unknown[] = [];
    const unavailable = http2.createServer();
    unavailable.on('stream', (stream, headers) => {
      questions.push(headers[':path']);
      const trailers = { 'grpc-status': '14', 'grpc-message': 'starting' };
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...trailers }, { endStream: true });
    });
    unavailable.listen(0, '127.0.0.1');
    await once(unavailable, 'listening');
    const { port } = unavailable.address() as net.AddressInfo;
    try {
      await expect(connect(localSettings(`127.0.0.1:${port}`))).rejects.toThrow(
        new RegExp(`127\\.0\\.0\\.1:${port} does not answer.*starting`),
      );
      expect(questions).toHaveLength(1);
    } finally {
      unavailable.close();
    }
  });

  test('gives the command that creates a missing namespace', async () => {
    const settings = { ...localSettings(server.address), namespace: 'upgrades' };
    const command = `temporal operator namespace create --address ${server.address} --namespace upgrades`;
    await expect(connectClient(settings)).rejects.toThrow(command);
    await expect(connectWorker(settings)).rejects.toThrow(command);
  });

  test('gives a worker the command that registers missing search attributes, and that command works', async () => {
    const { path: temporal } = await findTemporalCli();
    const run = async (args: string[]): Promise<void> => {
      const child = spawn(temporal, args, { stdio: 'ignore' });
      expect(await once(child, 'close')).toEqual([0, null]);
    };
    await run(['operator', 'namespace', 'create', '--address', server.address, '--namespace', 'bare']);
    const settings = { ...localSettings(server.address), namespace: 'bare' };

    const refusal = await connectWorker(settings).then(
      () => 'connected',
      (error: Error) => error.message,
    );
    expect(refusal).toContain('does not know the search attributes OnwardProvider');
    const command = refusal.split('\n').at(-1)?.trim().split(' ').slice(1) ?? [];
    await run(command);
    const connection = await connectWorker(settings);
    await connection.close();
  });
});
