/**
 * The activities of one upgrade: what the workflows may ask of the world.
 *
 * Every activity takes one object and has at most one effect, which it is safe to repeat: it looks before it acts.
 * No connection travels: an activity is told which `entry` it acts on, looks the rest up in its worker's own inventory, and fails
 * with `EntryChanged` where that is not what the workflow has read. Failures are `ApplicationFailure`s whose `type` is one of
 * {@link FAILURE}.
 */
import { z } from 'zod';
import type { GuardInput } from './consent';
import type { EntryDigests, EntryRef, FrozenProfile } from './entry';
import { shortened } from './fields';
import type { Selector } from './fleet';
import type { Entered, Entrant, FoundLedger, LedgerNote } from './ledger';
import type { LookedAtWindow, Maintenance } from './maintenance';
import type { Operation } from './operation';
import type {
  ApplicationInstance,
  BillingFacts,
  ConnectionTestResult,
  FrozenHost,
  GatewaySite,
  HostClaim,
  HostFacts,
  HostScriptResult,
  InstanceNews,
  KnownInstances,
  MicrosoftCloud,
  OpenTasks,
  OperationsFacts,
  OwnApplication,
  PackageFacts,
  ServicesRestarted,
  ServiceTemplate,
  SetupResult,
  SiteBackup,
  SiteVersion,
} from './facts';
import { plainName, type EndpointHost } from './provider';

export interface InventoryActivities {
  /** Reads and validates one provider's entry; fails with `UnknownProvider` or `InvalidInventory`, naming every problem. */
  loadProvider(input: { provider: string }): Promise<FrozenProfile>;
}

interface OnEntry {
  entry: EntryRef;
}

export interface OperationsActivities {
  /** Everything that the preflight asks of Operations and the APS controller, read once; of the templates the first page. */
  readOperations(input: OnEntry): Promise<Omit<OperationsFacts, 'templates'> & TemplatePage>;
  /** The Office 365 service templates, with whether each is active now: those of `candidates`, one page at most, or the first page. */
  readTemplates(input: OnEntry & { candidates?: TemplateCandidates }): Promise<TemplatePage>;
  /** Effect: the templates are active. Reads `is_active` of each first; one that is refused keeps none of the others from it. */
  activateTemplates(input: OnEntry & { templateIds: number[] }): Promise<void>;
  /** Effect: the templates are not active. Otherwise as `activateTemplates`. */
  deactivateTemplates(input: OnEntry & { templateIds: number[] }): Promise<void>;
  /** The active ones among them, by two calls: all of them where one result takes them, else a page, those of `candidates` or the first. */
  readActiveTemplates(
    input: OnEntry & { candidates?: TemplateCandidates },
  ): Promise<ActiveTemplate[] | ActiveTemplatePage>;
  /** What has changed since somebody looked: of the application instances, and of the package list. Cheap. */
  lookAgain(input: OnEntry & KnownInstances): Promise<InstanceNews & Pick<OperationsFacts, 'enabledVersions'>>;
  /**
   * Effect: `version` is imported and its tasks are done. Looks in the package list first; else hashes what lies behind the URL now,
   * begins a transaction with `requestId`, imports, commits, and waits. Another file fails with `Rejected`, and nothing is sent. Fails with `OutcomeUnknown` when it cannot tell what became of a call: read
   * back before anything else.
   */
  importPackage(
    input: OnEntry & {
      version: string;
      requestId: string;
      /** Of earlier requests, which were read back: where one of them is at work again, or has imported it, nothing is sent: `NotYet`. */
      earlierRequestIds?: string[];
    },
  ): Promise<ImportedPackage>;
  /**
   * Reads every request of an import back: waits until none of them has a task at work, and then either the package is listed, or
   * it is certain that there is no import: `undefined`. Fails with `Rejected` when a request has failed; `beforeAnother` request only
   * where the package is listed all the same, and never where a person has seen to the import, `byHand`.
   */
  awaitImport(
    input: OnEntry & {
      version: string;
      requestIds: string[];
      purpose: 'readBack' | 'beforeAnother' | 'byHand';
    },
  ): Promise<ImportedPackage | undefined>;
  /** The package list as it is now: this version in it, enabled or not, or undefined. */
  findImported(input: OnEntry & { version: string }): Promise<ImportedPackage | undefined>;
  /**
   * Effect: the instance runs that package, `18.4.1-12`. Starts the upgrade unless it is there or on its way, then waits for `Ready`.
   * Fails with `Rejected`, and starts nothing, while a newer package is enabled.
   */
  upgradeInstance(input: OnEntry & { instanceId: number; version: string }): Promise<void>;
  /**
   * Waits until no Office 365 task is open, and tells whether it had to. Fails with `Rejected`, naming them, when tasks have failed:
   * they wait for a person.
   */
  awaitTasksProcessed(input: OnEntry & { application?: OwnApplication }): Promise<{ waited: true } | void>;
  /** The Office 365 tasks that are open now. */
  readOpenTasks(input: OnEntry & { application?: OwnApplication }): Promise<OpenTasks>;
}

