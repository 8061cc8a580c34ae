/** Global settings of an application instance, as its root resource holds them (systems.md 2.3, 5.4). */
import type { Instance } from '../world/state';

const PORTALS: Record<Instance['cloud'], string> = {
  global: 'https://portal.office.com/',
  germany: 'https://portal.office.de/',
  china: 'https://portal.partner.microsoftonline.cn/',
  usGovernment: 'https://portal.microsoftonline.us/',
  unstated: '',
};

/** Assumption: the names of the properties; the labels are those of systems.md 2.3. */
export function instanceSettings(instance: Instance): Record<string, string> {
  return {
    instanceName: instance.name,
    portalUrl: PORTALS[instance.cloud],
    pbaApiUrl: 'https://billing.hosting.local:5224/RPC2',
    adminLogin: instance.storedUser ? `admin@${instance.tenant}` : '',
    partnerTenant: instance.tenant,
  };
}
