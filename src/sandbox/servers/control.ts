/**
 * Control API of the sandbox, under `/_sim/`: faults, journal, clock, and what people do by hand in the vendor's screens.
 * Nothing here exists at a vendor (systems.md section 8, item 11). The package file is served beside it.
 */
import { fastify, type FastifyInstance } from 'fastify';
import { z } from 'zod';
import { WIRE_FAULTS, type Faults, type Latencies } from '../faults';
import type { SimulatedHosts } from '../hosts-port';
import type { Journal, JournalEntry } from '../journal';
import type { PackageFile } from '../package-file';
import { addInstance, addPackage, addTemplate, reopenTemplate, setPackageEnabled } from '../world/growth';
import {
  createTask,
  findInstance,
  giveConsent,
  issueForeignToken,
  processTask,
  removeParameter,
  setSynchronisation,
  synchroniseStore,
  testConnection,
  updateCustomization,
} from '../world/manual-acts';
import { CLOUDS, type ProviderOptions } from '../world/spec';
import { isOpen, type Provider } from '../world/state';
import { newestVersion, rescheduleTask } from '../world/upgrades';
import { Impossible, UnknownObject, type World } from '../world/world';
import type { ApsTokens } from './aps-tokens';
import { rewriteUrl, type Answer, type Wire } from './wire';

export interface ControlDependencies {
  world: World;
  wire: Wire;
  journal: Journal;
  faults: Faults;
  latencies: Latencies;
  tokens: ApsTokens;
  packages: readonly PackageFile[];
  hosts: SimulatedHosts;
  /** State of a provider as `GET /_sim/providers/<provider>/state` shows it. */
  state(provider: string): Promise<unknown>;
  addProvider(options: ProviderOptions): Promise<Provider>;
  /** Lets a system refuse every connection, and accept them again. */
  setListening(system: string, listening: boolean): Promise<void>;
}

const text = z.string().min(1);
const faultRule = z
  .strictObject({
    provider: text.optional(),
    host: text.optional(),
    system: text.optional(),
    call: text,
    kind: text,
    skip: z.int().nonnegative().optional(),
    times: z.int().positive().optional(),
    delayMs: z.int().nonnegative().optional(),
  })
  .refine((rule) => rule.system === 'host' || (WIRE_FAULTS as readonly string[]).includes(rule.kind), {
    path: ['kind'],
    error: `must be one of ${WIRE_FAULTS.join(', ')}; other kinds belong to the system 'host'`,
  });
const latency = z.strictObject({
  provider: text.optional(),
  system: text.optional(),
  call: text.default('*'),
  delayMs: z.int().nonnegative(),
});
const newTask = z.strictObject({
  name: text,
  status: z.enum(['Unprocessed', 'Running', 'Rescheduled', 'Failed']).default('Unprocessed'),
  periodic: z.boolean().default(false),
  queue: text.optional(),
  /** Without it the task waits until somebody processes it. */
  processedAfterMs: z.int().nonnegative().optional(),
});
const consent = z.strictObject({
  tenant: text.optional(),
  mfa: z.boolean().optional(),
  ends: z.strictObject({ afterDays: z.number().nonnegative(), code: z.literal([50078, 70043, 53003]) }).optional(),
  /** The administrator declines in Microsoft's page: nothing changes. */
  denied: z.boolean().default(false),
});
const newInstance = z.strictObject({
  name: text,
  packageVersion: text.optional(),
  cloud: z.enum(CLOUDS).optional(),
  /** Which of the provider's gateways, counted from 0, or the host of one that is installed for it. */
  gateway: z.union([z.int().nonnegative(), z.strictObject({ host: text })]).optional(),
});
const clock = z.union([
  z.strictObject({ advanceMs: z.int().positive() }),
  z.strictObject({ advanceDays: z.number().positive() }),
]);
const journalFilter = z.strictObject({
  kind: z.enum(['call', 'effect']).optional(),
  system: z.enum(['operations', 'aps', 'billing', 'microsoft', 'host', 'sim']).optional(),
  provider: text.optional(),
  host: text.optional(),
  name: text.optional(),
  object: text.optional(),
  /** Only entries after this number. */
  after: z.coerce.number().int().nonnegative().default(0),
});

const DAY_MS = 24 * 60 * 60_000;

/** Adds the routes to `app`, which also carries those of the hosts. */
export function controlServer(): FastifyInstance {
  const app = fastify({ forceCloseConnections: true, rewriteUrl });
  app.setErrorHandler((error, _, reply) => {
    const { status, body } = described(error);
    return reply.code(status).send(body);
  });
  return app;
}

export function registerControl(app: FastifyInstance, dependencies: ControlDependencies): void {
  registerSandboxRoutes(app, dependencies);
  registerManualActs(app, dependencies);
  registerShownScreens(app, dependencies);
}

