/** Payloads in the JSON of Temporal's codec protocol: what the message `temporal.api.common.v1.Payloads` is in JSON. */
import type { Payload } from '@temporalio/common';
import { z } from 'zod';

const bytes = z.base64({ error: 'must be base64' }).transform((text) => new Uint8Array(Buffer.from(text, 'base64')));

const payload = z.object({ metadata: z.record(z.string(), bytes).nullish(), data: bytes.nullish() });

/** The body of a request. */
export const payloadsBody = z.object(
  { payloads: z.array(payload).default([]) },
  { error: 'must be a JSON object { "payloads": [ { "metadata": { ... }, "data": "..." } ] }' },
);

/** The body of an answer. */
export function payloadsJson(payloads: Payload[]): object {
  return {
    payloads: payloads.map(({ metadata, data }) => ({
      metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)])),
      ...(data && { data: base64(data) }),
    })),
  };
}

const base64 = (value: Uint8Array): string => Buffer.from(value).toString('base64');
