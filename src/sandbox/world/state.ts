/** State of one simulated provider. Plain data: it is written to the state file as it is. */
import type { GatewaySpec, InstanceSpec } from './spec';

export const OFFICE_365 = 'http://www.parallels.com/Office365';

export interface Application {
  applicationId: number;
  apsId: string;
  name: string;
}

export interface ImportedPackage {
  /** UUID in `/aps/2/packages`. */
  id: string;
  applicationId: number;
  version: string;
  release: string;
  enabled: boolean;
  /** The oldest version that its upgrade rule accepts; absent where it accepts any (systems.md 1.4.2). */
  upgradesFrom?: string;
  /** The task "Updating upgrade relations..." is done: instances can be upgraded to this version. */
  upgradeRelations: boolean;
}

export interface RefreshToken {
  /** Tenant whose administrator gave consent; the wrong one where somebody signed in to another account. */
  tenant: string;
  value: string;
  /** Whether the administrator had multi-factor authentication. */
  mfa: boolean;
  /** Milliseconds since 1970, by the sandbox's clock. */
  issuedAt: number;
  /** A policy of the tenant that ends the token before its 90 days. */
  ends?: EarlyEnd;
}

/** From so many days on, Microsoft refuses the token with `AADSTS<code>`. */
export interface EarlyEnd {
  afterDays: number;
  code: 50078 | 70043 | 53003;
}

export interface Instance {
  instanceId: number;
  /** `aps.id` in `/aps/2/applications`. */
  apsInstanceId: string;
  /** `application_resource_id`. */
  resourceId: string;
  tenantResourceId: string;
  resourceTypeId: number;
  name: string;
  cloud: InstanceSpec['cloud'];
  gateway: number;
  packageVersion: string;
  status: 'Ready' | 'Upgrading';
  /** Tenant of the CSP partner account. */
  tenant: string;
  /** It signs in to Microsoft with a stored user; an upgrade to a version that signs in with tokens erases it. */
  storedUser: boolean;
  /** The application's: what its *Test Connection* uses. */
  refreshToken?: RefreshToken;
  /** What somebody else got from Microsoft for the same account, such as whoever keeps the inventory. */
  foreignToken?: RefreshToken;
}

export interface ResourceType {
  resourceTypeId: number;
  name: string;
  resclassName: string;
  activationParams: Record<string, string>;
  limit: string;
}

export interface Template {
  templateId: number;
  /** UUID of its APS resource. */
  apsId: string;
  name: string;
  description: string;
  active: boolean;
  /** Package URIs of the applications whose resources it holds. */
  appIds: string[];
  resourceTypes: ResourceType[];
}

export interface BillingParameter {
  id: string;
  type: number;
  name: string;
  description: string;
  defaultValue: string;
  required: boolean;
}

export interface BillingTemplate {
  serviceTemplateId: number;
  name: string;
  parameters: BillingParameter[];
}

export interface Plan {
  planId: number;
  name: string;
  serviceTemplateId: number;
  sellsOffice365: boolean;
}

export interface Store {
  id: string;
  name: string;
  active: boolean;
  sellsOffice365: boolean;
  /** Service parameters that the store's order form still asks for; follows Billing only when the store is synchronised. */
  asksFor: string[];
  synchronisedAt?: number;
}

export type TaskStatus = 'Unprocessed' | 'Running' | 'Rescheduled' | 'Failed' | 'Canceled' | 'Processed';

export interface Task {
  id: number;
  name: string;
  status: TaskStatus;
  periodic: boolean;
  /** Where it is executed: `aps_application_instance31`; absent where nobody asks for it. */
  queue?: string;
  /** Office 365 business: starts to drain when no Office 365 template is active. */
  drains: boolean;
  /** When it ends, by the sandbox's clock; absent while it waits for something or is stuck. */
  dueAt?: number;
  /** It ends as `Failed`, with this text. */
  failure?: string;
  requestId?: string;
  /** What its end brings about. */
  completes?: { kind: 'upgradeRelations'; packageId: string } | { kind: 'upgrade'; instanceId: number; to: string };
}

export interface Login {
  user: string;
  password: string;
}

export interface Provider {
  id: string;
  name: string;
  seed: string;
  sourceVersion: string;
  build: string;
  operationsLogin?: Login;
  billingLogin?: Login;
  applications: Application[];
  packages: ImportedPackage[];
  gateways: GatewaySpec[];
  instances: Instance[];
  templates: Template[];
  billingTemplates: BillingTemplate[];
  plans: Plan[];
  stores: Store[];
  /** `controlPanel` or a store's id -> version of the Office 365 application that its customization belongs to. */
  customizations: Record<string, string>;
  /** Whether the application synchronises; a person switches it off and on. */
  synchronisation: 'on' | 'off';
  tasks: Task[];
  nextTaskId: number;
  /** How many Office 365 tasks appear each time that the last instance is upgraded. */
  lateTasks: number;
}

export const isOpen = (task: Task): boolean => task.status !== 'Processed' && task.status !== 'Canceled';
