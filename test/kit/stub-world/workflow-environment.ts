/** A real Temporal server and real workers, with activities of the test's own. */
import { WorkflowFailedError, WorkflowUpdateFailedError, type Client, type WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import type { Recorded } from '../../../src/contract/messages';
import type { PreflightInput, PreflightReport } from '../../../src/contract/preflight';
import type { UpgradeInput } from '../../../src/contract/upgrade-input';
import { endpointTaskQueue, upgradeWorkflowId } from '../../../src/contract/provider';
import {
  type Gate,
  QUERY,
  inPages,
  type AuditEntry,
  type UpgradePlan,
  type UpgradeResult,
  type UpgradeStatus,
} from '../../../src/contract/status';
import { connectClient } from '../../../src/temporal/connection';
import { connectWorker } from '../../../src/temporal/worker-connection';
import { builtWorkflows, bundle } from '../../../src/worker/workflow-bundle';
import '../quiet-runtime';
import { temporalServer, type TemporalServer } from '../temporal-server';
import { Workers } from '../workers';
import type { StubActivities } from './stub-activities';
import { aMoment } from '../deadlines';
import { endedInstead } from '../ended-instead';

export type UpgradeHandle = WorkflowHandle<(input: UpgradeInput) => Promise<UpgradeResult>>;

export class WorkflowEnvironment {
  private readonly workers = new Workers();

  private constructor(
    readonly server: TemporalServer,
    readonly client: Client,
    private readonly connection: NativeConnection,
    private readonly workflowBundle: NonNullable<WorkerOptions['workflowBundle']>,
  ) {}

  /** @param workflowsPath of workflows of the test's own; else it has those of Onward. */
  static async start(workflowsPath?: string): Promise<WorkflowEnvironment> {
    const [server, workflowBundle] = await Promise.all([temporalServer(), bundleOf(workflowsPath)]);
    return new WorkflowEnvironment(
      server,
      await connectClient(server.settings),
      await connectWorker(server.settings),
      workflowBundle,
    );
  }

  /** Starts an upgrade whose world is these activities, with workers of its own. */
  async upgrade(activities: StubActivities, input: UpgradeInput): Promise<UpgradeHandle> {
    await this.serveOnce(input.provider, activities);
    return await this.client.workflow.start<(input: UpgradeInput) => Promise<UpgradeResult>>('upgradeProvider', {
      workflowId: upgradeWorkflowId(input.provider),
      taskQueue: taskQueueOf(input.provider),
      args: [input],
    });
  }

  /** Starts a look at a provider, as {@link upgrade} starts an upgrade. */
  async look(
    workflowId: string,
    activities: StubActivities,
    input: PreflightInput,
  ): Promise<WorkflowHandle<(input: PreflightInput) => Promise<PreflightReport>>> {
    await this.serveOnce(input.provider, activities);
    return await this.client.workflow.start<(input: PreflightInput) => Promise<PreflightReport>>('preflightProvider', {
      workflowId,
      taskQueue: taskQueueOf(input.provider),
      args: [input],
    });
  }

  private readonly served = new Set<string>();

  /** Workers for one provider, unless it has them: the control plane's, and that of its endpoint host. */
  async serveOnce(provider: string, activities: StubActivities): Promise<void> {
    if (this.served.has(provider)) return;
    this.served.add(provider);
    await this.workers.start({
      connection: this.connection,
      namespace: this.server.settings.namespace,
      taskQueue: taskQueueOf(provider),
      workflowBundle: this.workflowBundle,
      activities,
    });
    await this.workers.start({
      connection: this.connection,
      namespace: this.server.settings.namespace,
      taskQueue: endpointTaskQueue(`host-of-${provider}`),
      activities,
      maxConcurrentActivityTaskExecutions: 1,
    });
  }

  async close(): Promise<void> {
    await this.workers.end();
    await this.connection.close();
    await this.client.connection.close();
    await this.server.close();
  }
}

async function bundleOf(workflowsPath: string | undefined): Promise<NonNullable<WorkerOptions['workflowBundle']>> {
  if (workflowsPath === undefined) return builtWorkflows();
  return { code: await bundle({ workflowsPath, logger: new DefaultLogger('ERROR') }) };
}

const taskQueueOf = (provider: string): string => `test/${provider}`;

export const statusOf = (handle: UpgradeHandle): Promise<UpgradeStatus> => handle.query<UpgradeStatus>(QUERY.status);
export const planOf = (handle: UpgradeHandle): Promise<UpgradePlan> => handle.query<UpgradePlan>(QUERY.plan);
export const auditOf = (handle: UpgradeHandle): Promise<AuditEntry[]> =>
  inPages((skip) => handle.query<AuditEntry[], [number]>(QUERY.audit, skip));

/**
 * The status as soon as it is as wanted. A workflow cannot call a test back, so this asks again; each question is answered
 * after the workflow has done all it can.
 */
export async function statusWhen(
  handle: UpgradeHandle,
  wanted: (status: UpgradeStatus) => boolean,
): Promise<UpgradeStatus> {
  for (; ; await aMoment()) {
    const status = await statusOf(handle);
    if (wanted(status)) return status;
    if (status.endedAt !== undefined) throw new Error(endedInstead(status));
  }
}

/** What the upgrade failed with; undefined where it did not. */
export async function failureOf(handle: UpgradeHandle): Promise<Error | undefined> {
  const error: unknown = await handle.result().then(
    () => undefined,
    (failure: unknown) => failure,
  );
  return error instanceof WorkflowFailedError ? error.cause : undefined;
}

/** The reason why an update was refused. */
export async function refusalOf(handle: UpgradeHandle, name: string, payload: unknown): Promise<string | undefined> {
  const error: unknown = await tell(handle, name, payload).then(
    () => undefined,
    (failure: unknown) => failure,
  );
  return error instanceof WorkflowUpdateFailedError ? error.cause?.message : undefined;
}

/** Says it as an update, which is answered. */
export const tell = (handle: UpgradeHandle, name: string, payload: unknown): Promise<Recorded> =>
  handle.executeUpdate<Recorded, [unknown]>(name, { args: [payload] });

/** Answers every gate as often as it opens, until the upgrade ends; optional steps are all wanted, or none. */
export async function answerEverything(handle: UpgradeHandle, action: 'run' | 'decline' = 'run'): Promise<void> {
  let answered = new Set<string>();
  for (; ; await aMoment()) {
    const { gates, endedAt } = await statusOf(handle);
    if (endedAt !== undefined) return;
    // Whoever decides that a step is done may be asked to do it, too.
    const questionOf = ({ id, answer }: Gate): string => `${answer.name} ${id}`;
    answered = new Set(gates.map(questionOf).filter((question) => answered.has(question)));
    for (const gate of gates) {
      const { answer } = gate;
      const question = questionOf(gate);
      if (answered.has(question)) continue;
      answered.add(question);
      const evidence = 'evidence' in answer.payload ? { evidence: 'ticket 4711' } : {};
      const decided = 'action' in answer.payload ? { action } : {};
      await handle.signal(answer.name, { ...answer.payload, ...evidence, ...decided, by: 'ana@csp.example' });
    }
  }
}
