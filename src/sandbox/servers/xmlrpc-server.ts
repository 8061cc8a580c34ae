/** What Operations and Billing share: XML-RPC over HTTP for several providers on one port. */
import { fastify, type FastifyInstance, type FastifyRequest } from 'fastify';
import { MOST_XML } from '../../systems/xml';
import { decodeCall, encodeFault, encodeResponse, MalformedXmlRpc, type XmlRpcValue } from '../../systems/xmlrpc';
import type { JournalSystem } from '../journal';
import type { TaskFate } from '../world/packages';
import type { Login, Provider } from '../world/state';
import { UnknownObject, type World } from '../world/world';
import { mayEnter } from './login';
import type { Answer, Wire } from './wire';

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

export function xmlRpcServer(world: World, wire: Wire, dialect: Dialect): FastifyInstance {
  const app = fastify({ bodyLimit: MOST_XML, forceCloseConnections: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(['text/xml', 'application/xml'], { parseAs: 'string' }, (_, body, done) => done(null, body));
  for (const path of ['/:provider/RPC2', '/:provider/', '/:provider']) {
    app.post<{ Params: { provider: string }; Body: string }>(path, async (request, reply) => {
      const provider = lookUp(world, request.params.provider);
      if (!provider) {
        return reply
          .code(404)
          .type('text/html')
          .send(`<h1>404: no provider '${escape(request.params.provider)}'</h1>`);
      }
      if (!mayEnter(dialect.login(provider), request.headers.authorization)) {
        return wire.serve(reply, { system: dialect.system, provider: provider.id, name: 'login' }, unauthorized);
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
        { system: dialect.system, provider: provider.id, ...about },
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
  }
  return app;
}

function lookUp(world: World, id: string): Provider | undefined {
  try {
    return world.provider(id);
  } catch (error) {
    if (error instanceof UnknownObject) return undefined;
    throw error;
  }
}

function understood(request: FastifyRequest<{ Body: string }>): ReturnType<typeof decodeCall> | MalformedXmlRpc {
  try {
    return decodeCall(request.body ?? '');
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

export function isStruct(value: XmlRpcValue | undefined): value is Struct {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !Buffer.isBuffer(value) &&
    !(value instanceof Date)
  );
}
