/** Looks at everything that an installation of Onward rests on, changes nothing, and stops at no problem. */
import type { ProviderProfile } from '../../../contract/provider';
import { checkInventory, describeProblem, InvalidInventory, usableEntries } from '../../../inventory/inventory';
import { InvalidCodecKeys, readEncryption } from '../../../temporal/codec-keys';
import type { TemporalSettings } from '../../../temporal/connection';
import { CliError } from '../../kit/cli-error';
import { pass, problem, warning, type Finding } from './finding';
import { lookAtServer } from './server';
import { lookAtSystems } from './systems';

export interface Examined {
  /** `settings` fails as the reading of them does. */
  settings: () => TemporalSettings;
  inventoryDirectory: string;
}

export async function examine({ settings: read, inventoryDirectory }: Examined): Promise<Finding[]> {
  const { settings, findings } = settingsOf(read);
  const inventory = await lookAtInventory(inventoryDirectory);
  const hosts = inventory.profiles.flatMap(({ endpointHosts }) => endpointHosts.map(({ name }) => name));
  return [
    ...findings,
    ...(settings === undefined
      ? []
      : [...(await lookAtKeys(settings)), ...(await lookAtServer(settings, [...new Set(hosts)].sort()))]),
    ...inventory.findings,
    ...(await lookAtSystems(inventory.profiles)),
  ];
}

function settingsOf(read: Examined['settings']): { settings?: TemporalSettings; findings: Finding[] } {
  try {
    return { settings: read(), findings: [] };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { findings: error.problems.map((each) => problem('settings', each)) };
  }
}

async function lookAtKeys(settings: TemporalSettings): Promise<Finding[]> {
  try {
    const { keys } = await readEncryption(settings);
    return [
      keys.length === 0
        ? pass('keys', 'None: what Temporal keeps is in clear (docs/payload-encryption.md).')
        : pass('keys', `${keys.map(({ id }) => id).join(', ')}: what Temporal keeps is encrypted.`),
    ];
  } catch (error) {
    if (!(error instanceof InvalidCodecKeys)) throw error;
    return error.problems.map((each) => problem('keys', each));
  }
}

async function lookAtInventory(directory: string): Promise<{ profiles: ProviderProfile[]; findings: Finding[] }> {
  try {
    const { providers, problems, warnings } = await checkInventory(directory);
    const findings = [
      ...problems.map((each) => problem('inventory', describeProblem(each))),
      ...warnings.map((each) => warning('inventory', describeProblem(each))),
    ];
    // An entry that is broken hides no host and no system of the others.
    const { profiles } = await usableEntries(directory);
    if (problems.length > 0) return { profiles, findings };
    const known = pass(
      'inventory',
      `${directory}: ${providers.length} ${providers.length === 1 ? 'entry' : 'entries'}.`,
    );
    return { profiles, findings: [known, ...findings] };
  } catch (error) {
    if (!(error instanceof InvalidInventory)) throw error;
    return { profiles: [], findings: error.problems.map((each) => problem('inventory', describeProblem(each))) };
  }
}
