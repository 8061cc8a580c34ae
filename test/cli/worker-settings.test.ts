/** Whatever is wrong with the settings of a worker is told at once, before it connects. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { CliError } from '../../src/cli/kit/cli-error';
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
  await expect(traces({ OTEL_SERVICE_NAME: 'onward', OTEL_EXPORTER_OTLP_ENDPOINT: ' ' })).resolves.toBe(false);
  await expect(traces({ OTEL_EXPORTER_OTLP_ENDPOINT })).resolves.toBe(true);
  await expect(
    traces({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector/v1/traces', OTEL_SDK_DISABLED: 'false' }),
  ).resolves.toBe(true);
  await expect(traces({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SDK_DISABLED: 'true' })).resolves.toBe(false);
  await expect(traces({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_EXPORTER: 'none' })).resolves.toBe(false);
});

test.each([
  ['ENDPOINT', 'collector:4318', 'is no URL'],
  ['ENDPOINT', `http://onward:${SECRET}@collector:4318`, 'OTEL_EXPORTER_OTLP_HEADERS'],
  ['ENDPOINT', `https://collector/v1/traces?key=${SECRET}`, 'holds a query'],
  ['ENDPOINT', 'http://[::1]:4318', 'IPv6'],
  ['TRACES_PROTOCOL', 'http/json', 'http/protobuf'],
  ['HEADERS', `authorization ${SECRET}`, 'name=value'],
  ['HEADERS', `authorization=${SECRET}%zz`, 'percent-encoded'],
  ['HEADERS', `authorization=${SECRET}%0A`, 'percent-encoded'],
  ['TRACES_COMPRESSION', 'zstd', 'gzip'],
  ['TIMEOUT', '10s', 'whole number'],
  ['CERTIFICATE', '/nowhere/ca.pem', 'cannot be read (ENOENT)'],
  ['CERTIFICATE', __filename, 'no certificate in PEM form'],
  ['CLIENT_KEY', __filename, 'no private key'],
])('a setting of traces that would be passed over is told: OTEL_EXPORTER_OTLP_%s=%s', async (name, value, problem) => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', [`OTEL_EXPORTER_OTLP_${name}`]: value };
  await expectTold(env, `OTEL_EXPORTER_OTLP_${name}`, problem);
});

test.each([
  ['OTEL_SDK_DISABLED', 'yes', 'neither true nor false'],
  ['OTEL_TRACES_EXPORTER', 'console', 'neither otlp nor none'],
  ['OTEL_TRACES_SAMPLER', 'always', 'always_on'],
  ['OTEL_TRACES_SAMPLER_ARG', '10%', 'no number from 0 to 1'],
  ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE', '0', 'whole number'],
  ['OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', 'all', 'whole number'],
  ['OTEL_RESOURCE_ATTRIBUTES', 'deployment.environment=the lab', 'percent-encoded'],
  ['OTEL_RESOURCE_ATTRIBUTES', 'lab', 'percent-encoded'],
])('a setting of traces that would be passed over is told: %s=%s', async (name, value, problem) => {
  const sampler = name === 'OTEL_TRACES_SAMPLER_ARG' && { OTEL_TRACES_SAMPLER: 'traceidratio' };
  await expectTold({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', ...sampler, [name]: value }, name, problem);
});

async function expectTold(env: NodeJS.ProcessEnv, name: string, problem: string): Promise<void> {
  const error = await reading(env, { inventory: folder }).catch((reason: unknown) => reason as CliError);
  const [told, ...others] = (error as CliError).problems;
  expect(told).toMatch(new RegExp(`^${name} `));
  expect(told).toContain(problem);
  expect(others.filter((other) => !/_CLIENT_CERTIFICATE is not set/.test(other))).toEqual([]);
  expect(told).not.toContain(SECRET);
}

test('settings of traces that are right are taken', async () => {
  const traces = reading(
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: ' https://collector.example:4318/otlp ',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20b253YXJk, x-scope-orgid=lab',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_EXPORTER_OTLP_TIMEOUT: '',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=lab,host.name=ep1, note=',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.1',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_BSP_SCHEDULE_DELAY: '1000',
    },
    { inventory: folder },
  );
  await expect(traces).resolves.toMatchObject({ telemetry: { traces: true } });
});
