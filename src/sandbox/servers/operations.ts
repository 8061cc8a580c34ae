/** Operations public API: the `pem.*` and `txn.*` methods that an upgrade can need (systems.md section 1). */
import type { FastifyInstance } from 'fastify';
import { isStruct, wordsOf, type XmlRpcValue } from '../../systems/xmlrpc';
import type { SimulatedHosts } from '../hosts-port';
import { applicationForImport, importPackage, readPackage, type TaskFate } from '../world/packages';
import { setActive, template } from '../world/provisioning';
import { isOpen, type Instance, type Provider, type ResourceType } from '../world/state';
import { endpointUrl, instance, openTask, rescheduleTask, startUpgrade } from '../world/upgrades';
import { Impossible, UnknownObject, type World } from '../world/world';
import type { ApsTokens } from './aps-tokens';
import { instanceSettings } from './instance-settings';
import { problems, type Arguments, type Declaration } from './operations-arguments';
import type { Transactions } from './transactions';
import type { RootProvider } from './root-provider';
import type { Wire } from './wire';
import { FAULT, ProtocolFault, xmlRpcServer, type Struct } from './xmlrpc-server';

export interface OperationsDependencies {
  world: World;
  wire: Wire;
  hosts: SimulatedHosts;
  tokens: ApsTokens;
  transactions: Transactions;
  /** Base URL of the APS controller, with a slash at its end. */
  controllerUri: (provider: string) => string;
  root: RootProvider;
}

interface Context extends OperationsDependencies {
  provider: Provider;
  requestId: string | undefined;
  fate: TaskFate;
  /** Lets it happen now, or when the transaction of this call is committed. */
  effect: (happen: () => Promise<void> | void) => Promise<void>;
}

interface Method {
  declaration: Declaration;
  run(context: Context, args: Struct): Promise<XmlRpcValue | undefined>;
}

function method<D extends Declaration>(
  declaration: D,
  run: (context: Context, args: Arguments<D>) => Promise<XmlRpcValue | void> | XmlRpcValue | void,
): Method {
  return {
    declaration,
    // The arguments have been checked against the declaration before.
    run: async (context, args) => (await run(context, args as Arguments<D>)) ?? undefined,
  };
}

/** A package that the management node cannot get within this time is an error. */
const PACKAGE_DEADLINE_MS = 60_000;
const TRANSACTION = 'txn_id';

