/** What a worker tells of itself: metrics for Prometheus, its log, and traces (./traces). */
import type { LogLevel, LogMetadata } from '@temporalio/common';
import { DefaultLogger, Runtime, type ActivityInterceptorsFactory, type RuntimeOptions } from '@temporalio/worker';
import { operationId, type Operation } from '../contract/operation';
import { redact, redactDeep } from '../inventory/secrets';
import { CALLS, type CallMade } from '../systems/calls';

export type LogFormat = 'json' | 'text';

export interface TelemetrySettings {
  /** Where Prometheus may ask, `127.0.0.1:9464`; without it there are no metrics. */
  metrics?: string | undefined;
  /** `json`: one object a line. */
  log: LogFormat;
  /** By ./traces, where OpenTelemetry's variables say. */
  traces: boolean;
}

/** Somebody else has the port. */
export class NoMetrics extends Error {
  override readonly name = 'NoMetrics';
}

/** Metrics are named as Prometheus wants them: seconds, `_total`. */
const NAMING = { countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true } as const;
/** From a quick answer to a setup.cmd. */
const CALL_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];
const CALL_DURATION = 'onward_system_call_duration_seconds';

/**
 * Call it before anything of the SDK's native core is used.
 *
 * @throws NoMetrics when nobody can listen there.
 */
export function installTelemetry({ metrics, log }: Omit<TelemetrySettings, 'traces'>): void {
  const logging: RuntimeOptions =
    log === 'text'
      ? {}
      : { logger: new DefaultLogger('INFO', writeJson), telemetryOptions: { logging: { forward: {} } } };
  if (metrics === undefined) {
    Runtime.install(logging);
    return;
  }
  const prometheus = { bindAddress: metrics, ...NAMING, histogramBucketOverrides: { [CALL_DURATION]: CALL_BUCKETS } };
  try {
    Runtime.install({ ...logging, telemetryOptions: { ...logging.telemetryOptions, metrics: { prometheus } } });
  } catch (error) {
    throw new NoMetrics(error instanceof Error ? error.message : String(error), { cause: error });
  }
  const duration = Runtime.instance().metricMeter.createHistogram(
    CALL_DURATION,
    'float',
    undefined,
    'Calls to outside systems, by how they ended.',
  );
  CALLS.subscribe((call) => {
    const { system, result, seconds } = call as CallMade;
    duration.record(seconds, { system, result });
  });
}

const NANOS_PER_MS = 1_000_000n;

function writeJson({ level, message, timestampNanos, meta = {} }: LogLine): void {
  const time = new Date(Number(timestampNanos / NANOS_PER_MS)).toISOString();
  process.stderr.write(`${JSON.stringify({ time, level, message: redact(message), ...attributesOf(meta) })}\n`);
}

interface LogLine {
  level: LogLevel;
  message: string;
  timestampNanos: bigint;
  meta?: LogMetadata;
}

/** Short names for what people filter by; what the SDK adds besides is said by these, or by nobody asked for. */
const NAMES = {
  provider: 'provider',
  operation: 'operation',
  step: 'step',
  subject: 'subject',
  verdict: 'verdict',
  notice: 'notice',
  activityType: 'activity',
  attempt: 'attempt',
  workflowType: 'workflow',
  workflowId: 'workflowId',
  runId: 'runId',
  workflowRunId: 'runId',
  taskQueue: 'taskQueue',
  durationMs: 'durationMs',
  sdkComponent: 'component',
} as const;

function attributesOf(meta: LogMetadata): Record<string, unknown> {
  const { workflowId, error } = meta as { workflowId?: unknown; error?: unknown };
  const provider = typeof workflowId === 'string' ? providerOf(workflowId) : undefined;
  const named = Object.entries(NAMES).flatMap(([from, to]) =>
    meta[from] === undefined ? [] : [[to, redactDeep(meta[from])] as const],
  );
  return {
    ...(provider !== undefined && { provider }),
    ...Object.fromEntries(named),
    ...(error !== undefined && {
      error: error instanceof Error ? redact(error.stack ?? error.message) : redactDeep(error),
    }),
  };
}

/** Workflows are named by whom they are about; that of a fleet, a notice or an installation is about no single one. */
export const providerOf = (workflowId: string): string | undefined =>
  /^(?:upgrade|consent|preflight)\/([^/]+)/.exec(workflowId)?.[1];

/** For `interceptors.activity` of every worker: lines about an activity name the operation that it works for. */
export const operationInLog: ActivityInterceptorsFactory = () => {
  let operation: string | undefined;
  return {
    inbound: {
      execute(input, next) {
        operation = operationOf(input.args[0]);
        return next(input);
      },
    },
    outbound: {
      getLogAttributes: (input, next) => next({ ...input, ...(operation !== undefined && { operation }) }),
    },
  };
};

/** Of the input of an activity. */
export function operationOf(input: unknown): string | undefined {
  if (typeof input !== 'object' || input === null || !('operation' in input)) return undefined;
  const { operation } = input;
  if (typeof operation === 'string') return operation;
  if (typeof operation !== 'object' || operation === null || !('firstRun' in operation)) return undefined;
  return operationId(operation as Operation);
}
