/** What a worker tells a collector of OpenTelemetry, over the wire. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import type { ServerOptions } from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import * as otlp from '@opentelemetry/otlp-transformer/build/src/generated/root';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger, type LogEntry } from '@temporalio/worker';
import type { IConversionOptions, Type } from 'protobufjs';
import { generate } from 'selfsigned';
import { failureInterceptor } from '../../activities/failures';
import { FAILURE, type FailureType } from '../../src/contract/activities';
import { conceal } from '../../src/inventory/secrets';
import { BUILD_FOLDER } from '../../src/package-root';
import { counted } from '../../src/systems/calls';
import { SystemError } from '../../src/systems/system-error';
import { FAREWELL_SECONDS, startTraces } from '../../src/worker/traces';
import { Collector } from '../kit/collector';
import { patience } from '../kit/deadlines';
import { testInFull } from '../kit/extent';
import { freeAddress } from '../kit/free-address';

type Attributes = { key: string; value: object }[];
interface Span {
  name: string;
  spanId: string;
  parentSpanId: string;
  attributes: Attributes;
  events: { name: string; attributes: Attributes }[];
  status: { code: number; message: string };
}
interface Sent {
  resourceSpans: { resource: { attributes: Attributes }; scopeSpans: { spans: Span[] }[] }[];
}

/** How the exporter itself writes what it sends. */
const { ExportTraceServiceRequest: sentType, ExportTraceServiceResponse: answerType } = (
  otlp as unknown as {
    opentelemetry: {
      proto: {
        collector: {
          trace: {
            v1: {
              ExportTraceServiceRequest: Pick<Type, 'decode' | 'toObject'>;
              ExportTraceServiceResponse: Pick<Type, 'encode'>;
            };
          };
        };
      };
    };
  }
).opentelemetry.proto.collector.trace.v1;
const PLAIN: IConversionOptions = { bytes: String, longs: String, arrays: true };

const before = { ...process.env };
let collector: Collector;

beforeEach(async () => {
  collector = await Collector.start();
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = collector.url;
});
afterEach(async () => {
  process.env = { ...before };
  await collector.close();
});

const SECRET = 'hunter2-the-password';
const WORKFLOW = { workflowId: 'upgrade/contoso', runId: 'run-7' };
const OPERATION = { provider: 'contoso', from: '18.3', to: '18.4.1', firstRun: '0123456789abcdef' };

/** Runs an activity as a worker with traces does, to the end of both. */
async function traced(activity: (input: unknown) => Promise<unknown>, logged: LogEntry[] = []): Promise<unknown> {
  const traces = startTraces(new DefaultLogger('INFO', (entry) => logged.push(entry)));
  const environment = new MockActivityEnvironment(
    { activityType: 'importPackage', attempt: 3, taskQueue: 'onward', workflowExecution: WORKFLOW },
    { interceptors: [...traces.interceptors, failureInterceptor], logger: new DefaultLogger('ERROR') },
  );
  const ended = await environment
    .run(activity, { operation: OPERATION, note: SECRET })
    .catch((error: unknown) => error);
  await traces.end();
  return ended;
}

const sent = (): Sent[] => collector.received.map((bytes) => sentType.toObject(sentType.decode(bytes), PLAIN) as Sent);
const spans = (): Span[] =>
  sent()
    .flatMap(({ resourceSpans }) => resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
const attributes = (list: Attributes): Record<string, unknown> =>
  Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]]));

