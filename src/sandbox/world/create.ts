/** Builds a provider's first state from its spec. */
import { withoutRelease } from '../../contract/versions';
import type { SimulatedVersions } from '../simulated-versions';
import { seededInt, seededUuid } from './seeded';
import type { InstanceSpec, ProviderSpec } from './spec';
import {
  OFFICE_365,
  type Application,
  type BillingParameter,
  type ImportedPackage,
  type Instance,
  type Provider,
  type ResourceType,
  type Task,
  type Template,
} from './state';

const OFFICE_365_APPLICATION = 17;
const AZURE_CSP_APPLICATION = 23;
const FIRST_COMPANION = 31;
const AZURE_CSP = 'http://www.odin.com/AzureCSP';

const TENANT_SUFFIX: Record<InstanceSpec['cloud'], string> = {
  global: 'onmicrosoft.com',
  germany: 'onmicrosoft.de',
  china: 'partner.onmschina.cn',
  usGovernment: 'onmicrosoft.us',
  unstated: 'csp.example',
};

/** On every billing template that sells Office 365. */
export const SUBDOMAIN_PARAMETER = 'aps_defaults_o365';

export function createProvider(spec: ProviderSpec, versions: SimulatedVersions): Provider {
  const unique = (...words: string[]) => seededUuid(spec.seed, spec.id, ...words);
  const firstId = seededInt(1, 90, spec.seed, spec.id, 'ids') * 1000;
  const instances = spec.instances.map((instance, index) =>
    createInstance(spec, instance, firstId + 301 + index, versions),
  );
  const templates = createTemplates(spec, firstId + 1);
  const tasks = createTasks(spec);
  const applications = createApplications(spec);
  const billingTemplates = [
    ...spec.instances.map((instance, index) => ({
      // Not the `st_id` of Operations: nobody may rely on the two being equal (systems.md section 0).
      serviceTemplateId: firstId + 602 + index,
      name: `Office 365 ${instance.name}`,
      parameters: office365Parameters(spec.parameters),
    })),
    { serviceTemplateId: firstId + 601, name: 'Hosted Exchange', parameters: [] },
  ];
  return {
    id: spec.id,
    name: spec.name,
    seed: spec.seed,
    sourceVersion: spec.sourceVersion,
    build: spec.build,
    ...(spec.operationsLogin && { operationsLogin: spec.operationsLogin }),
    ...(spec.billingLogin && { billingLogin: spec.billingLogin }),
    applications,
    packages: createPackages(spec, applications, versions, unique),
    gateways: spec.gateways,
    instances,
    templates,
    billingTemplates,
    plans: billingTemplates.map((template, index) => ({
      planId: firstId + 1 + index,
      name: `${template.name} plan`,
      serviceTemplateId: template.serviceTemplateId,
      sellsOffice365: template.parameters.length > 0,
    })),
    stores: spec.stores.map((store) => ({ ...store, asksFor: store.sellsOffice365 ? [...spec.parameters] : [] })),
    customizations: Object.fromEntries(
      ['controlPanel', ...spec.stores.filter((store) => store.sellsOffice365).map((store) => store.id)].map(
        (target) => [target, spec.sourceVersion],
      ),
    ),
    tasks,
    synchronisation: 'on',
    nextTaskId: Math.max(...tasks.map(({ id }) => id)) + 1,
    lateTasks: spec.lateTasks,
  };
}

function createApplications(spec: ProviderSpec): Application[] {
  const office365 = { applicationId: OFFICE_365_APPLICATION, apsId: OFFICE_365, name: 'Office 365' };
  const azure = { applicationId: AZURE_CSP_APPLICATION, apsId: AZURE_CSP, name: 'Azure CSP' };
  const own = spec.templateFlaws.includes('azureCsp') ? [office365, azure] : [office365];
  const others = new Map(spec.companions.map(({ application, name }) => [application, name]));
  for (const { apsId } of own) others.delete(apsId);
  const companions = [...others].map(([apsId, name], index) => ({
    applicationId: FIRST_COMPANION + index,
    apsId,
    name,
  }));
  return [...own, ...companions];
}

