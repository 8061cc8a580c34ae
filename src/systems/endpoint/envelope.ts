/** The one line by which a script tells what came of it, picked out of whatever else PowerShell prints. */
import { z } from 'zod';

/** A longer line is noise. Far beyond any list of files that a script returns. */
const LONGEST_LINE = 16 * 1024 * 1024;

const envelope = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), result: z.unknown(), log: z.string() }),
  z.object({ ok: z.literal(false), kind: z.string(), message: z.string(), log: z.string() }),
]);
/** What `scripts/invoke.ps1` prints, as base64 JSON behind `#onward:<nonce>:`. */
export type Envelope = z.output<typeof envelope>;

/** Reads standard output piece by piece and keeps nothing but the envelope with its nonce. */
export class EnvelopeReader {
  envelope: Envelope | undefined;
  private readonly mark: string;
  private line = '';
  private overlong = false;

  constructor(nonce: string) {
    this.mark = `#onward:${nonce}:`;
  }

  read(text: string): void {
    const lines = text.split('\n');
    for (const [index, piece] of lines.entries()) {
      this.overlong ||= this.line.length + piece.length > LONGEST_LINE;
      this.line = this.overlong ? '' : this.line + piece;
      const complete = index < lines.length - 1;
      if (!complete) return;
      if (!this.overlong) this.judge(this.line.trim());
      this.line = '';
      this.overlong = false;
    }
  }

  private judge(line: string): void {
    if (!line.startsWith(this.mark)) return;
    const json = Buffer.from(line.slice(this.mark.length), 'base64').toString('utf8');
    this.envelope = parse(json) ?? this.envelope;
  }
}

function parse(json: string): Envelope | undefined {
  try {
    return envelope.safeParse(JSON.parse(json)).data;
  } catch {
    return undefined; // Cut or garbled on its way: as good as none.
  }
}