/** As many templates as one activity reads: its result and its time are bounded. */
export interface TemplatePage {
  templates: ServiceTemplate[];
  /** Those of the pages to come; undefined on the last one. */
  left?: TemplateCandidates;
}

export type ActiveTemplate = Pick<ServiceTemplate, 'id' | 'name'>;

export interface ActiveTemplatePage extends Pick<TemplatePage, 'left'> {
  templates: ActiveTemplate[];
}

/** Templates that may have Office 365 resources. */
export interface TemplateCandidates {
  ids: number[];
  /** Whether the APS controller says that they have; otherwise it shows in their resources. */
  listedByApplication: boolean;
}

export interface ImportedPackage {
  applicationId: number;
  /** `18.4.1-12` */
  packageVersion: string;
}

export interface BillingActivities {
  /** The billing service templates behind the plans, with the parameters that matter. */
  readBilling(input: OnEntry & { plans: number[] }): Promise<BillingFacts>;
}

export interface MicrosoftActivities {
  /** What *Test Connection* of this instance says. Only for entries whose adapter is not `gate`. */
  testConnection(
    input: OnEntry & { instance: Pick<ApplicationInstance, 'id' | 'name' | 'resourceId'> },
  ): Promise<ConnectionTestResult>;
}

export interface NetworkActivities {
  /** IPv4 addresses of each hostname, in ascending order; an empty list where the name does not resolve. */
  resolveHostnames(input: { hostnames: string[] }): Promise<Record<string, string[]>>;
  /** Downloads the package of `version`, keeps nothing, and tells what it is. */
  hashPackage(input: OnEntry & { version: string }): Promise<PackageFacts>;
}

/**
 * Run by the worker on the endpoint host, one at a time, from the task queue `endpoint/<host>`. Where it works and what it may run stands
 * in its own configuration; a call names a package by its hash, and no folder and no URL. On another machine than the one that the
 * preflight has seen under that name, each of them fails with `AnotherHost` before anything else. What changes the host is for
 * the operation that has claimed it.
 */
export interface EndpointActivities {
  /** `packages`: versions whose package may be run there; then files, space and these packages are looked at as well, for minutes. */
  readHost(input: { host: EndpointHost; packages?: string[] }): Promise<HostFacts>;
  /**
   * Effect: the host belongs to this operation until its upgrade has upgraded its instances or ended; then the versions of the deployed files,
   * as `detectSites` tells them, once no setup.cmd of an earlier operation runs any more. `takenBy`: another upgrade may still
   * change the host, and nothing was done.
   */
  claimHost(input: {
    host: FrozenHost;
    sites: SiteKey[];
    operation: Operation;
  }): Promise<{ versions: SiteVersion[] } | { takenBy: HostClaim }>;
  /** Versions of the deployed files, in the order of `sites`. */
  detectSites(input: { host: FrozenHost; sites: SiteKey[]; from: string; to: string }): Promise<SiteVersion[]>;
  /**
   * Effect: a verified copy of `old` files under the work directory, named by the operation. Later it is the same copy, whatever
   * the files are by then. Without a copy from before, `new` files have none, as there is nothing to set up; and `mixed` ones fail
   * with `NoBackup`, naming the newest copy that an older operation has left.
   */
  backupSite(input: { host: FrozenHost; site: SiteKey; operation: Operation }): Promise<SiteBackup | undefined>;
  /**
   * Effect: the package of the operation's version is downloaded, verified, unpacked, unblocked and unpacked in a folder named by its
   * hash. Fails with `Rejected` where the host's own configuration has none of that version, or one with another hash.
   */
  stagePackage(input: { host: FrozenHost; sha256: string; operation: Operation }): Promise<void>;
  /**
   * Effect: setup.cmd of that package has upgraded this site's files. Detects first; waits for a setup.cmd that still runs; hashes the
   * package and everything that was unpacked of it again.
   */
  runSetup(input: { host: FrozenHost; site: GatewaySite; sha256: string; operation: Operation }): Promise<SetupResult>;
  /**
   * Effect: the host's Internet services were restarted after everything that this operation did before, and no gateway that it touched
   * is known not to answer.
   */
  resetIis(input: {
    host: FrozenHost;
    operation: Operation;
    purpose: 'upgrade' | 'rollback';
  }): Promise<ServicesRestarted>;
  /**
   * Effect: what a script of a release brings, such as a runtime that its setup.cmd needs, as far as it goes without a restart.
   * The script travels with the endpoint worker and is only named here: `install-runtime` of `18.5`. Fails with `Rejected` where
   * the worker of that host does not have it.
   *
   * @param input.parameters reach the script as data; no secrets, they are kept in the history.
   */
  runHostScript(input: {
    host: FrozenHost;
    operation: Operation;
    release: string;
    script: string;
    parameters: HostScriptParameters;
  }): Promise<HostScriptResult>;
  /**
   * Effect: Windows was started after `before`, a boot time that was read earlier. Asks it to restart unless it has been asked
   * already, and fails with `NotYet` until it has: the worker goes down with its host, and the one that comes back takes up the
   * next attempt.
   */
  restartHost(input: { host: FrozenHost; operation: Operation; before: string }): Promise<{ bootTime: string }>;
  /** Effect: the gateway application's files are those of the operation's backup, with the access that they had. */
  restoreSite(input: { host: FrozenHost; site: SiteKey; backup: SiteBackup; operation: Operation }): Promise<void>;
}