const METHODS: Record<string, Method> = {
  'system.listMethods': method({}, () => Object.keys(METHODS)),

  'txn.Begin': method(
    { request_id: 'string?', txn_id: 'string?', timeout: 'int?' },
    ({ transactions, provider }, wanted) => {
      const inUse = provider.tasks.some((task) => task.requestId !== undefined && task.requestId === wanted.request_id);
      const txn_id = inUse ? undefined : transactions.begin(provider.id, wanted);
      if (txn_id === undefined) throw new InUse(`The request '${wanted.request_id ?? wanted.txn_id}' is in use.`);
      return { txn_id };
    },
  ),
  'txn.Commit': method({ txn_id: 'string' }, async (context, { txn_id }) => {
    const { effects } = openTransaction(context, txn_id);
    context.transactions.end(txn_id);
    for (const happen of effects) await happen();
  }),
  'txn.Rollback': method({ txn_id: 'string' }, (context, { txn_id }) => {
    openTransaction(context, txn_id);
    context.transactions.end(txn_id);
  }),
  // Assumption: a request that nobody ever began has no tasks, and so succeeds (systems.md 1.3).
  'pem.getRequestStatus': method({ request_id: 'string' }, ({ provider }, { request_id }) => {
    const tasks = provider.tasks.filter((task) => task.requestId === request_id);
    const failed = tasks.filter((task) => task.status === 'Failed' || task.status === 'Canceled');
    const running = tasks.some((task) => isOpen(task) && task.status !== 'Failed');
    return {
      request_status: failed.length > 0 ? 2 : running ? 1 : 0,
      status_messages: failed.map((task) => `Task #${task.id} '${task.name}': ${task.failure ?? task.status}`),
    };
  }),

  'pem.statistics.getStatisticsReport': method({ reports: 'array' }, ({ provider }, { reports }) =>
    reports.map((report): XmlRpcValue => {
      if (!isStruct(report) || report.name !== 'BuildHistory') {
        throw new UnknownObject("Only the report 'BuildHistory' is known here.");
      }
      const value = `<BuildHistory><Build><Build>${provider.build}</Build><Date>2018-11-02</Date></Build></BuildHistory>`;
      return { name: 'BuildHistory', value };
    }),
  ),

  'pem.APS.getApplications': method({ aps_application_id: 'string' }, ({ provider }, { aps_application_id }) =>
    provider.applications
      .filter((application) => application.apsId === aps_application_id)
      .map((application) => ({ application_id: application.applicationId })),
  ),
  'pem.APS.getPackage': method({ package_reference: 'struct' }, ({ provider }, { package_reference }) => {
    const found = problems({ application_id: 'int', application_version: 'string' }, package_reference);
    if (found.length > 0) throw new Invalid(found.join(' '));
    const { application_id, application_version } = package_reference;
    const imported = provider.packages.find(
      (item) => item.applicationId === application_id && `${item.version}-${item.release}` === application_version,
    );
    if (!imported)
      throw new UnknownObject(`Package #${wordsOf(application_id)} ${wordsOf(application_version)} does not exist.`);
    const importing = provider.tasks.some(
      (task) =>
        isOpen(task) &&
        task.name.startsWith('Importing APS package ') &&
        task.name.endsWith(` ${wordsOf(application_version)}`),
    );
    return { status: importing ? 'Content importing' : 'Ready' };
  }),
  // Assumption: the instances of one subscription are told by nothing that this sandbox keeps; they are those of all (systems.md 1.4).
  'pem.APS.getApplicationInstances': method({ app_id: 'int', subscription_id: 'int?' }, ({ provider }, { app_id }) => {
    if (!provider.applications.some((application) => application.applicationId === app_id)) {
      throw new UnknownObject(`Application #${app_id} does not exist.`);
    }
    return instancesOf(provider, app_id).map((item) => ({
      application_instance_id: item.instanceId,
      application_resource_id: item.resourceId,
    }));
  }),
  'pem.APS.getApplicationInstance': method(
    { application_instance_id: 'int' },
    ({ provider }, { application_instance_id }) => {
      const found = instance(provider, application_instance_id);
      return {
        application_instance_id,
        application_id: office365Id(provider),
        application_resource_id: found.resourceId,
        package_version: found.packageVersion,
        url: endpointUrl(provider, found),
        status: found.status,
        rt_id: found.resourceTypeId,
      };
    },
  ),
  'pem.APS.getApplicationInstanceSettings': method(
    { application_instance_id: 'int' },
    ({ provider }, { application_instance_id }) =>
      Object.entries(instanceSettings(instance(provider, application_instance_id))).map(([name, value]) => ({
        name,
        value,
      })),
  ),
  'pem.APS.upgradeApplicationInstance': method(
    { application_instance_id: 'int', package_version: 'string?' },
    async ({ world, hosts, provider, requestId, fate, effect }, { application_instance_id, package_version }) => {
      const options = {
        fate,
        ...(package_version !== undefined && { packageVersion: package_version }),
        ...(requestId !== undefined && { requestId }),
      };
      await effect(() => startUpgrade(world, hosts, provider, application_instance_id, options));
    },
  ),
  'pem.APS.importPackage': method(
    { package_url: 'string?', package_body: 'base64?', disable_package: 'boolean?' },
    async ({ world, provider, requestId, fate, effect }, { package_url, package_body, disable_package }) => {
      if ((package_url === undefined) === (package_body === undefined)) {
        throw new Impossible("Give either 'package_url' or 'package_body'.");
      }
      const meta = readPackage(package_body ?? (await fetchPackage(package_url ?? '')));
      const applicationId = applicationForImport(provider, meta);
      const options = { enabled: disable_package !== true, fate, ...(requestId !== undefined && { requestId }) };
      await effect(() => importPackage(world, provider, meta, options));
      return { application_id: applicationId, package_version: `${meta.version}-${meta.release}` };
    },
  ),
  'pem.APS.getUserToken': method({ user_id: 'int', subscription_id: 'int?' }, (context, { user_id }) => {
    if (user_id !== 1) throw new UnknownObject(`User #${user_id} does not exist.`);
    return token(context);
  }),
  'pem.APS.getAccountToken': method({ account_id: 'int', subscription_id: 'int?' }, (context, { account_id }) => {
    if (account_id !== 1) throw new UnknownObject(`Account #${account_id} does not exist.`);
    return token(context);
  }),
  'pem.APS.getApplicationInstanceToken': method(
    { application_instance_id: 'int' },
    (context, { application_instance_id }) => {
      instance(context.provider, application_instance_id);
      return token(context);
    },
  ),

  'pem.getServiceTemplateList': method(
    { owner_id: 'int', active: 'boolean', m_time: 'int?' },
    ({ provider }, { owner_id, active }) =>
      provider.templates
        .filter((item) => owner_id === 1 && (item.active || !active))
        .map((item) => ({
          st_id: item.templateId,
          name: item.name,
          description: item.description,
          active: item.active,
          owner_id: 1,
        })),
  ),
  'pem.getServiceTemplate': method(
    { st_id: 'int', get_resources: 'boolean', get_full_info: 'boolean?' },
    ({ provider }, { st_id, get_resources, get_full_info }) => {
      const found = template(provider, st_id);
      return {
        st_id,
        version: 1,
        name: found.name,
        owner_id: 1,
        // `active` in the list, `is_active` here (systems.md 1.5).
        is_active: found.active,
        autoprovidable: true,
        ...(get_resources && {
          resource_types: found.resourceTypes.map((type) => resourceType(type, get_full_info === true)),
        }),
      };
    },
  ),
  'pem.activateST': method({ st_id: 'int' }, async ({ world, provider, effect }, { st_id }) => {
    template(provider, st_id);
    await effect(() => setActive(world, provider, st_id, true));
  }),
  'pem.deactivateST': method({ st_id: 'int' }, async ({ world, provider, effect }, { st_id }) => {
    template(provider, st_id);
    await effect(() => setActive(world, provider, st_id, false));
  }),

  'pem.tasks.rescheduleTask': method(
    { task_id: 'int', timeout: 'int?', params: 'array?' },
    async ({ world, hosts, provider, effect }, { task_id }) => {
      openTask(provider, task_id);
      await effect(() => rescheduleTask(world, hosts, provider, task_id));
    },
  ),
};

