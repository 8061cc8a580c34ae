/**
 * One HTTP exchange, with a deadline for the whole of it and a failure that says whether the request may have had an
 * effect. Connections are kept alive and shared by all requests that trust the same certificates.
 */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Agent, Dispatcher } from 'undici';
import { FAILURE } from '../contract/activities';
import { redact } from '../inventory/secrets';
import { timeLeft } from './patience';
import { SystemError, type SystemProblem } from './system-error';

/** How a system's certificate is judged. */
export interface Trust {
  /** PEM file with the only certificate authority that is trusted; without it the well-known ones are. */
  caFile?: string | undefined;
  /** `false` switches verification off. For a laboratory only. */
  verifyTls?: boolean | undefined;
}

export interface HttpRequest extends Trust {
  /** Names for the failures: see SystemProblem. */
  system: string;
  call: string;
  object?: string | undefined;
  method: 'GET' | 'POST';
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
  const agent = await agentFor(request);
  request.signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const deadlineMs = timeLeft(request.deadlineMs);
    const handler = new ExchangeHandler({ ...request, deadlineMs }, resolve, reject);
    const url = new URL(request.url);
    agent.dispatch(
      {
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: request.method,
        headers: { 'user-agent': 'onward', ...request.headers },
        body: request.body ?? null,
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      handler,
    );
  });
}

/** Tells an undici dispatch apart into an answer or one of the failures above. */
class ExchangeHandler implements Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | undefined;
  private over: Error | undefined;
  private status = 0;
  private headers: Record<string, string | string[] | undefined> = {};
  private readonly chunks: Buffer[] = [];
  private bytes = 0;
  private readonly timer: NodeJS.Timeout;
  private readonly onAbort = () => this.stop(this.request.signal?.reason as Error);

  constructor(
    private readonly request: HttpRequest,
    private readonly resolve: (answer: HttpAnswer) => void,
    private readonly reject: (error: Error) => void,
  ) {
    this.timer = setTimeout(() => this.stop(this.deadlinePassed()), request.deadlineMs);
    request.signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  /** The connection stands and the request is about to be written: from here on the outcome can be unknown. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.over) controller.abort(this.over);
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: typeof this.headers): void {
    this.status = status;
    this.headers = headers;
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.request.onChunk && this.status >= 200 && this.status < 300) return this.request.onChunk(chunk);
    this.bytes += chunk.length;
    const limit = this.request.maxBytes ?? DEFAULT_MAX_BYTES;
    if (this.bytes > limit) return this.stop(this.tooLarge(limit));
    this.chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.finish();
    this.resolve({
      status: this.status,
      header: (name) => [this.headers[name]].flat()[0],
      body: Buffer.concat(this.chunks),
    });
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.finish();
    this.reject(this.over ?? this.classify(error));
  }

  private stop(reason: Error): void {
    if (this.over) return;
    this.over = reason;
    this.finish();
    this.controller?.abort(reason);
    this.reject(reason);
  }

  private finish(): void {
    clearTimeout(this.timer);
    this.request.signal?.removeEventListener('abort', this.onAbort);
  }

  /** What to do where nobody knows what the system made of the request. */
  private get afterSilence(): string {
    return this.request.method === 'GET'
      ? 'It has changed nothing: look whether the system is overloaded before repeating.'
      : 'It may have had its effect: look at the object before repeating.';
  }

  private deadlinePassed(): Error {
    const within = `within ${Math.round(this.request.deadlineMs) / 1000} s`;
    return this.controller
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

  private classify(error: Error): Error {
    const code = codeOf(error);
    if (!this.controller) return notSent(this.request, error, code);
    if (NOT_HTTP.has(error.name)) {
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
  if (/^(ERR_TLS|ERR_SSL|EPROTO|HOSTNAME_MISMATCH)|CERT|SELF_SIGNED|UNABLE_TO_/.test(code)) {
    return unreachable(
      `was not sent: no trusted TLS connection to ${host} (${code}: ${redact(error.message).split('\n', 1)[0]})`,
      'Check that it speaks TLS, and name the authority that signed its certificate as caFile in the inventory.',
    );
  }
  return unreachable(
    `was not sent: no connection to ${host} (${code})`,
    'Check that the system runs, that the URL in the inventory is right, and that no firewall is in between.',
  );
}

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

/** Names of undici's errors. */
const NOT_HTTP = new Set(['HTTPParserError', 'HeadersOverflowError']);

const hostOf = (request: HttpRequest): string => new URL(request.url).host;

function codeOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : error.name;
}

const agents = new Map<string, Agent>();

async function agentFor(request: HttpRequest): Promise<Agent> {
  const { verifyTls = true } = request;
  const ca = request.caFile === undefined ? undefined : await readCertificates(request, request.caFile);
  const key = `${verifyTls} ${ca ?? ''}`;
  // Loaded by whoever asks first: a tenth of the start of every worker.
  const { Agent } = await import('undici');
  const existing = agents.get(key);
  if (existing) return existing;
  const agent = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS, rejectUnauthorized: verifyTls, ...(ca === undefined ? {} : { ca }) },
  });
  agents.set(key, agent);
  return agent;
}

/** Read for every request, so that a renewed certificate authority needs no restart. */
async function readCertificates(request: HttpRequest, caFile: string): Promise<string> {
  try {
    const pem = await readFile(caFile, 'utf8');
    // TLS would ignore a file without certificates and then trust nobody.
    new X509Certificate(pem);
    return pem;
  } catch (error) {
    throw problemOf(request, {
      type: FAILURE.invalidInventory,
      problem: `was not sent: the caFile ${caFile} gives no certificate (${codeOf(error as Error)})`,
      next: 'The file must exist on this worker, be readable by it, and hold a certificate in PEM.',
    });
  }
}

/** Closes the kept connections of this process, idle or not. */
export async function closeConnections(): Promise<void> {
  const open = [...agents.values()];
  agents.clear();
  await Promise.all(open.map((agent) => agent.destroy()));
}
