/** {@link Fleets} on a Temporal server. Loaded only by commands that talk to one. */
import { WorkflowExecutionAlreadyStartedError, type Client, type WorkflowHandle } from '@temporalio/client';
import { ONWARD } from '../../contract/onward';
import {
  FLEET_QUERY,
  fleetWorkflowId,
  type FleetInput,
  type FleetMessages,
  type FleetPlan,
  type FleetProvider,
  type FleetStatus,
} from '../../contract/fleet';
import { CONTROL_TASK_QUEUE } from '../../contract/provider';
import type { AuditEntry } from '../../contract/status';
import { fleetAttribute, stateAttribute } from '../../temporal/search-attributes';
import { CliError } from '../kit/cli-error';
import { TemporalMailbox } from '../kit/messages/mailbox';
import { listed } from '../kit/temporal/listed';
import { ServerCalls } from '../kit/temporal/server-calls';
import { executionStatus, viewOf } from '../kit/temporal/workflow-view';
import { summaryOf, TemporalUpgrades } from '../upgrade/temporal-upgrades';
import type { UpgradeSummary } from '../upgrade/upgrades';
import type { Fleets, FleetSummary, FleetView, WaveProvider } from './fleets';
import type { FleetKey } from './messages';

const WORKFLOW_TYPE = 'upgradeFleet';
/** Of a server with thousands of providers. */
const LIST_DEADLINE_MS = 60_000;
/** Parts of waves that are asked at once. */
const PARTS_AT_ONCE = 10;

export class TemporalFleets implements Fleets {
  readonly upgrades: TemporalUpgrades;
  readonly messages: TemporalMailbox<FleetKey, FleetMessages>;
  private readonly server: ServerCalls;

  /** @param deadlineMs how long the server, and the worker behind it, may take for one answer. */
  constructor(
    private readonly client: Client,
    deadlineMs?: number,
  ) {
    this.server = new ServerCalls(client, deadlineMs);
    this.upgrades = new TemporalUpgrades(client, deadlineMs);
    this.messages = new TemporalMailbox(this.server, ({ fleet }) => ({
      workflowId: fleetWorkflowId(fleet),
      who: `the fleet ${fleet}`,
      notFound: noSuchFleet(fleet),
    }));
  }

  async start(input: FleetInput): Promise<{ workflowId: string; runId: string }> {
    const { name } = input;
    const workflowId = fleetWorkflowId(name);
    return this.ask(name, `start the fleet ${name}`, async () => {
      try {
        const handle = await this.client.workflow.start(WORKFLOW_TYPE, {
          workflowId,
          taskQueue: CONTROL_TASK_QUEUE,
          args: [input],
          workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
          workflowIdConflictPolicy: 'FAIL',
          staticSummary: `Fleet ${name}: Office 365 upgrades in waves`,
          staticDetails: 'Upgrades of many providers, in waves, within windows and a failure budget.',
          typedSearchAttributes: [{ key: fleetAttribute, value: name }],
        });
        return { workflowId, runId: handle.firstExecutionRunId };
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        throw new CliError('refused', `There is a fleet ${name} already.`, {
          hint: `${ONWARD} fleet status ${name} shows it. A new fleet needs a name of its own.`,
          cause: error,
        });
      }
    });
  }

  async view(fleet: string): Promise<FleetView> {
    return this.ask(fleet, `ask the fleet ${fleet} for its status`, () =>
      viewOf<FleetStatus>(this.handle(fleet), `The fleet ${fleet}`),
    );
  }

  async plan(fleet: string): Promise<FleetPlan> {
    return this.ask(fleet, `ask the fleet ${fleet} for its plan`, () =>
      this.handle(fleet).query<FleetPlan>(FLEET_QUERY.plan),
    );
  }

  async audit(fleet: string): Promise<AuditEntry[]> {
    return this.ask(fleet, `ask the fleet ${fleet} for its audit trail`, () =>
      this.handle(fleet).query<AuditEntry[]>(FLEET_QUERY.audit),
    );
  }

