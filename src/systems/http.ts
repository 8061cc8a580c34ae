/**
 * One HTTP exchange, with a deadline for the whole of it and a failure that says whether the request may have had an
 * effect. Connections are kept alive and shared by all requests that trust the same certificates.
 */
import { X509Certificate, constants } from 'node:crypto';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { Readable, Transform } from 'node:stream';
import tls from 'node:tls';
import zlib from 'node:zlib';
import { FAILURE } from '../contract/activities';
import { redact } from '../inventory/secrets';
import { NotText, readText } from '../inventory/text-file';
import { mendedHeadsOf } from './answer-heads';
import { timeLeft } from './patience';
import { SystemError, type SystemProblem } from './system-error';

/** How a system's certificate is judged. */
export interface Trust {
  /** PEM file with the only certificate authority that is trusted; without it the well-known ones are. */
  caFile?: string | undefined;
  /** `false` switches verification off. For a laboratory only. */
  verifyTls?: boolean | undefined;
  /** Speaks TLS as it was before 2018: TLS 1.0, old ciphers, renegotiation without its later safeguard. Absent where there is no such setting. */
  legacyTls?: boolean | undefined;
}

export interface HttpRequest extends Trust {
  /** Names for the failures: see SystemProblem. */
  system: string;
  call: string;
  object?: string | undefined;
  method: 'GET' | 'POST';
  /**
   * What only `asks` is sent again, once, where a kept connection turns out to be closed. What `changes` something has a connection of
   * its own, to which that cannot happen. GET asks and POST changes, unless said otherwise.
   */
  purpose?: 'asks' | 'changes';
  url: string;
  headers?: Record<string, string>;
  body?: string;
  /** Milliseconds from the beginning to the last byte of the answer; fewer where an activity ends before (./patience). */
  deadlineMs: number;
  /** Largest answer that is kept, in bytes. */
  maxBytes?: number;
  /** Takes the body of a 2xx answer piece by piece; it is then not kept, and may be of any size. */
  onChunk?: (chunk: Buffer) => void;
  signal?: AbortSignal;
}

export interface HttpAnswer {
  status: number;
  /** Value of a header, by its name in lower case. */
  header(name: string): string | undefined;
  body: Buffer;
}

const MIB = 1024 * 1024;
const DEFAULT_MAX_BYTES = 16 * MIB;
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Any HTTP status is an answer. Throws SystemError: `Unreachable` when nothing was sent, `OutcomeUnknown` when the
 * request was on its way, `MalformedAnswer` for what is not HTTP or too large; the signal's reason when it aborts.
 */
export async function exchange(request: HttpRequest): Promise<HttpAnswer> {
  const { purpose = request.method === 'GET' ? 'asks' : 'changes' } = request;
  const connect = await connectorFor(request);
  request.signal?.throwIfAborted();
  const endsAt = Date.now() + timeLeft(request.deadlineMs);
  const attempt = (kept: boolean): Promise<HttpAnswer> =>
    new Promise((resolve, reject) => {
      const deadlineMs = Math.max(1, endsAt - Date.now());
      new Exchange({ ...request, deadlineMs }, resolve, reject).begin(connect(kept));
    });
  if (purpose === 'changes') return attempt(false);
  try {
    return await attempt(true);
  } catch (error) {
    if (error instanceof KeptConnectionClosed) return attempt(false);
    throw error;
  }
}

/** Of a kept connection the other side had enough: it answered nothing on it. */
class KeptConnectionClosed extends Error {}

/** One attempt: an answer, or one of the failures above. */
class Exchange {
  private outgoing: ClientRequest | undefined;
  /** The connection stands and the request is written: from here on the outcome can be unknown. */
  private sent = false;
  private over = false;
  private answered = false;
  private readonly chunks: Buffer[] = [];
  private bytes = 0;
  private readonly timer: NodeJS.Timeout;
  private connecting: NodeJS.Timeout | undefined;
  private readonly onAbort = () => this.fail(this.request.signal?.reason as Error);

