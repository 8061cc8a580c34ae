import type { Client } from '@temporalio/client';
import { InvalidCodecKeys, UNUSABLE } from '../../../temporal/codec-keys';
import {
  connectClient,
  InvalidTemporalSettings,
  temporalSettings,
  TemporalUnavailable,
  UNUSABLE_SETTINGS,
  type TemporalSettings,
} from '../../../temporal/connection';
import { CliError } from '../cli-error';
import type { GlobalOptions } from '../context';

/** @throws CliError `unreachable` when there is no server that can be used, `usage` when the codec keys cannot be. */
export const connect = (settings: TemporalSettings): Promise<Client> => reached(connectClient(settings));

/** A connection, or the error of one, in the words of the command line. */
export async function reached<T>(connecting: Promise<T>): Promise<T> {
  try {
    return await connecting;
  } catch (error) {
    if (error instanceof TemporalUnavailable) throw new CliError('unreachable', error.message, { cause: error });
    if (!(error instanceof InvalidCodecKeys)) throw error;
    const { problems } = error;
    throw new CliError('usage', UNUSABLE, { problems, cause: error });
  }
}

/**
 * The server of Temporal's environment configuration, or the one that the command line names.
 *
 * @throws CliError `usage` with everything that is wrong with it.
 */
export function settingsFor({ address, namespace }: GlobalOptions): TemporalSettings {
  try {
    // As if they stood there: what is looked at, and which proxy, depends on the server that is meant.
    return temporalSettings({
      ...process.env,
      ...(address !== undefined && { TEMPORAL_ADDRESS: address }),
      ...(namespace !== undefined && { TEMPORAL_NAMESPACE: namespace }),
    });
  } catch (error) {
    if (!(error instanceof InvalidTemporalSettings)) throw error;
    throw new CliError('usage', UNUSABLE_SETTINGS, { problems: error.problems, cause: error });
  }
}
