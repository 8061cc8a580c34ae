/** What an upgrade is about to do: only look, change something, or cross the point of no return. */
export type NextCall = 'look' | 'change' | 'crossing';

/** Something that can stand between an upgrade and its next call. */
export interface Blocker {
  /** Returns when the way is free; true where it had to wait for that. */
  readonly pass: (next: NextCall) => Promise<boolean>;
}
