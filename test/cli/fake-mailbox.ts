import type { Recorded } from '../../src/contract/messages';
import type { Mailbox } from '../../src/cli/kit/messages/mailbox';

interface Sent<Key> {
  to: Key;
  name: string;
  message: unknown;
  /** Whether the command waits for what becomes of it. */
  waits: boolean;
}

/** Takes every message, or fails as a server or a workflow would, and remembers what was sent. */
export class FakeMailbox<Key, Messages> implements Mailbox<Key, Messages> {
  readonly sent: Sent<Key>[] = [];

  /** @param check throws where nobody is there, or where the workflow says no */
  constructor(
    private readonly answer: string,
    private readonly check: (to: Key) => void = () => undefined,
  ) {}

  async send<N extends keyof Messages & string>(to: Key, name: N, message: Messages[N]): Promise<Recorded> {
    this.check(to);
    this.sent.push({ to, name, message, waits: true });
    return { recorded: true, message: this.answer };
  }

  async sendWithoutWaiting<N extends keyof Messages & string>(to: Key, name: N, message: Messages[N]): Promise<void> {
    this.sent.push({ to, name, message, waits: false });
  }
}
