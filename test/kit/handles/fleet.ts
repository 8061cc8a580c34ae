/** A fleet as people see it: what they ask it, what they say to it, how it ends. */
import { WorkflowUpdateFailedError, type Client, type WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import {
  FLEET_QUERY,
  fleetWorkflowId,
  type FleetInput,
  type FleetMessageName,
  type FleetPlan,
  type FleetProvider,
  type FleetStatus,
} from '../../../src/contract/fleet';
import type { Recorded } from '../../../src/contract/messages';
import { CONTROL_TASK_QUEUE } from '../../../src/contract/provider';
import type { AuditEntry } from '../../../src/contract/status';
import { ask } from './ask';
import { aMoment } from '../deadlines';

export class Fleet {
  private constructor(
    private readonly client: Client,
    readonly input: FleetInput,
    readonly handle: WorkflowHandleWithFirstExecutionRunId<(input: FleetInput) => Promise<FleetStatus>>,
  ) {}

  static async start(client: Client, input: FleetInput, taskQueue: string = CONTROL_TASK_QUEUE): Promise<Fleet> {
    const workflowId = fleetWorkflowId(input.name);
    const options = { workflowId, taskQueue, args: [input] as [FleetInput] };
    const handle = await client.workflow.start<(input: FleetInput) => Promise<FleetStatus>>('upgradeFleet', options);
    return new Fleet(client, input, handle);
  }

  status(): Promise<FleetStatus> {
    return ask(this.client, this.handle, FLEET_QUERY.status);
  }

  plan(): Promise<FleetPlan> {
    return ask(this.client, this.handle, FLEET_QUERY.plan);
  }

  audit(): Promise<AuditEntry[]> {
    return ask(this.client, this.handle, FLEET_QUERY.audit);
  }

  async providers(): Promise<FleetProvider[]> {
    const { waves } = await this.status();
    const parts = waves.flatMap(({ parts: ids }) => ids);
    const answers = await Promise.all(
      parts.map((id) => ask<FleetProvider[]>(this.client, this.client.workflow.getHandle(id), FLEET_QUERY.providers)),
    );
    return answers.flat();
  }

  /** The status as soon as it is as wanted. A workflow cannot call a test back, so this asks again. */
  async statusWhen(wanted: (status: FleetStatus) => boolean): Promise<FleetStatus> {
    for (; ; await aMoment()) {
      const status = await this.status();
      if (wanted(status)) return status;
      if (status.endedAt !== undefined) throw new Error(`The fleet ended as ${JSON.stringify(status)} instead.`);
    }
  }

  /** As {@link statusWhen}, of one provider. */
  async providerWhen(id: string, wanted: (provider: FleetProvider) => boolean): Promise<FleetProvider> {
    for (; ; await aMoment()) {
      const found = (await this.providers()).find(({ provider }) => provider === id);
      if (found && wanted(found)) return found;
    }
  }

  async say(name: FleetMessageName, payload: object = {}): Promise<string> {
    const { message } = await this.handle.executeUpdate<Recorded, [object]>(name, {
      args: [{ by: 'ana', reason: 'a test', ...payload }],
    });
    return message;
  }

  async refusal(name: FleetMessageName, payload: object = {}): Promise<string> {
    const error: unknown = await this.say(name, payload).then(
      () => undefined,
      (failure: unknown) => failure,
    );
    if (error instanceof WorkflowUpdateFailedError && error.cause) return error.cause.message;
    throw new Error(`${name} was not refused.`, { cause: error });
  }

  result(): Promise<FleetStatus> {
    return this.handle.result();
  }
}
