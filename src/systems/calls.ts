/** Tells whoever counts, in this process, what became of each call to an outside system: how it ended and how long it took. */
import { channel } from 'node:diagnostics_channel';
import type { FailureType } from '../contract/activities';
import { SystemError } from './system-error';

export interface CallMade {
  /** As failures name it: `Operations`, `PowerShell`. */
  system: string;
  /** `failed` is what no system answers, such as a call that was cancelled. */
  result: 'ok' | FailureType | 'failed';
  seconds: number;
}

/** Of {@link CallMade}. */
export const CALLS = channel('onward:call');

export async function counted<T>(system: string, call: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const tell = (result: CallMade['result']): void =>
    CALLS.publish({ system, result, seconds: (performance.now() - began) / 1000 } satisfies CallMade);
  try {
    const answer = await call();
    tell('ok');
    return answer;
  } catch (error) {
    tell(error instanceof SystemError ? error.type : 'failed');
    throw error;
  }
}
