/** How values become payloads, for every client and worker alike. */
import path from 'node:path';
import type { DataConverter } from '@temporalio/common';
import { EncryptionCodec } from './codec';
import { readCodecKeys } from './codec-keys';

/** Module of the failure converter; the workflow bundle needs it as well. */
export const ENCODED_FAILURES = path.join(__dirname, 'encoded-failures');

/**
 * Encrypts where keys are named. Where none are, values are written as Temporal itself does, and whoever meets an encrypted
 * one says so: to a workflow, a result that it cannot read would look like a step that failed.
 *
 * @param codecKeys what `ONWARD_CODEC_KEYS` says.
 * @throws InvalidCodecKeys
 */
export async function dataConverter(codecKeys: string | undefined): Promise<DataConverter> {
  if (codecKeys === undefined || codecKeys === '') return { payloadCodecs: [new EncryptionCodec([])] };
  return {
    payloadCodecs: [new EncryptionCodec(await readCodecKeys(codecKeys))],
    failureConverterPath: ENCODED_FAILURES,
  };
}
