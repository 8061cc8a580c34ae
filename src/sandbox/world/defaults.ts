/** The providers that a sandbox starts with when nobody says otherwise. */
import type { ProviderOptions } from './spec';

/** Contoso: from 18.3, three instances, two gateway sites on one host. Fabrikam: from 18.4, two instances on one site. */
export const DEFAULT_PROVIDERS: ProviderOptions[] = [
  {
    id: 'contoso',
    name: 'Contoso',
    sourceVersion: '18.3',
    instances: 3,
    gateways: [{ host: 'gw-host-01' }, { host: 'gw-host-01' }],
  },
  {
    id: 'fabrikam',
    name: 'Fabrikam',
    sourceVersion: '18.4',
    build: 'oa-7.4-2210',
    instances: 2,
    gateways: [{ host: 'gw-host-02' }],
  },
];
