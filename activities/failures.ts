/**
 * The one place where errors become what workflows see: failures with a type of FAILURE, that Temporal repeats or not,
 * and without any secret that this process has resolved.
 */
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { FAILURE } from '../src/contract/activities';
import { SecretUnavailable, redact, redactDeep } from '../src/inventory/secrets';
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
      message: error.message,
      type: error.type,
      nonRetryable: !error.retryable,
      details: [{ system: error.system, call: error.call, ...(error.object && { object: error.object }) }],
      // A wait that goes on is no fault: neither the log nor the metrics should say so.
      ...(error.type === FAILURE.notYet && { category: ApplicationFailureCategory.BENIGN }),
    });
  }
  if (error instanceof SecretUnavailable) {
    return ApplicationFailure.nonRetryable(error.message, FAILURE.accessDenied);
  }
  redactChain(error);
  return typeof error === 'string' ? redact(error) : error;
}

/** Errors of libraries may quote what they were given. */
function redactChain(error: unknown): void {
  for (let link = error; isError(link); link = link.cause) {
    redactText(link, 'message');
    redactText(link, 'stack');
    if (link instanceof ApplicationFailure) Object.assign(link, { details: redactDeep(link.details) });
  }
}

/** Also those of other realms, such as what an AbortSignal throws. */
function isError(value: unknown): value is Error {
  return typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string';
}

function redactText(error: Error, name: 'message' | 'stack'): void {
  const text = error[name];
  if (text === undefined || redact(text) === text) return;
  // Errors of the platform, such as those of AbortSignal, have a message that cannot be assigned to.
  Object.defineProperty(error, name, { value: redact(text), configurable: true, writable: true });
}