function registerSandboxRoutes(app: FastifyInstance, dependencies: ControlDependencies): void {
  const { world, journal, faults, latencies, tokens } = dependencies;
  app.get('/_sim/faults', () => faults.list());
  app.post('/_sim/faults', (request) => faults.add(parsed(faultRule, request.body)));
  app.delete('/_sim/faults', () => done(() => faults.clear()));
  app.get('/_sim/latencies', () => latencies.list());
  app.post('/_sim/latencies', (request) => done(() => latencies.add(parsed(latency, request.body))));
  app.delete('/_sim/latencies', () => done(() => latencies.clear()));
  app.get('/_sim/journal', (request): JournalEntry[] => {
    world.settle();
    const { after, ...filter } = parsed(journalFilter, request.query);
    return journal.entries(filter).filter((entry) => entry.seq > after);
  });
  app.get('/_sim/clock', () => ({ now: new Date(world.now()).toISOString() }));
  app.post('/_sim/clock', (request) => {
    const wanted = parsed(clock, request.body);
    world.advanceClock('advanceMs' in wanted ? wanted.advanceMs : Math.round(wanted.advanceDays * DAY_MS));
    return { now: new Date(world.now()).toISOString() };
  });
  app.post('/_sim/aps/expireTokens', () => done(() => tokens.expireAll()));
  for (const [path, listening] of [
    ['stop', false],
    ['start', true],
  ] as const) {
    app.post<{ Params: { system: string } }>(`/_sim/systems/:system/${path}`, async (request) => {
      await dependencies.setListening(request.params.system, listening);
      return { done: true };
    });
  }
  app.get('/_sim/providers', () =>
    world.providers().map(({ id, name, sourceVersion }) => ({ id, name, sourceVersion })),
  );
  app.post('/_sim/providers', async (request) => {
    const provider = await dependencies.addProvider(request.body as ProviderOptions);
    return { id: provider.id };
  });
  app.get<OfProvider>('/_sim/providers/:provider/state', (request) => dependencies.state(request.params.provider));
}

type OfProvider = { Params: { provider: string } };
type OfItem = { Params: { provider: string; item: string } };
type OfParameter = { Params: { provider: string; template: string; parameter: string } };

function registerManualActs(app: FastifyInstance, { world, hosts }: ControlDependencies): void {
  const found = (request: { params: { provider: string } }): Provider => {
    const provider = world.provider(request.params.provider);
    world.settle(provider);
    return provider;
  };
  const at = '/_sim/providers/:provider';
  app.post<OfProvider>(`${at}/tasks`, (request) => {
    const { id } = createTask(world, found(request), parsed(newTask, request.body));
    return { id };
  });
  app.post<OfItem>(`${at}/tasks/:item/process`, (request) =>
    done(() => processTask(world, found(request), number(request.params.item))),
  );
  app.post<OfItem>(`${at}/tasks/:item/reschedule`, async (request) => {
    await rescheduleTask(world, hosts, found(request), number(request.params.item));
    return { done: true };
  });
  app.post<OfProvider>(`${at}/instances`, async (request) => {
    const { packageVersion, cloud, gateway, name } = parsed(newInstance, request.body);
    const { instanceId } = addInstance(world, found(request), {
      name,
      ...(packageVersion !== undefined && { packageVersion }),
      ...(cloud !== undefined && { cloud }),
      ...(gateway !== undefined && { gateway }),
    });
    await hosts.refresh();
    return { id: instanceId };
  });
  app.post<OfProvider>(`${at}/templates`, (request) => {
    const { name } = parsed(z.strictObject({ name: text }), request.body);
    return { id: addTemplate(world, found(request), name).templateId };
  });
  app.post<OfItem>(`${at}/templates/:item/reopen`, (request) =>
    done(() => reopenTemplate(world, found(request), number(request.params.item))),
  );
  app.post<OfItem>(`${at}/packages/:item`, (request) =>
    done(() => addPackage(world, found(request), request.params.item)),
  );
  app.post<OfItem>(`${at}/packages/:item/disable`, (request) =>
    done(() => setPackageEnabled(world, found(request), request.params.item, false)),
  );
  app.delete<OfParameter>(`${at}/serviceTemplates/:template/parameters/:parameter`, (request) => {
    const { template, parameter } = request.params;
    return done(() => removeParameter(world, found(request), number(template), parameter));
  });
  app.post<OfItem>(`${at}/stores/:item/synchronise`, (request) =>
    done(() => synchroniseStore(world, found(request), request.params.item)),
  );
  app.post<OfItem>(`${at}/customizations/:item/update`, (request) =>
    done(() => updateCustomization(world, found(request), request.params.item)),
  );
  for (const [path, state] of [
    ['stop', 'off'],
    ['start', 'on'],
  ] as const) {
    app.post<OfProvider>(`${at}/synchronisation/${path}`, (request) =>
      done(() => setSynchronisation(world, found(request), state)),
    );
  }
  app.post<OfItem>(`${at}/instances/:item/consent`, (request) => {
    const { denied, ...given } = parsed(consent, request.body ?? {});
    const instance = findInstance(found(request), request.params.item);
    if (denied) return { granted: false };
    giveConsent(world, found(request), instance, given);
    return { granted: true };
  });
  app.post<OfItem>(`${at}/instances/:item/foreignToken`, (request) => {
    const provider = found(request);
    const { value } = issueForeignToken(world, provider, findInstance(provider, request.params.item));
    return { refreshToken: value };
  });
}