export type HostScriptParameters = Record<string, string | number | boolean>;

export interface ClaimActivities {
  /** Waits until the upgrade that has claimed the host needs it no more: it has upgraded its instances or ended. */
  awaitClaimEnd(input: { host: string; claim: HostClaim }): Promise<void>;
}

/** On the ledger of an installation (./ledger). */
export interface LedgerActivities {
  /**
   * Effect: the installation belongs to this operation. Refused, with the reason, while another upgrade holds it that still runs, and
   * where one that has ended has left something, unless it is this very operation that goes on. Safe to repeat; also a way to read.
   */
  enterInstallation(input: Entrant): Promise<Entered>;
  /**
   * Effect: it is noted. Enters where nobody holds the installation; fails with `Rejected` where another does.
   *
   * @returns what stood there already: of a step that begins what was to be switched on again before, and the requests of an import.
   */
  noteInLedger(input: Entrant & { note: Noted }): Promise<{ before: unknown[]; requests: string[] }>;
  /**
   * The ledger of the installation that has these instances, at least one: one that knows any of them, so that it is found again whichever
   * of them was removed, or else the one that the first of them would name. Changes nothing. A ledger under another name is listed about
   * a second after it has begun.
   */
  readLedger(input: { provider: string; instances: string[] }): Promise<FoundLedger>;
}

type Without<Union, Key extends PropertyKey> = Union extends unknown ? Omit<Union, Key> : never;
/** A note, but for who makes it and when. */
export type Noted = Without<Exclude<LedgerNote, { type: 'entered' }>, 'operation' | 'at'>;

export interface GuardActivities {
  /**
   * Effect: a guard watches over each of these consents. One that runs already is told of the new consent, unless its time is
   * assumed. `operation` names the upgrade that asks.
   */
  startGuards(input: { guards: GuardInput[]; operation: string }): Promise<void>;
  /** Effect: no guard watches over these instances any more. */
  endGuards(input: { provider: string; instances: number[] }): Promise<void>;
}

export interface MaintenanceActivities {
  /**
   * What the windows say now: open for at least `needed` seconds more, or when that will be so next. Knows time zones, and
   * nothing else.
   */
  lookAtWindow(input: { maintenance: Maintenance; needed: number }): Promise<LookedAtWindow>;
}

export interface FleetActivities {
  /**
   * Providers of the inventory that the selector takes, as far as the inventory can tell, in ascending order; of a list of ids,
   * in the list's order. At most some thousands at a time: `after` is the last one known. Fails with `UnknownProvider`, naming
   * every id of the selector that the inventory has not.
   */
  selectProviders(input: { selector: Selector; after?: string }): Promise<Selection>;
  /** What a plan has to know of each provider: reads its entry and Operations. Never fails because of one of them. */
  surveyProviders(input: { providers: string[] }): Promise<Surveyed[]>;
  /** Digests of the entries as they are now, in the order that was asked for. */
  freezeEntries(input: { providers: string[] }): Promise<Frozen[]>;
  /** Those of the workflows that run no more, with how they ended. */
  findEnded(input: { workflows: WorkflowRun[] }): Promise<EndedWorkflow[]>;
  /** Why an upgrade of this provider cannot be started now, for people. */
  explainRefusedStart(input: { provider: string }): Promise<string>;
}

export interface Selection {
  providers: string[];
  /** Not the last of them. */
  more: boolean;
  /** Entries that cannot be used, which nobody can select: by id, or by file where the entry does not even say its id. */
  invalid: { provider: string; problem: string }[];
}

/** What a survey has seen of one provider. */
export interface SurveyedProvider {
  name?: string;
  /** Of what a wave keeps of its entry, as JSON. */
  bytes: number;
  /** Build of Odin Automation. */
  build: string;
  /** What its instances run and where, each value once. */
  packageVersions: string[];
  clouds: MicrosoftCloud[];
}

