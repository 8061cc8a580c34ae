/** APS controller: a REST registry of packages, application instances and resources, over TLS (systems.md section 2). */
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { withoutRelease } from '../../contract/versions';
import { OFFICE_365, type ImportedPackage, type Instance, type Provider, type Template } from '../world/state';
import { endpointUrl } from '../world/upgrades';
import { UnknownObject, type World } from '../world/world';
import type { ApsTokens } from './aps-tokens';
import { instanceSettings } from './instance-settings';
import { InvalidRql, query, type Page } from './rql';
import type { RootProvider } from './root-provider';
import { rewriteUrl, unreadable, type Answer, type Wire } from './wire';

export interface ApsDependencies {
  world: World;
  wire: Wire;
  tokens: ApsTokens;
  tls: { key: string; cert: string };
  root: RootProvider;
}

const TYPES = {
  // Assumption: the ids of these two types (systems.md 2.3).
  application: `${OFFICE_365}/Application/2.0`,
  tenant: `${OFFICE_365}/Tenant/2.0`,
  serviceTemplate: 'http://parallels.com/aps/types/pa/serviceTemplate/1.2',
} as const;

class ControllerError extends Error {
  override readonly name = 'ControllerError';
  constructor(
    readonly status: number,
    readonly error: string,
    message: string,
  ) {
    super(message);
  }
}

const NO_SUCH_PATH = new ControllerError(404, 'APS::Util::ResourceNotFound', 'No such path.');
const NO_HTTP = new ControllerError(400, 'APS::Util::InvalidArgument', 'The request is not HTTP.');

type Handler = (provider: Provider, request: FastifyRequest, rql: string) => unknown;
interface Resource {
  aps: { id: string; type: string; status: string; revision: number; href: string };
  [property: string]: unknown;
}

export function apsServer({ world, wire, tokens, tls, root }: ApsDependencies): FastifyInstance {
  const refuse = (request: FastifyRequest, reply: FastifyReply, error: ControllerError) => {
    const call = { system: 'aps' as const, name: `${request.method} ${request.url.split('?', 1)[0]}` };
    return wire.serve(reply, call, { perform: () => failure(error), fault: () => failure(error) });
  };
  const refuseBroken = (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const { statusCode = 500, message } = error as Error & { statusCode?: number };
    const kind = statusCode < 500 ? 'InvalidArgument' : 'InternalError';
    return refuse(request, reply, new ControllerError(statusCode, `APS::Util::${kind}`, message));
  };
  const app = fastify({
    https: tls,
    forceCloseConnections: true,
    rewriteUrl,
    // Lists are documented with a slash at their end, and clients send two (systems.md 2.2).
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true },
    clientErrorHandler: unreadable(wire, 'aps', 'application/json', failure(NO_HTTP).body.toString()),
    frameworkErrors: (error, request, reply) => void refuseBroken(error, request, reply as FastifyReply),
  }) as unknown as FastifyInstance;
  app.setErrorHandler(refuseBroken);
  const get = (path: string, handle: Handler): void => {
    const serve = (request: FastifyRequest, reply: FastifyReply, provider: Provider | undefined) => {
      // Names as `{id}` in the journal, so that a fault can be ordered for any object.
      const name = `GET ${path.replace(/:(\w+)/g, '{$1}')}`;
      const { id } = request.params as Record<string, string>;
      const call = { system: 'aps' as const, provider: provider?.id, name, object: id };
      return wire.serve(reply, call, {
        perform: () => {
          return answer(() => {
            if (!provider) throw NO_SUCH_PATH;
            world.settle(provider);
            const objection = tokens.objection(provider.id, header(request, 'aps-token'));
            if (objection !== undefined) throw new ControllerError(403, 'APS::Util::AuthenticationFailed', objection);
            return handle(provider, request, rqlOf(request));
          });
        },
        fault: () => failure(new ControllerError(500, 'APS::Util::InternalError', 'The request was not processed.')),
      });
    };
    app.get(path, (request, reply) => serve(request, reply, root()));
    app.get(`/:provider${path}`, (request, reply) =>
      serve(
        request,
        reply,
        world.providers().find(({ id }) => id === param(request, 'provider')),
      ),
    );
  };

  get('/aps', () => ({ versions: ['2'] }));
  get('/aps/2/packages', (provider, _, rql) =>
    query(
      provider.packages.map((item) => packageItem(provider, item)),
      rql,
      () => [],
    ),
  );
  get('/aps/2/packages/:id', (provider, request) => {
    const id = param(request, 'id');
    return found(
      provider.packages.map((item) => packageItem(provider, item)).find((item) => item.aps.id === id),
      id,
    );
  });
  get('/aps/2/applications', (provider, _, rql) => {
    // Assumption: a query is an error rather than ignored; what is known is that it does not work (systems.md 2.2).
    if (rql !== '') throw new InvalidRql('RQL is not supported for applications.');
    return provider.instances.map((instance) => applicationItem(provider, instance));
  });
  get('/aps/2/applications/:id', (provider, request) => {
    const id = param(request, 'id');
    const instance = found(
      provider.instances.find((other) => other.apsInstanceId === id),
      id,
    );
    return applicationItem(provider, instance);
  });
  get('/aps/2/resources', (provider, _, rql) => query(resources(provider), rql, (item) => [item.aps.type]));
  get('/aps/2/resources/:id', (provider, request) => {
    const id = param(request, 'id');
    return found(resourceOf(provider, id), id);
  });

  app.setNotFoundHandler((request, reply) => refuse(request, reply, NO_SUCH_PATH));
  return app;
}

