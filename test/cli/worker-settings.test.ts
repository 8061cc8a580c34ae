/** Whatever is wrong with the settings of a worker is told at once, before it connects. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { CliContext } from '../../src/cli/kit/context';
import { workerSettings } from '../../src/cli/operations/worker-settings';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'onward-worker-'));
  await writeFile(path.join(folder, 'endpoint.yaml'), 'workDirectory: Onward\npakages: {}\n');
});
afterAll(() => rm(folder, { recursive: true }));

const SECRET = 'hunter2-the-key';
const WRONG = {
  TEMPORAL_ADDRESS: 'https://temporal.example:7233',
  TEMPORAL_API_KEY: `${SECRET}\n`,
  ONWARD_CODEC_KEYS: 'k1',
  ONWARD_PLAINTEXT_UNTIL: 'tomorrow',
  ONWARD_METRICS: '9464',
  ONWARD_LOG: 'xml',
  OTEL_EXPORTER_OTLP_ENDPOINT: `onward:${SECRET}@collector:4318`,
  OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
  ONWARD_PWSH: '/no/such/pwsh',
};
const before = { ...process.env };
afterEach(() => {
  process.env = { ...before };
});

function reading(env: NodeJS.ProcessEnv, options: Parameters<typeof workerSettings>[1]) {
  // Temporal's own settings are those of the process.
  process.env = { ...before, ...env };
  const output = { write: () => undefined };
  const context: CliContext = {
    stdout: output,
    stderr: output,
    env: process.env,
    platform: process.platform,
    now: () => new Date(),
    interrupted: () => new AbortController().signal,
  };
  return workerSettings(context, options);
}

const OF_BOTH = [
  expect.stringMatching(/^TEMPORAL_ADDRESS is not host:port/),
  expect.stringMatching(/^TEMPORAL_API_KEY holds/),
  expect.stringMatching(/^ONWARD_METRICS: Give the address/),
  expect.stringMatching(/^OTEL_EXPORTER_OTLP_ENDPOINT is no URL of a collector/),
  expect.stringMatching(/^OTEL_EXPORTER_OTLP_PROTOCOL has to be http\/protobuf/),
  expect.stringMatching(/^ONWARD_LOG is neither json nor text/),
];
const OF_KEYS = [expect.stringContaining('ONWARD_PLAINTEXT_UNTIL'), expect.stringContaining('ONWARD_CODEC_KEYS')];

test('those of a control-plane worker: server, logs and metrics, keys, inventory', async () => {
  const nowhere = path.join(folder, 'nowhere');
  const wrong = reading(WRONG, { inventory: nowhere });
  await expect(wrong).rejects.toMatchObject({
    kind: 'usage',
    problems: [...OF_BOTH, ...OF_KEYS, expect.stringMatching(/nowhere: there is no such folder.*ONWARD_INVENTORY/)],
  });
  await expect(wrong).rejects.not.toMatchObject({
    problems: expect.arrayContaining([expect.stringContaining(SECRET)]),
  });
});

test('those of an endpoint worker: the configuration of its host with each line, and its PowerShell', async () => {
  const env = { ...WRONG, ONWARD_ENDPOINT: path.join(folder, 'endpoint.yaml') };
  await expect(reading(env, { host: 'gw-host-01' })).rejects.toMatchObject({
    kind: 'usage',
    problems: [
      ...OF_BOTH,
      expect.stringMatching(/endpoint\.yaml: line 1: workDirectory/),
      expect.stringMatching(/endpoint\.yaml: line 2: pakages/),
      ...OF_KEYS,
      expect.stringMatching(/^There is no \/no\/such\/pwsh .*ONWARD_PWSH/),
    ],
  });
});

test('settings that are right are what the worker gets; an option is stronger than the environment, and an empty variable says nothing', async () => {
  const env = { TEMPORAL_ADDRESS: 'temporal.example:7233', ONWARD_METRICS: '127.0.0.1:9464', ONWARD_LOG: '' };
  await expect(reading(env, { inventory: folder, metrics: '127.0.0.1:9465' })).resolves.toMatchObject({
    settings: { connectionOptions: { address: 'temporal.example:7233' } },
    telemetry: { metrics: '127.0.0.1:9465', log: 'json', traces: false },
    inventory: folder,
    endpoint: undefined,
  });
});

test('traces are off until a collector is named, and where OpenTelemetry is told to be off', async () => {
  const traces = async (env: NodeJS.ProcessEnv): Promise<boolean> =>
    (await reading(env, { inventory: folder })).telemetry.traces;
  const OTEL_EXPORTER_OTLP_ENDPOINT = 'http://collector:4318';
  await expect(traces({ OTEL_SERVICE_NAME: 'onward', OTEL_EXPORTER_OTLP_ENDPOINT: '' })).resolves.toBe(false);
  await expect(traces({ OTEL_EXPORTER_OTLP_ENDPOINT })).resolves.toBe(true);
  await expect(
    traces({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector/v1/traces', OTEL_SDK_DISABLED: 'false' }),
  ).resolves.toBe(true);
  await expect(traces({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SDK_DISABLED: 'true' })).resolves.toBe(false);
  await expect(traces({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_EXPORTER: 'none' })).resolves.toBe(false);
});
