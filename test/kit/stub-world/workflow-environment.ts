/** A real Temporal server and real workers, with activities of the test's own. */
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type { UpgradeInput } from '../../../src/contract/messages';
import { endpointTaskQueue, upgradeWorkflowId } from '../../../src/contract/provider';
import { QUERY, type AuditEntry, type UpgradeResult, type UpgradeStatus } from '../../../src/contract/status';
import { connectClient } from '../../../src/temporal/connection';
import { connectWorker } from '../../../src/temporal/worker-connection';
import { builtWorkflows } from '../../../src/worker/workflow-bundle';
import '../quiet-runtime';
import { temporalServer, type TemporalServer } from '../temporal-server';
import { Workers } from '../workers';
import type { StubActivities } from './stub-activities';
import { aMoment } from '../deadlines';

export type UpgradeHandle = WorkflowHandle<(input: UpgradeInput) => Promise<UpgradeResult>>;

export class WorkflowEnvironment {
  private readonly workers = new Workers();

  private constructor(
    readonly server: TemporalServer,
    readonly client: Client,
    private readonly connection: NativeConnection,
    private readonly codePath: string,
  ) {}

  static async start(): Promise<WorkflowEnvironment> {
    const server = await temporalServer();
    const { codePath } = builtWorkflows();
    return new WorkflowEnvironment(
      server,
      await connectClient(server.settings),
      await connectWorker(server.settings),
      codePath,
    );
  }

  /** Starts an upgrade whose world is these activities, with workers of its own, and with workflows of its own if wanted. */
  async upgrade(activities: StubActivities, input: UpgradeInput, workflowsPath?: string): Promise<UpgradeHandle> {
    await this.serveOnce(input.provider, activities, workflowsPath);
    return await this.client.workflow.start<(input: UpgradeInput) => Promise<UpgradeResult>>('upgradeProvider', {
      workflowId: upgradeWorkflowId(input.provider),
      taskQueue: taskQueueOf(input.provider),
      args: [input],
    });
  }

  private readonly served = new Set<string>();

  /** Workers for one provider, unless it has them: the control plane's, and that of its endpoint host. */
  async serveOnce(provider: string, activities: StubActivities, workflowsPath?: string): Promise<void> {
    if (this.served.has(provider)) return;
    this.served.add(provider);
    await this.workers.start({
      connection: this.connection,
      namespace: this.server.settings.namespace,
      taskQueue: taskQueueOf(provider),
      ...(workflowsPath === undefined ? { workflowBundle: { codePath: this.codePath } } : { workflowsPath }),
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

const taskQueueOf = (provider: string): string => `test/${provider}`;

export const statusOf = (handle: UpgradeHandle): Promise<UpgradeStatus> => handle.query<UpgradeStatus>(QUERY.status);
export const auditOf = (handle: UpgradeHandle): Promise<AuditEntry[]> => handle.query<AuditEntry[]>(QUERY.audit);

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
    if (status.endedAt !== undefined) throw new Error(`The upgrade ended as ${status.state} instead.`);
  }
}

/** Answers every gate as soon as it opens, until the upgrade ends. */
export async function answerEverything(handle: UpgradeHandle): Promise<void> {
  const answered = new Set<string>();
  for (; ; await aMoment()) {
    const { gates, endedAt } = await statusOf(handle);
    if (endedAt !== undefined) return;
    for (const { id, answer } of gates.filter((gate) => !answered.has(gate.id))) {
      answered.add(id);
      const evidence = 'evidence' in answer.payload ? { evidence: 'ticket 4711' } : {};
      await handle.signal(answer.name, { ...answer.payload, ...evidence, by: 'ana@csp.example' });
    }
  }
}
