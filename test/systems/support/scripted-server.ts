/** A server that answers what a test says, and keeps what it was asked. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import {
  createServer as createSocketServer,
  type AddressInfo,
  type Server as SocketServer,
  type Socket,
} from 'node:net';
import { XmlRpcFault, decodeCall, encodeFault, encodeResponse, type XmlRpcValue } from '../../../src/systems/xmlrpc';

export interface Asked {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
  /** Cuts the connection instead of answering. */
  reset(): void;
}

export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

/** No answer at all. */
export const SILENCE = Symbol('silence');

export type Answering = (asked: Asked) => Answer | typeof SILENCE;

export interface ScriptedServer {
  url: string;
  asked: Asked[];
  /** How many connections there have been. */
  connections(): number;
  close(): Promise<void>;
}

export async function scriptedServer(answering: Answering, tls?: ServerOptions): Promise<ScriptedServer> {
  const asked: Asked[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const current: Asked = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
        reset: () => request.socket.resetAndDestroy(),
      };
      asked.push(current);
      const answer = answering(current);
      if (answer !== SILENCE) response.writeHead(answer.status ?? 200, answer.headers).end(answer.body ?? '');
    });
  };
  const server: Server = tls ? createTlsServer(tls, listener) : createServer(listener);
  // A connection is closed by who is tested, however slow the machine is.
  server.keepAliveTimeout = 0;
  const { address, connections, close } = await listening(server);
  return { url: `http${tls ? 's' : ''}://${address}/`, asked, connections, close };
}

/** A server that speaks no HTTP. */
export function socketServer(onSocket: (socket: Socket) => void) {
  return listening(createSocketServer(onSocket));
}

async function listening(server: SocketServer) {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    connections: () => sockets.size,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Answers calls by their method; a thrown XmlRpcFault becomes a fault, `Answer`s go out as they are. */
export function answeringCalls(
  methods: (method: string, args: XmlRpcValue, asked: Asked) => XmlRpcValue | RawAnswer | typeof SILENCE,
): Answering {
  return (asked) => {
    const { method, params } = decodeCall(asked.body);
    try {
      const value = methods(method, params[0] ?? null, asked);
      if (value === SILENCE) return SILENCE;
      if (value instanceof RawAnswer) return value.answer;
      return { headers: { 'content-type': 'text/xml' }, body: encodeResponse(value) };
    } catch (error) {
      if (!(error instanceof XmlRpcFault)) throw error;
      return { headers: { 'content-type': 'text/xml' }, body: encodeFault(error.code, error.text) };
    }
  };
}

export class RawAnswer {
  constructor(readonly answer: Answer) {}
}
