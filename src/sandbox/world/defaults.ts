/** The providers that a sandbox starts with when nobody says otherwise. */
import type { SimulatedRelease } from '../../contract/simulation';
import type { ProviderOptions } from './spec';

export const DEFAULT_IDS = ['contoso', 'fabrikam'] as const;

/**
 * Contoso: on the oldest version, three instances, two gateway sites on one host. Fabrikam: on the newest one that the oldest
 * release starts from, two instances on one site.
 */
export function defaultProviders([release]: readonly SimulatedRelease[]): (ProviderOptions & {
  sourceVersion: string;
})[] {
  if (release === undefined) return [];
  const [oldest] = release.sources;
  const newest = release.sources.at(-1) ?? oldest;
  return [
    {
      id: 'contoso',
      name: 'Contoso',
      sourceVersion: oldest.version,
      instances: 3,
      gateways: [{ host: 'gw-host-01' }, { host: 'gw-host-01' }],
    },
    {
      id: 'fabrikam',
      name: 'Fabrikam',
      sourceVersion: newest.version,
      build: 'oa-7.4-2210',
      instances: 2,
      gateways: [{ host: 'gw-host-02' }],
    },
  ];
}
