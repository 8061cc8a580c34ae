/** A look at the Temporal server: does it answer, does it know Onward, does its clock agree, and who serves the task queues and builds. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { ONWARD } from '../../../contract/onward';
import { CONTROL_TASK_QUEUE, endpointTaskQueue } from '../../../contract/provider';
import {
  reach,
  requireNamespace,
  requireSearchAttributes,
  TemporalUnavailable,
  type TemporalSettings,
} from '../../../temporal/connection';
import { SEARCH_ATTRIBUTES } from '../../../temporal/search-attributes';
import { DEPLOYMENT_NAME } from '../../../worker/deployment';
import { formatDuration } from '../../kit/text/duration';
import { buildOf, UNVERSIONED } from '../builds';
import { pass, problem, warning, type Finding } from './finding';

const DEADLINE_MS = 10_000;
/** So many workflows are named of those that wait for the same. */
const NAMED = 3;
const { TaskQueueType } = temporal.api.enums.v1;

/** @param hosts of the inventory: each has a task queue of its own. */
export async function lookAtServer(settings: TemporalSettings, hosts: readonly string[]): Promise<Finding[]> {
  const connection = Connection.lazy({ ...settings.connectionOptions, interceptors: [] });
  const server = new AskedServer(connection, settings);
  const findings: Finding[] = [];
  try {
    findings.push(await server.version());
    await requireNamespace(connection, settings);
    findings.push(pass('namespace', `${settings.namespace} is there.`));
    findings.push(await server.searchAttributes());
    findings.push(await server.clock());
    for (const queue of [CONTROL_TASK_QUEUE, ...hosts.map(endpointTaskQueue)]) {
      findings.push(...(await server.taskQueue(queue)));
    }
    findings.push(...(await server.pinned()));
    return findings;
  } catch (error) {
    if (!(error instanceof TemporalUnavailable)) throw error;
    // Where one question fails so, the others would fail alike.
    return [...findings, problem(findings.length === 0 ? 'server' : 'namespace', error.message)];
  } finally {
    await connection.close();
  }
}

/** Clocks of the same machine room differ by less; the times that people read would mislead from here on. */
const CLOCK_WARNING_MS = 5_000;
/** Certificates and tokens are refused from about here on. */
const CLOCK_PROBLEM_MS = 60_000;
const CLOCK_PATIENCE_MS = 5_000;

class AskedServer {
  constructor(
    private readonly connection: Connection,
    private readonly settings: TemporalSettings,
  ) {}

  async version(): Promise<Finding> {
    const { serverVersion } = await this.ask(() => this.connection.workflowService.getSystemInfo({}));
    return pass('server', `Temporal ${serverVersion} answers at ${this.settings.connectionOptions.address}.`);
  }

  async searchAttributes(): Promise<Finding> {
    try {
      await requireSearchAttributes(this.connection, this.settings);
      return pass('search attributes', `All ${SEARCH_ATTRIBUTES.length} are registered.`);
    } catch (error) {
      if (!(error instanceof TemporalUnavailable)) throw error;
      return problem('search attributes', error.message);
    }
  }

  /** The server notes when somebody polls: whoever polls a task queue of his own learns what time it is there. */
  async clock(): Promise<Finding> {
    const { namespace } = this.settings;
    const name = `doctor/${randomUUID()}`;
    const began = Date.now();
    const done = new AbortController();
    // A poll that nobody answers ends with its deadline, or when it is no longer wanted.
    const poll = this.connection.withAbortSignal(done.signal, () =>
      this.connection.withDeadline(began + CLOCK_PATIENCE_MS, () =>
        this.connection.workflowService.pollActivityTaskQueue({ namespace, taskQueue: { name }, identity: 'doctor' }),
      ),
    );
    const ended = poll.then(
      () => undefined,
      (error: unknown) => error,
    );
    try {
      for (;;) {
        const polledAt = (await this.describe(name, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)).pollers[0]?.lastAccessTime;
        const now = Date.now();
        if (polledAt) return clockFinding(skew(timeOf(polledAt), began, now));
        if (now - began > CLOCK_PATIENCE_MS) {
          const why = await Promise.race([ended, sleep(0)]);
          return warning(
            'clock',
            `The server does not tell its time${why instanceof Error ? `: ${why.message}` : ''}.`,
          );
        }
        await sleep(50);
      }
    } finally {
      done.abort();
    }
  }

