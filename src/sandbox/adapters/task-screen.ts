import { z } from 'zod';
import { defineAdapter } from '../../systems/adapter';
import { expectShape } from '../../systems/answers';
import { exchange, statusFailure, type HttpRequest } from '../../systems/http';
import { expectJson } from '../../systems/json-answer';
import { isOffice365Task } from '../../systems/office365';
import type { TaskMonitor } from '../../systems/task-monitor';
import { controlApi } from './control-api';

const tasks = z.array(
  z.object({ id: z.int(), name: z.string(), status: z.string(), periodic: z.boolean(), queue: z.string().optional() }),
);

/**
 * Reads the Tasks screen of a simulated Operations.
 *
 * Assumption: a task that somebody canceled counts as processed; it will not run.
 */
export const taskScreen = defineAdapter({
  settings: controlApi,
  create: ({ url }): TaskMonitor => ({
    openTasks: async (application) => {
      const request: HttpRequest = {
        system: 'task monitor',
        call: 'GET tasks',
        method: 'GET',
        url: new URL('tasks', url).href,
        deadlineMs: 30_000,
      };
      const answer = await exchange(request);
      if (answer.status !== 200) throw statusFailure(request, answer.status);
      // Without the *Periodic* tab (systems.md 1.6).
      return expectShape(tasks, expectJson(answer, request), request)
        .filter((task) => !task.periodic && isOffice365Task(task, application) && !CLOSED.has(task.status))
        .map(({ id, name, status }) => ({ id, name, status }));
    },
  }),
});

const CLOSED: ReadonlySet<string> = new Set(['Processed', 'Canceled']);
