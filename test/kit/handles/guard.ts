/** A guard of one consent, as an upgrade would leave it, for tests. */
import { WorkflowUpdateFailedError, type Client, type WorkflowHandle } from '@temporalio/client';
import {
  consentWorkflowId,
  guardSettings,
  type ConsentStatus,
  type GuardInput,
  type GuardMessages,
} from '../../../src/contract/consent';
import type { Recorded } from '../../../src/contract/messages';
import type { ProviderProfile } from '../../../src/contract/provider';
import { QUERY, type AuditEntry } from '../../../src/contract/status';
import { frozen } from '../../../src/inventory/frozen-profile';
import { providerAttribute } from '../../../src/temporal/search-attributes';
import { aMoment } from '../deadlines';
import { ask } from './ask';

export class Guard {
  private constructor(
    private readonly client: Client,
    readonly handle: WorkflowHandle,
  ) {}

  /** The guard that an upgrade has left. */
  static of(client: Client, provider: string, instance: number): Guard {
    return new Guard(client, client.workflow.getHandle(consentWorkflowId(provider, instance)));
  }

  /** The guard of instance 1 of a provider. */
  static async start(
    client: Client,
    taskQueue: string,
    entry: ProviderProfile,
    input: Pick<GuardInput, 'consentedAt'> & Partial<GuardInput>,
  ): Promise<Guard> {
    const { provider, connectionTest, reminders, notify, timings } = frozen(entry);
    const settings = guardSettings.parse({ connectionTest, reminders, notify, timings });
    const instance = { id: 1, name: 'CSP EMEA', resourceId: 'resource-1' };
    const handle = await client.workflow.start<(input: GuardInput) => Promise<never>>('guardConsent', {
      workflowId: consentWorkflowId(provider, 1),
      taskQueue,
      args: [{ provider, instance, assumed: false, settings, ...input }],
      typedSearchAttributes: [{ key: providerAttribute, value: provider }],
    });
    return new Guard(client, handle);
  }

  status(): Promise<ConsentStatus> {
    return ask<ConsentStatus>(this.client, this.handle, QUERY.status);
  }

  audit(): Promise<AuditEntry[]> {
    return ask<AuditEntry[]>(this.client, this.handle, QUERY.audit);
  }

  /** The status as soon as it is as wanted. A guard cannot call a test back, so this asks again. */
  async statusWhen(wanted: (status: ConsentStatus) => boolean): Promise<ConsentStatus> {
    for (; ; await aMoment()) {
      const status = await this.status();
      if (wanted(status)) return status;
    }
  }

  /** Reports a renewal, and waits until it is verified or waits for an operator. */
  async renew(message: GuardMessages['consentRenewed'] = { by: 'ana' }): Promise<ConsentStatus> {
    await this.handle.executeUpdate<Recorded, [typeof message]>('consentRenewed', { args: [message] });
    return await this.statusWhen(({ renewal }) => renewal === undefined || renewal.askedAt !== undefined);
  }

  /** Why the guard refuses this message. */
  async refusal(name: string, payload: unknown): Promise<string> {
    const error: unknown = await this.handle.executeUpdate<Recorded, [unknown]>(name, { args: [payload] }).then(
      () => undefined,
      (failure: unknown) => failure,
    );
    if (error instanceof WorkflowUpdateFailedError && error.cause) return error.cause.message;
    throw new Error(`${name} was not refused.`, { cause: error });
  }
}
