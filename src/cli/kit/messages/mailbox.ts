/** Where people's messages go, whatever kind of workflow takes them. */
import type { Recorded } from '../../../contract/messages';
import type { CliError } from '../cli-error';
import type { ServerCalls } from '../temporal/server-calls';
import { sendMessage, sendWithoutWaiting } from './send-message';

/** `Key` says which workflow is meant, `Messages` has the payload of each message by its name. */
export interface Mailbox<Key, Messages> {
  /**
   * Sends a message, and waits for what becomes of it.
   *
   * @throws CliError `refused` with the reason; `noWorker` when no worker answers, and then nothing was sent.
   */
  send<N extends keyof Messages & string>(to: Key, name: N, message: Messages[N]): Promise<Recorded>;
  /** Sends a message also while no worker is up: it is recorded, and nobody says what becomes of it. */
  sendWithoutWaiting<N extends keyof Messages & string>(to: Key, name: N, message: Messages[N]): Promise<void>;
}

export interface Recipient {
  workflowId: string;
  /** As errors name it: `the upgrade of contoso`. */
  who: string;
  /** Says that it is not there. */
  notFound: CliError;
}

/** A {@link Mailbox} on a Temporal server. */
export class TemporalMailbox<Key, Messages extends { [N in keyof Messages]: object }> implements Mailbox<
  Key,
  Messages
> {
  constructor(
    private readonly server: ServerCalls,
    private readonly recipientOf: (key: Key) => Recipient,
  ) {}

  async send<N extends keyof Messages & string>(to: Key, name: N, message: Messages[N]): Promise<Recorded> {
    const { workflowId, who, notFound } = this.recipientOf(to);
    return this.server.ask({ doing: `send ${name} to ${who}`, notFound }, () =>
      sendMessage(this.server.client.workflow.getHandle(workflowId), name, message),
    );
  }

  async sendWithoutWaiting<N extends keyof Messages & string>(to: Key, name: N, message: Messages[N]): Promise<void> {
    const { workflowId, who, notFound } = this.recipientOf(to);
    await this.server.ask({ doing: `send the signal ${name} to ${who}`, notFound }, () =>
      sendWithoutWaiting(this.server.client.workflow.getHandle(workflowId), name, message),
    );
  }
}