  async taskQueue(name: string): Promise<Finding[]> {
    const about = `task queue ${name}`;
    const isControl = name === CONTROL_TASK_QUEUE;
    const { TASK_QUEUE_TYPE_WORKFLOW, TASK_QUEUE_TYPE_ACTIVITY } = TaskQueueType;
    const activities = await this.describe(name, TASK_QUEUE_TYPE_ACTIVITY);
    const kinds = isControl ? [await this.describe(name, TASK_QUEUE_TYPE_WORKFLOW), activities] : [activities];
    if (kinds.some(({ pollers }) => pollers.length === 0)) {
      const start = isControl
        ? `${ONWARD} worker`
        : `${ONWARD} worker --host ${name.slice('endpoint/'.length)}, on that host`;
      return [problem(about, `Nobody serves it, so what it is asked to do waits. Start a worker: ${start}.`)];
    }
    const [{ pollers, versioningInfo } = activities] = kinds;
    const builds = [...new Set(pollers.map(buildOf))].sort();
    const workers = [...new Set(pollers.map(({ identity }) => identity))].sort();
    const served = pass(about, `Served by ${workers.join(', ')}; build ${builds.join(', ')}.`);
    if (!isControl) return [served];
    return [served, ...currentBuild(about, builds, versioningInfo?.currentDeploymentVersion?.buildId ?? undefined)];
  }

  /** Workflows that only a build goes on with which no worker runs. */
  async pinned(): Promise<Finding[]> {
    const waiting = new Map<string, string[]>();
    for (const { build, workflowId } of await this.pinnedWorkflows()) {
      waiting.set(build, [...(waiting.get(build) ?? []), workflowId]);
    }
    if (waiting.size === 0) return [];
    const { pollers } = await this.describe(CONTROL_TASK_QUEUE, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW);
    for (const build of pollers.map(buildOf)) waiting.delete(build);
    return [...waiting].map(([build, ids]) => {
      const more = ids.length > NAMED ? ` and ${ids.length - NAMED} more` : '';
      return problem(
        `build ${build}`,
        `No worker runs it, so what is pinned to it waits: ${ids.slice(0, NAMED).join(', ')}${more}. Start a worker of it, or move them to another build (docs/changing-a-workflow.md).`,
      );
    });
  }

  private async pinnedWorkflows(): Promise<{ workflowId: string; build: string }[]> {
    const { namespace } = this.settings;
    const query = "ExecutionStatus = 'Running' AND TemporalWorkflowVersioningBehavior = 'Pinned'";
    const found: { workflowId: string; build: string }[] = [];
    let nextPageToken: Uint8Array | undefined;
    do {
      const page = await this.ask(() =>
        this.connection.workflowService.listWorkflowExecutions({ namespace, query, nextPageToken }),
      );
      for (const { execution, searchAttributes } of page.executions ?? []) {
        const version = searchAttributes?.indexedFields?.['TemporalWorkerDeploymentVersion'];
        const [deployment, build] = version ? defaultPayloadConverter.fromPayload<string>(version).split(':') : [];
        if (deployment === DEPLOYMENT_NAME && build) found.push({ workflowId: execution?.workflowId ?? '', build });
      }
      nextPageToken = page.nextPageToken?.length ? page.nextPageToken : undefined;
    } while (nextPageToken);
    return found;
  }

  private async describe(
    name: string,
    taskQueueType: temporal.api.enums.v1.TaskQueueType,
  ): Promise<temporal.api.workflowservice.v1.IDescribeTaskQueueResponse & { pollers: Poller[] }> {
    const { namespace } = this.settings;
    const described = await this.ask(() =>
      this.connection.workflowService.describeTaskQueue({ namespace, taskQueue: { name }, taskQueueType }),
    );
    return { ...described, pollers: described.pollers ?? [] };
  }

  private ask<T>(question: () => Promise<T>): Promise<T> {
    return reach(this.settings, () => this.connection.withDeadline(Date.now() + DEADLINE_MS, question));
  }
}

type Poller = temporal.api.taskqueue.v1.IPollerInfo;

/** Work that begins goes to the current build; where none is set, to workers without a version. */
function currentBuild(about: string, builds: readonly string[], current = UNVERSIONED): Finding[] {
  if (builds.includes(current)) return [];
  const others = builds.filter((build) => build !== UNVERSIONED);
  return [
    problem(
      about,
      current === UNVERSIONED
        ? `No build is current, so nobody begins what is started now. Make one current: temporal worker deployment set-current-version --deployment-name onward --build-id ${others[0]}`
        : `The current build ${current} has no worker, so nobody begins what is started now. Start one of it, or make current what runs: ${builds.join(', ')} (docs/changing-a-workflow.md).`,
    ),
  ];
}

const timeOf = ({ seconds, nanos }: { seconds?: unknown; nanos?: number | null }): number =>
  Number(seconds) * 1000 + Math.floor((nanos ?? 0) / 1e6);

/** How much the server's clock is ahead of ours, where it noted a moment between two of ours; in milliseconds. */
export const skew = (noted: number, from: number, to: number): number =>
  noted < from ? noted - from : noted > to ? noted - to : 0;

export function clockFinding(ahead: number): Finding {
  const size = Math.abs(ahead);
  if (size < CLOCK_WARNING_MS) return pass('clock', 'This machine and the server agree about the time.');
  const message =
    `The server's clock is ${formatDuration(size)} ${ahead > 0 ? 'ahead of' : 'behind'} that of this machine. ` +
    'Let both keep time by NTP: systems refuse certificates and tokens by it, and people read times by it.';
  return size < CLOCK_PROBLEM_MS ? warning('clock', message) : problem('clock', message);
}
