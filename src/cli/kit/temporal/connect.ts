import { InvalidCodecKeys } from '../../../temporal/codec-keys';
import {
  connectClient,
  temporalSettings,
  TemporalUnavailable,
  type TemporalSettings,
} from '../../../temporal/connection';
import type { GlobalOptions } from '../context';
import { CliError } from '../cli-error';
import type { Consents } from '../../consent/consents';
import type { Fleets } from '../../fleet/fleets';
import type { Upgrades } from '../../upgrade/upgrades';
import { TemporalConsents } from '../../consent/temporal-consents';
import { TemporalFleets } from '../../fleet/temporal-fleets';
import { TemporalUpgrades } from '../../upgrade/temporal-upgrades';

/** @throws CliError `unreachable` when there is no server that can be used, `usage` when the codec keys cannot be. */
export async function connectUpgrades(settings: TemporalSettings): Promise<Upgrades> {
  return new TemporalUpgrades(await reached(connectClient(settings)));
}

/** @throws CliError as {@link connectUpgrades} does. */
export async function connectFleets(settings: TemporalSettings): Promise<Fleets> {
  return new TemporalFleets(await reached(connectClient(settings)));
}

/** As {@link connectUpgrades}. */
export async function connectConsents(settings: TemporalSettings): Promise<Consents> {
  return new TemporalConsents(await reached(connectClient(settings)));
}

/** A connection, or the error of one, in the words of the command line. */
export async function reached<T>(connecting: Promise<T>): Promise<T> {
  try {
    return await connecting;
  } catch (error) {
    if (error instanceof TemporalUnavailable) throw new CliError('unreachable', error.message, { cause: error });
    if (!(error instanceof InvalidCodecKeys)) throw error;
    const { problems } = error;
    throw new CliError('usage', 'ONWARD_CODEC_KEYS cannot be used:', { problems, cause: error });
  }
}

/** The server of Temporal's environment configuration, or the one that the command line names. */
export function settingsFor({ address, namespace }: GlobalOptions): TemporalSettings {
  const settings = temporalSettings();
  return {
    ...settings,
    namespace: namespace ?? settings.namespace,
    connectionOptions: { ...settings.connectionOptions, ...(address === undefined ? {} : { address }) },
  };
}
