/** Client of the Billing public API: one XML-RPC method, `Execute` (systems.md section 3). */
import { z } from 'zod';
import { FAILURE } from '../contract/activities';
import type { BillingConnection } from '../contract/provider';
import { expectShape, integer } from './answers';
import { SystemError } from './system-error';
import { XmlRpcEndpoint, type Errors, type ResolveSecret } from './xmlrpc-endpoint';

const SYSTEM = 'Billing';

export interface Plan {
  id: number;
  name: string;
  serviceTemplateId: number;
}

/** Places of the fields that matter in an answer of `PlanDetailsGet_API` (systems.md 3.2). */
const PLAN_NAME = 1;
const PLAN_SERVICE_TEMPLATE = 17;

/** `Result[0]` is the data, or the base64 text of an exception (systems.md 3.1). */
const envelope = z.object({ Result: z.tuple([z.array(z.unknown())], z.unknown()) });
const exception = z.object({ Result: z.tuple([z.string()], z.unknown()) });

const ERRORS: Errors = {
  readFault: fromBase64,
  errorIn: (answer) => {
    const { data } = exception.safeParse(answer);
    return data && { words: fromBase64(data.Result[0]) };
  },
  next: 'Check what the message names in Billing.',
};

/** Failures of every method: those of XmlRpcEndpoint. */
export class BillingClient {
  private readonly endpoint: XmlRpcEndpoint;

  constructor(connection: BillingConnection, resolveSecret: ResolveSecret) {
    this.endpoint = new XmlRpcEndpoint(SYSTEM, connection, resolveSecret, ERRORS);
  }

  /** Name and service template of a plan (`PlanDetailsGet_API`). */
  async plan(id: number): Promise<Plan> {
    const call = 'PlanDetailsGet_API';
    const object = `plan ${id}`;
    const fields = await this.execute(call, [id], object);
    if (fields.length <= PLAN_SERVICE_TEMPLATE) {
      throw new SystemError({
        type: FAILURE.unexpectedState,
        system: SYSTEM,
        call,
        object,
        problem: `has ${fields.length} fields, and the service template would be number ${PLAN_SERVICE_TEMPLATE + 1}`,
        next: 'This version of Billing does not tell the service template of a plan: check it by hand.',
      });
    }
    const shape = z.object({ name: z.string(), serviceTemplateId: integer });
    const raw = { name: fields[PLAN_NAME], serviceTemplateId: fields[PLAN_SERVICE_TEMPLATE] };
    return { id, ...expectShape(shape, raw, { system: SYSTEM, call, object }) };
  }

  /** Ids of all service parameters of a service template, asked for through one of its plans (`PlanParamsGetAndValidate_API`). */
  async serviceParameters(plan: Plan): Promise<string[]> {
    const call = 'PlanParamsGetAndValidate_API';
    const object = `service template ${plan.serviceTemplateId} in plan ${plan.id}`;
    const rows = await this.execute(call, [plan.id, plan.serviceTemplateId], object);
    const shape = z.array(z.tuple([z.string()], z.unknown()));
    return expectShape(shape, rows, { system: SYSTEM, call, object }).map(([parameterId]) => parameterId);
  }

  private async execute(method: string, params: number[], object: string): Promise<unknown[]> {
    const request = { Server: 'BM', Method: method, Params: params };
    const answer = await this.endpoint.call('Execute', [request], { name: method, object, purpose: 'asks' });
    return expectShape(envelope, answer, { system: SYSTEM, call: method, object }).Result[0];
  }
}

/** Billing sends the texts of its errors in base64 (systems.md 3.1); what is no base64 of a text is left as it is. */
function fromBase64(text: string): string {
  const compact = text.replace(/\s/g, '');
  const bytes = Buffer.from(compact, 'base64');
  const decoded = bytes.toString('utf8');
  const isText = bytes.toString('base64') === compact && !decoded.includes('\uFFFD');
  return (isText ? decoded : text).trim();
}
