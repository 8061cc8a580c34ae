/**
 * Traces by OpenTelemetry: a span for each attempt of an activity, and within it one for each call to an outside system. Imported only where
 * traces are on: what it needs takes a while to load.
 *
 * Of the SDK's interceptors those of activities alone: those of clients and workflows write trace ids into headers, and so into histories.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { context, diag, DiagLogLevel, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { setGlobalErrorHandler } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { detectResourcesSync, envDetectorSync, Resource } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { OpenTelemetryActivityInboundInterceptor } from '@temporalio/interceptors-opentelemetry';
import { Runtime, type ActivityInterceptorsFactory, type Logger } from '@temporalio/worker';
import { FAILURE } from '../contract/activities';
import { redact } from '../inventory/secrets';
import { CALLS, type CallMade } from '../systems/calls';
import { operationOf, providerOf } from './telemetry';
import { tracesTls } from './traces-settings';

export interface Traces {
  /** For `interceptors.activity`, before those of the product: errors are redacted by the time that they get here. */
  interceptors: ActivityInterceptorsFactory[];
  /** Sends what has not been sent, within {@link FAREWELL_SECONDS}. */
  end(): Promise<void>;
}

const NAME = 'onward';
/** A worker that ends waits so long for a collector, whatever the variables allow an exporter. */
export const FAREWELL_SECONDS = 5;
/** The log repeats a complaint after so long at the soonest, in milliseconds: a collector may be away for days. */
const REPEAT_MS = 10 * 60_000;

/**
 * Sends to where OpenTelemetry's own variables say (./traces-settings, which has looked at them).
 *
 * @param logger is told what could not be sent.
 */
export function startTraces(logger: Logger = Runtime.instance().logger): Traces {
  // The SDK takes an empty variable for 0, such as a queue for no span; OpenTelemetry says that it is none.
  for (const [name, value] of Object.entries(process.env)) {
    if (name.startsWith('OTEL_') && value?.trim() === '') delete process.env[name];
  }
  const unsent = complaint(logger, 'Traces could not be sent');
  setGlobalErrorHandler(unsent);
  listenTo(complaint(logger, 'Traces are incomplete'));
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const provider = new BasicTracerProvider({
    resource: new Resource({ 'service.name': NAME }).merge(detectResourcesSync({ detectors: [envDetectorSync] })),
    spanProcessors: [
      new BatchSpanProcessor(
        new OTLPTraceExporter({ httpAgentOptions: { keepAlive: true, ...tracesTls(process.env) } }),
      ),
    ],
  });
  const tracer = provider.getTracer(NAME);
  const onCall = (call: unknown): void => addCall(tracer, call as CallMade);
  CALLS.subscribe(onCall);
  return {
    interceptors: [
      (activity) => ({ inbound: new OpenTelemetryActivityInboundInterceptor(activity, { tracer }) }),
      nameActivity,
    ],
    async end() {
      CALLS.unsubscribe(onCall);
      const sent = new AbortController();
      const late = delay(FAREWELL_SECONDS * 1000, undefined, { signal: sent.signal }).then(
        () => unsent(`the collector has not answered within ${FAREWELL_SECONDS} s`),
        () => undefined,
      );
      await Promise.race([provider.shutdown().catch(unsent), late]);
      sent.abort();
      context.disable();
      diag.disable();
    },
  };
}

/** Says it, and then nothing for a while. */
function complaint(logger: Logger, message: string): (error: unknown) => void {
  let quietUntil = 0;
  return (error) => {
    if (Date.now() < quietUntil) return;
    quietUntil = Date.now() + REPEAT_MS;
    logger.warn(message, { error: redact(textOf(error)) });
  };
}

/** The exporter's error has the HTTP status beside its message. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: unknown };
  return typeof code === 'number' ? `HTTP ${code} ${error.message}` : error.message;
}

/** What the SDK says of itself, such as spans that the collector refused, or that found no place in the queue. */
function listenTo(hear: (text: string) => void): void {
  const heard = (...words: unknown[]): void => hear(words.filter((word) => typeof word === 'string').join(' '));
  const unheard = (): void => undefined;
  diag.setLogger(
    { error: heard, warn: heard, info: unheard, debug: unheard, verbose: unheard },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}

/** What people look for, beside the ids of workflow, run and activity that the SDK's span has. */
const nameActivity: ActivityInterceptorsFactory = ({ info }) => ({
  inbound: {
    execute(input, next) {
      const { activityType, attempt, taskQueue, workflowExecution } = info;
      const provider = workflowExecution && providerOf(workflowExecution.workflowId);
      const operation = operationOf(input.args[0]);
      trace.getActiveSpan()?.setAttributes({
        'onward.activity': activityType,
        'onward.attempt': attempt,
        'onward.task_queue': taskQueue,
        ...(provider !== undefined && { 'onward.provider': provider }),
        ...(operation !== undefined && { 'onward.operation': operation }),
      });
      return next(input);
    },
  },
});

/** The call has ended just now, within the span of its activity. */
function addCall(tracer: Tracer, { system, result, seconds }: CallMade): void {
  const endTime = Date.now();
  const span = tracer.startSpan(system, {
    kind: SpanKind.CLIENT,
    startTime: endTime - seconds * 1000,
    attributes: { 'onward.system': system, 'onward.result': result },
  });
  // A wait that goes on is no fault.
  if (result !== 'ok' && result !== FAILURE.notYet) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(endTime);
}
