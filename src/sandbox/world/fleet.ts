import type { ProviderOptions } from './spec';

/** Providers that share one endpoint host. */
const PER_HOST = 2;
const BUILDS = ['oa-7.2-1814', 'oa-7.4-2210', 'oa-8.0-1216'];

/**
 * Providers for a fleet, always the same: `csp-001` and so on, two of three on 18.3 and the others on 18.4, one or two instances
 * each, two providers to an endpoint host.
 */
export function fleetOfProviders(count: number): ProviderOptions[] {
  return Array.from({ length: count }, (_, index): ProviderOptions => {
    const number = String(index + 1).padStart(3, '0');
    const host = `gw-host-${String(Math.floor(index / PER_HOST) + 1).padStart(3, '0')}`;
    return {
      id: `csp-${number}`,
      name: `CSP ${number}`,
      sourceVersion: index % 3 === 2 ? '18.4' : '18.3',
      build: BUILDS[index % BUILDS.length],
      instances: 1 + (index % 2),
      gateways: [{ host }],
    };
  });
}