function createPackages(
  spec: ProviderSpec,
  applications: Application[],
  versions: SimulatedVersions,
  unique: (...words: string[]) => string,
): ImportedPackage[] {
  const packageOf = (applicationId: number, packageVersion: string, id: string): ImportedPackage => {
    const version = withoutRelease(packageVersion);
    const release = packageVersion.slice(version.length + 1);
    return { id, applicationId, version, release, enabled: true, upgradeRelations: true };
  };
  const installed = new Set([
    versions.of(spec.sourceVersion).packageVersion,
    ...spec.instances.map((instance) => instance.packageVersion),
  ]);
  const companions = spec.companions.flatMap(({ application, packageVersion }) => {
    const owner = applications.find(({ apsId }) => apsId === application);
    return owner ? packageOf(owner.applicationId, packageVersion, unique('package', application, packageVersion)) : [];
  });
  return [
    ...[...installed].map((packageVersion) =>
      packageOf(OFFICE_365_APPLICATION, packageVersion, unique('package', packageVersion)),
    ),
    ...companions,
  ];
}

export function createInstance(
  spec: Pick<ProviderSpec, 'id' | 'seed'>,
  instance: InstanceSpec,
  instanceId: number,
  versions: SimulatedVersions,
): Instance {
  const unique = (...words: string[]) => seededUuid(spec.seed, spec.id, ...words);
  const account = `${spec.id}${instance.name.replace(/[^A-Za-z0-9]/g, '').toLowerCase()}`;
  const tenant = `${account}.${TENANT_SUFFIX[instance.cloud]}`;
  const storesUser = versions.of(instance.packageVersion).signIn === 'storedUser';
  return {
    instanceId,
    apsInstanceId: unique('aps instance', String(instanceId)),
    resourceId: unique('application resource', String(instanceId)),
    tenantResourceId: unique('tenant resource', String(instanceId)),
    resourceTypeId: instanceId + 400,
    name: instance.name,
    cloud: instance.cloud,
    gateway: instance.gateway,
    packageVersion: instance.packageVersion,
    status: 'Ready',
    tenant,
    storedUser: storesUser,
    ...(!storesUser && {
      refreshToken: { tenant, value: refreshTokenValue(unique('token', tenant)), mfa: true, issuedAt: Date.now() },
    }),
  };
}

/** Looks like the real ones (systems.md 5.2). */
export function refreshTokenValue(unique: string): string {
  return `AQABAAAA${Buffer.from(unique).toString('base64url')}`;
}

/** One that sells Office 365. */
export const createTemplate = (
  { id, seed }: Pick<ProviderSpec, 'id' | 'seed'>,
  templateId: number,
  name: string,
  active: boolean,
): Template => ({
  templateId,
  apsId: seededUuid(seed, id, 'template', String(templateId)),
  name,
  description: `Office 365 services, ${name}`,
  active,
  appIds: [OFFICE_365],
  resourceTypes: office365Resources(templateId),
});

function createTemplates(spec: ProviderSpec, firstId: number): Template[] {
  const unique = (...words: string[]) => seededUuid(spec.seed, spec.id, ...words);
  const names = [
    ...spec.instances.map(({ name }) => `Office 365 ${name}`),
    ...Array.from({ length: spec.moreTemplates }, (_, index) => `Office 365 offer ${index + 1}`),
  ];
  const selling = names.map((name, index) => createTemplate(spec, firstId + index, name, true));
  const retired = Array.from({ length: spec.inactiveTemplates }, (_, index) =>
    createTemplate(spec, firstId + selling.length + index, `Office 365 retired offer ${index + 1}`, false),
  );
  const others = Array.from({ length: spec.otherTemplates }, (_, index): Template => {
    const templateId = firstId + selling.length + retired.length + index;
    return {
      templateId,
      apsId: unique('template', String(templateId)),
      name: `Hosted Exchange ${index + 1}`,
      description: 'Mailboxes',
      active: true,
      appIds: [],
      resourceTypes: [resource(templateId * 10, 'Exchange Mailboxes', 'rc.exchange.mailboxes', {})],
    };
  });
  const [flawed] = selling;
  if (flawed) for (const flaw of spec.templateFlaws) addFlaw(flawed, flaw);
  return [...selling, ...retired, ...others];
}

