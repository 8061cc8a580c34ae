import { FAILURE } from '../contract/activities';
import type { OperationsConnection } from '../contract/provider';
import { counted } from './calls';
import { answerFailure, exchange, type HttpAnswer, type HttpRequest } from './http';
import { SystemError } from './system-error';
import { MOST_XML, decodeXmlText } from './xml';
import { decodeResponse, encodeCall, MalformedXmlRpc, XmlRpcFault, type XmlRpcValue } from './xmlrpc';

/** Gives the value behind a reference: `env:NAME`, `file:/path`. */
export type ResolveSecret = (reference: string) => Promise<string>;

export interface CallOptions {
  /** What the call is about, for failures: `service template 16`. */
  object?: string | undefined;
  /** Milliseconds for the whole exchange; 60 000 by default, the longest that public clients wait (systems.md 1.1). */
  deadlineMs?: number | undefined;
  /** Absent: it changes something. */
  purpose?: HttpRequest['purpose'];
}

/** How a system speaks of errors. */
export interface Errors {
  /** Makes the text of a fault readable. */
  readFault: (text: string) => string;
  /** What an answer says of an error; undefined for a success. Whatever else is wrong with the answer does not matter then. */
  errorIn: (answer: XmlRpcValue) => NamedError | undefined;
  /** What a person can do about one. */
  next: string;
}

export interface NamedError {
  words: string;
  /** The system's own number for it. */
  code?: number | undefined;
}

/** Where nothing was said. */
const WORDLESS = 'without a message';

const DEFAULT_DEADLINE_MS = 60_000;

/** An XML-RPC server over HTTP with Basic authentication, as Operations and Billing are (systems.md 1.1, 3.1). */
export class XmlRpcEndpoint {
  constructor(
    private readonly system: string,
    private readonly connection: OperationsConnection,
    private readonly resolveSecret: ResolveSecret,
    private readonly errors: Errors,
  ) {}

  /**
   * Calls `method`; `name` is what failures call it. Throws SystemError: as `exchange` does, `AccessDenied` for 401,
   * `Rejected` for a fault and for what the system calls an error, `MalformedAnswer` for what is no XML-RPC.
   */
  async call(
    method: string,
    params: XmlRpcValue[],
    options: CallOptions & { name?: string } = {},
  ): Promise<XmlRpcValue> {
    const request: HttpRequest = {
      system: this.system,
      call: options.name ?? method,
      object: options.object,
      method: 'POST',
      purpose: options.purpose ?? 'changes',
      url: this.connection.url,
      headers: { 'content-type': 'text/xml; charset=utf-8', ...(await this.authorization()) },
      body: encodeCall(method, params),
      caFile: this.connection.caFile,
      verifyTls: this.connection.verifyTls,
      legacyTls: this.connection.legacyTls,
      deadlineMs: options.deadlineMs ?? DEFAULT_DEADLINE_MS,
      maxBytes: MOST_XML,
    };
    return await counted(this.system, async () => this.judge(request, await exchange(request)));
  }

  /** An error that the system names in XML-RPC comes before everything else that is to be said of an answer. */
  private judge(request: HttpRequest, answer: HttpAnswer): XmlRpcValue {
    const read = this.read(decodeXmlText(answer.body, answer.header('content-type')));
    const { system, call, object } = request;
    if (answer.status !== 200 && answer.status !== 500) {
      throw answerFailure(request, answer, 'words' in read ? read.words : undefined);
    }
    if ('words' in read) {
      const { words, code, fault } = read;
      const problem = fault === undefined ? `was refused: ${words}` : `was refused with fault ${fault}: ${words}`;
      throw new SystemError({ type: FAILURE.rejected, system, call, object, problem, code, next: this.errors.next });
    }
    if (answer.status !== 200) throw answerFailure(request, answer);
    if ('value' in read) return read.value;
    throw new SystemError({
      type: FAILURE.malformedAnswer,
      system,
      call,
      object,
      problem: `got an answer that is no XML-RPC: ${read.malformed}`,
      next: 'Check that the URL in the inventory is that of the XML-RPC API.',
    });
  }

  private read(
    xml: string,
  ): { value: XmlRpcValue } | (NamedError & { fault?: number | string }) | { malformed: string } {
    try {
      const value = decodeResponse(xml);
      const error = this.errors.errorIn(value);
      return error === undefined ? { value } : { ...error, words: error.words || WORDLESS };
    } catch (error) {
      if (error instanceof MalformedXmlRpc) return { malformed: error.message };
      if (!(error instanceof XmlRpcFault)) throw error;
      return { words: this.errors.readFault(error.text) || WORDLESS, fault: error.code };
    }
  }

  private async authorization(): Promise<Record<string, string>> {
    const { user, password } = this.connection;
    if (user === undefined || password === undefined) return {};
    const credentials = `${user}:${await this.resolveSecret(password)}`;
    return { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
  }
}
