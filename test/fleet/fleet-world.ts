/** A Temporal server with a world of stub providers, in which fleets run in seconds. */
import { Context } from '@temporalio/activity';
import { WorkflowNotFoundError, type Client, type WorkflowHandle } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import { createFleetActivities } from '../../activities/fleet';
import { createMaintenanceActivities } from '../../activities/maintenance';
import type { Frozen, Surveyed, ToTell } from '../../src/contract/activities';
import type { FleetInput } from '../../src/contract/fleet';
import { endpointTaskQueue, upgradeWorkflowId, type ProviderProfile } from '../../src/contract/provider';
import { QUERY, type UpgradeStatus } from '../../src/contract/status';
import { digestsOf, frozen } from '../../src/inventory/frozen-profile';
import { Adapters } from '../../src/systems/adapters';
import { connectClient } from '../../src/temporal/connection';
import { temporalServer, type TemporalServer } from '../kit/temporal-server';
import { Workers } from '../kit/workers';
import { connectWorker } from '../../src/temporal/worker-connection';
import { builtWorkflows } from '../../src/worker/workflow-bundle';
import '../kit/quiet-runtime';
import { profile, stubActivities, type StubActivities } from '../kit/stub-world/stub-activities';
import { Fleet } from '../kit/handles/fleet';
import { aMoment } from '../kit/deadlines';

export interface StubProvider {
  from?: '18.3' | '18.4' | '18.4.1' | '17.0';
  /** Of its entry. */
  settings?: object;
  /** Replaces activities of its upgrade. */
  change?: Partial<StubActivities>;
  /** Nobody answers its gates. */
  unanswered?: boolean;
  /** What the survey finds, where that is nothing good. */
  survey?: { unreachable: string } | { invalid: string } | { clouds: ['germany'] };
}

const HOST = 'stub-host';
const TASK_QUEUE = 'fleet';
const SMALL = { stores: [], endpointHosts: [{ name: HOST }] };

export class FleetWorld {
  private readonly providers = new Map<string, StubProvider>();
  private readonly stubs = new Map<string, StubActivities>();
  /** Calls of activities, in their order. */
  readonly calls: { provider: string; name: string; at: number }[] = [];
  private readonly listeners = new Set<() => void>();
  private readonly workers = new Workers();

  private constructor(
    readonly server: TemporalServer,
    readonly client: Client,
    private readonly connection: NativeConnection,
  ) {}

  static async start(): Promise<FleetWorld> {
    const server = await temporalServer();
    const { codePath } = builtWorkflows();
    const { settings } = server;
    const world = new FleetWorld(server, await connectClient(settings), await connectWorker(settings));
    const activities = world.activities();
    const workers = [
      { taskQueue: TASK_QUEUE, workflowBundle: { codePath }, activities },
      { taskQueue: endpointTaskQueue(HOST), activities },
    ];
    for (const options of workers)
      await world.workers.start({ connection: world.connection, namespace: settings.namespace, ...options });
    return world;
  }

  /** Providers `<prefix>-1`, `<prefix>-2`, ... @returns their ids. */
  add(prefix: string, count: number, provider: StubProvider | ((index: number) => StubProvider) = {}): string[] {
    return Array.from({ length: count }, (_, index) => {
      const id = `${prefix}-${String(index + 1)}`;
      this.set(id, typeof provider === 'function' ? provider(index + 1) : provider);
      return id;
    });
  }

  set(id: string, provider: StubProvider): void {
    this.providers.set(id, provider);
  }

  fleet(input: FleetInput): Promise<Fleet> {
    return Fleet.start(this.client, input, TASK_QUEUE);
  }

  upgrade(provider: string): WorkflowHandle {
    return this.client.workflow.getHandle(upgradeWorkflowId(provider));
  }

  async startAlone(provider: string): Promise<void> {
    await this.client.workflow.start('upgradeProvider', {
      workflowId: upgradeWorkflowId(provider),
      taskQueue: TASK_QUEUE,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      args: [{ provider }],
    });
  }

  /** Providers for which this activity was called, in the order of their first calls. */
  called(name: string): string[] {
    return [...new Set(this.calls.filter((call) => call.name === name).map(({ provider }) => provider))];
  }

  /** Resolves once the calls are as wanted. */
  async until(wanted: () => boolean): Promise<void> {
    if (wanted()) return;
    await new Promise<void>((resolve) => {
      const listener = (): void => {
        if (!wanted()) return;
        this.listeners.delete(listener);
        resolve();
      };
      this.listeners.add(listener);
    });
  }

