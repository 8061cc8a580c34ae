/** Transactions of Operations: what a call would change happens when its transaction is committed (systems.md 1.3). */
export interface Transaction {
  provider: string;
  requestId: string;
  effects: (() => Promise<void> | void)[];
}

/** Open transactions live in memory: a restarted management node has forgotten them, and nothing of them happened. */
export class Transactions {
  private readonly open = new Map<number, Transaction>();
  private next = 84_211;

  begin(provider: string, requestId: string): number {
    const id = this.next;
    this.next += 1;
    this.open.set(id, { provider, requestId, effects: [] });
    return id;
  }

  /** `undefined` for one that is unknown, over, or another provider's. */
  find(provider: string, id: number): Transaction | undefined {
    const found = this.open.get(id);
    return found?.provider === provider ? found : undefined;
  }

  /** Ends it; its effects are the caller's to perform or to forget. */
  end(id: number): void {
    this.open.delete(id);
  }
}
