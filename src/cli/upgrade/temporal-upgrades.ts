/** {@link Upgrades} on a Temporal server. Loaded only by commands that talk to one. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  WorkflowExecutionAlreadyStartedError,
  type Client,
  WorkflowFailedError,
  type WorkflowExecutionInfo,
  type WorkflowHandle,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { ONWARD } from '../../contract/onward';
import type { Messages } from '../../contract/messages';
import {
  preflightWorkflowId,
  type PreflightInput,
  type PreflightReport,
  type PreflightStatus,
} from '../../contract/preflight';
import { FAILURE } from '../../contract/activities';
import type { UpgradeInput } from '../../contract/upgrade-input';
import { CONTROL_TASK_QUEUE, upgradeWorkflowId } from '../../contract/provider';
import {
  QUERY,
  inPages,
  withAllGates,
  type AuditEntry,
  type Gate,
  type UpgradePlan,
  type UpgradeStatus,
} from '../../contract/status';
import {
  crossedAttribute,
  openGatesAttribute,
  pathAttribute,
  providerAttribute,
  stateAttribute,
  stepAttribute,
} from '../../temporal/search-attributes';
import { CliError } from '../kit/cli-error';
import { TemporalMailbox } from '../kit/messages/mailbox';
import { listed } from '../kit/temporal/listed';
import { ServerCalls } from '../kit/temporal/server-calls';
import { executionStatus, viewOf } from '../kit/temporal/workflow-view';
import type { UpgradeKey } from './messages';
import { readHistory } from './read-history';
import type { UpgradeHistory, Upgrades, UpgradeSummary, UpgradeView } from './upgrades';

const WORKFLOW_TYPE = 'upgradeProvider';
const PREFLIGHT_TYPE = 'preflightProvider';
/** A package may be large, and its line slow. */
const LOOK_DEADLINE = '3 hours';
const LOOK_INTERVAL_MS = 500;
/** A history may have thousands of events and travels in pages. */
const HISTORY_DEADLINE_MS = 60_000;

export class TemporalUpgrades implements Upgrades {
  readonly messages: TemporalMailbox<UpgradeKey, Messages>;
  private readonly server: ServerCalls;
  /** @param deadlineMs how long the server, and the worker behind it, may take for one answer. */
  constructor(
    private readonly client: Client,
    deadlineMs?: number,
  ) {
    this.server = new ServerCalls(client, deadlineMs);
    this.messages = new TemporalMailbox(this.server, ({ provider }) => ({
      workflowId: upgradeWorkflowId(provider),
      who: `the upgrade of ${provider}`,
      notFound: noSuchUpgrade(provider),
    }));
  }