  constructor(
    private readonly request: HttpRequest,
    private readonly resolve: (answer: HttpAnswer) => void,
    private readonly reject: (error: Error) => void,
  ) {
    this.timer = setTimeout(() => this.fail(this.deadlinePassed(request.deadlineMs)), request.deadlineMs);
    request.signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  begin(agent: http.Agent): void {
    try {
      this.send(agent);
    } catch (error) {
      // What no header can carry is refused before anything is sent.
      this.fail(this.classify(error as Error));
    }
  }

  private send(agent: http.Agent): void {
    const { url, method, headers, body } = this.request;
    const target = new URL(url);
    const secure = target.protocol === 'https:';
    const outgoing = (secure ? https : http).request(target, {
      method,
      agent,
      auth: null,
      // Folded headers, line feeds alone, a length beside chunks: the systems are old.
      insecureHTTPParser: true,
      headers: {
        'user-agent': 'onward',
        ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
        ...headers,
      },
    });
    this.outgoing = outgoing;
    outgoing.on('socket', (socket) => this.onSocket(socket, outgoing, secure));
    outgoing.on('response', (incoming) => this.onResponse(incoming));
    outgoing.on('error', (error) => void this.onError(error, outgoing));
    outgoing.end(body);
  }

  private onSocket(socket: Socket, outgoing: ClientRequest, secure: boolean): void {
    mendedHeadsOf(socket).expectHead();
    if (outgoing.reusedSocket) {
      this.sent = true;
      return;
    }
    this.connecting = setTimeout(() => this.fail(this.deadlinePassed(CONNECT_TIMEOUT_MS)), CONNECT_TIMEOUT_MS);
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      clearTimeout(this.connecting);
      this.sent = true;
    });
  }

  private onResponse(incoming: IncomingMessage): void {
    this.answered = true;
    answering.add(originOf(this.request));
    incoming.on('error', (error) => this.fail(this.classify(error)));
    // What an answer is packed with shows in its first bytes, if it has any.
    incoming.once('readable', () => this.unpack(incoming));
  }

  private unpack(incoming: IncomingMessage): void {
    const start = incoming.read() as Buffer | null;
    if (start !== null) incoming.unshift(start);
    const named = incoming.headers['content-encoding'] ?? '';
    // In the order in which they were applied.
    const encodings = named
      .split(',')
      .map((name) => name.trim().toLowerCase())
      .filter((name) => !['', 'identity'].includes(name));
    let body: Readable = incoming;
    for (const encoding of start === null ? [] : encodings.reverse()) {
      const decoder = decoderOf(encoding, body === incoming ? start : null);
      if (decoder === undefined) return this.fail(this.unreadable(`is encoded as ${redact(encoding)}`));
      decoder.on('error', (error) => this.fail(this.unreadable(`is no ${encoding}`, error)));
      body = body.pipe(decoder);
    }
    const status = incoming.statusCode ?? 0;
    body.on('data', (chunk: Buffer) => this.onData(status, chunk));
    body.on('end', () => {
      if (this.over) return;
      this.finish();
      const header = (name: string) => [incoming.headers[name]].flat()[0];
      const answer = { status, header, body: Buffer.concat(this.chunks) };
      if (toldToSpeakTls(this.request, answer)) this.reject(speaksTls(this.request));
      else this.resolve(answer);
    });
  }

  private onData(status: number, chunk: Buffer): void {
    if (this.over) return;
    if (this.request.onChunk && status >= 200 && status < 300) return this.request.onChunk(chunk);
    this.bytes += chunk.length;
    const limit = this.request.maxBytes ?? DEFAULT_MAX_BYTES;
    if (this.bytes > limit) return this.fail(this.tooLarge(limit));
    this.chunks.push(chunk);
  }

  private async onError(error: Error, outgoing: ClientRequest): Promise<void> {
    if (this.over) return;
    const silent = this.sent && !this.answered && LOST.has(codeOf(error));
    if (silent && outgoing.reusedSocket) return this.fail(new KeptConnectionClosed());
    if (silent && (await turnsOutToSpeakTls(this.request))) return this.fail(speaksTls(this.request, error));
    this.fail(this.classify(error));
  }

  private fail(reason: Error): void {
    if (this.over) return;
    this.finish();
    this.outgoing?.destroy();
    this.reject(reason);
  }

  private finish(): void {
    this.over = true;
    clearTimeout(this.timer);
    clearTimeout(this.connecting);
    this.request.signal?.removeEventListener('abort', this.onAbort);
  }

  /** What to do where nobody knows what the system made of the request. */
  private get afterSilence(): string {
    return this.request.method === 'GET'
      ? 'It has changed nothing: look whether the system is overloaded before repeating.'
      : 'It may have had its effect: look at the object before repeating.';
  }

  private deadlinePassed(afterMs: number): Error {
    const within = `within ${Math.round(afterMs) / 1000} s`;
    return this.sent
      ? problemOf(this.request, {
          type: FAILURE.outcomeUnknown,
          problem: `got no complete answer ${within}`,
          next: this.afterSilence,
        })
      : problemOf(this.request, {
          type: FAILURE.unreachable,
          problem: `found no connection to ${hostOf(this.request)} ${within}`,
          next: 'Check that the system runs and that no firewall is between it and this worker.',
        });
  }

  private tooLarge(limit: number): Error {
    return problemOf(this.request, {
      type: FAILURE.malformedAnswer,
      problem: `answered more than ${Math.floor(limit / MIB)} MiB`,
      next: 'Check that the URL in the inventory is that of the system and not of something else.',
    });
  }

  private unreadable(problem: string, cause?: Error): Error {
    return problemOf(
      this.request,
      {
        type: FAILURE.malformedAnswer,
        problem: `got an answer that cannot be unpacked: it ${problem}`,
        next: 'Check what is between this worker and the system: Onward does not ask for packed answers.',
      },
      cause,
    );
  }

  private classify(error: Error): Error {
    const code = codeOf(error);
    if (!this.sent) return notSent(this.request, error, code);
    if (startsAsTls(error)) return speaksTls(this.request, error);
    if (code.startsWith('HPE_') && !LOST.has(code)) {
      return problemOf(
        this.request,
        {
          type: FAILURE.malformedAnswer,
          problem: `got an answer that is not HTTP (${error.message})`,
          next: 'Check protocol and port of the URL in the inventory.',
        },
        error,
      );
    }
    return problemOf(
      this.request,
      {
        type: FAILURE.outcomeUnknown,
        problem: `lost the connection after the request was sent (${code})`,
        next: this.afterSilence,
      },
      error,
    );
  }
}

