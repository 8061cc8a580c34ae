/**
 * A provider that always does at once what it is told, without any system: for tests of what the workflow itself decides,
 * and for benches of what is about the workers alone. What an upgrade does to a world is tested against the sandbox, in
 * test/e2e.
 */
import { EventEmitter, once } from 'node:events';
import { createGuardActivities } from '../../../activities/guards';
import type {
  BillingActivities,
  ClaimActivities,
  EndpointActivities,
  GuardActivities,
  ImportedPackage,
  InventoryActivities,
  LedgerActivities,
  MicrosoftActivities,
  NetworkActivities,
  Notice,
  NotifyActivities,
  OperationsActivities,
} from '../../../src/contract/activities';
import type { BillingTemplate, IisSite, OperationsFacts, SiteVersion } from '../../../src/contract/facts';
import { providerProfile, type ProviderProfile } from '../../../src/contract/provider';
import {
  emptyLedger,
  leavesSomething,
  ledgerAfter,
  leftBy,
  type Ledger,
  type LedgerNote,
} from '../../../src/contract/ledger';
import { operationId } from '../../../src/contract/operation';
import { frozen } from '../../../src/inventory/frozen-profile';
import { timings } from '../deadlines';

export type StubActivities = InventoryActivities &
  OperationsActivities &
  BillingActivities &
  MicrosoftActivities &
  NetworkActivities &
  NotifyActivities &
  ClaimActivities &
  GuardActivities &
  LedgerActivities &
  EndpointActivities;

/** How much a provider has. */
export interface StubSize {
  instances: number;
  /** Gateway sites, all on one endpoint host; the instances take turns. */
  sites: number;
  /** Plans, each with an active service template. */
  plans: number;
}

export interface StubOptions {
  /** Of the application, before the upgrade. */
  version?: string | undefined;
  size?: StubSize;
  /** Whether it keeps what was done to it and what people were told: not where it stands for many providers at once. */
  remembers?: boolean;
  /** Replaces activities. */
  change?: Partial<StubActivities>;
}

export interface Stub {
  activities: StubActivities;
  /** Changing activities by name, in their order. */
  calls: string[];
  notices: Notice[];
  /** Returns as soon as people were told this; the last notice may come after the upgrade has ended. */
  told: (kind: Notice['kind']) => Promise<void>;
}

const SMALL: StubSize = { instances: 2, sites: 1, plans: 1 };
/** A stub that a test holds back is not late, however slow the machine is: only what a test has fail fails. */
const PATIENT = { ...timings({ hostAnswer: 10 }), retryFor: 3600, heartbeat: 3600 };
const SHA256 = 'a'.repeat(64);
const packageOf = (version: string): string => `${version}-12`;
const imported = (version: string): ImportedPackage => ({ applicationId: 17, packageVersion: packageOf(version) });
const BOOTED_AT = '2026-01-01T00:00:00.000Z';
const INSTANCE_NAMES = ['CSP EMEA', 'CSP US'];

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const digits = (site: number): string => String(site).padStart(2, '0');
const hostname = (site: number): string => `gw${digits(site)}.test`;
const address = (site: number): string => `10.0.0.${30 + site}`;
const siteName = (site: number): string => `Office365GatewaySite${digits(site)}`;
const application = (site: number): string => `Office365GatewayApplication${digits(site)}`;
const planId = (plan: number): number => 100 + plan;
const templateId = (plan: number): number => 15 + plan;

/** The package of each version, as an inventory lists it. */
export const packages = (...versions: string[]): ProviderProfile['packages'] =>
  Object.fromEntries(
    versions.map((version) => [
      version,
      { url: `http://packages.test/Office_365-${packageOf(version)}.app.zip`, sha256: SHA256 },
    ]),
  );

export function profile(provider: string, change: object = {}, { sites, plans }: StubSize = SMALL): ProviderProfile {
  return providerProfile.parse({
    provider,
    operations: { url: 'http://operations.test:8440/RPC2' },
    aps: { url: 'https://aps.test:6308/' },
    billing: { url: 'http://billing.test:5224/RPC2' },
    plans: numbers(plans).map(planId),
    stores: [{ id: 'main', name: 'Main store' }],
    endpointHosts: [{ name: `host-of-${provider}` }],
    installedSites: numbers(sites).map((site) => ({ hostname: hostname(site), site: siteName(site) })),
    gatewayAddresses: Object.fromEntries(numbers(sites).map((site) => [hostname(site), address(site)])),
    packages: packages('18.4.1'),
    taskMonitor: { adapter: 'sandbox', url: 'http://sandbox.test/' },
    connectionTest: { adapter: 'sandbox', url: 'http://sandbox.test/' },
    ...('timings' in change ? {} : { timings: PATIENT }),
    ...change,
  });
}