  async close(): Promise<void> {
    await this.workers.end();
    await this.connection.close();
    await this.client.connection.close();
    await this.server.close();
  }

  private entry(id: string): ProviderProfile {
    const { settings = {} } = this.provider(id);
    return profile(id, { ...SMALL, ...settings });
  }

  private provider(id: string): StubProvider {
    const provider = this.providers.get(id);
    if (!provider) throw new Error(`There is no provider ${id}.`);
    return provider;
  }

  private surveyed(id: string): Surveyed {
    const { from = '18.3', survey } = this.provider(id);
    if (survey && 'unreachable' in survey) return { provider: id, unreachable: survey.unreachable };
    if (survey && 'invalid' in survey) return { provider: id, invalid: survey.invalid };
    const bytes = JSON.stringify(this.entry(id)).length;
    const packageVersions = [`${from}-9`];
    return { provider: id, bytes, build: 'oa-8.0-1216', packageVersions, clouds: ['global'], ...survey };
  }

  private activities(): object {
    const resolveSecret = async (reference: string) => reference;
    const adapters = new Adapters({ resolveSecret });
    const { findEnded, explainRefusedStart } = createFleetActivities({
      directory: '/nowhere',
      adapters,
      resolveSecret,
    });
    const names = Object.keys(stubActivities(profile('any')).activities);
    return {
      ...Object.fromEntries(names.map((name) => [name, this.dispatcher(name as keyof StubActivities)])),
      ...createMaintenanceActivities(),
      // Guards would outlive their fleet.
      startGuards: async () => undefined,
      loadProvider: async ({ provider }: { provider: string }) => frozen(this.entry(provider)),
      selectProviders: async ({ selector }: { selector: { ids?: string[]; labels?: Record<string, string> } }) => ({
        providers: selector.ids ?? [...this.providers.keys()].sort(),
        more: false,
        invalid: [],
      }),
      surveyProviders: async ({ providers }: { providers: string[] }) => providers.map((id) => this.surveyed(id)),
      freezeEntries: async ({ providers }: { providers: string[] }) =>
        providers.map((provider): Frozen => ({ provider, digests: digestsOf(this.entry(provider)) })),
      findEnded,
      explainRefusedStart,
    };
  }

  /** An activity does not always say which provider it is for; its workflow does, unless it tells the end of another one. */
  private dispatcher(name: keyof StubActivities): (input: unknown) => Promise<unknown> {
    return async (input) => {
      const id =
        name === 'notify'
          ? (input as ToTell).notice.provider
          : (Context.current().info.workflowExecution?.workflowId.replace(/^upgrade\//, '') ?? '');
      this.calls.push({ provider: id, name, at: Date.now() });
      for (const listener of [...this.listeners]) listener();
      return await (this.stub(id)[name] as (input: unknown) => Promise<unknown>)(input);
    };
  }

  private stub(id: string): StubActivities {
    const known = this.stubs.get(id);
    if (known) return known;
    const { change = {}, from } = this.provider(id);
    const { activities } = stubActivities(this.entry(id), {
      version: from,
      change: { notify: this.operator(id), ...change },
    });
    this.stubs.set(id, activities);
    return activities;
  }

  /** Answers whatever the notice asks for. */
  private operator(id: string): StubActivities['notify'] {
    return async ({ notice: { kind, body } }) => {
      if (kind !== 'gatesOpened' || this.provider(id).unanswered === true) return;
      await this.answer(id, body);
    };
  }

  /** Does what a notice says would answer it. */
  private async answer(id: string, body: string): Promise<void> {
    for (const [, name = '', payload = ''] of body.matchAll(/Answer with (\w+): `(.+)`/g)) {
      const asked = JSON.parse(payload) as Record<string, string>;
      const evidence = 'evidence' in asked ? { evidence: 'ticket 4711' } : {};
      await this.upgrade(id).signal(name, { ...asked, ...evidence, by: 'olga' });
    }
  }
}

/** The status of an upgrade as soon as it is as wanted; undefined answers of one that has not begun are passed over. */
export async function upgradeWhen(
  world: FleetWorld,
  provider: string,
  wanted: (status: UpgradeStatus) => boolean,
): Promise<UpgradeStatus> {
  for (; ; await aMoment()) {
    try {
      const status = await world.upgrade(provider).query<UpgradeStatus>(QUERY.status);
      if (wanted(status)) return status;
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
}