/** How a connection ends that nobody answers on, or not to the end. */
const LOST = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'HPE_INVALID_EOF_STATE']);

/** Undefined for an encoding that nobody knows here. @param start of what is packed. */
function decoderOf(encoding: string, start: Buffer | null): Transform | undefined {
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return zlib.createGunzip();
    case 'deflate':
      // Old servers leave the two bytes out that have to come first.
      return start !== null && ((start[0] ?? 0) & 0x0f) !== 8 ? zlib.createInflateRaw() : zlib.createInflate();
    case 'br':
      return zlib.createBrotliDecompress();
    default:
      return undefined;
  }
}

/** Origins that have answered: whoever speaks plain HTTP once is not asked whether it speaks TLS. */
const answering = new Set<string>();
const originOf = (request: HttpRequest): string => new URL(request.url).origin;

/** Servers say it in a page, in a TLS alert instead of an answer, or not at all. */
function toldToSpeakTls(request: HttpRequest, { status, body }: HttpAnswer): boolean {
  return (
    status === 400 &&
    request.url.startsWith('http:') &&
    /HTTP request (was sent )?to an? (HTTPS|SSL)|plain HTTP to an SSL|requires TLS/i.test(body.toString('latin1'))
  );
}

const TLS_RECORD = new Set([0x15, 0x16]);
const startsAsTls = (error: Error): boolean => {
  const { rawPacket } = error as { rawPacket?: Buffer };
  return rawPacket !== undefined && TLS_RECORD.has(rawPacket[0] ?? 0) && rawPacket[1] === 3;
};

