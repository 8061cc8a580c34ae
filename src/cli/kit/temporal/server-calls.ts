/** Calls to a Temporal server, each with a deadline, and with an error that a person can act on. */
import type { Client } from '@temporalio/client';
import { CliError } from '../cli-error';
import { explain } from './temporal-errors';

const DEADLINE_MS = 10_000;

export interface Call {
  /** What we are about to do, `ask the upgrade of contoso for its status`. */
  doing: string;
  /** Says that what is asked is not there. */
  notFound: CliError;
  deadlineMs?: number;
}

export class ServerCalls {
  /** @param deadlineMs how long the server, and the worker behind it, may take for one answer. */
  constructor(
    readonly client: Client,
    private readonly deadlineMs = DEADLINE_MS,
  ) {}

  async ask<T>({ doing, notFound, deadlineMs = this.deadlineMs }: Call, request: () => Promise<T>): Promise<T> {
    try {
      return await this.client.withDeadline(Date.now() + deadlineMs, request);
    } catch (error) {
      const explained = explain(error, doing, notFound);
      throw explained.kind === 'noWorker' ? await this.serverOrWorker(explained, doing) : explained;
    }
  }

  async close(): Promise<void> {
    await this.client.connection.close();
  }

  /** A deadline that passed does not say who was late; a server that still answers was not. */
  private async serverOrWorker(error: CliError, doing: string): Promise<CliError> {
    try {
      await this.client.withDeadline(Date.now() + 2000, () => this.client.workflowService.getSystemInfo({}));
      return error;
    } catch (cause) {
      return new CliError('unreachable', `Could not ${doing}: the Temporal server does not answer.`, {
        hint: 'Is it running, and is --address or TEMPORAL_ADDRESS right?',
        cause,
      });
    }
  }
}
