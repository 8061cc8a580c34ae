/**
 * How workers read payloads: what cannot be read, and what the codec has marked, becomes a {@link Doubtful}. Loaded by workers and bundled with
 * the workflows.
 */
import { defaultPayloadConverter, type Payload, type PayloadConverter } from '@temporalio/common';
import { decode, encode } from '@temporalio/common/lib/encoding';
import { Doubtful, type Doubt } from '../contract/doubtful';

interface Mark {
  doubt: Doubt;
  late: boolean;
}

/** In metadata, between the codec and here: the codec writes it over whatever a sender has put there. */
const MARK = 'onward-doubt';

export const marked = (payload: Payload, mark: Mark): Payload => ({
  ...payload,
  metadata: { ...payload.metadata, [MARK]: encode(JSON.stringify(mark)) },
});

class DoubtfulPayloads implements PayloadConverter {
  toPayload<T>(value: T): Payload {
    return defaultPayloadConverter.toPayload(value);
  }

  fromPayload<T>(payload: Payload): T {
    const value = valueIn(payload);
    const mark = payload.metadata?.[MARK];
    if (!mark || value instanceof Doubtful) return value as T;
    const { doubt, late } = JSON.parse(decode(mark)) as Mark;
    return new Doubtful(doubt, late, value) as T;
  }
}

function valueIn(payload: Payload): unknown {
  // In place of one that is not there (workflows/kit/refuse-doubtful).
  if (!payload.metadata) return new Doubtful('missing', false);
  try {
    return defaultPayloadConverter.fromPayload(payload);
  } catch {
    return new Doubtful('unreadable', false);
  }
}

export const payloadConverter = new DoubtfulPayloads();