const TLS_LOOK_MS = 2_000;

/** Asks the port itself, where it hung up on plain HTTP: whether it ends a TLS handshake, whoever it says that it is. */
async function turnsOutToSpeakTls(request: HttpRequest): Promise<boolean> {
  const { protocol, hostname, port, origin } = new URL(request.url);
  if (protocol !== 'http:' || answering.has(origin)) return false;
  return new Promise((resolve) => {
    const socket = tls.connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || 80),
      rejectUnauthorized: false,
      timeout: TLS_LOOK_MS,
    });
    const answer = (speaks: boolean) => {
      resolve(speaks);
      socket.destroy();
    };
    socket.once('secureConnect', () => answer(true));
    socket.once('timeout', () => answer(false));
    socket.once('error', () => answer(false));
    socket.once('close', () => answer(false));
  });
}

function speaksTls(request: HttpRequest, cause?: Error): SystemError {
  const host = hostOf(request);
  return problemOf(
    request,
    {
      type: FAILURE.unreachable,
      problem: `was not read: ${host} speaks TLS, and the URL in the inventory begins with http://${host}`,
      next: `Write https://${host} there.`,
    },
    cause,
  );
}

function notSent(request: HttpRequest, error: Error, code: string): Error {
  const host = hostOf(request);
  const unreachable = (problem: string, next: string) =>
    problemOf(request, { type: FAILURE.unreachable, problem, next }, error);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return unreachable(
      `was not sent: the name ${host} does not resolve (${code})`,
      'Check the URL in the inventory and the name service of this worker.',
    );
  }
  const said = redact(error.message).split('\n', 1)[0] ?? '';
  const tlsFailed = `was not sent: no trusted TLS connection to ${host} (${code}: ${said})`;
  if (request.legacyTls === false && OLD_TLS.test(said)) {
    return unreachable(
      `${tlsFailed}: it speaks TLS only as it was before 2018`,
      'Have its TLS brought up to date. Until then, legacyTls: true beside its url in the inventory allows it, for this one system.',
    );
  }
  if (/wrong version number|packet length too long/i.test(said)) {
    return unreachable(
      `${tlsFailed}: it speaks no TLS`,
      `Check the port of the URL in the inventory; if the system has no TLS, write http://${host} there.`,
    );
  }
  if (/^(ERR_TLS|ERR_SSL|EPROTO|HOSTNAME_MISMATCH)|CERT|SELF_SIGNED|UNABLE_TO_/.test(code)) {
    return unreachable(
      tlsFailed,
      'Check that it speaks TLS, and name the authority that signed its certificate as caFile in the inventory.',
    );
  }
  return unreachable(
    `was not sent: no connection to ${host} (${code})`,
    'Check that the system runs, that the URL in the inventory is right, and that no firewall is in between.',
  );
}

/** What OpenSSL says of a server that knows nothing newer. */
const OLD_TLS =
  /unsafe legacy renegotiation|unsupported protocol|protocol version|(dh|ee|ca) key too (small|weak)|md too weak|handshake failure|wrong signature type|no protocols available/i;

/** The failure that an answer outside 2xx stands for; a redirect is named with where it leads. Only where paths are no secrets. */
export function answerFailure(request: HttpRequest, answer: HttpAnswer, detail?: string): SystemError {
  const location = answer.header('location');
  if (!isRedirect(answer.status) || location === undefined) return statusFailure(request, answer.status, detail);
  const to = URL.canParse(location, request.url) ? withoutCredentials(new URL(location, request.url).href) : location;
  return problemOf(request, {
    type: FAILURE.rejected,
    problem: `was answered with a redirect to ${to} (HTTP ${answer.status})`,
    next: 'Onward follows none: if that is the address of the system, write it as its url in the inventory.',
  });
}

