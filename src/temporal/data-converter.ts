/** How values become payloads, for every client and worker alike. */
import path from 'node:path';
import type { DataConverter } from '@temporalio/common';
import { EncryptionCodec, type CodecOptions } from './codec';
import { readEncryption } from './codec-keys';

/** Modules of the converters; the workflow bundle needs them as well. */
export const ENCODED_FAILURES = path.join(__dirname, 'encoded-failures');
export const DOUBTFUL_PAYLOADS = path.join(__dirname, 'doubtful-payloads');

export interface EncryptionSettings {
  namespace: string;
  /** What `ONWARD_CODEC_KEYS` says: references to the keys that encrypt payloads. Without it they travel in clear. */
  codecKeys?: string | undefined;
  /** What `ONWARD_PLAINTEXT_UNTIL` says: from when on plaintext is refused. */
  plaintextUntil?: string | undefined;
}

/**
 * Encrypts where keys are named. Where none are, values are written as Temporal itself does, and whoever meets an encrypted
 * one says so: to a workflow, a result that it cannot read would look like a step that failed.
 *
 * @throws InvalidCodecKeys
 */
async function converter(
  settings: EncryptionSettings,
  options: Pick<CodecOptions, 'marks' | 'readsNews'>,
): Promise<DataConverter> {
  const { keys, plaintextUntil } = await readEncryption(settings);
  const { namespace } = settings;
  return {
    payloadCodecs: [new EncryptionCodec(keys, { ...options, namespace, plaintextUntil })],
    ...(keys.length > 0 && { failureConverterPath: ENCODED_FAILURES }),
  };
}

/**
 * For clients: what does not fit is an error.
 *
 * @param readsNews whether what is read at this moment has just been written.
 */
export const clientConverter = (settings: EncryptionSettings, readsNews: () => boolean): Promise<DataConverter> =>
  converter(settings, { readsNews });

/** For workers: what does not fit is handed over as such. */
export const workerConverter = async (settings: EncryptionSettings): Promise<DataConverter> => ({
  ...(await converter(settings, { marks: true })),
  payloadConverterPath: DOUBTFUL_PAYLOADS,
});
