/** Asks the server what there is to see. Without a worker, all but the details of upgrades and fleets is as fresh as ever. */
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { CONSENT_MEMO, type ConsentStatus } from '../../../contract/consent';
import { FLEET_QUERY, type FleetStatus } from '../../../contract/fleet';
import { CONTROL_TASK_QUEUE, endpointTaskQueue } from '../../../contract/provider';
import { QUERY, type Gate, withAllGates, type UpgradeStatus } from '../../../contract/status';
import { openGatesAttribute, stateAttribute, stepAttribute } from '../../../temporal/search-attributes';
import { CliError } from '../../kit/cli-error';
import { ServerCalls } from '../../kit/temporal/server-calls';
import { buildOf } from '../builds';
import { ENDS, type EndOfUpgrade, type Running, type Seen, type SeenQueue } from './seen';

/** So many workflows are asked at once: each question may make a worker replay one. */
const AT_ONCE = 5;
/** Details of a workflow whose search attributes have not changed are asked again after so long. */
const STALE_MS = 5 * 60_000;
const DAY_MS = 86_400_000;

interface Told {
  attributes: string;
  at: number;
  status: unknown;
}

export class Watcher {
  private readonly server: ServerCalls;
  /** What workers have told, by run. */
  private told = new Map<string, Told>();

  /** @param deadlineMs how long the server, and the worker behind it, may take for one answer. */
  constructor(
    private readonly client: Client,
    private readonly namespace: string,
    private readonly now: () => Date,
    deadlineMs?: number,
  ) {
    this.server = new ServerCalls(client, deadlineMs);
  }

  /**
   * @param hosts that have an endpoint worker.
   * @throws CliError when the server does not answer.
   */
  async look(hosts: readonly string[]): Promise<Seen> {
    const running = (type: string) => this.list(`WorkflowType = '${type}' AND ExecutionStatus = 'Running'`);
    const guards = await running('guardConsent');
    const upgrades = await running('upgradeProvider');
    const fleets = await running('upgradeFleet');
    const asked = new Map<string, Told>();
    const seen: Seen = {
      upgrades: await this.withDetails<UpgradeStatus>(upgrades, asked, async (info) => {
        const handle = this.client.workflow.getHandle(info.workflowId, info.runId);
        const status = await handle.query<UpgradeStatus>(QUERY.status);
        return await withAllGates(status, (skip) => handle.query<Gate[], [number]>(QUERY.gates, skip));
      }),
      fleets: await this.withDetails<FleetStatus>(fleets, asked, (info) =>
        this.client.workflow.getHandle(info.workflowId, info.runId).query<FleetStatus>(FLEET_QUERY.status),
      ),
      ended: await this.ended(),
      tokens: guards.flatMap(({ memo }) => (memo?.[CONSENT_MEMO] as ConsentStatus | undefined) ?? []),
      notices: await this.notices(),
      queues: [],
    };
    for (const queue of [CONTROL_TASK_QUEUE, ...hosts.map(endpointTaskQueue)]) {
      seen.queues.push(await this.queue(queue));
    }
    this.told = asked;
    return seen;
  }

  private async list(query: string): Promise<WorkflowExecutionInfo[]> {
    return await this.ask(`list ${query}`, async () => {
      const found: WorkflowExecutionInfo[] = [];
      for await (const info of this.client.workflow.list({ query })) found.push(info);
      return found;
    });
  }

  private count(query: string): Promise<number> {
    return this.ask(`count ${query}`, async () => (await this.client.workflow.count(query)).count);
  }

  private async ended(): Promise<Record<EndOfUpgrade, number>> {
    const over = "WorkflowType = 'upgradeProvider' AND ExecutionStatus NOT IN ('Running', 'ContinuedAsNew')";
    const ended = { completed: 0, rolledBack: 0, rollbackIncomplete: 0, refused: 0, other: await this.count(over) };
    for (const end of ENDS) {
      if (end === 'other') continue;
      ended[end] = await this.count(`${over} AND OnwardState = '${end}'`);
      ended.other -= ended[end];
    }
    return ended;
  }

