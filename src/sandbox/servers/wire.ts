/** One call of a simulated system: it is written into the journal, delayed, harmed by faults, and answered. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';
import type { FaultRule, Faults, Latencies } from '../faults';
import type { Journal, JournalSystem } from '../journal';
import type { TaskFate } from '../world/packages';

/** A request may name the whole address, as to a proxy; every server has to take that (RFC 9112, 3.2.2). */
export const rewriteUrl = ({ url = '/' }: { url?: string | undefined }): string =>
  url.replace(/^https?:\/\/[^/?]*\/?/i, '/');

export interface Call {
  system: JournalSystem;
  provider?: string | undefined;
  name: string;
  object?: string | undefined;
}

export interface Answer {
  status: number;
  type: 'text/xml' | 'application/json' | 'application/zip' | 'text/html';
  body: string | Buffer;
  headers?: Record<string, string>;
  /** For the journal: `ok`, or what went wrong in the caller's eyes. */
  outcome: string;
}

export interface Act {
  /** Does what was asked and answers; `fate` is what becomes of the tasks that it schedules. */
  perform(fate: TaskFate): Answer | Promise<Answer>;
  /** What the system says when it cannot do anything: an XML-RPC fault, an error in JSON. */
  fault(): Answer;
}

export class Wire {
  private readonly closing = new AbortController();

  constructor(
    private readonly journal: Journal,
    private readonly faults: Faults,
    private readonly latencies: Latencies,
  ) {}

  /** Ends every delay that is still running; the answers that waited are given up. */
  close(): void {
    this.closing.abort();
  }

  async serve(reply: FastifyReply, call: Call, act: Act): Promise<FastifyReply> {
    const where = {
      system: call.system,
      call: call.name,
      ...(call.provider !== undefined && { provider: call.provider }),
    };
    const rule = this.faults.take(where);
    await this.wait(this.latencies.of(where));
    return this.harm(reply, call, act, rule);
  }

  private async harm(reply: FastifyReply, call: Call, act: Act, rule: FaultRule | undefined): Promise<FastifyReply> {
    switch (rule?.kind) {
      case undefined:
        return this.answer(reply, call, await act.perform('done'));
      case 'refuse':
        this.record(call, rule.kind);
        reply.hijack();
        reply.raw.socket?.destroy();
        return reply;
      case 'reset':
        this.record(call, rule.kind);
        return reset(reply);
      case 'error500':
        return this.answer(reply, call, {
          status: 500,
          type: 'text/html',
          body: '<html><body><h1>500 Internal Server Error</h1></body></html>',
          outcome: rule.kind,
        });
      case 'fault':
        return this.answer(reply, call, { ...act.fault(), outcome: rule.kind });
      case 'malformed': {
        const whole = await act.perform('done');
        const body = whole.body.slice(0, Math.floor(whole.body.length / 2));
        return this.answer(reply, call, { ...whole, body, outcome: rule.kind });
      }
      case 'slow': {
        const answer = await act.perform('done');
        await this.wait(rule.delayMs ?? 1000);
        return this.answer(reply, call, { ...answer, outcome: rule.kind });
      }
      case 'slowBefore':
        await this.wait(rule.delayMs ?? 1000);
        if (reply.raw.destroyed) {
          this.record(call, rule.kind);
          return reply.hijack();
        }
        return this.answer(reply, call, await act.perform('done'));
      case 'effectThenNoAnswer':
        await act.perform('done');
        this.record(call, rule.kind);
        return reset(reply);
      case 'stuckTask':
        return this.answer(reply, call, await act.perform('stuck'));
      case 'failedUpgradeTask':
        return this.answer(reply, call, await act.perform('failed'));
      default:
        throw new Error(`a fault of the kind '${rule?.kind}' cannot hit ${call.system} ${call.name}`);
    }
  }

  private answer(reply: FastifyReply, call: Call, answer: Answer): FastifyReply {
    this.record(call, answer.outcome);
    return reply
      .code(answer.status)
      .headers(answer.headers ?? {})
      .type(answer.type)
      .send(answer.body);
  }

  record({ system, provider, name, object }: Call, outcome: string): void {
    this.journal.record({
      kind: 'call',
      system,
      name,
      outcome,
      ...(provider !== undefined && { provider }),
      ...(object !== undefined && { object }),
    });
  }

  private async wait(milliseconds: number): Promise<void> {
    if (milliseconds > 0) await delay(milliseconds, undefined, { signal: this.closing.signal });
  }
}

function reset(reply: FastifyReply): FastifyReply {
  reply.hijack();
  const { socket } = reply.raw;
  // A TLS socket has no reset of its own.
  if (socket !== null && 'resetAndDestroy' in socket && !('encrypted' in socket)) socket.resetAndDestroy();
  else socket?.destroy();
  return reply;
}

/** What is no HTTP is answered as the system would, and never by the web framework. */
export function unreadable(wire: Wire, system: JournalSystem, type: Answer['type'], body = '') {
  return (error: NodeJS.ErrnoException, socket: Socket): void => {
    // Who is gone has asked for nothing.
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    wire.record({ system, name: 'unreadable' }, '400');
    const head = `HTTP/1.1 400 Bad Request\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
    if (socket.writable) socket.write(`${head}Connection: close\r\n\r\n${body}`);
    socket.destroySoon();
  };
}
