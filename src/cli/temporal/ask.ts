import type { Client } from '@temporalio/client';
import { CliError } from '../cli-error';
import { explain, noWorker, type Sought } from './temporal-errors';

export interface Question {
  /** `ask the upgrade of contoso for its status` */
  doing: string;
  /** What it is a mistake to name where it is not there. */
  sought: Sought;
  /** How long the server, and the worker behind it, may take. */
  deadlineMs: number;
}

/** @throws CliError for whatever goes wrong between us, the server and its workers. */
export async function ask<T>(
  client: Client,
  { doing, sought, deadlineMs }: Question,
  request: () => Promise<T>,
): Promise<T> {
  try {
    return await client.withDeadline(Date.now() + deadlineMs, request);
  } catch (error) {
    const explained = explain(error, sought, doing);
    throw explained.kind === 'noWorker' ? await serverOrWorker(client, explained, doing) : explained;
  }
}

/** A deadline that passed does not say who was late; a server that still answers was not. */
async function serverOrWorker(client: Client, error: CliError, doing: string): Promise<CliError> {
  try {
    await client.withDeadline(Date.now() + 2000, () => client.workflowService.getSystemInfo({}));
    return noWorker(doing, error.cause);
  } catch (cause) {
    return new CliError('unreachable', `Could not ${doing}: the Temporal server does not answer.`, {
      hint: 'Is it running, and is --address or TEMPORAL_ADDRESS right?',
      cause,
    });
  }
}