function answer(handle: () => unknown): Answer {
  try {
    const result = handle();
    if (!isPage(result)) return { status: 200, type: 'application/json', body: JSON.stringify(result), outcome: 'ok' };
    const { items, offset, total } = result;
    const range = items.length === 0 ? '*' : `${offset}-${offset + items.length - 1}`;
    return {
      status: 200,
      type: 'application/json',
      headers: { 'content-range': `items ${range}/${total}` },
      body: JSON.stringify(items),
      outcome: 'ok',
    };
  } catch (error) {
    return failure(error);
  }
}

const isPage = (result: unknown): result is Page<unknown> =>
  typeof result === 'object' && result !== null && 'items' in result && 'total' in result;

/** Errors have a class and a text (systems.md 2.6). Assumption: names of the classes but those of authentication. */
function failure(error: unknown): Answer {
  const known = asControllerError(error);
  return {
    status: known.status,
    type: 'application/json',
    body: JSON.stringify({ error: known.error, message: known.message }),
    outcome: `${known.status}: ${known.message}`,
  };
}

function asControllerError(error: unknown): ControllerError {
  if (error instanceof ControllerError) return error;
  if (error instanceof InvalidRql) return new ControllerError(400, 'APS::Util::InvalidArgument', error.message);
  if (error instanceof UnknownObject) return new ControllerError(404, 'APS::Util::ResourceNotFound', error.message);
  throw error;
}

function found<T>(item: T | undefined, id: string): T {
  if (item === undefined) throw new ControllerError(404, 'APS::Util::ResourceNotFound', `Resource '${id}' not found.`);
  return item;
}

function header(request: FastifyRequest, name: string): string | undefined {
  return [request.headers[name]].flat()[0];
}

function param(request: FastifyRequest, name: string): string {
  return (request.params as Record<string, string>)[name] ?? '';
}

/** Clients send `:`, `/` and brackets raw (systems.md 2.2), so the query string is taken as it is. */
function rqlOf(request: FastifyRequest): string {
  const [, text = ''] = /\?(.*)$/s.exec(request.raw.url ?? '') ?? [];
  try {
    return decodeURIComponent(text);
  } catch {
    throw new InvalidRql('The query is not correctly percent-encoded.');
  }
}

function packageItem(provider: Provider, item: ImportedPackage) {
  const application = provider.applications.find((other) => other.applicationId === item.applicationId);
  return {
    aps: { id: item.id, href: `/aps/2/packages/${item.id}` },
    apsVersion: '2.0',
    id: application?.apsId,
    name: application?.name,
    version: item.version,
    release: item.release,
    enabled: item.enabled,
    services: { app: {}, tenant: {}, users: {} },
  };
}

/** The package that an instance is of. */
function packageOf(provider: Provider, { packageVersion }: Instance) {
  const version = withoutRelease(packageVersion);
  const release = packageVersion.slice(version.length + 1);
  const imported = provider.packages.find((item) => item.version === version && item.release === release);
  const href = imported && `/aps/2/packages/${imported.id}`;
  return { id: imported?.id, href, type: OFFICE_365, name: 'Office 365', version, release };
}

/** Assumption: GET repeats `aps.endpoint` as POST takes it (systems.md 2.3). */
function applicationItem(provider: Provider, instance: Instance) {
  const href = `/aps/2/resources/${instance.resourceId}`;
  return {
    aps: {
      id: instance.apsInstanceId,
      status: apsStatus(instance),
      package: packageOf(provider, instance),
      endpoint: endpointUrl(provider, instance),
      network: 'private',
      auth: { certificate: {} },
    },
    app: {
      type: TYPES.application,
      schema: `/aps/2/types/${encodeURIComponent(TYPES.application)}`,
      aps: { id: instance.resourceId, href },
    },
    tenant: { type: TYPES.tenant, schema: `/aps/2/types/${encodeURIComponent(TYPES.tenant)}` },
  };
}

const resource = (id: string, type: string, status: string, properties: object, aps: object = {}): Resource => ({
  aps: { id, type, status, revision: 1, href: `/aps/2/resources/${id}`, ...aps },
  ...properties,
});
/** Assumption: a resource names its package as its application does. */
const applicationResource = (provider: Provider, instance: Instance): Resource =>
  resource(instance.resourceId, TYPES.application, apsStatus(instance), instanceSettings(instance), {
    package: packageOf(provider, instance),
  });
const tenantResource = (provider: Provider, instance: Instance): Resource =>
  resource(
    instance.tenantResourceId,
    TYPES.tenant,
    'aps:ready',
    { domain: instance.tenant },
    { package: packageOf(provider, instance) },
  );
const templateResource = ({ apsId, templateId, name, appIds }: Template): Resource =>
  resource(apsId, TYPES.serviceTemplate, 'aps:ready', { serviceTemplateId: templateId, name, appIDs: appIds });

const resources = (provider: Provider): Resource[] => [
  ...provider.instances.flatMap((instance) => [
    applicationResource(provider, instance),
    tenantResource(provider, instance),
  ]),
  ...provider.templates.map(templateResource),
];

/** Only that one is written out: there may be thousands of others. */
function resourceOf(provider: Provider, id: string): Resource | undefined {
  const { instances, templates } = provider;
  const root = instances.find(({ resourceId }) => resourceId === id);
  if (root) return applicationResource(provider, root);
  const owner = instances.find(({ tenantResourceId }) => tenantResourceId === id);
  if (owner) return tenantResource(provider, owner);
  const template = templates.find(({ apsId }) => apsId === id);
  return template && templateResource(template);
}

const apsStatus = ({ status }: Instance): string => (status === 'Ready' ? 'aps:ready' : 'aps:upgrading');
