/** Billing public API: one method, `Execute`, with positional parameters (systems.md section 3). */
import type { FastifyInstance } from 'fastify';
import { isStruct, type XmlRpcValue } from '../../systems/xmlrpc';
import type { BillingParameter, Plan, Provider } from '../world/state';
import { FAULT, ProtocolFault, xmlRpcServer, type ServedWorld } from './xmlrpc-server';

/** `faultCode` of Billing is not documented; assumption: always -1 (systems.md 3.1). */
const BILLING_FAULT = -1;

const METHODS: Record<string, (provider: Provider, params: XmlRpcValue[]) => XmlRpcValue[]> = {
  AccountDetailsGet_API: (provider, params) => {
    const [accountId] = integers('AccountDetailsGet_API', params, 1);
    // Assumption: account 1 is the provider (systems.md 3.2).
    if (accountId !== 1) throw missingRow('Account', accountId);
    return [1, 0, provider.name];
  },
  PlanDetailsGet_API: (provider, params) => {
    const [planId] = integers('PlanDetailsGet_API', params, 1);
    return planDetails(plan(provider, planId));
  },
  PlanParamsGetAndValidate_API: (provider, params) => {
    const [planId, serviceTemplateId] = integers('PlanParamsGetAndValidate_API', params.slice(0, 2), 2);
    const given = assignments(params.slice(2));
    const template = provider.billingTemplates.find((other) => other.serviceTemplateId === serviceTemplateId);
    if (!template) throw missingRow('ServiceTemplate', serviceTemplateId);
    if (plan(provider, planId).serviceTemplateId !== serviceTemplateId) {
      throw new ProtocolFault(BILLING_FAULT, `Plan ${planId} is not based on service template ${serviceTemplateId}.`);
    }
    const unneeded = [...given.keys()].filter((id) => !template.parameters.some((parameter) => parameter.id === id));
    return [
      ...template.parameters.map((parameter, index) => parameterRow(parameter, given.get(parameter.id), index)),
      ...unneeded.map((id) => [id, 0, '', '', '', 0, 3, 'Parameter is not needed.', 0]),
    ];
  },
};

export function billingServer(served: ServedWorld): FastifyInstance {
  return xmlRpcServer(served, {
    system: 'billing',
    login: (provider) => provider.billingLogin,
    nameOf: (method, [call]) =>
      method === 'Execute' && isStruct(call) && typeof call.Method === 'string' ? call.Method : method,
    objectOf: (_, [call]) => (isStruct(call) ? simple(call.Params).join(' ') || undefined : undefined),
    // Billing, unlike Operations, writes the text of a fault as base64 (systems.md 3.1).
    faultText: (text) => Buffer.from(text).toString('base64'),
    async execute(provider, method, params) {
      if (method !== 'Execute') throw new ProtocolFault(FAULT.unknownMethod, `Method '${method}' is not defined.`);
      const { name, args } = executed(params);
      const called = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
      if (!called) throw new ProtocolFault(BILLING_FAULT, `Method ${name} is not found on server BM.`);
      return { value: { Result: [called(provider, args)] }, outcome: 'ok' };
    },
  });
}

/** Texts and numbers among the parameters: what a call is about. */
function simple(params: XmlRpcValue | undefined): (string | number)[] {
  if (!Array.isArray(params)) return [];
  return params.filter((param) => typeof param === 'string' || typeof param === 'number');
}

function executed(params: XmlRpcValue[]): { name: string; args: XmlRpcValue[] } {
  const [call] = params;
  if (params.length !== 1 || !isStruct(call)) {
    throw new ProtocolFault(FAULT.params, 'Execute takes one struct with Server, Method and Params.');
  }
  const { Server: server, Method: name, Params: args, Lang: language, ...others } = call;
  const found: string[] = [];
  if (server !== 'BM') found.push("Server must be 'BM'.");
  if (typeof name !== 'string') found.push('Method must be a string.');
  if (!Array.isArray(args)) found.push('Params must be an array.');
  if (language !== undefined && !(typeof language === 'string' && /^[a-z]{2}$/i.test(language))) {
    found.push('Lang must be two letters.');
  }
  for (const other of Object.keys(others)) found.push(`${other} is unknown.`);
  if (typeof name !== 'string' || !Array.isArray(args) || found.length > 0) {
    throw new ProtocolFault(BILLING_FAULT, found.join(' '));
  }
  return { name, args };
}

/** Ids may be sent as text (systems.md 3.1). */
function integers<C extends 1 | 2>(
  method: string,
  params: XmlRpcValue[],
  count: C,
): C extends 1 ? [number] : [number, number] {
  const read = params.map((value) => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value));
  const fits = read.length === count && read.every((value) => typeof value === 'number' && Number.isInteger(value));
  if (!fits) throw new ProtocolFault(BILLING_FAULT, `${method} takes ${count} integer parameter(s) in this order.`);
  return read as C extends 1 ? [number] : [number, number];
}

/** `ParamID=value`, each a string (systems.md 3.2). */
function assignments(params: XmlRpcValue[]): Map<string, string> {
  const given = new Map<string, string>();
  for (const param of params) {
    const match = typeof param === 'string' ? /^([^=]+)=(.*)$/s.exec(param) : null;
    if (!match)
      throw new ProtocolFault(BILLING_FAULT, 'Parameters after the second are strings of the form ParamID=value.');
    given.set(match[1] ?? '', match[2] ?? '');
  }
  return given;
}

function plan(provider: Provider, planId: number): Plan {
  const found = provider.plans.find((other) => other.planId === planId);
  if (!found) throw missingRow('Plan', planId);
  return found;
}

/** The wording is that of a real answer (systems.md 3.1). */
const missingRow = (table: string, id: number): ProtocolFault =>
  new ProtocolFault(BILLING_FAULT, `Table ${table} does not contain row with ID ${id}.`);

/** Twenty fields in their documented order; 17 is the service template (systems.md 3.2). */
function planDetails({ planId, name, serviceTemplateId }: Plan): XmlRpcValue[] {
  const [category, group, period] = [3, 1, 1];
  return [
    planId,
    name,
    category,
    'USD',
    name,
    '',
    'Generic',
    group,
    0,
    10,
    2,
    1,
    100,
    period,
    0,
    0,
    1,
    serviceTemplateId,
    0,
    0,
  ];
}

/** Nine fields: ParamID, ParamType, ParamName, Description, DefaultValue, Required, Status, Message, ST_ParamWeight. */
function parameterRow(parameter: BillingParameter, value: string | undefined, index: number): XmlRpcValue[] {
  const missing = parameter.required && (value ?? parameter.defaultValue) === '';
  return [
    parameter.id,
    parameter.type,
    parameter.name,
    parameter.description,
    parameter.defaultValue,
    parameter.required ? 1 : 0,
    missing ? 1 : 0,
    missing ? `Value of '${parameter.name}' is missing.` : '',
    index,
  ];
}
