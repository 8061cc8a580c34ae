import { z } from 'zod';
import { defineAdapter } from '../../systems/adapter';
import { expectShape } from '../../systems/answers';
import type { ProvingConnectionTest } from '../../systems/connection-test';
import { exchange, statusFailure, type HttpRequest } from '../../systems/http';
import { expectJson } from '../../systems/json-answer';
import { controlApi } from './control-api';

/** Assumption: the shape of systems.md 5.6. */
const outcome = z.object({
  success: z.boolean(),
  checks: z.array(
    z.object({ name: z.enum(['PartnerCenter', 'Graph']), ok: z.boolean(), message: z.string().optional() }),
  ),
});

/** Presses *Test Connection* in a simulated control panel. */
export const connectionButton = defineAdapter({
  settings: controlApi,
  create: ({ url }): ProvingConnectionTest => ({
    proves: true,
    run: async ({ resourceId }) => {
      const request: HttpRequest = {
        system: 'connection test',
        call: 'GET testConnection',
        object: `application resource ${resourceId}`,
        method: 'GET',
        url: new URL(`instances/${encodeURIComponent(resourceId)}/testConnection`, url).href,
        deadlineMs: 60_000,
      };
      const answer = await exchange(request);
      if (answer.status !== 200) throw statusFailure(request, answer.status);
      const { success, checks } = expectShape(outcome, expectJson(answer, request), request);
      return { ok: success, checks };
    },
  }),
});
