/**
 * What the systems said: the results of activities, and the facts that one step hands to the next.
 * Shapes follow systems.md; field names are ours where the vendor's differ between calls.
 */

/** One installed copy of the Office 365 application: one CSP partner account. */
export interface ApplicationInstance {
  /** `application_instance_id` of Operations. */
  id: number;
  /** UUID of the APS resource of the instance's root service (`application_resource_id`). */
  resourceId: string;
  /** Display name from the instance's global settings; `instance <id>` where there is none. */
  name: string;
  /** `<version>-<release>` as Operations prints it. */
  packageVersion: string;
  /** `Ready`, `Upgrading`, ... exactly as Operations prints it (systems.md 1.4). */
  status: string;
  /** "Application API end-point URI": `https://<site hostname>/<application>/aps/`. */
  endpointUrl: string;
  cloud: MicrosoftCloud;
}

/** `unknown` when no setting of the instance says (systems.md 5.4). */
export type MicrosoftCloud = 'global' | 'germany' | 'china' | 'usGovernment' | 'unknown';

/** A service template of Operations that carries Office 365 resources. */
export interface ServiceTemplate {
  id: number;
  name: string;
  active: boolean;
  /** The template also has Azure CSP resources (known limitation: must be sold separately). */
  azureCsp: boolean;
  /** The template has a 'DNS Hosting' resource (APSA-20624: remove it). */
  dnsHosting: boolean;
  /** A trial template whose customers use CCP v1 (known limitation). */
  trialOnCcpV1: boolean;
}

export interface OperationsFacts {
  /** `oa-8.0-1216` as reported. */
  build: string;
  /** `application_id` of Office 365, undefined when it was never imported. */
  applicationId: number | undefined;
  instances: ApplicationInstance[];
  templates: ServiceTemplate[];
  /** Versions of Office 365 in the package list that instances can get, `18.3-9`: those that are not enabled are left out. */
  enabledVersions: string[];
  /** Those that are listed and not enabled; missing in what older builds have read. */
  disabledVersions?: string[];
  /** Packages of other applications in the package list. */
  companions: CompanionPackage[];
}

/** What an upgrade knows of the application instances. */
export interface KnownInstances {
  /** UUIDs of their APS resources: ids of Operations are small numbers, which another installation has as well. */
  known: string[];
  /** Those that an instance may be on, without release numbers; each known instance is looked at where they are given. */
  versions?: string[];
  /** End-point URIs that an instance may have. */
  endpoints: string[];
}

/** What is otherwise: short where nothing has changed, however many instances there are. */
export interface InstanceNews {
  /** Instances that were not known. */
  added: ApplicationInstance[];
  /** UUIDs of those that are not listed any more: all of them, where Operations or the APS controller is that of another installation. */
  gone: string[];
  /** Known ones that are not Ready on one of the versions, or have an end-point URI that is not known. */
  changed: ApplicationInstance[];
}

/** A package of another application in the APS package list (systems.md 2.3). */
export interface CompanionPackage {
  /** Its package id, a URI: `http://www.odin.com/AzureCSP`. */
  application: string;
  /** `<version>-<release>` */
  version: string;
}

/** A billing service template that sells Office 365 through one of the provider's plans. */
export interface BillingTemplate {
  planId: number;
  planName: string;
  serviceTemplateId: number;
  /** Ids of its service parameters (systems.md 3.3). */
  parameters: string[];
}

export interface BillingFacts {
  templates: BillingTemplate[];
}

export interface PackageFacts {
  sha256: string;
  bytes: number;
}

/** One https binding of an IIS site; `address` is `*` for all addresses. */
export interface SiteBinding {
  address: string;
  port: number;
  hostHeader: string;
}

export interface IisSite {
  name: string;
  state: string;
  bindings: SiteBinding[];
  applications: IisApplication[];
}

export interface IisApplication {
  /** Path without the leading slash: the gateway application's name. */
  name: string;
  physicalPath: string;
  /** What its files are of: of its own assemblies, and of web.config; none where there is no folder. */
  versions: string[];
  /** Why its files do not tell of which version they are, so that they cannot be backed up; a sentence without subject and full stop. */
  noVersion?: string;
  /** Size of its folder; missing where nobody has looked, like `unread`. */
  bytes?: number;
  /** Files that could not be copied, each with the reason. */
  unread?: string[];
  /** What the application's connection strings name; missing in what older builds have read, which tell the first as `database`. */
  databases?: GatewayDatabase[];
  database?: GatewayDatabase | undefined;
}

export interface GatewayDatabase {
  dataSource: string;
  localDb: boolean;
  /** SQL login of the connection string, or the Windows identity of the application pool; empty where that cannot be told. */
  login: string;
  /** IS_SRVROLEMEMBER('sysadmin'): null when SQL Server does not say (systems.md 4.4). Not asked for LocalDB. */
  sysadmin: boolean | null;
}