  private async notices(): Promise<Seen['notices']> {
    const yesterday = new Date(this.now().getTime() - DAY_MS).toISOString();
    const notices = "WorkflowType = 'deliverNotice'";
    const failed = `${notices} AND ExecutionStatus IN ('Failed', 'TimedOut', 'Terminated') AND CloseTime > '${yesterday}'`;
    return {
      waiting: await this.count(`${notices} AND ExecutionStatus = 'Running'`),
      failed: await this.count(failed),
    };
  }

  private async queue(name: string): Promise<SeenQueue> {
    const { TASK_QUEUE_TYPE_WORKFLOW, TASK_QUEUE_TYPE_ACTIVITY } = temporal.api.enums.v1.TaskQueueType;
    const types =
      name === CONTROL_TASK_QUEUE ? [TASK_QUEUE_TYPE_WORKFLOW, TASK_QUEUE_TYPE_ACTIVITY] : [TASK_QUEUE_TYPE_ACTIVITY];
    const builds = new Map<string, string>();
    let backlog = 0;
    for (const taskQueueType of types) {
      const { pollers, stats } = await this.ask(`describe the task queue ${name}`, () =>
        this.client.workflowService.describeTaskQueue({
          namespace: this.namespace,
          taskQueue: { name },
          taskQueueType,
          reportStats: true,
        }),
      );
      for (const poller of pollers ?? []) builds.set(poller.identity ?? '', buildOf(poller));
      backlog += Number(stats?.approximateBacklogCount ?? 0);
    }
    const workers = new Map<string, number>();
    for (const build of builds.values()) workers.set(build, (workers.get(build) ?? 0) + 1);
    return { name, workers, backlog };
  }

  /** Once no worker has answered, no other workflow is asked in this look: each question would wait for its deadline. */
  private async withDetails<Status>(
    infos: readonly WorkflowExecutionInfo[],
    asked: Map<string, Told>,
    tell: (info: WorkflowExecutionInfo) => Promise<Status>,
  ): Promise<Running<Status>[]> {
    let silent = false;
    const one = async (info: WorkflowExecutionInfo): Promise<Running<Status>> => {
      const { runId, workflowId, typedSearchAttributes: attributes } = info;
      const state = attributes.get(stateAttribute) ?? '';
      const step = attributes.get(stepAttribute) ?? '';
      const known = this.told.get(runId);
      const current = [state, step, attributes.get(openGatesAttribute)].join(' ');
      const fresh = known?.attributes === current && this.now().getTime() - known.at < STALE_MS;
      let told = known;
      if (!fresh && !silent) {
        const status = await this.tellOrNothing(info, tell);
        if (status === undefined) silent = true;
        else told = { attributes: current, at: this.now().getTime(), status };
      }
      if (told) asked.set(runId, told);
      const name = workflowId.slice(workflowId.indexOf('/') + 1);
      return {
        runId,
        name,
        state,
        step,
        details: told?.status as Status | undefined,
        silent: !fresh && told === known,
      };
    };
    const running: Running<Status>[] = [];
    for (let index = 0; index < infos.length; index += AT_ONCE) {
      running.push(...(await Promise.all(infos.slice(index, index + AT_ONCE).map(one))));
    }
    return running;
  }

  /** Undefined where no worker answers, or the workflow has ended meanwhile. */
  private async tellOrNothing<Status>(
    info: WorkflowExecutionInfo,
    tell: (info: WorkflowExecutionInfo) => Promise<Status>,
  ): Promise<Status | undefined> {
    try {
      return await this.ask(`ask ${info.workflowId} for its status`, () => tell(info));
    } catch (error) {
      if (error instanceof CliError && error.kind !== 'unreachable') return undefined;
      throw error;
    }
  }

  private ask<T>(doing: string, request: () => Promise<T>): Promise<T> {
    return this.server.ask(
      { doing, notFound: new CliError('notFound', `Could not ${doing}: it is not there.`) },
      request,
    );
  }
}
