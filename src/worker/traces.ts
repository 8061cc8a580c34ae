/**
 * Traces by OpenTelemetry: a span for each attempt of an activity, and within it one for each call to an outside system. Imported only where
 * traces are on: what it needs takes a while to load.
 *
 * Of the SDK's interceptors those of activities alone: those of clients and workflows write trace ids into headers, and so into histories.
 */
import { context, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';
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

export interface Traces {
  /** For `interceptors.activity`, before those of the product: errors are redacted by the time that they get here. */
  interceptors: ActivityInterceptorsFactory[];
  /** Sends what has not been sent. */
  end(): Promise<void>;
}

const NAME = 'onward';

/**
 * Sends to where OpenTelemetry's own variables say (`OTEL_EXPORTER_OTLP_*`, `OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER`, `OTEL_BSP_*`).
 *
 * @param logger is told what could not be sent.
 */
export function startTraces(logger: Logger = Runtime.instance().logger): Traces {
  const unsent = (error: unknown): void => {
    logger.warn('Traces could not be sent', { error: redact(error instanceof Error ? error.message : String(error)) });
  };
  setGlobalErrorHandler(unsent);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const provider = new BasicTracerProvider({
    resource: new Resource({ 'service.name': NAME }).merge(detectResourcesSync({ detectors: [envDetectorSync] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
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
      await provider.shutdown().catch(unsent);
    },
  };
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
