/** {@link Consents} on a Temporal server. Loaded only by commands that talk to one. */
import type { Client } from '@temporalio/client';
import {
  CONSENT_MEMO,
  consentWorkflowId,
  type ConsentStatus,
  type GuardMessageName,
  type GuardMessages,
} from '../../contract/consent';
import type { Recorded } from '../../contract/messages';
import { providerAttribute } from '../../temporal/search-attributes';
import { CliError } from '../kit/cli-error';
import type { ConsentKey, Consents } from './consents';
import { sayAndHear } from '../kit/messages/send-message';
import { ServerCalls, type Call } from '../kit/temporal/server-calls';

const RUNNING = "WorkflowType = 'guardConsent' AND ExecutionStatus = 'Running'";

export class TemporalConsents implements Consents {
  private readonly server: ServerCalls;
  constructor(client: Client, deadlineMs?: number) {
    this.server = new ServerCalls(client, deadlineMs);
  }

  async list(provider?: string): Promise<ConsentStatus[]> {
    return await this.server.ask(callFor('list the consents'), async () => {
      const query = provider === undefined ? RUNNING : `${RUNNING} AND ${providerAttribute.name} = '${provider}'`;
      const found: ConsentStatus[] = [];
      for await (const { memo } of this.server.client.workflow.list({ query })) {
        // A guard that has just been started has not said anything yet.
        const status = memo?.[CONSENT_MEMO];
        if (status !== undefined) found.push(status as ConsentStatus);
      }
      return found.sort((a, b) => (a.expiresAt < b.expiresAt ? -1 : 1));
    });
  }

  async answer<N extends GuardMessageName>(key: ConsentKey, name: N, message: GuardMessages[N]): Promise<Recorded> {
    return await this.server.ask(callFor(`send ${name} to ${guardOf(key)}`), () =>
      sayAndHear(this.handle(key), name, message),
    );
  }

  async signal<N extends GuardMessageName>(key: ConsentKey, name: N, message: GuardMessages[N]): Promise<void> {
    await this.server.ask(callFor(`send the signal ${name} to ${guardOf(key)}`), () =>
      this.handle(key).signal<[GuardMessages[N]]>(name, message),
    );
  }

  async close(): Promise<void> {
    await this.server.close();
  }

  private handle({ provider, instance }: ConsentKey) {
    return this.server.client.workflow.getHandle(consentWorkflowId(provider, instance));
  }
}

const guardOf = ({ provider, instance }: ConsentKey): string =>
  `the guard of the consent of instance ${instance} of ${provider}`;

const callFor = (doing: string): Call => ({
  doing,
  notFound: new CliError('notFound', 'This consent has no guard: an upgrade that succeeds starts one.', {
    hint: 'onward consents lists all of them, with the ids of their instances.',
  }),
});
