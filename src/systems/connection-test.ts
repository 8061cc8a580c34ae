import { z } from 'zod';
import type { ConnectionTestResult } from '../contract/facts';
import { expectShape } from './answers';
import { exchange, statusFailure, type HttpRequest } from './http';
import { expectJson } from './json-answer';

const outcome = z.object({
  success: z.boolean(),
  checks: z.array(
    z.object({ name: z.enum(['PartnerCenter', 'Graph']), ok: z.boolean(), message: z.string().optional() }),
  ),
});

/**
 * What the *Test Connection* button says. The operation behind it is not documented (systems.md 5.6): this reads the
 * sandbox's control API, and where there is no sandbox a person presses the button.
 */
export class HumanOrSimConnectionTest {
  constructor(private readonly url: string) {}

  /** `resourceId`: UUID of the instance's application resource. */
  async run(resourceId: string): Promise<ConnectionTestResult> {
    const request: HttpRequest = {
      system: 'connection test',
      call: 'GET testConnection',
      object: `application resource ${resourceId}`,
      method: 'GET',
      url: new URL(`instances/${encodeURIComponent(resourceId)}/testConnection`, this.url).href,
      deadlineMs: 60_000,
    };
    const answer = await exchange(request);
    if (answer.status !== 200) throw statusFailure(request, answer.status);
    const { success, checks } = expectShape(outcome, expectJson(answer, request), request);
    return { ok: success, checks };
  }
}
