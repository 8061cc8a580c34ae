import { z } from 'zod';
import { exchange, statusFailure, type HttpRequest } from './http';
import { expectShape } from './answers';
import { expectJson } from './json-answer';

/** An Office 365 task that is not processed yet. */
export interface OpenTask {
  id: number;
  name: string;
  status: string;
}

const tasks = z.array(z.object({ id: z.int(), name: z.string(), status: z.string(), periodic: z.boolean() }));

/**
 * Tasks as the Tasks screen shows them. The vendor has no API that lists them (systems.md 1.6): this reads the sandbox's
 * control API, and where there is no sandbox a person looks.
 */
export class HumanOrSimTaskMonitor {
  constructor(private readonly url: string) {}

  /**
   * What the screen shows under the filter `*office*`, without the *Periodic* tab (systems.md 1.6).
   *
   * Assumption: a task that somebody canceled counts as processed; it will not run.
   */
  async openTasks(): Promise<OpenTask[]> {
    const request: HttpRequest = {
      system: 'task monitor',
      call: 'GET tasks',
      method: 'GET',
      url: new URL('tasks', this.url).href,
      deadlineMs: 30_000,
    };
    const answer = await exchange(request);
    if (answer.status !== 200) throw statusFailure(request, answer.status);
    return expectShape(tasks, expectJson(answer, request), request)
      .filter(({ name, status, periodic }) => !periodic && /office/i.test(name) && !CLOSED.has(status))
      .map(({ id, name, status }) => ({ id, name, status }));
  }
}

const CLOSED: ReadonlySet<string> = new Set(['Processed', 'Canceled']);
