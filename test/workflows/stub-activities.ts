/**
 * A provider that always does as it is told, for tests of what the workflow itself decides. What an upgrade does to a
 * world is tested against the sandbox, in test/e2e.
 */
import { EventEmitter, on } from 'node:events';
import { createGuardActivities } from '../../activities/guards';
import type {
  BillingActivities,
  ClaimActivities,
  EndpointActivities,
  GuardActivities,
  InventoryActivities,
  MicrosoftActivities,
  NetworkActivities,
  Notice,
  NotifyActivities,
  OperationsActivities,
} from '../../src/contract/activities';
import type { OperationsFacts, SiteVersion } from '../../src/contract/facts';
import { providerProfile, type ProviderProfile } from '../../src/contract/provider';

export type StubActivities = InventoryActivities &
  OperationsActivities &
  BillingActivities &
  MicrosoftActivities &
  NetworkActivities &
  NotifyActivities &
  ClaimActivities &
  GuardActivities &
  EndpointActivities;

const SHA256 = 'a'.repeat(64);

export function profile(provider: string, change: object = {}): ProviderProfile {
  return providerProfile.parse({
    provider,
    operations: { url: 'http://operations.test:8440/RPC2' },
    aps: { url: 'https://aps.test:6308/' },
    billing: { url: 'http://billing.test:5224/RPC2' },
    plans: [101],
    stores: [{ id: 'main', name: 'Main store' }],
    endpointHosts: [{ name: `host-of-${provider}` }],
    installedSites: [{ hostname: 'gw01.test', site: 'Office365GatewaySite01' }],
    gatewayAddresses: { 'gw01.test': '10.0.0.31' },
    package: { url: 'http://packages.test/Office_365-18.4.1-12.app.zip', sha256: SHA256 },
    taskMonitor: { adapter: 'sandbox', url: 'http://sandbox.test/' },
    connectionTest: { adapter: 'sandbox', url: 'http://sandbox.test/' },
    timings: { retryFor: 5, hostAnswer: 10, heartbeat: 5 },
    ...change,
  });
}

export function operationsFacts(version = '18.3'): OperationsFacts {
  const instance = (id: number, name: string) => ({
    id,
    resourceId: `resource-${id}`,
    name,
    packageVersion: `${version}-9`,
    status: 'Ready',
    endpointUrl: 'https://gw01.test/Office365GatewayApplication01/aps/',
    cloud: 'global' as const,
  });
  const template = (id: number, name: string, active: boolean) => ({
    id,
    name,
    active,
    azureCsp: false,
    dnsHosting: false,
    trialOnCcpV1: false,
  });
  return {
    build: 'oa-8.0-1216',
    applicationId: 17,
    instances: [instance(1, 'CSP EMEA'), instance(2, 'CSP US')],
    templates: [template(16, 'Office 365 E3', true), template(18, 'Office 365 old', false)],
    importedVersions: [`${version}-9`],
  };
}

/** Everything works at once. `calls` lists the names of changing activities in their order; `change` replaces some. */
export function stubActivities(
  entry: ProviderProfile,
  change: Partial<StubActivities> = {},
  version = '18.3',
): {
  activities: StubActivities;
  calls: string[];
  notices: Notice[];
  /** Returns as soon as people were told this; the last notice may come after the upgrade has ended. */
  told: (kind: Notice['kind']) => Promise<void>;
} {
  const calls: string[] = [];
  const notices: Notice[] = [];
  const news = new EventEmitter();
  const told = async (kind: Notice['kind']): Promise<void> => {
    const heard = on(news, 'told');
    while (!notices.some((notice) => notice.kind === kind)) await heard.next();
  };
  const facts = operationsFacts(version);
  let siteIsNew = false;
  let parameterThere = true;
  const did = (what: string): void => {
    calls.push(what);
  };
  const versionNow = (): SiteVersion => ({
    deployed: siteIsNew ? 'new' : 'old',
    assemblyVersions: [siteIsNew ? '18.4.1.12' : '18.3.0.9'],
    webConfigVersion: undefined,
  });
  const activities: StubActivities = {
    loadProvider: async () => entry,
    readOperations: async () => facts,
    readTemplates: async () => facts.templates,
    activateTemplate: async ({ templateId }) => did(`activateTemplate ${templateId}`),
    deactivateTemplate: async ({ templateId }) => did(`deactivateTemplate ${templateId}`),
    readInstances: async () => facts.instances,
    importPackage: async () => {
      did('importPackage');
      return { applicationId: 17, packageVersion: '18.4.1-12' };
    },
    awaitImport: async () => ({ applicationId: 17, packageVersion: '18.4.1-12' }),
    upgradeInstance: async ({ instanceId }) => {
      did(`upgradeInstance ${instanceId}`);
      const [first] = facts.instances;
      if (!first) throw new Error('the stub has instances');
      return { ...first, id: instanceId, packageVersion: '18.4.1-12' };
    },
    awaitTasksProcessed: async () => undefined,
    readBilling: async () => {
      const basedOnEmail = parameterThere;
      // The preflight reads first; whoever reads again wants to know whether somebody has removed it.
      parameterThere = false;
      return {
        templates: [{ planId: 101, planName: 'E3', serviceTemplateId: 16, basedOnEmail, subdomainForm: true }],
      };
    },
    testConnection: async () => ({
      ok: true,
      checks: [
        { name: 'PartnerCenter', ok: true },
        { name: 'Graph', ok: true },
      ],
    }),
    resolveHostnames: async () => ({}),
    hashPackage: async () => ({ sha256: SHA256, bytes: 1000 }),
    notify: async ({ notice }) => {
      notices.push(notice);
      news.emit('told');
    },
    readHost: async ({ host }) => ({
      host: host.name,
      computerName: 'GW01',
      elevated: true,
      sites: [
        {
          name: 'Office365GatewaySite01',
          state: 'Started',
          bindings: [{ address: '10.0.0.31', port: 443, hostHeader: '' }],
          applications: [
            {
              name: 'Office365GatewayApplication01',
              physicalPath: 'C:\\inetpub\\gw01',
              database: { dataSource: '(LocalDB)\\MSSQLLocalDB', localDb: true, login: 'gateway', sysadmin: null },
            },
          ],
        },
      ],
    }),
    claimHost: async ({ sites }) => ({ versions: sites.map(versionNow) }),
    awaitClaimEnd: async () => undefined,
    ...createGuardActivities(),
    detectSites: async ({ sites }) => sites.map(versionNow),
    backupSite: async ({ site }) => {
      did(`backupSite ${site.site}`);
      return { path: 'C:\\Onward\\backup', files: 4, bytes: 1000, digest: 'd'.repeat(64) };
    },
    stagePackage: async () => {
      did('stagePackage');
      return { directory: 'C:\\Onward\\package' };
    },
    runSetup: async ({ site }) => {
      did(`runSetup ${site.site}`);
      siteIsNew = true;
      return { exitCode: 0, log: 'Done.' };
    },
    resetIis: async ({ purpose }) => did(`resetIis ${purpose}`),
    restoreSite: async ({ site }) => {
      did(`restoreSite ${site.site}`);
      siteIsNew = false;
    },
    ...change,
  };
  return { activities, calls, notices, told };
}