function resource(
  resourceTypeId: number,
  name: string,
  resclassName: string,
  activationParams: Record<string, string>,
  limit = '-1',
): ResourceType {
  return { resourceTypeId, name, resclassName, activationParams, limit };
}

/** The content of an Office 365 template (systems.md 1.5). */
function office365Resources(templateId: number): ResourceType[] {
  const app = { app_id: String(OFFICE_365_APPLICATION) };
  const id = templateId * 10;
  return [
    resource(id, 'Office 365 Global Settings', 'rc.saas.service.link', { ...app, service_id: 'app' }),
    resource(id + 1, 'Office 365 Tenant', 'rc.saas.service', { ...app, service_id: 'tenant' }, '1'),
    resource(id + 2, 'Office 365 User', 'rc.saas.service', { ...app, service_id: 'user' }),
    resource(id + 3, 'Office 365 Cloud User', 'rc.saas.service', { ...app, service_id: 'clouduser' }),
    resource(id + 4, 'Office 365 Domain', 'rc.saas.service', { ...app, service_id: 'domain' }),
    resource(id + 5, 'Office 365 Enterprise E3 License', 'rc.saas.resource.unit', { ...app, resource_id: 'e3' }),
  ];
}

function addFlaw(template: Template, flaw: ProviderSpec['templateFlaws'][number]): void {
  const id = template.templateId * 10 + 6;
  switch (flaw) {
    case 'azureCsp':
      template.appIds.push(AZURE_CSP);
      template.resourceTypes.push(
        resource(id, 'Azure CSP Subscription', 'rc.saas.service', {
          app_id: String(AZURE_CSP_APPLICATION),
          service_id: 'azureSubscription',
        }),
      );
      break;
    case 'dnsHosting':
      template.resourceTypes.push(resource(id + 1, 'DNS Hosting', 'rc.dns.hosting', {}));
      break;
    case 'trialOnCcpV1':
      // Assumption: a trial template says so in its name, and without a resource of UX1 its customers use CCP v1.
      template.name = `${template.name} Trial`;
      break;
  }
}

function office365Parameters(others: readonly string[]): BillingParameter[] {
  const subdomain: BillingParameter = {
    id: SUBDOMAIN_PARAMETER,
    type: 0,
    name: 'Office 365 Subdomain',
    description: 'Subdomain of onmicrosoft.com',
    defaultValue: '',
    required: true,
  };
  // Assumption: a string that is not required (systems.md 3.3).
  const optional = others.map((id): BillingParameter => ({
    id,
    type: 0,
    name: id,
    description: '',
    defaultValue: '',
    required: false,
  }));
  return [subdomain, ...optional];
}

function createTasks(spec: ProviderSpec): Task[] {
  const first = seededInt(1, 90, spec.seed, spec.id, 'tasks') * 10;
  const task = (offset: number, name: string, rest: Partial<Task>): Task => ({
    id: first + offset,
    name,
    status: 'Unprocessed',
    periodic: false,
    drains: false,
    ...rest,
  });
  const tasks = [
    task(0, 'Office 365: synchronize license usage', { status: 'Rescheduled', periodic: true }),
    task(1, 'Exchange: create mailbox', { status: 'Rescheduled' }),
    ...Array.from({ length: spec.openTasks }, (_, index) =>
      task(10 + index, `Office 365: provision subscription ${index + 1}`, {
        status: index === 0 ? 'Running' : 'Unprocessed',
        drains: true,
      }),
    ),
  ];
  if (spec.failedTask) tasks.push(task(2, 'Office 365: assign license', { status: 'Failed' }));
  return tasks;
}