export function operationsFacts(version = '18.3', { instances, sites, plans }: StubSize = SMALL): OperationsFacts {
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
    instances: numbers(instances).map((id) => {
      const site = ((id - 1) % sites) + 1;
      return {
        id,
        resourceId: `resource-${id}`,
        name: INSTANCE_NAMES[id - 1] ?? `CSP ${id}`,
        packageVersion: `${version}-9`,
        status: 'Ready',
        endpointUrl: `https://${hostname(site)}/${application(site)}/aps/`,
        cloud: 'global',
      };
    }),
    templates: [
      ...numbers(plans).map((plan) => template(templateId(plan), `Office 365 E${plan}`, true)),
      template(templateId(0), 'Office 365 old', false),
    ],
    enabledVersions: [`${version}-9`],
    companions: [],
  };
}

const billingTemplate = (plan: number, basedOnEmail: boolean): BillingTemplate => ({
  planId: planId(plan),
  planName: `E${plan}`,
  serviceTemplateId: templateId(plan),
  parameters: [...(basedOnEmail ? ['o365_based_on_email'] : []), 'aps_defaults_o365'],
});

const iisSite = (site: number): IisSite => ({
  name: siteName(site),
  state: 'Started',
  bindings: [{ address: address(site), port: 443, hostHeader: '' }],
  applications: [
    {
      name: application(site),
      physicalPath: `C:\\inetpub\\gw${digits(site)}`,
      versions: [],
      database: { dataSource: '(LocalDB)\\MSSQLLocalDB', localDb: true, login: 'gateway', sysadmin: null },
    },
  ],
});