export function operationsServer(dependencies: OperationsDependencies): FastifyInstance {
  return xmlRpcServer(dependencies, {
    system: 'operations',
    login: (provider) => provider.operationsLogin,
    nameOf: (name) => name,
    objectOf: (_, [args]) => {
      if (!isStruct(args)) return undefined;
      const { st_id, application_instance_id, task_id, request_id, package_url } = args;
      const object = st_id ?? application_instance_id ?? task_id ?? request_id ?? package_url;
      return typeof object === 'string' || typeof object === 'number' ? String(object) : undefined;
    },
    faultText: (text) => text,
    async execute(provider, name, params, fate) {
      const called = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
      if (!called) throw new ProtocolFault(FAULT.unknownMethod, `Method '${name}' is not defined.`);
      const [args] = params;
      if (params.length !== 1 || !isStruct(args)) {
        throw new ProtocolFault(FAULT.params, `Method '${name}' takes one struct of named parameters.`);
      }
      try {
        const value = await run(dependencies, provider, called, args, fate);
        return { value: { status: 0, ...(value !== undefined && { result: value }) }, outcome: 'ok' };
      } catch (error) {
        const failed = applicationError(error);
        return { value: failed, outcome: `error: ${failed.error_message}` };
      }
    },
  });
}

async function run(
  dependencies: OperationsDependencies,
  provider: Provider,
  called: Method,
  given: Struct,
  fate: TaskFate,
): Promise<XmlRpcValue | undefined> {
  const { [TRANSACTION]: transactionId, ...others } = given;
  const joins = transactionId !== undefined && !(TRANSACTION in called.declaration);
  const args = joins ? others : given;
  const found = problems(called.declaration, args);
  if (joins && typeof transactionId !== 'string') found.push("Parameter 'txn_id' must be of type string.");
  try {
    if (found.length > 0) throw new Invalid(found.join(' '));
    const transaction = joins ? openTransaction({ ...dependencies, provider }, wordsOf(transactionId)) : undefined;
    return await called.run(
      {
        ...dependencies,
        provider,
        requestId: transaction?.requestId,
        fate,
        effect: async (happen) => {
          if (transaction) transaction.effects.push(happen);
          else await happen();
        },
      },
      args,
    );
  } catch (error) {
    // A method that fails closes the transaction that it is in (systems.md 1.3).
    if (joins) dependencies.transactions.end(wordsOf(transactionId));
    throw error;
  }
}

