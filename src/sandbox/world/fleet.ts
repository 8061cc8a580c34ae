import type { SimulatedRelease } from '../../contract/simulation';
import type { ProviderOptions } from './spec';

/** Providers that share one endpoint host. */
const PER_HOST = 2;
const BUILDS = ['oa-7.2-1814', 'oa-7.4-2210', 'oa-8.0-1216'];

/**
 * Providers for a fleet, always the same: `csp-001` and so on, two of three on the oldest version that the release starts from and
 * the others on the newest, one or two instances each, two providers to an endpoint host.
 */
export function fleetOfProviders(count: number, { sources }: Pick<SimulatedRelease, 'sources'>): ProviderOptions[] {
  const [oldest] = sources;
  const newest = sources.at(-1) ?? oldest;
  return Array.from({ length: count }, (_, index): ProviderOptions => {
    const number = String(index + 1).padStart(3, '0');
    const host = `gw-host-${String(Math.floor(index / PER_HOST) + 1).padStart(3, '0')}`;
    return {
      id: `csp-${number}`,
      name: `CSP ${number}`,
      sourceVersion: (index % 3 === 2 ? newest : oldest).version,
      build: BUILDS[index % BUILDS.length],
      instances: 1 + (index % 2),
      gateways: [{ host }],
    };
  });
}
