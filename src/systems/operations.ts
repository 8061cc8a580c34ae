/** Client of the Operations public API, XML-RPC `pem.*` and `txn.*` (systems.md section 1). */
import { z } from 'zod';
import { FAILURE } from '../contract/activities';
import type { OperationsConnection } from '../contract/provider';
import { conceal } from '../inventory/secrets';
import { activationParameters, expectShape, flag, integer, settings } from './answers';
import { withoutCredentials } from './http';
import type { TemplateResource } from './office365';
import { SystemError, isSystemError } from './system-error';
import { MalformedXml, parseXml } from './xml';
import { XmlRpcEndpoint, type CallOptions, type Errors, type ResolveSecret } from './xmlrpc-endpoint';
import { isStruct, LongInteger, wordsOf, type XmlRpcValue } from './xmlrpc';

const SYSTEM = 'Operations';
/** The provider's own account; it owns the service templates that count (systems.md 1.5). */
const PROVIDER_ACCOUNT = 1;
/** The management node fetches the package while the call lasts (systems.md 1.1, 1.4.1). */
const IMPORT_DEADLINE_MS = 10 * 60_000;

/** The result envelope (systems.md 1.2). */
const envelope = z.object({ status: integer, result: z.unknown().optional() });

/** In a struct, or in a list of names and values. */
function reasonIn(properties: XmlRpcValue | undefined): string {
  if (isStruct(properties)) return wordsOf(properties.reason);
  const listed = Array.isArray(properties) ? properties.filter(isStruct) : [];
  return wordsOf(listed.find(({ name }) => wordsOf(name) === 'reason')?.value);
}

const ERRORS: Errors = {
  readFault: (text) => text,
  errorIn: (answer) => {
    if (!isStruct(answer)) return undefined;
    const { error_message, module_id, extype_id, properties } = answer;
    const message = wordsOf(error_message);
    const { data } = envelope.safeParse(answer);
    // Whoever gives the message of an error has not succeeded, even where the status cannot be read.
    if (data ? data.status === 0 : message === '') return undefined;
    const reason = reasonIn(properties);
    const said = [reason, reason.includes(message) ? '' : message].filter(Boolean);
    const from = [
      wordsOf(module_id) && `module ${wordsOf(module_id)}`,
      wordsOf(extype_id) && `type ${wordsOf(extype_id)}`,
    ];
    const origin = from.filter(Boolean).join(', ');
    const words =
      said.map((text) => text.replace(/[.\s]+$/, '')).join('; ') || `status ${data?.status} without a message`;
    return { words: origin ? `${words} (${origin})` : words, code: Number(wordsOf(extype_id)) || undefined };
  },
  next: 'Check what the message names in the Provider Control Panel.',
};

/** As `txn.Begin` gave it, whatever it is: it goes back unchanged (systems.md 1.3). */
const transactionId = z.union([z.string().min(1), z.int(), z.instanceof(LongInteger)]);
export type TransactionId = z.output<typeof transactionId>;
/** `extype_id` of a request id that is in use (systems.md 1.3). */
const REQUEST_ID_IN_USE = 3001;

const nothing = z
  .unknown()
  .optional()
  .transform(() => undefined);

const installedInstance = z
  .object({
    application_instance_id: integer,
    package_version: z.string(),
    url: z.string().optional(),
    status: z.string(),
  })
  .transform((instance) => ({
    id: instance.application_instance_id,
    packageVersion: instance.package_version,
    status: instance.status,
    url: instance.url,
  }));

const templateResource = z
  .object({ name: z.string(), resclass_name: z.string().default(''), act_params: activationParameters.default({}) })
  .transform((type): TemplateResource => {
    return { name: type.name, resourceClass: type.resclass_name, parameters: type.act_params };
  });

const serviceTemplate = z
  .object({
    st_id: integer,
    name: z.string(),
    is_active: flag,
    resource_types: z.array(templateResource).default([]),
  })
  .transform((template) => ({
    id: template.st_id,
    name: template.name,
    active: template.is_active,
    resources: template.resource_types,
  }));

/** What became of the tasks that were scheduled under one request id (systems.md 1.3). */
export interface RequestStatus {
  /** `done` also when no task was scheduled, and while a failing task is tried again the request is `running`. */
  state: 'done' | 'running' | 'failed';
  messages: string[];
}
const REQUEST_STATES = ['done', 'running', 'failed'] as const;