/** What a person sees on a screen, and what Onward reads through its adapters for the sandbox. */
function registerShownScreens(app: FastifyInstance, { world, wire, packages }: ControlDependencies): void {
  const screen = (path: string, name: string, show: (provider: Provider, item: string) => unknown): void => {
    app.get<{ Params: { provider: string; item?: string } }>(`/_sim/providers/:provider${path}`, (request, reply) => {
      const { provider, item = '' } = request.params;
      const call = { system: 'sim' as const, provider, name, object: request.params.item };
      return wire.serve(reply, call, {
        perform: () => {
          return shown(() => {
            const asked = world.provider(provider);
            world.settle(asked);
            return show(asked, item);
          });
        },
        fault: () => refusal(new Impossible('the screen cannot be shown now')),
      });
    });
  };
  screen('/tasks', 'GET tasks', (provider) =>
    provider.tasks
      .filter(isOpen)
      .map(({ id, name, status, periodic, queue }) => ({ id, name, status, periodic, queue })),
  );
  screen('/instances/:item/testConnection', 'GET testConnection', (provider, item) =>
    testConnection(world, findInstance(provider, item)),
  );
  screen('', 'GET provider', (provider) => ({
    id: provider.id,
    name: provider.name,
    instances: provider.instances.map((instance) => ({
      id: instance.instanceId,
      resourceId: instance.resourceId,
      name: instance.name,
      tenant: instance.tenant,
      packageVersion: instance.packageVersion,
      status: instance.status,
    })),
    serviceTemplates: provider.billingTemplates.map(({ serviceTemplateId, name, parameters }) => ({
      id: serviceTemplateId,
      name,
      parameters: parameters.map(({ id }) => id),
    })),
    stores: provider.stores,
    applicationVersion: newestVersion(provider),
    customizations: provider.customizations,
    synchronisation: provider.synchronisation,
    gateways: provider.gateways.map(({ hostname, host, site }) => ({ hostname, host, site })),
  }));
  for (const path of ['/packages/:file', '/_sim/providers/:provider/packages/:file'])
    app.get<{ Params: { file: string; provider?: string } }>(path, (request, reply) => {
      const { file, provider } = request.params;
      return wire.serve(
        reply,
        { system: 'sim', provider, name: 'GET package', object: file },
        {
          perform: () => {
            const found = packages.find(({ fileName }) => fileName === file);
            return found
              ? { status: 200, type: 'application/zip', body: found.body, outcome: 'ok' }
              : refusal(new UnknownObject(`there is no package '${file}'`));
          },
          fault: () => refusal(new Impossible('the file server is out of order')),
        },
      );
    });
}

function parsed<T>(schema: z.ZodType<T>, value: unknown): T {
  return schema.parse(value ?? {});
}

function number(value: string): number {
  if (!/^\d+$/.test(value)) throw new UnknownObject(`'${value}' is no number of an object`);
  return Number(value);
}

function done(act: () => void): { done: true } {
  act();
  return { done: true };
}

function shown(show: () => unknown): Answer {
  try {
    return { status: 200, type: 'application/json', body: JSON.stringify(show()), outcome: 'ok' };
  } catch (error) {
    return refusal(error);
  }
}

function refusal(error: unknown): Answer {
  const { status, body } = described(error);
  return { status, type: 'application/json', body: JSON.stringify(body), outcome: `${status}: ${body.message}` };
}

/** Status and body of an error of the control API; 500 for a defect of the sandbox itself. */
function described(error: unknown): { status: number; body: { error: string; message: string } } {
  const body = (name: string, message: string) => ({ error: name, message });
  if (error instanceof z.ZodError) {
    const problems = error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
    return { status: 400, body: body('InvalidRequest', problems.join('; ')) };
  }
  if (error instanceof UnknownObject) return { status: 404, body: body(error.name, error.message) };
  if (error instanceof Impossible) return { status: 409, body: body(error.name, error.message) };
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  return { status, body: body('Failed', error instanceof Error ? error.message : String(error)) };
}
