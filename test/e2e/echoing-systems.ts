/**
 * A proxy in front of the sandbox's systems that behaves as badly as systems do: before it hands a call on, it refuses it in
 * one way after the other, and quotes in each refusal whatever the caller has sent, its credentials included.
 */
import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';

export type EchoingSystem = 'operations' | 'billing' | 'aps' | 'login' | 'partnercenter' | 'graph' | 'webhook';

interface Call {
  system: EchoingSystem;
  headers: IncomingMessage['headers'];
  body: string;
  /** What was sent, in the forms in which a system could quote it. */
  echo: string;
  /** The credential alone. */
  credential: string;
}

type Misbehaviour = (call: Call, response: ServerResponse) => void;

export interface Upstream {
  /** Where calls go that are not refused. */
  url: string;
  /** Of https. */
  ca?: string;
  /** Credentials as the sandbox knows them. */
  translate?: (body: string) => string;
}

export class EchoingSystems {
  /** Everything that callers have sent. */
  readonly received: { system: EchoingSystem; headers: string; body: string }[] = [];
  private readonly server: Server;
  private readonly waiting: Record<EchoingSystem, Misbehaviour[]>;

  private constructor(private readonly upstreams: Partial<Record<EchoingSystem, Upstream>>) {
    this.waiting = misbehaviours();
    this.server = createServer((incoming, response) => void this.serve(incoming, response));
  }

  static async start(upstreams: Partial<Record<EchoingSystem, Upstream>>): Promise<EchoingSystems> {
    const systems = new EchoingSystems(upstreams);
    systems.server.listen(0, '127.0.0.1');
    await once(systems.server, 'listening');
    return systems;
  }