/** Failures of every method: those of XmlRpcEndpoint, and `Rejected` when Operations answers with a status other than 0. */
export class OperationsClient {
  private readonly endpoint: XmlRpcEndpoint;

  constructor(connection: OperationsConnection, resolveSecret: ResolveSecret) {
    this.endpoint = new XmlRpcEndpoint(SYSTEM, connection, resolveSecret, ERRORS);
  }

  /** The build of the platform, `oa-8.0-1216` (systems.md 1.7). */
  async platformBuild(): Promise<string> {
    const call = 'pem.statistics.getStatisticsReport';
    const reports = await this.read(
      call,
      { reports: [{ name: 'BuildHistory', value: '' }] },
      z.tuple([z.object({ value: z.string() })], z.unknown()),
    );
    return firstBuild(reports[0].value, call);
  }

  /** `application_id` of an imported package; undefined when it was never imported (systems.md 1.4). */
  async applicationId(packageUri: string): Promise<number | undefined> {
    const applications = await this.read(
      'pem.APS.getApplications',
      { aps_application_id: packageUri },
      z.array(z.object({ application_id: integer })),
      { object: packageUri },
    );
    return applications[0]?.application_id;
  }

  /** Ids of an application's instances, and the UUIDs of their root resources (systems.md 1.4). */
  async applicationInstances(applicationId: number): Promise<{ id: number; resourceId: string }[]> {
    const instances = await this.read(
      'pem.APS.getApplicationInstances',
      { app_id: applicationId },
      z.array(z.object({ application_instance_id: integer, application_resource_id: z.string() })),
      { object: `application ${applicationId}` },
    );
    return instances.map((instance) => ({
      id: instance.application_instance_id,
      resourceId: instance.application_resource_id,
    }));
  }

  /** Version and status of one instance as they are now (systems.md 1.4). */
  async applicationInstance(id: number): Promise<z.output<typeof installedInstance>> {
    const args = { application_instance_id: id };
    return this.read('pem.APS.getApplicationInstance', args, installedInstance, { object: instanceName(id) });
  }

  /** Assumption: the answer mirrors the setter's `settings`, `[{name, value}]` (systems.md 1.4). */
  async applicationInstanceSettings(id: number): Promise<Record<string, string>> {
    const args = { application_instance_id: id };
    return this.read('pem.APS.getApplicationInstanceSettings', args, settings, { object: instanceName(id) });
  }

  /** Schedules the upgrade to that version, `18.4.1-12`, and returns at once (systems.md 1.4, 1.4.2). */
  async upgradeApplicationInstance(id: number, packageVersion: string): Promise<void> {
    const args = { application_instance_id: id, package_version: packageVersion };
    await this.call('pem.APS.upgradeApplicationInstance', args, nothing, { object: instanceName(id) });
  }

  /** Ids of all service templates of the provider, active or not (systems.md 1.5). */
  async serviceTemplateIds(): Promise<number[]> {
    const templates = await this.read(
      'pem.getServiceTemplateList',
      { owner_id: PROVIDER_ACCOUNT, active: false },
      z.array(z.object({ st_id: integer })),
    );
    return templates.map((template) => template.st_id);
  }

  /** The active service templates of the provider (systems.md 1.5). */
  async activeServiceTemplates(): Promise<{ id: number; name: string }[]> {
    const templates = await this.read(
      'pem.getServiceTemplateList',
      { owner_id: PROVIDER_ACCOUNT, active: true },
      z.array(z.object({ st_id: integer, name: z.string() })),
    );
    return templates.map(({ st_id, name }) => ({ id: st_id, name }));
  }

  /** `contents: 'resources'` also lists the resource types with their activation parameters, which is slow (systems.md 1.5). */
  async serviceTemplate(id: number, contents?: 'resources'): Promise<z.output<typeof serviceTemplate>> {
    const full = contents === 'resources';
    const args = { st_id: id, get_resources: full, ...(full ? { get_full_info: true } : {}) };
    return this.read('pem.getServiceTemplate', args, serviceTemplate, { object: templateName(id) });
  }

  /** The template can be subscribed again (systems.md 1.5). */
  async activateServiceTemplate(id: number): Promise<void> {
    await this.call('pem.activateST', { st_id: id }, nothing, { object: templateName(id) });
  }