/** The request id is in use. */
class InUse extends Error {
  override readonly name = 'InUse';
}
const IN_USE = 3001;

/** The arguments do not fit the method. */
class Invalid extends Error {
  override readonly name = 'Invalid';
}

/** The envelope of an application error (systems.md 1.2); other errors are thrown on. */
function applicationError(error: unknown): Struct & { error_message: string } {
  const known =
    error instanceof Invalid || error instanceof InUse || error instanceof UnknownObject || error instanceof Impossible;
  if (!known) throw error;
  return {
    status: -1,
    error_message: error.message,
    extype_id: error instanceof InUse ? IN_USE : error instanceof Impossible ? 1 : 21,
    module_id: error instanceof Impossible ? 'APS' : 'OpenAPI',
    properties: { reason: error.message },
  };
}

function openTransaction({ transactions, provider }: Pick<Context, 'transactions' | 'provider'>, id: string) {
  const found = transactions.find(provider.id, id);
  if (!found) throw new UnknownObject(`Transaction #${id} does not exist.`);
  return found;
}

const office365Id = (provider: Provider): number => provider.applications[0]?.applicationId ?? 0;

function instancesOf(provider: Provider, applicationId: number): Instance[] {
  return applicationId === office365Id(provider) ? provider.instances : [];
}

function token({ tokens, provider, controllerUri }: Context): XmlRpcValue {
  return { aps_token: tokens.issue(provider.id), controller_uri: controllerUri(provider.id) };
}

function resourceType(type: ResourceType, full: boolean): XmlRpcValue {
  return {
    resource_type_id: type.resourceTypeId,
    name: type.name,
    resclass_name: type.resclassName,
    measurement_unit: 'unit',
    measurement_type: 'A',
    limit: type.limit,
    usage: '0',
    attributes: [],
    ...(full && {
      act_params: Object.entries(type.activationParams).map(([var_name, var_value]) => ({ var_name, var_value })),
    }),
  };
}

/** The management node fetches the package by itself (systems.md 1.4.1). */
async function fetchPackage(url: string): Promise<Uint8Array> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PACKAGE_DEADLINE_MS) });
    if (!response.ok) throw new Impossible(`Cannot get the package from ${url}: HTTP ${response.status}.`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    if (error instanceof Impossible) throw error;
    throw new Impossible(
      `Cannot get the package from ${url}: ${error instanceof Error ? error.message : 'no answer'}.`,
    );
  }
}
