/** What Operations and Billing share: XML-RPC over HTTP for several providers on one port. */
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { MOST_XML, decodeXmlText } from '../../systems/xml';
import { decodeCall, encodeFault, encodeResponse, MalformedXmlRpc, type XmlRpcValue } from '../../systems/xmlrpc';
import type { JournalSystem } from '../journal';
import type { TaskFate } from '../world/packages';
import type { Login, Provider } from '../world/state';
import { UnknownObject, type World } from '../world/world';
import { mayEnter } from './login';
import type { RootProvider } from './root-provider';
import { rewriteUrl, unreadable, type Answer, type Wire } from './wire';

export type Struct = { [name: string]: XmlRpcValue };

/** The call breaks the protocol, or the method's own rules of speaking of errors ask for a fault. */
export class ProtocolFault extends Error {
  override readonly name = 'ProtocolFault';
  constructor(
    readonly code: number,
    /** Goes onto the wire as it is. */
    readonly text: string,
  ) {
    super(text);
  }
}

/** Codes of the XML-RPC interoperability list. */
export const FAULT = { parse: -32700, unknownMethod: -32601, params: -32602, internal: -32500 } as const;

export interface Dialect {
  system: JournalSystem;
  login(provider: Provider): Login | undefined;
  /** What stands in the journal as the name of the call. */
  nameOf(method: string, params: XmlRpcValue[]): string;
  objectOf(method: string, params: XmlRpcValue[]): string | undefined;
  /** Throws {@link ProtocolFault}. `outcome` is for the journal. */
  execute(provider: Provider, method: string, params: XmlRpcValue[], fate: TaskFate): Promise<Result>;
  /** How the system writes the text of a fault. */
  faultText(text: string): string;
}

export interface Result {
  value: XmlRpcValue;
  outcome: string;
}

export interface ServedWorld {
  world: World;
  wire: Wire;
  root: RootProvider;
}

export function xmlRpcServer({ world, wire, root }: ServedWorld, dialect: Dialect): FastifyInstance {
  const { system } = dialect;
  const page = (status: number, text: string): Answer => ({
    status,
    type: 'text/html',
    body: `<html><body><h1>${status} ${escape(text)}</h1></body></html>`,
    outcome: String(status),
  });
  const refuse = (request: FastifyRequest, reply: FastifyReply, answer: Answer) => {
    const name = `${request.method} ${pathOf(request)}`;
    return wire.serve(reply, { system, name }, { perform: () => answer, fault: () => answer });
  };
  const refuseBroken = (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const { statusCode = 500, message } = error as Error & { statusCode?: number };
    return refuse(request, reply, page(statusCode, message));
  };
  const app = fastify({
    bodyLimit: MOST_XML,
    forceCloseConnections: true,
    rewriteUrl,
    clientErrorHandler: unreadable(wire, system, 'text/html'),
    frameworkErrors: (error, request, reply) => void refuseBroken(error, request, reply as FastifyReply),
  });
  app.removeAllContentTypeParsers();
  // Whatever clients call it: `curl -d` says that it is a form (systems.md 1.1).
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
  app.setErrorHandler(refuseBroken);
  app.setNotFoundHandler((request, reply) => refuse(request, reply, page(405, 'Method Not Allowed')));
  app.post<{ Body: Buffer | undefined }>('*', async (request, reply) => {
    const provider = providerAt(world, root, pathOf(request));
    if (!provider) return refuse(request, reply, page(404, 'Not Found'));
    if (!mayEnter(dialect.login(provider), request.headers.authorization)) {
      return wire.serve(reply, { system, provider: provider.id, name: 'login' }, unauthorized);
    }
    const call = understood(request);
    const fault = (code: number, text: string): Answer => ({
      status: 200,
      type: 'text/xml',
      body: encodeFault(code, dialect.faultText(text)),
      outcome: `fault: ${text}`,
    });
    const about =
      call instanceof MalformedXmlRpc
        ? { name: 'unreadable' }
        : { name: dialect.nameOf(call.method, call.params), object: dialect.objectOf(call.method, call.params) };
    return wire.serve(
      reply,
      { system, provider: provider.id, ...about },
      {
        fault: () => fault(FAULT.internal, 'Internal error: the request was not processed.'),
        perform: async (fate) => {
          world.settle(provider);
          try {
            if (call instanceof MalformedXmlRpc) throw new ProtocolFault(FAULT.parse, call.message);
            const { value, outcome } = await dialect.execute(provider, call.method, call.params, fate);
            return { status: 200, type: 'text/xml', body: encodeResponse(value), outcome };
          } catch (error) {
            if (error instanceof ProtocolFault) return fault(error.code, error.text);
            throw error;
          }
        },
      },
    );
  });
  return app;
}

const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0] ?? '';

/** `/RPC2` and `/` at the root of the port, `/<provider>/RPC2` and `/<provider>` beside it. */
function providerAt(world: World, root: RootProvider, path: string): Provider | undefined {
  const [id, ...further] = path
    .replace(/\/RPC2\/*$/, '')
    .split('/')
    .filter((segment) => segment !== '');
  if (further.length > 0) return undefined;
  return id === undefined ? root() : lookUp(world, id);
}

function lookUp(world: World, id: string): Provider | undefined {
  try {
    return world.provider(id);
  } catch (error) {
    if (error instanceof UnknownObject) return undefined;
    throw error;
  }
}

function understood(
  request: FastifyRequest<{ Body: Buffer | undefined }>,
): ReturnType<typeof decodeCall> | MalformedXmlRpc {
  try {
    return decodeCall(decodeXmlText(request.body ?? Buffer.alloc(0), request.headers['content-type']));
  } catch (error) {
    if (error instanceof MalformedXmlRpc) return error;
    throw error;
  }
}

const denied: Answer = {
  status: 401,
  type: 'text/html',
  body: '<h1>401 Unauthorized</h1>',
  headers: { 'www-authenticate': 'Basic realm="Public API"' },
  outcome: '401',
};
const unauthorized = { perform: () => denied, fault: () => denied };

const escape = (text: string): string => text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