const isRedirect = (status: number): boolean => status >= 300 && status < 400 && status !== 304;

/** The failure that an HTTP status outside 2xx stands for; `detail` is what the system says about it. */
export function statusFailure(request: HttpRequest, status: number, detail?: string): SystemError {
  const answered = `was answered with HTTP ${status}${detail ? `: ${detail}` : ''}`;
  if (status === 401 || status === 403 || status === 407) {
    return problemOf(request, {
      type: FAILURE.accessDenied,
      problem: answered,
      next: 'Check the credentials and their rights, and that the system accepts connections from this worker.',
    });
  }
  if (isRedirect(status)) {
    return problemOf(request, {
      type: FAILURE.rejected,
      problem: `${answered}, a redirect`,
      next: 'Onward follows none: write the address that it leads to as the URL in the inventory.',
    });
  }
  if (status === 429) {
    return problemOf(request, {
      type: FAILURE.unreachable,
      problem: answered,
      next: 'It is repeated later.',
    });
  }
  if (status >= 400 && status < 500 && status !== 408) {
    return problemOf(request, {
      type: FAILURE.rejected,
      problem: answered,
      next: 'Check the URL in the inventory and what the message names.',
    });
  }
  return problemOf(request, {
    type: FAILURE.malformedAnswer,
    problem: answered,
    next: 'It is repeated; if it stays so, look into the logs of the system.',
  });
}

function problemOf(
  { system, call, object }: HttpRequest,
  problem: Pick<SystemProblem, 'type' | 'problem' | 'next'>,
  cause?: Error,
): SystemError {
  return new SystemError({ system, call, object, ...problem }, cause && { cause });
}

/** A URL as it may be shown: user, password and query, which may hold a signature, are left out. */
export function withoutCredentials(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

const hostOf = (request: HttpRequest): string => new URL(request.url).host;

function codeOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : error.name;
}

const agents = new Map<string, http.Agent>();
/** Kept connections are closed before most servers do it. */
const KEPT_MS = 4_000;
/** What OpenSSL no longer does unasked. Certificates are judged as ever. */
const LEGACY_TLS = {
  minVersion: 'TLSv1',
  ciphers: 'DEFAULT@SECLEVEL=0',
  secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT,
} as const;

/** Where a connection comes from: one that is kept, or one of the request's own. */
async function connectorFor(request: HttpRequest): Promise<(kept: boolean) => http.Agent> {
  const { verifyTls = true, legacyTls = false } = request;
  const ca = request.caFile === undefined ? undefined : await readCertificates(request, request.caFile);
  const { protocol } = new URL(request.url);
  return (kept) => {
    const key = JSON.stringify([protocol, kept, verifyTls, legacyTls, ca]);
    const existing = agents.get(key);
    if (existing) return existing;
    const how = kept ? { keepAlive: true, timeout: KEPT_MS } : { keepAlive: false };
    const trust = { rejectUnauthorized: verifyTls, ...(ca !== undefined && { ca }), ...(legacyTls && LEGACY_TLS) };
    const agent = protocol === 'https:' ? new https.Agent({ ...how, ...trust }) : new http.Agent(how);
    agents.set(key, agent);
    return agent;
  };
}

/** Read for every request, so that a renewed certificate authority needs no restart. */
async function readCertificates(request: HttpRequest, caFile: string): Promise<string> {
  try {
    const pem = await readText(caFile);
    // TLS would ignore a file without certificates and then trust nobody.
    new X509Certificate(pem);
    return pem;
  } catch (error) {
    throw problemOf(request, {
      type: FAILURE.invalidInventory,
      problem: `was not sent: the caFile ${caFile} gives no certificate (${error instanceof NotText ? error.message : codeOf(error as Error)})`,
      next: 'The file must exist on this worker, be readable by it, and hold a certificate in PEM: certutil -encode makes it of a .cer.',
    });
  }
}

/** Closes the connections of this process, idle or not. */
export function closeConnections(): void {
  for (const agent of agents.values()) agent.destroy();
  agents.clear();
}
