/**
 * A codec server as Temporal's UI and CLI know it: they send it payloads, and it encrypts or decrypts them. Contents are
 * never logged.
 */
import type { AddressInfo } from 'node:net';
import type { Payload } from '@temporalio/common';
import { fastify, type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { redact } from '../inventory/secrets';
import { Undecryptable, type EncryptionCodec } from '../temporal/codec';
import { Access } from './access';
import { payloadsBody, payloadsJson } from './payload-json';
import { PAGE_HEADERS, signInPage } from './sign-in-page';

export interface CodecServerOptions {
  codec: EncryptionCodec;
  /** What callers have to know. */
  token: string;
  /** The one namespace whose payloads are converted. */
  namespace: string;
  /** Origins of Temporal's UI, `http://127.0.0.1:8233`: pages from anywhere else get nothing. */
  uiOrigins: readonly string[];
  /** Address to listen on; 127.0.0.1 by default. */
  host?: string;
  /** 0 for any free one, which is the default. */
  port?: number;
  /** Hears one line per request: who, what, and how it ended. */
  log?: (line: string) => void;
}

export interface CodecServer {
  /** `http://127.0.0.1:8888` */
  url: string;
  close(): Promise<void>;
}

const MIB = 1024 * 1024;
/** Temporal's own limit for a message is 4 MiB, which base64 makes a third larger. */
const LARGEST_BODY = 8 * MIB;
const LARGEST_FORM = 4096;
const REQUEST_DEADLINE_MS = 30_000;

/** What a caller did wrong, in words for the caller. */
class Refusal extends Error {
  constructor(
    readonly statusCode: number,
    message: string,
  ) {
    super(message);
  }
}

const unknownPath = (): Refusal =>
  new Refusal(
    404,
    'A codec server has POST /encode and /decode, the same below /for/<workflow id>, and GET / to sign in.',
  );

/** @throws the system's error when the port is taken. */
export async function startCodecServer(options: CodecServerOptions): Promise<CodecServer> {
  const { host = '127.0.0.1', port = 0 } = options;
  const app = codecServer(options);
  await app.listen({ host, port });
  const { address, family, port: chosen } = app.server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${chosen}`,
    close: () => app.close(),
  };
}

function codecServer({ codec, token, namespace, uiOrigins, log }: CodecServerOptions): FastifyInstance {
  const access = new Access(token);
  const app = fastify({ bodyLimit: LARGEST_BODY, requestTimeout: REQUEST_DEADLINE_MS, forceCloseConnections: true });

  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers;
    if (origin === undefined || isOwn(origin, request)) return;
    if (!uiOrigins.includes(origin)) throw new Refusal(403, `Pages of this origin may not use this codec server.`);
    allowOrigin(reply, origin);
  });
  app.addHook('onResponse', async (request, { statusCode }) => {
    log?.(`${request.ip} ${request.method} ${request.routeOptions.url ?? '(unknown path)'} ${statusCode}`);
  });
  app.setErrorHandler((error: FastifyError | Refusal | Undecryptable, _request, reply) => {
    const { status, message } = answerTo(error);
    if (status === 500) log?.(`failed: ${redact(error.stack ?? error.message)}`);
    return reply.code(status).type('text/plain; charset=utf-8').send(`${message}\n`);
  });
  app.setNotFoundHandler(() => {
    throw unknownPath();
  });

  const allowed = async ({ headers }: FastifyRequest): Promise<void> => {
    // A browser sends the cookie whoever asks; the origin, which is checked above, says that Temporal's UI does.
    const signedIn = headers.origin !== undefined && access.allowsCookie(headers.cookie);
    if (!signedIn && !access.allowsToken(headers.authorization)) {
      throw new Refusal(
        401,
        'The token is missing or wrong. The CLI sends it with --codec-auth "Bearer <token>"; for the UI open this codec server in the same browser and sign in.',
      );
    }
    // The CLI leaves the header empty where nobody has named a namespace.
    const asked = headers['x-namespace'] || namespace;
    if (asked !== namespace) {
      throw new Refusal(403, `This codec server serves the namespace ${namespace} and not the one in X-Namespace.`);
    }
  };
  const convert = async (what: string, body: unknown, reply: FastifyReply, workflowId?: string): Promise<unknown> => {
    const parsed = payloadsBody.safeParse(body);
    if (!parsed.success) throw new Refusal(400, `The body is not valid:\n${z.prettifyError(parsed.error)}`);
    const { payloads } = parsed.data;
    const converted = what === 'decode' ? await codec.decode(payloads) : await encoded(codec, payloads, workflowId);
    return reply.header('cache-control', 'no-store').send(payloadsJson(converted));
  };
  for (const what of ['encode', 'decode']) {
    app.post(`/${what}`, { onRequest: allowed }, ({ body }, reply) => convert(what, body, reply));
  }
  // The UI and the CLI send nothing that says which workflow is meant. Ids of workflows have slashes.
  app.post('/for/*', { onRequest: allowed }, ({ body, params }, reply) => {
    const [, workflowId, what] = /^(.+)\/(encode|decode)$/s.exec((params as { '*': string })['*']) ?? [];
    if (what === undefined) throw unknownPath();
    return convert(what, body, reply, workflowId);
  });
  for (const path of ['/encode', '/decode', '/for/*']) {
    app.options(path, async (_request, reply) => reply.code(204).send());
  }

  addSignIn(app, access);
  return app;
}

/** What nobody says the workflow of is encrypted for none, as long as workers take that. */
function encoded(codec: EncryptionCodec, payloads: Payload[], workflowId: string | undefined): Promise<Payload[]> {
  if (workflowId === undefined && codec.isLate) {
    throw new Refusal(
      422,
      'What is sent to a workflow is encrypted for it: end the address of the codec server with /for/<workflow id>, such as /for/upgrade/contoso.',
    );
  }
  return codec.encode(payloads, { workflowId });
}

function addSignIn(app: FastifyInstance, access: Access): void {
  const show = (reply: FastifyReply, status: number, message: string): FastifyReply =>
    reply.code(status).headers(PAGE_HEADERS).type('text/html; charset=utf-8').send(signInPage(message));
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: LARGEST_FORM },
    (_request, body, done) => done(null, new URLSearchParams(String(body))),
  );
  app.get('/', async (_request, reply) =>
    show(reply, 200, "Sign in here, then Temporal's UI in this browser shows encrypted payloads in clear."),
  );
  app.post('/sign-in', async ({ body }, reply) => {
    const cookie = access.signIn((body instanceof URLSearchParams && body.get('token')) || '');
    if (cookie === undefined) return show(reply, 401, 'That is not the token of this codec server.');
    void reply.header('set-cookie', cookie);
    return show(
      reply,
      200,
      "Signed in for twelve hours. Temporal's UI has to include cross-origin credentials (codec server settings).",
    );
  });
}

/** Whether this server's own page asks. Only the host is compared: a proxy in front may have changed the scheme. */
const isOwn = (origin: string, { host }: FastifyRequest): boolean =>
  URL.canParse(origin) && new URL(origin).host === host;

function allowOrigin(reply: FastifyReply, origin: string): void {
  void reply.headers({
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': 'authorization, authorization-extras, content-type, x-namespace',
    vary: 'origin',
  });
}

function answerTo(error: FastifyError | Refusal | Undecryptable): { status: number; message: string } {
  if (error instanceof Undecryptable) return { status: 422, message: error.message };
  const { statusCode = 500 } = error as { statusCode?: number };
  if (statusCode === 413) return { status: 413, message: `A request may have ${LARGEST_BODY / MIB} MiB at most.` };
  if (statusCode < 500) return { status: statusCode, message: error.message };
  return { status: 500, message: 'The codec server failed at this request; its log says how.' };
}
