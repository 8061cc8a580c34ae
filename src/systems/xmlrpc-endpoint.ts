import { FAILURE } from '../contract/activities';
import type { OperationsConnection } from '../contract/provider';
import { exchange, statusFailure, type HttpRequest } from './http';
import { SystemError } from './system-error';
import { MOST_XML } from './xml';
import { decodeResponse, encodeCall, MalformedXmlRpc, XmlRpcFault, type XmlRpcValue } from './xmlrpc';

/** Gives the value behind a reference: `env:NAME`, `file:/path`. */
export type ResolveSecret = (reference: string) => Promise<string>;

export interface CallOptions {
  /** What the call is about, for failures: `service template 16`. */
  object?: string | undefined;
  /** Milliseconds for the whole exchange; 60 000 by default, the longest that public clients wait (systems.md 1.1). */
  deadlineMs?: number | undefined;
}

const DEFAULT_DEADLINE_MS = 60_000;

/** An XML-RPC server over HTTP with Basic authentication, as Operations and Billing are (systems.md 1.1, 3.1). */
export class XmlRpcEndpoint {
  constructor(
    private readonly system: string,
    private readonly connection: OperationsConnection,
    private readonly resolveSecret: ResolveSecret,
    /** Makes the text of a fault readable. */
    private readonly readFault: (text: string) => string = (text) => text,
  ) {}

  /**
   * Calls `method`; `name` is what failures call it. Throws SystemError: as `exchange` does, `AccessDenied` for 401,
   * `Rejected` for a fault, `MalformedAnswer` for what is no XML-RPC.
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
      url: this.connection.url,
      headers: { 'content-type': 'text/xml; charset=utf-8', ...(await this.authorization()) },
      body: encodeCall(method, params),
      caFile: this.connection.caFile,
      verifyTls: this.connection.verifyTls,
      deadlineMs: options.deadlineMs ?? DEFAULT_DEADLINE_MS,
      maxBytes: MOST_XML,
    };
    const answer = await exchange(request);
    if (answer.status !== 200) throw statusFailure(request, answer.status);
    return this.decode(request, decodeText(answer.body, answer.header('content-type')));
  }

  private decode({ system, call, object }: HttpRequest, xml: string): XmlRpcValue {
    try {
      return decodeResponse(xml);
    } catch (error) {
      if (error instanceof XmlRpcFault) {
        throw new SystemError({
          type: FAILURE.rejected,
          system,
          call,
          object,
          problem: `was refused with fault ${error.code}: ${this.readFault(error.text)}`,
          next: 'Check what the message names.',
        });
      }
      if (error instanceof MalformedXmlRpc) {
        throw new SystemError({
          type: FAILURE.malformedAnswer,
          system,
          call,
          object,
          problem: `got an answer that is no XML-RPC: ${error.message}`,
          next: 'Check that the URL in the inventory is that of the XML-RPC API.',
        });
      }
      throw error;
    }
  }

  private async authorization(): Promise<Record<string, string>> {
    const { user, password } = this.connection;
    if (user === undefined || password === undefined) return {};
    const credentials = `${user}:${await this.resolveSecret(password)}`;
    return { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
  }
}

/** UTF-8 unless the header says otherwise; undecodable bytes become replacement characters. */
function decodeText(body: Buffer, contentType: string | undefined): string {
  const charset = /charset="?([\w-]+)/i.exec(contentType ?? '')?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    // An unknown charset: the declaration lies or is exotic, and what matters to us is ASCII.
    return new TextDecoder('utf-8').decode(body);
  }
}