export type Surveyed = { provider: string } & (SurveyedProvider | { invalid: string } | { unreachable: string });

export type Frozen = { provider: string } & ({ digests: EntryDigests } | { invalid: string });

/** One chain of runs: continuing as new keeps it, starting anew does not. */
export interface WorkflowRun {
  workflowId: string;
  firstRun: string;
}

export interface EndedWorkflow {
  workflowId: string;
  /** `COMPLETED`, `FAILED`, `TERMINATED`, ..., or `GONE` where Temporal knows it no more. */
  how: string;
}

/** Names one gateway application on a host. */
export type SiteKey = Pick<GatewaySite, 'site' | 'application'>;

export interface NotifyActivities {
  /**
   * Effect: the notice is delivered to one target of the entry of its provider, as the entry is now. A repeat carries the same `id`, so
   * that the receiver can drop it. With `handOver` it tries once, for some seconds; then the workflow `notice/<id>` goes on trying.
   */
  notify(input: ToTell & { handOver?: true }): Promise<void>;
}

/** Of the workflow `deliverNotice`, which goes on telling when whoever has something to tell does not wait for it. */
export const noticeWorkflowId = ({ id }: Notice): string => `notice/${id}`;
export const noticeSummary = ({ subject }: Notice): string => shortened(`tell: ${subject}`);

/** What a notifier tells people; no secret, no evidence text. */
export const notice = z.strictObject({
  /** The same for every attempt to deliver it. */
  id: z.string().min(1),
  provider: plainName,
  workflowId: z.string(),
  kind: z.enum([
    'gatesOpened',
    'reminder',
    'held',
    'crossed',
    'waitingForWindow',
    'windowClosed',
    'completed',
    'failed',
    'consentExpiring',
    'consentExpired',
    'connectionFails',
    'connectionWorks',
    'consentRenewed',
    'renewalRefused',
  ]),
  /** One sentence. */
  subject: z.string(),
  /** Markdown: what is waited for, since when, how to answer. */
  body: z.string(),
});
export type Notice = z.output<typeof notice>;

/** Input of the workflow `deliverNotice`. */
export const toTell = z.strictObject({
  /** Whom: the place in the list of the provider's entry, from 0. */
  target: z.int().nonnegative(),
  notice,
});
export type ToTell = z.output<typeof toTell>;

/** `type` of the failures that activities and workflows throw. */
export const FAILURE = {
  /** Nothing was sent, or the system refused the connection: repeat later. Retried. */
  unreachable: 'Unreachable',
  /** The call may or may not have had its effect: look before repeating. Retried where the activity looks first. */
  outcomeUnknown: 'OutcomeUnknown',
  /** The system understood and said no. Not retried. */
  rejected: 'Rejected',
  /** The system answered something that is not its protocol. Retried. */
  malformedAnswer: 'MalformedAnswer',
  /** Not there yet; the wait goes on. Retried. */
  notYet: 'NotYet',
  /** Credentials missing or wrong. Not retried. */
  accessDenied: 'AccessDenied',
  unknownProvider: 'UnknownProvider',
  invalidInventory: 'InvalidInventory',
  invalidInput: 'InvalidInput',
  /** The entry in the worker's inventory is not what the workflow has read, or cannot be used any more. Nothing was sent. Not retried. */
  entryChanged: 'EntryChanged',
  /** The preflight found what forbids this upgrade; nothing was touched. */
  refused: 'Refused',
  /** The preflight found that the provider runs the release already; nothing was touched. */
  alreadyUpgraded: 'AlreadyUpgraded',
  /** The worker of a host runs on another machine than the one that the preflight has seen. Not retried: a person decides. */
  anotherHost: 'AnotherHost',
  /** No worker listens on the host's task queue. */
  hostUnavailable: 'HostUnavailable',
  /** An operator aborted; everything done was undone. */
  aborted: 'Aborted',
  /** A step failed before the crossing; everything done was undone, or the failure names what was not. */
  stepFailed: 'StepFailed',
  /** Somebody tried to undo after the crossing. */
  pastPointOfNoReturn: 'PastPointOfNoReturn',
  /** The copy that an undo would need could not be made; nothing was changed without it. */
  noBackup: 'NoBackup',
  /** Windows has to be restarted before the step can go on. Not retried: a person does it. */
  restartWanted: 'RestartWanted',
  /** An answer of a person was refused; it changed nothing. */
  answerRefused: 'AnswerRefused',
  /** The host's files are not what the step expects; a person has to look. */
  unexpectedState: 'UnexpectedState',
} as const;
export type FailureType = (typeof FAILURE)[keyof typeof FAILURE];
