/**
 * What a worker meets in place of a value that nobody vouches for. Its data converter only says so: a workflow task that failed instead
 * would fail for ever. Whoever takes the value decides (workflows/kit/refuse-doubtful, activities/refuse-doubtful).
 */

/** Why nobody vouches for it. */
const REASONS = {
  plaintext: 'was sent in clear',
  unbound: 'was encrypted for no workflow in particular',
  foreign: 'was encrypted for another workflow',
  changed: 'cannot be decrypted: it was changed, or not made with the key that it names',
  unreadable: 'cannot be read: it is no valid JSON',
  missing: 'is missing: a worker sends one also where it has found nothing, so this was somebody else',
} as const;
export type Doubt = keyof typeof REASONS;

/** Until the cut-over these are taken all the same. */
const TAKEN_BEFORE: ReadonlySet<Doubt> = new Set<Doubt>(['plaintext', 'unbound']);

const HOW_TO_SEND =
  "Payloads are encrypted here, each for its workflow: use `onward`, or `temporal` with the codec server's path of this workflow (docs/payload-encryption.md).";

export class Doubtful {
  /**
   * @param late when it was read the cut-over was over.
   * @param value undefined where it is always refused.
   */
  constructor(
    readonly doubt: Doubt,
    readonly late: boolean,
    readonly value?: unknown,
  ) {}

  /** Whether it is refused whatever the clock says. */
  get isAlwaysRefused(): boolean {
    return !TAKEN_BEFORE.has(this.doubt);
  }

  /** Completes a sentence that begins with what was sent. */
  get reason(): string {
    return this.doubt === 'unreadable' || this.doubt === 'missing'
      ? REASONS[this.doubt]
      : `${REASONS[this.doubt]}. ${HOW_TO_SEND}`;
  }
}

/** For whoever only shows what was handed over, or compares it. */
export const valueOf = (handedOver: unknown): unknown =>
  handedOver instanceof Doubtful ? handedOver.value : handedOver;