/**
 * What tells one Windows machine from every other. `machineGuid` is made when Windows is installed, and a copied disk keeps it;
 * `smbiosUuid` belongs to the hardware, real or virtual, and a clone gets another one unless somebody sees to it that it does not.
 */
export interface HostIdentity {
  computerName: string;
  machineGuid: string;
  smbiosUuid: string;
}

/** An endpoint host as an upgrade calls it: its name, and the machine that the preflight has seen under it. */
export interface FrozenHost {
  name: string;
  identity: HostIdentity;
}

/** What one endpoint host serves, and what its worker may do there. */
export interface HostFacts {
  host: string;
  identity: HostIdentity;
  /** setup.cmd and iisreset need an elevated session (systems.md 4.3). */
  elevated: boolean;
  /** Why others than administrators might reach what Onward keeps there; a sentence each, without a full stop. */
  exposed: string[];
  /** SHA-256 of each package that the host's own configuration allows, by its version. */
  packages: Record<string, string>;
  /** Scripts of releases that its worker has: `18.5/install-runtime`. */
  scripts: string[];
  sites: IisSite[];
  /** What an upgrade will need of its disk; missing where nobody has looked. */
  disk?: HostDisk;
}

/** `problem`: it could not be looked at. */
export type HostDisk =
  | { problem: string }
  | {
      /** On the drive of the worker's work directory. */
      freeBytes: number;
      /** Each by its version: what it takes on the disk, and what keeps it from being unpacked there. */
      packages: Record<string, { bytes: number; problem?: string }>;
    };

/** Says which operation an endpoint host belongs to, until its upgrade has upgraded its instances or ended. Kept on the host itself. */
export interface HostClaim {
  /** Id of the operation: whoever else comes to change the host is refused. */
  operation: string;
  /** What Temporal is asked about. */
  workflowId: string;
  /** First run of its chain: a reset keeps it, a new upgrade of the same provider has another. */
  run: string;
  /** Id of the Temporal namespace that can say what became of the upgrade. */
  namespace: string;
  /** When the host was claimed. */
  at: string;
}

/** Where one gateway site of the provider lives: what the procedure's step 1 writes down. */
export interface GatewaySite {
  host: string;
  site: string;
  application: string;
  hostname: string;
  ip: string;
  /** Ids of the application instances that this site serves. */
  instances: number[];
}

/** Which version the files of one gateway application are of (lessons.md 6). */
export type DeployedVersion = 'old' | 'new' | 'mixed';

export interface SiteVersion {
  deployed: DeployedVersion;
  /** Versions read from the assemblies, e.g. `['18.3.0.9']`. */
  assemblyVersions: string[];
  webConfigVersion: string | undefined;
}

/** A verified copy of one gateway application, from before its upgrade. */
export interface SiteBackup {
  path: string;
  files: number;
  bytes: number;
  /** SHA-256 over the sorted list of relative path and content hash of every file. */
  digest: string;
  /** Some of what the application writes itself while it runs: part of no comparison, and kept as it is by a restore. */
  leftOut: string[];
}

export interface SetupResult {
  exitCode: number;
  /** Last lines that setup.cmd printed. */
  log: string;
  /** Lines that speak of trouble although the files are those of the new version: a person has to see them. */
  remarks: string[];
  /** It asked for a restart of its host, which was not restarted since. */
  restartWanted: boolean;
}

export interface ServicesRestarted {
  /** Gateways that the host cannot reach at their planned address, so that it does not know whether they answer. */
  cannotTell: { url: string; address: string; problem: string }[];
}

/** What a script of a release says after it has looked and acted. */
export interface HostScriptResult {
  /** What the script brings is there and works. */
  done: boolean;
  /** Windows has to be restarted, be it for this to be done or for something else that was installed. */
  restartNeeded: boolean;
  /** One sentence for people: what was found, and what was done. */
  note: string;
  /** When Windows was started, ISO 8601 in UTC: later once it has been restarted. */
  bootTime: string;
}

export interface ConnectionTestResult {
  ok: boolean;
  checks: { name: 'PartnerCenter' | 'Graph'; ok: boolean; message?: string | undefined }[];
}

/** What tells the tasks of one provider's application from others, where their name does not (KB 111834, 128409). */
export interface OwnApplication {
  /** `application_id` */
  id?: number;
  /** Ids of its instances. */
  instances: number[];
}

export const ownApplication = ({ applicationId, instances }: OperationsFacts): OwnApplication => ({
  ...(applicationId === undefined ? {} : { id: applicationId }),
  instances: instances.map(({ id }) => id),
});

/** Office 365 tasks of Operations that are not processed yet; periodic ones are not counted (systems.md 1.6). */
export interface OpenTasks {
  open: { id: number; name: string; status: string }[];
}