  async providers({ fleet, waves }: Pick<FleetStatus, 'fleet' | 'waves'>): Promise<WaveProvider[]> {
    const parts = waves.flatMap(({ wave, parts: ids }) => ids.map((workflowId) => ({ wave, workflowId })));
    const found: WaveProvider[] = [];
    for (let first = 0; first < parts.length; first += PARTS_AT_ONCE) {
      const asked = parts.slice(first, first + PARTS_AT_ONCE).map(async ({ wave, workflowId }) => {
        const providers = await this.ask(fleet, `ask ${workflowId} for its providers`, () =>
          this.client.workflow.getHandle(workflowId).query<FleetProvider[]>(FLEET_QUERY.providers),
        );
        return providers.map((provider) => ({ wave, ...provider }));
      });
      found.push(...(await Promise.all(asked)).flat());
    }
    return found;
  }

  async running(fleet: string, limit: number): Promise<UpgradeSummary[]> {
    return this.ask(fleet, `list the upgrades of the fleet ${fleet}`, () => this.found(runningIn(fleet), limit));
  }

  async waiting(fleet: string, limit: number): Promise<{ count: number; upgrades: UpgradeSummary[] }> {
    const query = `${runningIn(fleet)} AND OnwardOpenGates > 0`;
    return this.ask(fleet, `look who is waited for in the fleet ${fleet}`, async () => ({
      count: (await this.client.workflow.count(query)).count,
      upgrades: await this.found(query, limit),
    }));
  }

  async list(): Promise<FleetSummary[]> {
    return this.ask(
      undefined,
      'list the fleets',
      async () => {
        const found: FleetSummary[] = [];
        // The earlier runs of a fleet that was continued are no fleets of their own.
        const query = `WorkflowType = '${WORKFLOW_TYPE}' AND ExecutionStatus != 'ContinuedAsNew'`;
        for await (const info of listed(this.client, query)) {
          const { workflowId, status, closeTime, typedSearchAttributes: attributes } = info;
          found.push({
            fleet: attributes.get(fleetAttribute) ?? workflowId.replace(/^fleet\//, ''),
            workflowId,
            execution: executionStatus(status.name),
            state: attributes.get(stateAttribute),
            closedAt: closeTime?.toISOString(),
          });
        }
        return found.sort((a, b) => (a.fleet < b.fleet ? -1 : 1));
      },
      LIST_DEADLINE_MS,
    );
  }

  async close(): Promise<void> {
    await this.upgrades.close();
  }

  private handle(fleet: string): WorkflowHandle {
    return this.client.workflow.getHandle(fleetWorkflowId(fleet));
  }

  private async found(query: string, limit: number): Promise<UpgradeSummary[]> {
    const found: UpgradeSummary[] = [];
    for await (const info of listed(this.client, query, Math.min(limit, 1000))) {
      found.push(summaryOf(info));
      if (found.length === limit) break;
    }
    return found.sort((a, b) => (a.workflowId < b.workflowId ? -1 : 1));
  }

  private async ask<T>(
    fleet: string | undefined,
    doing: string,
    request: () => Promise<T>,
    deadlineMs?: number,
  ): Promise<T> {
    const call = { doing, notFound: noSuchFleet(fleet), ...(deadlineMs === undefined ? {} : { deadlineMs }) };
    return this.server.ask(call, request);
  }
}

function noSuchFleet(fleet: string | undefined): CliError {
  const what = fleet === undefined ? 'There is no such fleet.' : `There is no fleet ${fleet}.`;
  return new CliError('notFound', what, { hint: `${ONWARD} fleet list names them all.` });
}

/** Names of fleets are plain, so that nothing has to be escaped. */
const runningIn = (fleet: string): string =>
  `OnwardFleet = '${fleet}' AND WorkflowType = 'upgradeProvider' AND ExecutionStatus = 'Running'`;
