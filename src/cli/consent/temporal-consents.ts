/** {@link Consents} on a Temporal server. Loaded only by commands that talk to one. */
import type { Client } from '@temporalio/client';
import { ONWARD } from '../../contract/onward';
import { consentWorkflowId, type ConsentStatus, type GuardMessages } from '../../contract/consent';
import { providerAttribute } from '../../temporal/search-attributes';
import { CliError } from '../kit/cli-error';
import { TemporalMailbox } from '../kit/messages/mailbox';
import { listedGuards } from '../kit/temporal/listed';
import { ServerCalls } from '../kit/temporal/server-calls';
import type { Consents } from './consents';
import type { ConsentKey } from './messages';

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

  async list(provider?: string): Promise<{ consents: ConsentStatus[]; unreadable: string[] }> {
    return await this.server.ask({ doing: 'list the consents', notFound: noSuchConsent() }, async () => {
      const filter = provider === undefined ? undefined : `${providerAttribute.name} = '${provider}'`;
      const { consents, unreadable } = await listedGuards(this.server.client, filter);
      return { consents: consents.sort((a, b) => order(a).localeCompare(order(b))), unreadable };
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
