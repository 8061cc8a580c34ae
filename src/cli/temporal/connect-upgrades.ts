import { connectClient, temporalSettings, TemporalUnavailable } from '../../temporal/connection';
import type { GlobalOptions } from '../cli-context';
import { CliError } from '../cli-error';
import type { Upgrades } from '../upgrades';
import { TemporalUpgrades } from './temporal-upgrades';

/** The server of Temporal's environment configuration, or the one that the command line names. */
export async function connectUpgrades({ address, namespace }: GlobalOptions): Promise<Upgrades> {
  try {
    const settings = temporalSettings();
    const client = await connectClient({
      namespace: namespace ?? settings.namespace,
      connectionOptions: { ...settings.connectionOptions, ...(address === undefined ? {} : { address }) },
    });
    return new TemporalUpgrades(client);
  } catch (error) {
    if (!(error instanceof TemporalUnavailable)) throw error;
    throw new CliError('unreachable', error.message, { cause: error });
  }
}