/** @param entry the provider's, or what gives that of each. */
export function stubActivities(
  entry: ProviderProfile | ((provider: string) => ProviderProfile),
  { version = '18.3', size = SMALL, remembers = true, change = {} }: StubOptions = {},
): Stub {
  const calls: string[] = [];
  const notices: Notice[] = [];
  const news = new EventEmitter();
  const told = async (kind: Notice['kind']): Promise<void> => {
    while (!notices.some((notice) => notice.kind === kind)) await once(news, 'told');
  };
  const facts = operationsFacts(version, size);
  const allowed = typeof entry === 'function' ? packages('18.4.1') : entry.packages;
  const iisSites = numbers(size.sites).map(iisSite);
  let siteIsNew = false;
  let billingReads = 0;
  let parameterThere = true;
  const off = new Set<number>();
  const did = (what: string, effect: () => void = () => undefined): void => {
    if (!remembers) return;
    calls.push(what);
    effect();
  };
  const versionNow = (): SiteVersion => ({
    deployed: siteIsNew ? 'new' : 'old',
    assemblyVersions: [siteIsNew ? '18.4.1.12' : '18.3.0.9'],
    webConfigVersion: undefined,
  });
  const activities: StubActivities = {
    loadProvider: async ({ provider }) => frozen(typeof entry === 'function' ? entry(provider) : entry),
    readOperations: async () => facts,
    readTemplates: async () => ({ templates: facts.templates }),
    activateTemplates: async ({ templateIds }) =>
      templateIds.forEach((id) => did(`activateTemplate ${id}`, () => off.delete(id))),
    deactivateTemplates: async ({ templateIds }) =>
      templateIds.forEach((id) => did(`deactivateTemplate ${id}`, () => off.add(id))),
    // Who forgets what was switched off must not find it on again.
    readActiveTemplates: async () =>
      remembers ? facts.templates.filter(({ id, active }) => active && !off.has(id)) : [],
    lookAgain: async () => ({ added: [], gone: [], changed: [], enabledVersions: facts.enabledVersions }),
    importPackage: async ({ version: to }) => {
      did('importPackage');
      return imported(to);
    },
    awaitImport: async ({ version: to }) => imported(to),
    findImported: async () => undefined,
    upgradeInstance: async ({ instanceId, version: to }) => {
      const instance = facts.instances.find(({ id }) => id === instanceId);
      if (!instance) throw new Error(`The stub has no instance ${instanceId}.`);
      did(`upgradeInstance ${instanceId}`, () => Object.assign(instance, { packageVersion: to }));
    },
    awaitTasksProcessed: async () => undefined,
    readOpenTasks: async () => ({ open: [] }),
    readBilling: async () => {
      const templates = numbers(size.plans).map((plan) => billingTemplate(plan, parameterThere));
      // The preflight reads first, then the step; whoever reads again wants to know whether somebody has removed it.
      billingReads += 1;
      parameterThere = !remembers || billingReads < 2;
      return { templates };
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
      if (!remembers) return;
      notices.push(notice);
      news.emit('told');
    },
    readHost: async ({ host }) => ({
      host: host.name,
      identity: {
        computerName: 'GW01',
        machineGuid: `windows-of-${host.name}`,
        smbiosUuid: `hardware-of-${host.name}`,
      },
      elevated: true,
      exposed: [],
      packages: Object.fromEntries(Object.entries(allowed).map(([to, { sha256 }]) => [to, sha256])),
      scripts: ['18.5/install-runtime'],
      sites: iisSites,
    }),
    claimHost: async ({ sites }) => ({ versions: sites.map(versionNow) }),
    awaitClaimEnd: async () => undefined,
    ...createGuardActivities(),
    ...stubLedger(),
    detectSites: async ({ sites }) => sites.map(versionNow),
    backupSite: async ({ site }) => {
      did(`backupSite ${site.site}`);
      return { path: 'C:\\Onward\\backup', files: 4, bytes: 1000, digest: 'd'.repeat(64), leftOut: [] };
    },
    stagePackage: async () => did('stagePackage'),
    runSetup: async ({ site }) => {
      did(`runSetup ${site.site}`, () => (siteIsNew = true));
      return { exitCode: 0, log: 'Done.', remarks: [], restartWanted: false };
    },
    runHostScript: async ({ script }) => {
      did(`runHostScript ${script}`);
      return { done: true, restartNeeded: false, note: 'It is there.', bootTime: BOOTED_AT };
    },
    restartHost: async () => ({ bootTime: BOOTED_AT }),
    resetIis: async ({ purpose }) => {
      // As the host does: a rollback that has nothing to undo restarts nothing.
      if (purpose === 'upgrade' || calls.some((call) => call.startsWith('restoreSite'))) did(`resetIis ${purpose}`);
      return { cannotTell: [] };
    },
    restoreSite: async ({ site }) => did(`restoreSite ${site.site}`, () => (siteIsNew = false)),
    ...change,
  };
  return { activities, calls, notices, told };
}

/** Remembers as the ledger does, and lets in whom nobody has left something: all installations of this world are alike. */
function stubLedger(): LedgerActivities {
  const ledgers = new Map<string, Ledger>();
  const known = (provider: string): Ledger => ledgers.get(provider) ?? emptyLedger(provider);
  const after = (note: LedgerNote): Ledger => {
    const { provider } = note.operation;
    const ledger = ledgerAfter(known(provider), note);
    ledgers.set(provider, ledger);
    return ledger;
  };
  const at = BOOTED_AT;
  return {
    enterInstallation: async ({ operation, instances, startedBy }) => {
      const ledger = known(operation.provider);
      const { holder } = ledger;
      if (holder && operationId(holder) !== operationId(operation) && leavesSomething(ledger))
        return { refused: leftBy(ledger) };
      const replaces = holder ? { replaces: holder } : {};
      const by = startedBy === undefined ? {} : { startedBy };
      return { ledger: after({ type: 'entered', operation, at, instances, ...by, ...replaces }) };
    },
    noteInLedger: async ({ operation, note }) => {
      const { begun, requests } = known(operation.provider);
      after({ ...note, operation, at });
      const before = note.type === 'begun' ? begun.find(({ step }) => step === note.step)?.before : [];
      return { before: before ?? [], requests };
    },
    readLedger: async ({ provider, instances: [installation = ''] }) => {
      const ledger = known(provider);
      return leavesSomething(ledger) ? { installation, kept: { ledger, holderRuns: false } } : { installation };
    },
  };
}
