/** A provider that does at once whatever it is told, without any system: for what is about the worker alone. */
import { createGuardActivities } from '../../activities/guards';
import type {
  BillingActivities,
  ClaimActivities,
  EndpointActivities,
  GuardActivities,
  InventoryActivities,
  MicrosoftActivities,
  NetworkActivities,
  NotifyActivities,
  OperationsActivities,
} from '../../src/contract/activities';
import type {
  ApplicationInstance,
  BillingTemplate,
  IisSite,
  ServiceTemplate,
  SiteVersion,
} from '../../src/contract/facts';
import { providerProfile, type ProviderProfile } from '../../src/contract/provider';

export type StubControlPlane = InventoryActivities &
  OperationsActivities &
  BillingActivities &
  MicrosoftActivities &
  NetworkActivities &
  NotifyActivities &
  ClaimActivities &
  GuardActivities;

export interface Stub {
  profile: (provider: string) => ProviderProfile;
  controlPlane: StubControlPlane;
  endpoint: EndpointActivities;
}

export const STUB_HOST = 'stub-host';
const SHA256 = 'a'.repeat(64);
const TO = '18.4.1-12';

const hostname = (site: string): string => `gw${site}.stub.example`;
const address = (site: string): string => `10.0.0.${Number(site)}`;
const application = (site: string): string => `Office365GatewayApplication${site}`;

/** @param instances of the application, on at most two gateway sites. */
export function stubOf(instances: number): Stub {
  const numbers = Array.from({ length: instances }, (_, index) => index);
  const siteNames = ['01', '02'].slice(0, instances);
  const siteOf = (index: number): string => siteNames[index % siteNames.length] ?? '01';
  const profile = (provider: string): ProviderProfile =>
    providerProfile.parse({
      provider,
      operations: { url: 'http://operations.stub.example:8440/RPC2' },
      aps: { url: 'https://aps.stub.example:6308/' },
      billing: { url: 'http://billing.stub.example:5224/RPC2' },
      plans: numbers.map((index) => 101 + index),
      stores: [
        { id: 'main', name: 'Main store' },
        { id: 'partner', name: 'Partner store' },
      ],
      endpointHosts: [{ name: STUB_HOST }],
      installedSites: siteNames.map((site) => ({ hostname: hostname(site), site: `Office 365 Gateway ${site}` })),
      gatewayAddresses: Object.fromEntries(siteNames.map((site) => [hostname(site), address(site)])),
      package: { url: 'http://packages.stub.example/Office_365-18.4.1-12.app.zip', sha256: SHA256 },
      taskMonitor: { adapter: 'sandbox', url: 'http://sandbox.stub.example/' },
      connectionTest: { adapter: 'sandbox', url: 'http://sandbox.stub.example/' },
    });

  const all: ApplicationInstance[] = numbers.map((index) => ({
    id: 301 + index,
    resourceId: `7a0f3c1e-0000-4000-8000-${String(index).padStart(12, '0')}`,
    name: `CSP ${index + 1}`,
    packageVersion: '18.3-9',
    status: 'Ready',
    endpointUrl: `https://${hostname(siteOf(index))}/${application(siteOf(index))}/aps/`,
    cloud: 'global',
  }));

  const templates: ServiceTemplate[] = numbers.map((index) => ({
    id: 1 + index,
    name: `Office 365 ${index + 1}`,
    active: true,
    azureCsp: false,
    dnsHosting: false,
    trialOnCcpV1: false,
  }));

  const sold: BillingTemplate[] = numbers.map((index) => ({
    planId: 101 + index,
    planName: `Office 365 ${index + 1} plan`,
    serviceTemplateId: 602 + index,
    basedOnEmail: true,
    subdomainForm: true,
  }));

  const sites: IisSite[] = siteNames.map((site) => ({
    name: `Office 365 Gateway ${site}`,
    state: 'Started',
    bindings: [{ address: address(site), port: 443, hostHeader: '' }],
    applications: [
      {
        name: application(site),
        physicalPath: `C:\\inetpub\\gateway${site}`,
        database: { dataSource: '(LocalDB)\\MSSQLLocalDB', localDb: true, login: 'gateway', sysadmin: null },
      },
    ],
  }));

  const controlPlane: StubControlPlane = {
    loadProvider: async ({ provider }) => profile(provider),
    readOperations: async () => ({
      build: 'oa-8.0-1216',
      applicationId: 17,
      instances: all,
      templates,
      importedVersions: ['18.3-9'],
    }),
    readTemplates: async () => templates,
    activateTemplate: async () => undefined,
    deactivateTemplate: async () => undefined,
    readInstances: async () => all,
    importPackage: async () => ({ applicationId: 17, packageVersion: TO }),
    awaitImport: async () => ({ applicationId: 17, packageVersion: TO }),
    upgradeInstance: async ({ instanceId }) => ({
      ...(all.find(({ id }) => id === instanceId) as ApplicationInstance),
      packageVersion: TO,
    }),
    awaitTasksProcessed: async () => undefined,
    readBilling: async () => ({ templates: sold }),
    testConnection: async () => ({ ok: false, checks: [{ name: 'PartnerCenter', ok: false, message: 'no token' }] }),
    resolveHostnames: async () => ({}),
    hashPackage: async () => ({ sha256: SHA256, bytes: 1_000_000 }),
    notify: async () => undefined,
    awaitClaimEnd: async () => undefined,
    ...createGuardActivities(),
  };

  const old = (input: { sites: unknown[] }): SiteVersion[] =>
    input.sites.map(() => ({ deployed: 'old', assemblyVersions: ['18.3.0.9'], webConfigVersion: undefined }));

  const endpoint: EndpointActivities = {
    readHost: async ({ host }) => ({ host: host.name, computerName: 'STUB', elevated: true, sites }),
    claimHost: async (input) => ({ versions: old(input) }),
    detectSites: async (input) => old(input),
    backupSite: async () => ({ path: 'C:\\Onward\\backup', files: 40, bytes: 1_000_000, digest: 'd'.repeat(64) }),
    stagePackage: async () => ({ directory: 'C:\\Onward\\package' }),
    runSetup: async () => ({ exitCode: 0, log: 'Done.' }),
    resetIis: async () => undefined,
    restoreSite: async () => undefined,
  };
  return { profile, controlPlane, endpoint };
}
