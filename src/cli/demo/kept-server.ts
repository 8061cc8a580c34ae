import { setTimeout as delay } from 'node:timers/promises';
import { DevServerFailed, startDevServer, type DevServer, type DevServerOptions } from '../../temporal/dev-server';
import { sendSignal } from '../../temporal/send-signal';
import { CliError } from '../kit/cli-error';

/** So often we look whether the server is still there. */
const LOOK_MS = 1000;

/** The demo's Temporal server, which is started again when it dies: its state is in a file. */
export class KeptServer {
  private readonly closing = new AbortController();
  private readonly watching: Promise<void>;

  private constructor(
    private server: DevServer,
    private readonly options: DevServerOptions,
    private readonly print: (line: string) => void,
  ) {
    this.watching = this.watch();
  }

  /**
   * @param options with a port, so that a new server is where the old one was.
   * @throws CliError when the server does not start.
   */
  static async start(options: DevServerOptions & { port: number }, print: (line: string) => void): Promise<KeptServer> {
    try {
      return new KeptServer(await startDevServer(options), options, print);
    } catch (error) {
      throw error instanceof DevServerFailed ? new CliError('failure', error.message, { cause: error }) : error;
    }
  }

  get address(): string {
    return this.server.address;
  }
  get uiUrl(): string | undefined {
    return this.server.uiUrl;
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.watching;
    await this.server.close();
  }

  private async watch(): Promise<void> {
    const { signal } = this.closing;
    for (;;) {
      await delay(LOOK_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      if (sendSignal(0, this.server.pid)) continue;
      this.print("Temporal's dev server ended; starting it again. Its state is in a file, nothing is lost.");
      try {
        this.server = await startDevServer(this.options);
        this.print("Temporal's dev server is back.");
      } catch (error) {
        if (!(error instanceof DevServerFailed)) throw error;
        this.print(error.message);
      }
    }
  }
}
