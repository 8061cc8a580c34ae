/** What the commands ask of a Temporal server about the guards of consents. */
import type { ConsentStatus, GuardMessageName, GuardMessages } from '../../contract/consent';
import type { Recorded } from '../../contract/messages';

/** Fails as {@link Upgrades} does. */
export interface Consents {
  /** Every consent that is guarded, those that end first before all others; also while no worker is up. */
  list(provider?: string): Promise<ConsentStatus[]>;
  /** Sends a message as an update and returns what the guard says to it. */
  answer<N extends GuardMessageName>(consent: ConsentKey, name: N, message: GuardMessages[N]): Promise<Recorded>;
  /** Leaves a message as a signal: it is recorded even while no worker is up, and nobody says whether it was enough. */
  signal<N extends GuardMessageName>(consent: ConsentKey, name: N, message: GuardMessages[N]): Promise<void>;
  close(): Promise<void>;
}

/** `instance` is the id of an application instance. */
export interface ConsentKey {
  provider: string;
  instance: string;
}