  async start(input: UpgradeInput): Promise<{ workflowId: string; runId: string }> {
    const { provider } = input;
    const workflowId = upgradeWorkflowId(provider);
    return this.ask(provider, `start the upgrade of ${provider}`, async () => {
      try {
        const handle = await this.client.workflow.start(WORKFLOW_TYPE, {
          workflowId,
          taskQueue: CONTROL_TASK_QUEUE,
          args: [input],
          // The id is only the lock: whether the provider runs the release already is seen by the preflight.
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          workflowIdConflictPolicy: 'FAIL',
          staticSummary: `Office 365 upgrade of ${provider}`,
          staticDetails:
            'Upgrade of the Office 365 application of one provider to its next release, as the release notes prescribe it.',
          typedSearchAttributes: [{ key: providerAttribute, value: provider }],
        });
        return { workflowId, runId: handle.firstExecutionRunId };
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) throw await this.alreadyStarted(provider);
        throw error;
      }
    });
  }

  private async alreadyStarted(provider: string): Promise<CliError> {
    const { startedAt } = await this.summary(provider);
    return new CliError('refused', `The upgrade of ${provider} is running already, since ${startedAt}.`, {
      hint: `${ONWARD} status ${provider} --watch shows it.`,
    });
  }

  async lookBefore(
    input: PreflightInput,
    waitsFor: (what: string[]) => void,
    stop: AbortSignal,
  ): Promise<PreflightReport> {
    const { provider } = input;
    const doing = `look at ${provider}`;
    const handle = await this.ask(provider, doing, () =>
      this.client.workflow.start<(input: PreflightInput) => Promise<PreflightReport>>(PREFLIGHT_TYPE, {
        workflowId: preflightWorkflowId(provider, randomUUID()),
        taskQueue: CONTROL_TASK_QUEUE,
        args: [input],
        workflowExecutionTimeout: LOOK_DEADLINE,
        staticSummary: `Look at ${provider} before its upgrade; changes nothing`,
        typedSearchAttributes: [{ key: providerAttribute, value: provider }],
      }),
    );
    try {
      for (;;) {
        const { status } = await this.ask(provider, doing, () => handle.describe());
        if (status.name !== 'RUNNING') break;
        if (stop.aborted) throw new CliError('interrupted', `Stopped looking at ${provider}; nothing was changed.`);
        const seen = await this.ask(provider, doing, () => handle.query<PreflightStatus>(QUERY.status));
        waitsFor(seen.waitsFor);
        await delay(LOOK_INTERVAL_MS, undefined, { signal: stop }).catch(() => undefined);
      }
      return await this.ask(provider, doing, () => handle.result());
    } catch (error) {
      if (error instanceof CliError && ['interrupted', 'noWorker'].includes(error.kind))
        await this.ask(provider, doing, () => handle.terminate('nobody waits for this look any more'));
      throw explainLook(error, provider);
    }
  }

  async view(provider: string): Promise<UpgradeView> {
    const handle = this.handle(provider);
    const view = await this.ask(provider, `ask the upgrade of ${provider} for its status`, () =>
      viewOf<UpgradeStatus>(handle, `The upgrade of ${provider}`),
    );
    const gates = (skip: number) =>
      this.ask(provider, `ask the upgrade of ${provider} for its gates`, () =>
        handle.query<Gate[], [number]>(QUERY.gates, skip),
      );
    return { ...view, status: await withAllGates(view.status, gates) };
  }

  async plan(provider: string): Promise<UpgradePlan> {
    return this.ask(provider, `ask the upgrade of ${provider} for its plan`, () =>
      this.handle(provider).query<UpgradePlan>(QUERY.plan),
    );
  }

  async audit(provider: string): Promise<AuditEntry[]> {
    const handle = this.handle(provider);
    return await inPages((skip) =>
      this.ask(provider, `ask the upgrade of ${provider} for its audit trail`, () =>
        handle.query<AuditEntry[], [number]>(QUERY.audit, skip),
      ),
    );
  }

  async summary(provider: string): Promise<UpgradeSummary> {
    return this.ask(provider, `look up the upgrade of ${provider}`, async () =>
      summaryOf(await this.handle(provider).describe()),
    );
  }

  async running(): Promise<UpgradeSummary[]> {
    return this.ask(undefined, 'list the running upgrades', async () => {
      const found: UpgradeSummary[] = [];
      const query = `WorkflowType = '${WORKFLOW_TYPE}' AND ExecutionStatus = 'Running'`;
      for await (const info of listed(this.client, query)) found.push(summaryOf(info));
      return found.sort((a, b) => (a.workflowId < b.workflowId ? -1 : 1));
    });
  }

  async record(provider: string): Promise<UpgradeHistory> {
    const read = async (): Promise<UpgradeHistory> => {
      const handle = this.handle(provider);
      const { execution, runId, startedAt, closedAt, workflowId } = summaryOf(await handle.describe());
      const { events } = await this.client.workflow.getHandle(workflowId, runId).fetchHistory();
      const { serverVersion } = await this.client.workflowService.getSystemInfo({});
      const facts = await readHistory(this.client, events ?? []);
      return { workflowId, runId, execution, startedAt, closedAt, temporalServer: serverVersion, ...facts };
    };
    return this.ask(provider, `read the history of the upgrade of ${provider}`, read, HISTORY_DEADLINE_MS);
  }

  async close(): Promise<void> {
    await this.server.close();
  }

  private handle(provider: string): WorkflowHandle {
    return this.client.workflow.getHandle(upgradeWorkflowId(provider));
  }

  private async ask<T>(
    provider: string | undefined,
    doing: string,
    request: () => Promise<T>,
    deadlineMs?: number,
  ): Promise<T> {
    const call = { doing, notFound: noSuchUpgrade(provider), ...(deadlineMs === undefined ? {} : { deadlineMs }) };
    return await this.server.ask(call, request);
  }
}

/** What the look itself has to say, such as that the inventory has no such provider. */
function explainLook(error: unknown, provider: string): unknown {
  const failed = error instanceof CliError ? error.cause : error;
  if (!(failed instanceof WorkflowFailedError) || !(failed.cause instanceof ApplicationFailure)) return error;
  const { type, message } = failed.cause;
  const kind = type === FAILURE.unknownProvider ? 'notFound' : type === FAILURE.invalidInventory ? 'usage' : 'failure';
  return new CliError(kind, `Could not look at ${provider}: ${message}`, { cause: error });
}

/** @param provider whose upgrade was asked for, where it was one. */
function noSuchUpgrade(provider?: string): CliError {
  const what = provider === undefined ? 'There is no such upgrade.' : `There is no upgrade of ${provider}.`;
  return new CliError('notFound', what, { hint: `${ONWARD} status lists the upgrades that run.` });
}

export function summaryOf(
  info: WorkflowExecutionInfo | Awaited<ReturnType<WorkflowHandle['describe']>>,
): UpgradeSummary {
  const { workflowId, runId, startTime, closeTime, typedSearchAttributes: attributes } = info;
  return {
    provider: attributes.get(providerAttribute) ?? workflowId.replace(/^upgrade\//, ''),
    workflowId,
    runId,
    execution: executionStatus(info.status.name),
    startedAt: startTime.toISOString(),
    closedAt: closeTime?.toISOString(),
    path: attributes.get(pathAttribute),
    state: attributes.get(stateAttribute),
    step: attributes.get(stepAttribute),
    crossed: attributes.get(crossedAttribute),
    openGates: attributes.get(openGatesAttribute),
  };
}
