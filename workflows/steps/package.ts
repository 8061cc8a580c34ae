import { packageOf, type ProviderProfile } from '../../src/contract/provider';

/** The package of this version in the frozen entry; the preflight lets no upgrade begin without one. */
export function requirePackage(profile: ProviderProfile, version: string): { url: string; sha256: string } {
  const found = packageOf(profile, version);
  if (!found) throw new Error(`The entry of ${profile.provider} has no package of ${version}`);
  return found;
}
