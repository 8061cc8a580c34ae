/** What is installed on a simulated host besides the gateway: features of Windows, and values of its registry. */
import type { FeatureState } from '../../contract/simulation';

/** Survives restarts of the host and of the sandbox. */
export interface InstalledState {
  /** Those that are not `Available`. Assumption: each needs a restart to work, and is `InstallPending` until then. */
  features: Record<string, Exclude<FeatureState, 'Available'>>;
  /** By key and name, as a script writes them: `HKLM:\SOFTWARE\Vendor\Runtime` -> `Version`. */
  registry: Record<string, Record<string, string | number>>;
}

/** Nothing but Windows. */
export const bare = (): InstalledState => ({ features: {}, registry: {} });

/** What Windows does with it while it starts. */
export function settled({ features, registry }: InstalledState): InstalledState {
  return { features: Object.fromEntries(Object.keys(features).map((name) => [name, 'Installed' as const])), registry };
}
