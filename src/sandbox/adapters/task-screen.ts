import { z } from 'zod';
import { defineAdapter } from '../../systems/adapter';
import { expectShape } from '../../systems/answers';
import { exchange, statusFailure, type HttpRequest } from '../../systems/http';
import { expectJson } from '../../systems/json-answer';
import type { TaskMonitor } from '../../systems/task-monitor';
import { controlApi } from './control-api';

const tasks = z.array(z.object({ id: z.int(), name: z.string(), status: z.string(), periodic: z.boolean() }));

/**
 * Reads the Tasks screen of a simulated Operations.
 *
 * Assumption: a task that somebody canceled counts as processed; it will not run.
 */
export const taskScreen = defineAdapter({
  settings: controlApi,
  create: ({ url }): TaskMonitor => ({
    openTasks: async () => {
      const request: HttpRequest = {
        system: 'task monitor',
        call: 'GET tasks',
        method: 'GET',
        url: new URL('tasks', url).href,
        deadlineMs: 30_000,
      };
      const answer = await exchange(request);
      if (answer.status !== 200) throw statusFailure(request, answer.status);
      // The filter `*office*`, without the *Periodic* tab (systems.md 1.6).
      return expectShape(tasks, expectJson(answer, request), request)
        .filter(({ name, status, periodic }) => !periodic && /office/i.test(name) && !CLOSED.has(status))
        .map(({ id, name, status }) => ({ id, name, status }));
    },
  }),
});

const CLOSED: ReadonlySet<string> = new Set(['Processed', 'Canceled']);
