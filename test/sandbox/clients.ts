/** Plain HTTP clients, so that the sandbox is judged by bytes and not by Onward's own clients. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { Sandbox } from '../../src/sandbox/server';
import { decodeResponse, encodeCall, type XmlRpcValue } from '../../src/systems/xmlrpc';
import { patience } from '../kit/deadlines';

export type Struct = { [name: string]: XmlRpcValue };

export interface Envelope {
  status: number;
  error_message?: string;
  extype_id?: number;
  module_id?: string;
  result?: XmlRpcValue;
}

export async function post(url: string, body: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'text/xml', ...headers } });
  return { status: response.status, text: await response.text() };
}

/** One Operations call; the envelope as it is. */
export async function operations(sandbox: Sandbox, provider: string, method: string, args: Struct): Promise<Envelope> {
  const { text } = await post(sandbox.urls.operations(provider), encodeCall(method, [args]));
  return decodeResponse(text) as unknown as Envelope;
}

/** The result of an Operations call that has to succeed. */
export async function succeed<T>(sandbox: Sandbox, provider: string, method: string, args: Struct): Promise<T> {
  const envelope = await operations(sandbox, provider, method, args);
  if (envelope.status !== 0) throw new Error(`${method}: ${envelope.error_message}`);
  return envelope.result as T;
}

/** One Billing call: `Result[0]`. */
export async function billing(sandbox: Sandbox, provider: string, method: string, ...params: XmlRpcValue[]) {
  const call = encodeCall('Execute', [{ Server: 'BM', Method: method, Params: params }]);
  const { text } = await post(sandbox.urls.billing(provider), call);
  return (decodeResponse(text) as { Result: XmlRpcValue[] }).Result[0] as XmlRpcValue[];
}

export async function apsToken(sandbox: Sandbox, provider: string): Promise<string> {
  const { aps_token } = await succeed<{ aps_token: string }>(sandbox, provider, 'pem.APS.getUserToken', { user_id: 1 });
  return aps_token;
}

/** One call of the APS controller, trusting the sandbox's authority and nobody else. */
export async function aps<T>(sandbox: Sandbox, provider: string, path: string, token?: string) {
  const agent = new Agent({ connect: { ca: readFileSync(sandbox.caFile) } });
  try {
    const response = await request(`${sandbox.urls.aps(provider)}${path}`, {
      dispatcher: agent,
      headers: token === undefined ? {} : { 'aps-token': token },
    });
    const range = response.headers['content-range'];
    return { status: response.statusCode, range, body: (await response.body.json()) as T };
  } finally {
    await agent.close();
  }
}

/** One call of the control API. */
export async function sim<T>(sandbox: Sandbox, method: string, path: string, body?: unknown) {
  const response = await fetch(`${sandbox.urls.sim}${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status: response.status, body: (await response.json()) as T };
}

const PATIENCE_MS = patience(5_000);
const LOOKS_EVERY_MS = 5;

/** Asks again until the answer fits; the sandbox's own time has to pass in between. */
export async function until<T>(ask: () => Promise<T>, fits: (answer: T) => boolean): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (fits(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(answer)} after ${PATIENCE_MS / 1000} s`);
    await delay(LOOKS_EVERY_MS);
  }
}
