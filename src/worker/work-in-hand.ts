/**
 * Notes of the activities that a worker is at work on. A worker that dies gives nothing back, and Temporal waits until its heartbeats are
 * missed; the worker that takes its place on the same machine reads the notes and gives back what they name, so that the next attempt
 * begins at once. That is no less safe than a missed heartbeat: what the dead worker has asked for may be at work after either.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Context } from '@temporalio/activity';
import { ActivityNotFoundError, Client, type AsyncCompletionClient } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { Runtime, type ActivityInterceptorsFactory, type NativeConnection } from '@temporalio/worker';
import { z } from 'zod';
import { FAILURE } from '../contract/activities';
import type { TemporalSettings } from '../temporal/connection';
import { workerConverter } from '../temporal/data-converter';
import { sendSignal } from '../temporal/send-signal';

const note = z.object({
  machine: z.string(),
  pid: z.int().positive(),
  /** Process ids are used again: in a container that is restarted, at once. */
  worker: z.string(),
  /** Server, namespace and task queue: elsewhere nobody knows the token. */
  served: z.string(),
  activity: z.string(),
  /** Whose activity it is: its failure is encrypted for it. */
  workflow: z.object({ namespace: z.string(), workflowId: z.string() }).optional(),
  /** base64 */
  taskToken: z.base64(),
});
type Note = z.output<typeof note>;

/** Where workers of this machine keep their notes: below `%ProgramData%`, or `XDG_STATE_HOME`. */
export function notesDirectory(env: NodeJS.ProcessEnv): string {
  if (process.platform === 'win32') return path.join(env['ProgramData'] || 'C:\\ProgramData', 'Onward', 'workers');
  return path.join(env['XDG_STATE_HOME'] || path.join(os.homedir(), '.local', 'state'), 'onward', 'workers');
}

/**
 * Gives back what a dead worker of this task queue has left on this machine.
 *
 * @param directory of the notes, made where it is missing; without one there are none.
 * @returns for `interceptors.activity` of the worker that takes its place.
 */
export async function takeOver(
  connection: NativeConnection,
  settings: TemporalSettings,
  taskQueue: string,
  directory: string | undefined,
): Promise<ActivityInterceptorsFactory[]> {
  if (directory === undefined) return [];
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    warn('There is no folder for notes of what is at work', error);
    return [];
  }
  const { connectionOptions, namespace } = settings;
  const inHand = new WorkInHand(directory, [connectionOptions.address, namespace, taskQueue].join(' '));
  const { activity } = new Client({ connection, namespace, dataConverter: await workerConverter(settings) });
  await inHand.giveBack(activity);
  return [inHand.notes];
}

export class WorkInHand {
  private readonly worker = randomUUID();

  /**
   * @param directory for the notes.
   * @param served server, namespace and task queue of the worker.
   */
  constructor(
    private readonly directory: string,
    private readonly served: string,
  ) {}

  /** For `interceptors.activity` of the worker: notes each activity while it is at work. */
  readonly notes: ActivityInterceptorsFactory = ({ info }) => ({
    inbound: {
      execute: async (input, next) => {
        // It ends with its workflow task, which no other worker waits for.
        if (info.isLocal) return await next(input);
        const file = path.join(this.directory, `${randomUUID()}.json`);
        await this.write(file, info);
        try {
          return await next(input);
        } finally {
          await rm(file, { force: true });
        }
      },
    },
  });

  /** Gives back what workers of this machine were at work on when they died. Call it before the worker begins. */
  async giveBack(activities: Pick<AsyncCompletionClient, 'fail'>): Promise<void> {
    try {
      const files = (await readdir(this.directory)).filter((name) => name.endsWith('.json'));
      await Promise.all(files.map((name) => this.giveBackOne(path.join(this.directory, name), activities)));
    } catch (error) {
      warn('What a dead worker was at work on could not be given back', error);
    }
  }

  private async giveBackOne(file: string, activities: Pick<AsyncCompletionClient, 'fail'>): Promise<void> {
    const left = await read(file);
    if (left === undefined || left.served !== this.served || !this.isOrphan(left)) return;
    const { activity, pid } = left;
    const failure = ApplicationFailure.create({
      message: `The worker (process ${pid}) ended in the midst of ${activity}: what it has done is looked at before anything is repeated.`,
      type: FAILURE.outcomeUnknown,
      nextRetryDelay: '1ms',
    });
    try {
      await activities.fail(Buffer.from(left.taskToken, 'base64'), failure, {
        ...(left.workflow && { serializationContext: { type: 'activity', isLocal: false, ...left.workflow } }),
      });
    } catch (error) {
      // Temporal has given it to somebody else already.
      if (!(error instanceof ActivityNotFoundError)) throw error;
    }
    await rm(file, { force: true });
  }

  private isOrphan({ machine, pid, worker }: Note): boolean {
    if (machine !== os.hostname()) return false;
    return pid === process.pid ? worker !== this.worker : !sendSignal(0, pid);
  }

  private async write(
    file: string,
    { activityType, taskToken, workflowExecution, workflowNamespace }: Context['info'],
  ): Promise<void> {
    const content: Note = {
      machine: os.hostname(),
      pid: process.pid,
      worker: this.worker,
      served: this.served,
      activity: activityType,
      ...(workflowExecution &&
        workflowNamespace !== undefined && {
          workflow: { namespace: workflowNamespace, workflowId: workflowExecution.workflowId },
        }),
      taskToken: Buffer.from(taskToken).toString('base64'),
    };
    try {
      await writeFile(file, JSON.stringify(content));
    } catch (error) {
      warn(`${activityType} is not noted`, error);
    }
  }
}

/** Without notes nothing is lost but time. */
function warn(what: string, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  Runtime.instance().logger.warn(
    `${what}: ${reason}. If this worker dies, what it is at work on waits for its heartbeats to be missed.`,
  );
}

/** Nothing where its worker has just ended it, or died while writing it: that activity had not begun. */
async function read(file: string): Promise<Note | undefined> {
  try {
    return note.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