test('an attempt of an activity is a span with the ids of what it works for, and each call to a system is one within it', async () => {
  process.env['OTEL_SERVICE_NAME'] = 'onward-blue';
  await traced(() => counted('Operations', async () => 'done'));
  const [call, activity] = spans();
  expect(activity).toMatchObject({ name: 'RunActivity:importPackage', status: { code: 1 } });
  expect(attributes(activity?.attributes ?? [])).toEqual({
    temporalWorkflowId: 'upgrade/contoso',
    run_id: 'run-7',
    temporalActivityId: expect.any(String),
    'onward.activity': 'importPackage',
    'onward.attempt': '3',
    'onward.task_queue': 'onward',
    'onward.provider': 'contoso',
    'onward.operation': expect.stringMatching(/^contoso\/18\.3-18\.4\.1\//),
  });
  expect(call).toMatchObject({ name: 'Operations', parentSpanId: activity?.spanId });
  expect(attributes(call?.attributes ?? [])).toEqual({ 'onward.system': 'Operations', 'onward.result': 'ok' });
  expect(attributes(sent()[0]?.resourceSpans[0]?.resource.attributes ?? [])).toMatchObject({
    'service.name': 'onward-blue',
  });
});

test('a failure is told without secrets', async () => {
  conceal(SECRET);
  await traced(async () => {
    throw new Error(`401 for admin:${SECRET}`);
  });
  const [activity] = spans();
  expect(activity).toMatchObject({
    status: { code: 2, message: '401 for admin:[secret]' },
    events: [{ name: 'exception' }],
  });
  expect(JSON.stringify(sent())).not.toContain(SECRET);
});

test('a call that a system refused is an error; one that has to wait is none', async () => {
  const refuse = (type: FailureType): Promise<never> =>
    Promise.reject(new SystemError({ type, system: 'Operations', call: 'x', problem: 'said no', next: 'Look.' }));
  await traced(() => counted('Operations', () => refuse(FAILURE.rejected)));
  await traced(() => counted('Operations', () => refuse(FAILURE.notYet)));
  expect(spans().map(({ name, status }) => [name, status.code ?? 0])).toEqual([
    ['Operations', 2],
    ['RunActivity:importPackage', 2],
    ['Operations', 0],
    ['RunActivity:importPackage', 0],
  ]);
});

test('a collector that is not there is told in the log, and the activity does not notice', async () => {
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://${await freeAddress()}`;
  const logged: LogEntry[] = [];
  await expect(traced(async () => 'done', logged)).resolves.toBe('done');
  expect(logged).toMatchObject([
    { level: 'WARN', message: 'Traces could not be sent', meta: { error: expect.stringContaining('ECONNREFUSED') } },
  ]);
});

test('an empty variable is none: spans are sent, and the worker ends', async () => {
  for (const name of ['MAX_QUEUE_SIZE', 'MAX_EXPORT_BATCH_SIZE', 'EXPORT_TIMEOUT', 'SCHEDULE_DELAY'])
    process.env[`OTEL_BSP_${name}`] = '';
  process.env['OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT'] = ' ';
  await traced(async () => 'done');
  expect(attributes(spans()[0]?.attributes ?? [])).toMatchObject({ 'onward.activity': 'importPackage' });
});

async function answering(answer: (response: ServerResponse) => unknown, tls?: ServerOptions): Promise<void> {
  await collector.close();
  collector = await Collector.start(answer, tls);
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = collector.url;
}

test('spans that a collector refuses in a friendly way are told in the log', async () => {
  const refusal = answerType.encode({ partialSuccess: { rejectedSpans: 1, errorMessage: 'too old' } }).finish();
  await answering((response) => response.end(refusal));
  const logged: LogEntry[] = [];
  await traced(async () => 'done', logged);
  expect(logged).toMatchObject([
    { message: 'Traces are incomplete', meta: { error: expect.stringContaining('too old') } },
  ]);
});

test('what a collector refuses again and again is told once, with the status', async () => {
  await answering((response) => response.writeHead(401).end());
  process.env['OTEL_BSP_SCHEDULE_DELAY'] = '10';
  const logged: LogEntry[] = [];
  const traces = startTraces(new DefaultLogger('INFO', (entry) => logged.push(entry)));
  const environment = new MockActivityEnvironment({}, { interceptors: traces.interceptors });
  for (const count of [1, 2, 3]) {
    await environment.run(async () => 'done');
    while (collector.received.length < count) await new Promise(setImmediate);
  }
  await traces.end();
  expect(logged).toMatchObject([{ meta: { error: 'HTTP 401 Unauthorized' } }]);
});

test("a collector may have a certificate of an authority of one's own", async () => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'collector' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  });
  const folder = await mkdtemp(path.join(os.tmpdir(), 'onward-traces-'));
  const ca = path.join(folder, 'ca.pem');
  await writeFile(ca, cert);
  await answering((response) => response.end(), { key, cert });
  process.env['OTEL_EXPORTER_OTLP_CERTIFICATE'] = ca;
  await traced(async () => 'done');
  expect(spans()).toHaveLength(1);
  await rm(folder, { recursive: true });
});

testInFull('a worker that ends does not wait for a collector that never comes to an end', async () => {
  const dripping = new Set<NodeJS.Timeout>();
  await answering((response) => dripping.add(setInterval(() => response.write('.'), 100)));
  process.env['OTEL_EXPORTER_OTLP_TIMEOUT'] = '60000';
  const logged: LogEntry[] = [];
  const begin = Date.now();
  await traced(async () => 'done', logged);
  dripping.forEach(clearInterval);
  expect(Date.now() - begin).toBeLessThan(patience(2 * FAREWELL_SECONDS * 1000));
  expect(logged).toMatchObject([{ meta: { error: expect.stringContaining('has not answered within 5 s') } }]);
});

test('a worker that is not asked for traces loads nothing of OpenTelemetry', async () => {
  const worker = path.join(BUILD_FOLDER, 'src', 'cli', 'operations', 'run-worker.js');
  const script = `require(${JSON.stringify(worker)}); console.log(JSON.stringify(Object.keys(require.cache)))`;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script]);
  const loaded = JSON.parse(stdout) as string[];
  expect(loaded).toContain(worker);
  expect(loaded.filter((file) => /opentelemetry/.test(file))).toEqual([]);
});
