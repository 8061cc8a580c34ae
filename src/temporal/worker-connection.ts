import { NativeConnection } from '@temporalio/worker';
import { reach, requireNamespace, requireSearchAttributes, temporalSettings } from './connection';

/**
 * A worker's connection to a server that answers, has the namespace and knows our search attributes.
 *
 * @throws TemporalUnavailable
 */
export async function connectWorker(settings = temporalSettings()): Promise<NativeConnection> {
  const { connectionOptions, proxy } = settings;
  const connection = await reach(settings, () =>
    NativeConnection.connect({ ...connectionOptions, ...(proxy && { proxy }) }),
  );
  try {
    await requireNamespace(connection, settings);
    await requireSearchAttributes(connection, settings);
  } catch (error) {
    await connection.close();
    throw error;
  }
  return connection;
}
