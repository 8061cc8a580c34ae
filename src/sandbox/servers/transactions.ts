/** Transactions of Operations: what a call would change happens when its transaction is committed (systems.md 1.3). */
import { randomUUID } from 'node:crypto';

export interface Transaction {
  provider: string;
  requestId: string;
  effects: (() => Promise<void> | void)[];
  /** When it ends by itself, by the sandbox's clock. */
  endsAt: number;
}

/** All that `txn.Begin` may be given. */
export interface Wanted {
  request_id?: string | undefined;
  /** An id of the caller's own. */
  txn_id?: string | undefined;
  /** In seconds. */
  timeout?: number | undefined;
}

/** A longer request id is cut. */
const LONGEST_REQUEST_ID = 256;

/** Open transactions live in memory: a restarted management node has forgotten them, and nothing of them happened. */
export class Transactions {
  private readonly open = new Map<string, Transaction>();
  private readonly begun = new Set<string>();
  private next = 84_211;

  constructor(private readonly now: () => number) {}

  /** Its id, or undefined where the request id, or the id of one's own, is in use. */
  begin(provider: string, { request_id = randomUUID(), txn_id, timeout }: Wanted): string | undefined {
    const requestId = request_id.slice(0, LONGEST_REQUEST_ID);
    const request = JSON.stringify([provider, requestId]);
    if (this.begun.has(request) || (txn_id !== undefined && this.open.has(txn_id))) return undefined;
    this.begun.add(request);
    const id = txn_id ?? String(this.next++);
    const endsAt = timeout === undefined ? Infinity : this.now() + timeout * 1000;
    this.open.set(id, { provider, requestId, effects: [], endsAt });
    return id;
  }

  /** `undefined` for one that is unknown, over, or another provider's. */
  find(provider: string, id: string): Transaction | undefined {
    const found = this.open.get(id);
    return found?.provider === provider && found.endsAt > this.now() ? found : undefined;
  }

  /** Ends it; its effects are the caller's to perform or to forget. */
  end(id: string): void {
    this.open.delete(id);
  }
}
