/** {@link Consents} on a Temporal server. Loaded only by commands that talk to one. */
import type { Client } from '@temporalio/client';
import { ONWARD } from '../../contract/onward';
import { CONSENT_MEMO, consentWorkflowId, type ConsentStatus, type GuardMessages } from '../../contract/consent';
import { providerAttribute } from '../../temporal/search-attributes';
import { CliError } from '../kit/cli-error';
import { TemporalMailbox } from '../kit/messages/mailbox';
import { ServerCalls } from '../kit/temporal/server-calls';
import type { Consents } from './consents';
import type { ConsentKey } from './messages';

const RUNNING = "WorkflowType = 'guardConsent' AND ExecutionStatus = 'Running'";

export class TemporalConsents implements Consents {
  readonly messages: TemporalMailbox<ConsentKey, GuardMessages>;
  private readonly server: ServerCalls;

  constructor(client: Client, deadlineMs?: number) {
    this.server = new ServerCalls(client, deadlineMs);
    this.messages = new TemporalMailbox(this.server, ({ provider, instance }) => ({
      workflowId: consentWorkflowId(provider, instance),
      who: `the guard of the consent of instance ${instance} of ${provider}`,
      notFound: noSuchConsent(),
    }));
  }

  async list(provider?: string): Promise<ConsentStatus[]> {
    return await this.server.ask({ doing: 'list the consents', notFound: noSuchConsent() }, async () => {
      const query = provider === undefined ? RUNNING : `${RUNNING} AND ${providerAttribute.name} = '${provider}'`;
      const found: ConsentStatus[] = [];
      for await (const { memo } of this.server.client.workflow.list({ query })) {
        // A guard that has just been started has not said anything yet.
        const status = memo?.[CONSENT_MEMO];
        if (status !== undefined) found.push(status as ConsentStatus);
      }
      return found.sort((a, b) => order(a).localeCompare(order(b)));
    });
  }

  async close(): Promise<void> {
    await this.server.close();
  }
}

const order = ({ state, expiresAt }: ConsentStatus): string => `${state === 'failing' ? 0 : 1} ${expiresAt}`;

const noSuchConsent = (): CliError =>
  new CliError('notFound', 'This consent has no guard: an upgrade that succeeds starts one.', {
    hint: `${ONWARD} consents lists all of them, with the ids of their instances.`,
  });
