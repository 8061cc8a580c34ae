import { SystemError } from '../../../src/systems/system-error';

/** The SystemError that the promise rejects with; anything else fails the test. */
export async function failureOf(promise: Promise<unknown>): Promise<SystemError> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    if (error instanceof SystemError) return error;
    throw error;
  }
  throw new Error(`expected a failure, got ${JSON.stringify(value)}`);
}
