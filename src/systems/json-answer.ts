import { FAILURE } from '../contract/activities';
import type { HttpAnswer } from './http';
import { SystemError } from './system-error';

/** The answer's JSON, also behind a byte order mark; undefined when it is none, as error pages of proxies are. */
export function jsonIn(answer: HttpAnswer): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(answer.body));
  } catch {
    return undefined;
  }
}

/** The answer's JSON; throws `MalformedAnswer` when it is none. */
export function expectJson(
  answer: HttpAnswer,
  about: { system: string; call: string; object?: string | undefined },
): unknown {
  const json = jsonIn(answer);
  if (json !== undefined) return json;
  const { system, call, object } = about;
  throw new SystemError({
    type: FAILURE.malformedAnswer,
    system,
    call,
    object,
    problem: 'got an answer that is no JSON',
    next: 'Check that the URL in the inventory is that of this system.',
  });
}
