/** Asks the server what there is to see. Without a worker, all but the details of upgrades, ledgers and fleets is as fresh as ever. */
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { FLEET_QUERY, type FleetStatus } from '../../../contract/fleet';
import { LEDGER_WORKFLOW, type Ledger } from '../../../contract/ledger';
import { CONTROL_TASK_QUEUE, endpointTaskQueue } from '../../../contract/provider';
import { QUERY, type Gate, withAllGates, type UpgradeStatus } from '../../../contract/status';
import {
  openGatesAttribute,
  providerAttribute,
  stateAttribute,
  stepAttribute,
} from '../../../temporal/search-attributes';
import { CliError } from '../../kit/cli-error';
import { listed, listedGuards } from '../../kit/temporal/listed';
import { ServerCalls } from '../../kit/temporal/server-calls';
import { buildOf } from '../builds';
import { Round, type Known } from './round';
import { ENDS, type Asked, type EndOfUpgrade, type Running, type Seen, type SeenQueue } from './seen';

const DAY_MS = 86_400_000;

export class Watcher {
  private readonly server: ServerCalls;
  /** What workers have told, by run. */
  private known: ReadonlyMap<string, Known> = new Map();

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
    const { consents, unreadable } = await this.ask('list the guards of consents', () => listedGuards(this.client));
    const round = new Round(this.known, this.now);
    const upgrades = (await this.list("WorkflowType = 'upgradeProvider' AND ExecutionStatus = 'Running'")).map((info) =>
      this.running<UpgradeStatus>(round, info, async ({ workflowId, runId }) => {
        const handle = this.client.workflow.getHandle(workflowId, runId);
        const status = await handle.query<UpgradeStatus>(QUERY.status);
        return await withAllGates(status, (skip) => handle.query<Gate[], [number]>(QUERY.gates, skip));
      }),
    );
    const fleets = (await this.list("WorkflowType = 'upgradeFleet' AND ExecutionStatus = 'Running'")).map((info) =>
      this.running<FleetStatus>(round, info, ({ workflowId, runId }) =>
        this.client.workflow.getHandle(workflowId, runId).query<FleetStatus>(FLEET_QUERY.status),
      ),
    );
    const ledgers = await this.ledgers(round, upgrades);
    const problems = [...unreadable, ...(await round.ask())];
    this.known = round.known;
    const seen: Seen = {
      upgrades,
      ended: await this.ended(),
      ledgers,
      fleets,
      tokens: consents,
      notices: await this.notices(),
      queues: [],
      unreadable: unreadable.length,
      problems,
    };
    for (const queue of [CONTROL_TASK_QUEUE, ...hosts.map(endpointTaskQueue)]) {
      seen.queues.push(await this.queue(queue));
    }
    return seen;
  }

  /** An upgrade that runs and has told its operation tells what is off by itself, unless it finishes what another has begun. */
  private async ledgers(round: Round, upgrades: readonly Running<UpgradeStatus>[]): Promise<Asked<Ledger>[]> {
    const told = upgrades.filter(({ details }) => details?.operation !== undefined && details.finishes === undefined);
    // One that somebody has ended keeps what was noted, until another goes on with it: the newest answers for all.
    const infos = await this.list(
      `WorkflowType = '${LEDGER_WORKFLOW}' AND ExecutionStatus NOT IN ('Completed', 'ContinuedAsNew')`,
    );
    const ledgers = new Map(infos.map((info) => [info.workflowId, info]));
    return [...ledgers.values()].flatMap((info) => {
      const provider = info.typedSearchAttributes.get(providerAttribute);
      if (told.some(({ name }) => name === provider)) return [];
      const news = upgrades.some(({ name }) => name === provider) ? 'runs' : 'ended';
      const handle = this.client.workflow.getHandle(info.workflowId);
      return [this.add(round, info, news, () => handle.query<Ledger>(QUERY.status))];
    });
  }

  private async list(query: string): Promise<WorkflowExecutionInfo[]> {
    return await this.ask(`list ${query}`, async () => {
      const found: WorkflowExecutionInfo[] = [];
      for await (const info of listed(this.client, query)) found.push(info);
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

  private running<Status>(
    round: Round,
    info: WorkflowExecutionInfo,
    tell: (info: WorkflowExecutionInfo) => Promise<Status>,
  ): Running<Status> {
    const { typedSearchAttributes: attributes } = info;
    const state = attributes.get(stateAttribute) ?? '';
    const step = attributes.get(stepAttribute) ?? '';
    const news = [state, step, attributes.get(openGatesAttribute)].join(' ');
    // Not a copy: its details are brought up to date.
    return Object.assign(
      this.add(round, info, news, () => tell(info)),
      { state, step },
    );
  }

  private add<Status>(
    round: Round,
    { runId, workflowId }: WorkflowExecutionInfo,
    news: string,
    tell: () => Promise<Status>,
  ): Asked<Status> {
    const name = workflowId.slice(workflowId.indexOf('/') + 1);
    return round.add({ runId, name, news, tell: () => this.ask(`ask ${workflowId} for its status`, tell) });
  }

  private ask<T>(doing: string, request: () => Promise<T>): Promise<T> {
    return this.server.ask(
      { doing, notFound: new CliError('notFound', `Could not ${doing}: it is not there.`) },
      request,
    );
  }
}
