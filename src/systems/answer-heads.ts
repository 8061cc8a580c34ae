/** What the HTTP parser of Node.js refuses in the head of an answer although it is clear, put right before it gets there. */
import type { Socket } from 'node:net';

/** A longer head is the parser's to refuse. */
const MOST_HEAD = 64 * 1024;

const mended = new WeakMap<Socket, MendedHeads>();

/** One for each connection, over all of its answers. */
export function mendedHeadsOf(socket: Socket): MendedHeads {
  const existing = mended.get(socket);
  if (existing) return existing;
  const heads = new MendedHeads(socket);
  mended.set(socket, heads);
  return heads;
}

class MendedHeads {
  private inHead = true;
  private held: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    const push = socket.push.bind(socket);
    socket.push = (chunk: Buffer | null, encoding) => {
      const [now, end] = chunk === null ? [this.release(), true] : [this.take(chunk), false];
      const more = now.length === 0 || push(now, encoding);
      return end ? push(null) : more;
    };
  }

  /** A request is on its way: what comes next is the head of its answer. */
  expectHead(): void {
    this.inHead = true;
  }

  /** What of it can go on to the parser now. */
  private take(chunk: Buffer): Buffer {
    if (!this.inHead) return chunk;
    this.held = Buffer.concat([this.held, chunk]);
    const ready: Buffer[] = [];
    while (this.inHead) {
      const text = this.held.toString('latin1');
      const end = /\r?\n\r?\n/.exec(text);
      if (!end) {
        const waits = 'HTTP/'.startsWith(text.slice(0, 'HTTP/'.length)) && text.length <= MOST_HEAD;
        return Buffer.concat(waits ? ready : [...ready, this.release()]);
      }
      const length = end.index + end[0].length;
      const head = text.slice(0, length);
      ready.push(Buffer.from(withOneLength(head), 'latin1'));
      this.held = this.held.subarray(length);
      // Whatever is only information, such as 100 Continue, has the head of the answer behind it.
      this.inHead = /^HTTP\/\S+ 1\d\d/.test(head);
    }
    return Buffer.concat([...ready, this.release()]);
  }

  private release(): Buffer {
    const rest = this.held;
    this.held = Buffer.alloc(0);
    return rest;
  }
}

/** The same length twice is one length (RFC 9110, 8.6); two different ones are left for the parser to refuse. */
function withOneLength(head: string): string {
  const lengths = [...head.matchAll(/^content-length:([^\r\n]*)\r?\n/gim)];
  const values = new Set(lengths.flatMap(([, value = '']) => value.split(',').map((part) => part.trim())));
  const [only] = values;
  if (values.size !== 1 || only === undefined) return head;
  let first = true;
  return head.replace(/^content-length:[^\r\n]*\r?\n/gim, () => {
    const kept = first ? `Content-Length: ${only}\r\n` : '';
    first = false;
    return kept;
  });
}