  /** The template cannot be subscribed; existing subscriptions go on (systems.md 1.5). */
  async deactivateServiceTemplate(id: number): Promise<void> {
    await this.call('pem.deactivateST', { st_id: id }, nothing, { object: templateName(id) });
  }

  /**
   * Begins a transaction under a request id of our choice and returns its id (systems.md 1.3). `Unreachable` where the request id is in
   * use: an earlier `txn.Begin` got through, and only another id helps.
   */
  async begin(requestId: string): Promise<TransactionId> {
    const shape = z.union([transactionId, z.object({ txn_id: transactionId }).transform((result) => result.txn_id)]);
    try {
      return await this.call('txn.Begin', { request_id: requestId }, shape, { object: `request ${requestId}` });
    } catch (error) {
      if (!isSystemError(error, FAILURE.rejected) || error.code !== REQUEST_ID_IN_USE) throw error;
      const { system, call, object, problem } = error;
      const next = 'It was begun before, and its answer lost: begin under another request id.';
      throw new SystemError({ type: FAILURE.unreachable, system, call, object, problem, next }, { cause: error });
    }
  }

  async commit(transaction: TransactionId): Promise<void> {
    await this.call('txn.Commit', { txn_id: transaction }, nothing, { object: `transaction ${String(transaction)}` });
  }

  async rollback(transaction: TransactionId): Promise<void> {
    await this.call('txn.Rollback', { txn_id: transaction }, nothing, { object: `transaction ${String(transaction)}` });
  }

  /** Imports a package that the management node fetches by its URL; tasks follow after the commit (systems.md 1.4.1). */
  async importPackage(
    packageUrl: string,
    transaction: TransactionId,
  ): Promise<{ applicationId: number; packageVersion: string }> {
    const imported = await this.call(
      'pem.APS.importPackage',
      { package_url: packageUrl, disable_package: false, txn_id: transaction },
      z.object({ application_id: integer, package_version: z.string() }),
      { object: withoutCredentials(packageUrl), deadlineMs: IMPORT_DEADLINE_MS },
    );
    return { applicationId: imported.application_id, packageVersion: imported.package_version };
  }

  async requestStatus(requestId: string): Promise<RequestStatus> {
    const answer = await this.read(
      'pem.getRequestStatus',
      { request_id: requestId },
      z.object({
        request_status: integer.pipe(z.literal([0, 1, 2])),
        status_messages: z.array(z.string()).default([]),
      }),
      { object: `request ${requestId}` },
    );
    return { state: REQUEST_STATES[answer.request_status], messages: answer.status_messages };
  }

  /** A token for the APS controller with the rights of that user (systems.md 2.1). */
  async userToken(userId: number): Promise<string> {
    const shape = z.object({ aps_token: z.string().min(1) });
    const answer = await this.read('pem.APS.getUserToken', { user_id: userId }, shape, { object: `user ${userId}` });
    conceal(answer.aps_token);
    return answer.aps_token;
  }

  private async call<T>(
    method: string,
    args: { [name: string]: XmlRpcValue },
    shape: z.ZodType<T>,
    options: CallOptions = {},
  ): Promise<T> {
    const about = { system: SYSTEM, call: method, object: options.object };
    const { result } = expectShape(envelope, await this.endpoint.call(method, [args], options), about);
    return expectShape(shape, result, about);
  }

  /** A call that changes nothing. */
  private read<T>(
    method: string,
    args: { [name: string]: XmlRpcValue },
    shape: z.ZodType<T>,
    options: CallOptions = {},
  ): Promise<T> {
    return this.call(method, args, shape, { ...options, purpose: 'asks' });
  }
}

const instanceName = (id: number): string => `application instance ${id}`;
const templateName = (id: number): string => `service template ${id}`;

/** Assumption: the first `Build` inside a `Build` of the report is the current one (systems.md 1.7). */
function firstBuild(report: string, call: string): string {
  try {
    for (const build of Array.from(parseXml(report).getElementsByTagName('Build'))) {
      if (build.parentNode?.nodeName === 'Build' && build.textContent) return build.textContent.trim();
    }
  } catch (error) {
    if (!(error instanceof MalformedXml)) throw error;
  }
  throw new SystemError({
    type: FAILURE.malformedAnswer,
    system: SYSTEM,
    call,
    object: 'BuildHistory',
    problem: 'got a report without an element Build/Build',
    next: 'Check the report BuildHistory by hand: the build decides whether this platform is supported.',
  });
}
