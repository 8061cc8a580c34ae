/** Stub providers of any number of instances, for what is about the workers alone. All have the same endpoint host. */
import type { ProviderProfile } from '../../src/contract/provider';
import {
  profile,
  stubActivities,
  type StubActivities,
  type StubOptions,
  type StubSize,
} from '../../test/kit/stub-world/stub-activities';

export const STUB_HOST = 'stub-host';

const STORES = [
  { id: 'main', name: 'Main store' },
  { id: 'partner', name: 'Partner store' },
];

const sizeOf = (instances: number): StubSize => ({ instances, sites: Math.min(instances, 2), plans: instances });

export function stubProfile(provider: string, instances: number, change: object = {}): ProviderProfile {
  // Timings as they are by default: those of tests are too short for a busy machine.
  const settings = { stores: STORES, endpointHosts: [{ name: STUB_HOST }], timings: {}, ...change };
  return profile(provider, settings, sizeOf(instances));
}

/** Of all such providers at once. */
export function stubsOf(instances: number, options: Pick<StubOptions, 'version' | 'change'> = {}): StubActivities {
  const entry = (provider: string): ProviderProfile => stubProfile(provider, instances);
  return stubActivities(entry, { ...options, size: sizeOf(instances), remembers: false }).activities;
}
