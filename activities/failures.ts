/**
 * The one place where errors become what workflows see: failures with a type of FAILURE, that Temporal repeats or not,
 * and without any secret that this process has resolved.
 */
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { FAILURE } from '../src/contract/activities';
import { SecretUnavailable, redact } from '../src/inventory/secrets';
import { SystemError } from '../src/systems/system-error';

/** For `interceptors.activity` of every worker. */
export const failureInterceptor: ActivityInterceptorsFactory = () => ({
  inbound: {
    async execute(input, next) {
      try {
        return await next(input);
      } catch (error) {
        throw toFailure(error);
      }
    },
  },
});

function toFailure(error: unknown): unknown {
  if (error instanceof SystemError) {
    return ApplicationFailure.create({
      message: redact(error.message),
      type: error.type,
      nonRetryable: !error.retryable,
      details: [{ system: error.system, call: error.call, ...(error.object && { object: redact(error.object) }) }],
      // A wait that goes on is no fault: neither the log nor the metrics should say so.
      ...(error.type === FAILURE.notYet && { category: ApplicationFailureCategory.BENIGN }),
    });
  }
  if (error instanceof SecretUnavailable) {
    return ApplicationFailure.nonRetryable(error.message, FAILURE.accessDenied);
  }
  redactChain(error);
  return error;
}

/** Errors of libraries may quote what they were given. */
function redactChain(error: unknown): void {
  for (let link = error; link instanceof Error; link = link.cause) {
    link.message = redact(link.message);
    if (link.stack !== undefined) link.stack = redact(link.stack);
    if (link instanceof ApplicationFailure) Object.assign(link, { details: redactDeep(link.details) });
  }
}

function redactDeep(value: unknown): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map(redactDeep);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, redactDeep(inner)]));
}