  url(system: EchoingSystem): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/${system}`;
  }

  /** How many refusals have not been needed yet. */
  left(): Record<string, number> {
    const counts = Object.entries(this.waiting).map(([system, left]) => [system, left.length] as const);
    return Object.fromEntries(counts.filter(([, left]) => left > 0));
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private async serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of incoming) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces).toString();
    const [, system = '', rest = ''] = /^\/([a-z]+)(.*)$/.exec(incoming.url ?? '') ?? [];
    const call = callOf(system as EchoingSystem, incoming, body);
    this.received.push({ system: call.system, headers: JSON.stringify(incoming.headers), body });
    const refuse = this.waiting[call.system].shift();
    if (refuse !== undefined) return refuse(call, response);
    const upstream = this.upstreams[call.system];
    if (upstream === undefined) response.writeHead(204).end();
    else handOn(upstream, rest, incoming, upstream.translate?.(body) ?? body, response);
  }
}

function callOf(system: EchoingSystem, { headers }: IncomingMessage, body: string): Call {
  const authorization = headers.authorization ?? '';
  const basic = Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString();
  const credential = authorization.startsWith('Basic ')
    ? basic.slice(basic.indexOf(':') + 1)
    : authorization.replace(/^Bearer /, '') || String(headers['aps-token'] ?? '') || formValues(body);
  const echo = [
    `you sent ${JSON.stringify(headers)}`,
    credential,
    encodeURIComponent(credential),
    Buffer.from(credential).toString('base64'),
    Buffer.from(credential).toString('hex'),
    body.slice(0, 2_000),
  ].join(' ');
  return { system, headers, body, echo, credential };
}

/** A form's values, as a token service would quote them. */
const formValues = (body: string): string =>
  body.includes('client_secret=') ? [...new URLSearchParams(body).values()].join(' ') : '';

function handOn(
  { url, ca }: Upstream,
  rest: string,
  { method, headers }: IncomingMessage,
  body: string,
  response: ServerResponse,
): void {
  const send = url.startsWith('https:') ? httpsRequest : httpRequest;
  const length = body && { 'content-length': String(Buffer.byteLength(body)) };
  const outgoing = send(
    `${url.replace(/\/$/, '')}${rest}`,
    { method, headers: { ...headers, host: new URL(url).host, ...length }, ca },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  outgoing.on('error', (error) => response.writeHead(502).end(String(error)));
  outgoing.end(body);
}

const xml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const answer =
  (status: number, type: string, text: (call: Call) => string): Misbehaviour =>
  (call, response) =>
    void response.writeHead(status, { 'content-type': type }).end(text(call));
const xmlAnswer = (inner: (call: Call) => string): Misbehaviour =>
  answer(200, 'text/xml', (call) => `<?xml version="1.0"?><methodResponse>${inner(call)}</methodResponse>`);
const fault = (text: (call: Call) => string): Misbehaviour =>
  xmlAnswer(
    (call) =>
      `<fault><value><struct><member><name>faultCode</name><value><i4>1</i4></value></member>` +
      `<member><name>faultString</name><value><string>${xml(text(call))}</string></value></member></struct></value></fault>`,
  );
const value = (inner: (call: Call) => string): Misbehaviour =>
  xmlAnswer((call) => `<params><param><value>${inner(call)}</value></param></params>`);

const unauthorised = answer(401, 'text/html', ({ echo }) => `<h1>401</h1>${echo}`);
const broken = answer(500, 'text/html', ({ echo }) => `<h1>500</h1><pre>${echo}</pre>`);
const elsewhere: Misbehaviour = ({ echo }, response) =>
  void response.writeHead(302, { location: `https://sso.example/?back=${encodeURIComponent(echo)}` }).end();
const noHttp: Misbehaviour = ({ credential }, response) => void response.socket?.end(`${credential}\r\n\r\n`);

const xmlRpc = (): Misbehaviour[] => [
  unauthorised,
  fault(({ echo }) => `login of ${echo} failed`),
  // A long text is cut somewhere: here in the middle of the credential.
  fault(({ credential }) => `${'x'.repeat(940)} ${credential} ${credential} ${credential}`),
  broken,
  noHttp,
  elsewhere,
  xmlAnswer(({ credential }) => `<params><${credential}`),
  value(({ credential }) => `<i4>${xml(`no number: ${'x'.repeat(8)}${credential}`)}</i4>`),
];

const json = (status: number, body: (call: Call) => object): Misbehaviour =>
  answer(status, 'application/json', (call) => JSON.stringify(body(call)));

function misbehaviours(): Record<EchoingSystem, Misbehaviour[]> {
  return {
    operations: [
      ...xmlRpc(),
      value(
        ({ echo }) =>
          `<struct><member><name>status</name><value><i4>-1</i4></value></member>` +
          `<member><name>error_message</name><value><string>${xml(echo)}</string></value></member></struct>`,
      ),
    ],
    billing: [
      ...xmlRpc(),
      value(
        ({ echo }) =>
          `<struct><member><name>Result</name><value><array><data><value><string>` +
          `${Buffer.from(echo).toString('base64')}</string></value></data></array></value></member></struct>`,
      ),
    ],
    aps: [
      json(403, ({ echo }) => ({ error: 'Forbidden', message: echo })),
      json(400, ({ echo }) => ({ error: 'Conflict', message: echo })),
      json(500, ({ echo }) => ({ code: 500, message: echo })),
    ],
    login: [
      json(400, ({ echo }) => ({ error: 'invalid_grant', error_description: `AADSTS9002313: ${echo}` })),
      json(401, ({ credential }) => ({
        error: 'x',
        error_description: `${'x'.repeat(280)} ${credential}\nsecond line`,
      })),
      json(503, ({ echo }) => ({ error: 'temporarily_unavailable', error_description: echo })),
    ],
    partnercenter: [json(403, ({ echo }) => ({ code: '403', description: echo }))],
    graph: [json(401, ({ echo }) => ({ error: { code: 'InvalidAuthenticationToken', message: echo } }))],
    webhook: [unauthorised, broken],
  };
}
