/**
 * How the Office 365 application shows in what Operations and the APS controller say: the rules by which Onward
 * recognises templates, clouds and known limitations. Pure functions.
 */
import type { MicrosoftCloud, OwnApplication } from '../contract/facts';

/** Id of the application's APS package (systems.md 2.3). */
export const OFFICE_365_PACKAGE = 'http://www.parallels.com/Office365';

/**
 * Whether a task of Operations is of Office 365: by the word in its name, as the procedure filters them; by the id of the application,
 * as "Executing configuration script ... of APS application with id 152" is; or by the queue of an instance,
 * `aps_application_instance1039` (KB 111834, 128409).
 */
export function isOffice365Task(
  { name, queue = '' }: { name: string; queue?: string | undefined },
  { id, instances }: OwnApplication = { instances: [] },
): boolean {
  if (/office/i.test(name)) return true;
  if (id !== undefined && new RegExp(`\\bapplication with id ${id}\\b`, 'i').test(name)) return true;
  const ofInstance = /^aps_application_instance(\d+)$/i.exec(queue.trim())?.[1];
  return ofInstance !== undefined && instances.includes(Number(ofInstance));
}

/** A resource type of a service template, as `pem.getServiceTemplate` lists it (systems.md 1.5). */
export interface TemplateResource {
  name: string;
  resourceClass: string;
  /** Activation parameters; `app_id` is the `application_id` behind the resource. */
  parameters: Record<string, string>;
}

/**
 * The template carries a resource of that application: a resource class `rc.saas.*` whose activation parameter `app_id`
 * is its `application_id` (systems.md 1.5, way 2).
 */
export function carriesApplication(resources: TemplateResource[], applicationId: number): boolean {
  return resources.some(
    ({ resourceClass, parameters }) =>
      resourceClass.startsWith('rc.saas.') && parameters['app_id'] === String(applicationId),
  );
}

/**
 * "Office 365 and Azure CSP resources cannot be sold in the same service template."
 *
 * Assumption: a resource type of Azure CSP has both words, Azure and CSP, in its name (`Azure CSP Subscription`). Azure
 * alone is not enough: licences such as Azure Active Directory Premium belong to Office 365.
 */
export function sellsAzureCsp(resources: TemplateResource[]): boolean {
  return resources.some(({ name }) => /\bazure\b/i.test(name) && /\bcsp\b/i.test(name));
}

/**
 * "Remove the 'DNS Hosting' resource from the 'Office 365' service template" (APSA-20624).
 *
 * Assumption: the resource type has the words DNS Hosting in its name, as the release notes quote it.
 */
export function hasDnsHosting(resources: TemplateResource[]): boolean {
  return resources.some(({ name }) => /\bdns hosting\b/i.test(name));
}

/**
 * "Upgrading trial Office 365 subscriptions from trial service plans to paid service plans does not work in CCP v1."
 *
 * Assumption: a trial template has the word trial in its name, and one whose customers use UX1 for Customers has a
 * resource type with UX1 in its name; without it they use CCP v1.
 */
export function isTrialOnCcpV1(templateName: string, resources: TemplateResource[]): boolean {
  return /\btrial\b/i.test(templateName) && !resources.some(({ name }) => /\bux1\b/i.test(name));
}

/**
 * Signs of each cloud: Microsoft's hostnames (systems.md 5.4), and the word in a setting that names the cloud itself.
 * Germany first: one sign of it anywhere is enough, and it shares other hostnames with the global cloud.
 */
const CLOUDS: { cloud: MicrosoftCloud; hosts: string[]; word: RegExp }[] = [
  {
    cloud: 'germany',
    hosts: ['microsoftonline.de', 'onmicrosoft.de', 'portal.office.de', 'graph.microsoft.de', 'graph.cloudapi.de'],
    word: /german|deutschland/i,
  },
  {
    cloud: 'china',
    hosts: [
      'chinacloudapi.cn',
      'partner.microsoftonline.cn',
      'partner.onmschina.cn',
      'partnercenterapi.microsoftonline.cn',
    ],
    word: /china|21vianet/i,
  },
  {
    cloud: 'usGovernment',
    hosts: ['microsoftonline.us', 'onmicrosoft.us', 'graph.microsoft.us'],
    word: /\bgov/i,
  },
  {
    cloud: 'global',
    hosts: [
      'microsoftonline.com',
      'onmicrosoft.com',
      'portal.office.com',
      'graph.microsoft.com',
      'graph.windows.net',
      'api.partnercenter.microsoft.com',
    ],
    word: /global|worldwide|public/i,
  },
];

/**
 * The cloud that the settings of an instance point to; `unknown` when none does.
 *
 * Assumption: the cloud shows in a value that holds one of Microsoft's hostnames, or in a setting whose name contains
 * `cloud` and whose value names the cloud (systems.md 5.4; the property that names it was not found).
 */
export function cloudOf(sources: Record<string, string>[]): MicrosoftCloud {
  const settings = sources.flatMap((source) => Object.entries(source));
  const seen = CLOUDS.find(
    ({ hosts, word }) =>
      settings.some(([, value]) => hosts.some((host) => mentionsHost(value, host))) ||
      settings.some(([name, value]) => /cloud/i.test(name) && word.test(value)),
  );
  return seen?.cloud ?? 'unknown';
}

/** The text names the host or a host below it, in a URL, an address or by itself. */
function mentionsHost(text: string, host: string): boolean {
  const escaped = host.replaceAll('.', '\\.');
  return new RegExp(`(?<![a-z0-9-])${escaped}(?![a-z0-9-]|\\.[a-z0-9])`, 'i').test(text);
}

/**
 * The instance's display name.
 *
 * Assumption: it is the setting `instanceName`, as the label "Instance Name" suggests (systems.md 2.3).
 */
export function instanceNameOf(settings: Record<string, string>): string | undefined {
  const name = Object.entries(settings).find(([key]) => key.replace(/[^a-z]/gi, '').toLowerCase() === 'instancename');
  return name?.[1].trim() || undefined;
}
