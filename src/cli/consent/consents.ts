/** What the commands ask of a Temporal server about the guards of consents. */
import type { ConsentStatus, GuardMessages } from '../../contract/consent';
import type { CliContext, GlobalOptions } from '../kit/context';
import type { Mailbox } from '../kit/messages/mailbox';
import type { ConsentKey } from './messages';

/** Every method fails with a {@link CliError}, as those of upgrades do. */
export interface Consents {
  /**
   * Every consent that is guarded, those that fail, then those that end first, before all others; also while no worker is up.
   * Beside them, one sentence for each guard whose status cannot be read.
   */
  list(provider?: string): Promise<{ consents: ConsentStatus[]; unreadable: string[] }>;
  readonly messages: Mailbox<ConsentKey, GuardMessages>;
  close(): Promise<void>;
}

export interface ConsentContext extends CliContext {
  connectConsents(options: GlobalOptions): Promise<Consents>;
}
