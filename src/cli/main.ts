/** The program `onward`. */
import type { Client } from '@temporalio/client';
import type { GlobalOptions } from './kit/context';
import { EXIT } from './kit/exit-codes';
import { runCli, type ProgramContext } from './program';

/** After the command is done, whatever still keeps the process alive gets this long. */
const LINGER_MS = 3000;

let interruption: AbortController | undefined;

const context: ProgramContext = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  platform: process.platform,
  now: () => new Date(),
  interrupted() {
    if (interruption === undefined) {
      interruption = new AbortController();
      const controller = interruption;
      const onSignal = (): void => {
        if (controller.signal.aborted) process.exit(EXIT.interrupted);
        controller.abort();
      };
      process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
    }
    return interruption.signal;
  },
  async connectUpgrades(options) {
    const { TemporalUpgrades } = await import('./upgrade/temporal-upgrades.js');
    return new TemporalUpgrades(await client(options));
  },
  async connectFleets(options) {
    const { TemporalFleets } = await import('./fleet/temporal-fleets.js');
    return new TemporalFleets(await client(options));
  },
  async connectConsents(options) {
    const { TemporalConsents } = await import('./consent/temporal-consents.js');
    return new TemporalConsents(await client(options));
  },
  async catalogue() {
    return (await import('./operations/catalogue.js')).catalogue;
  },
};

/** Loaded only by commands that talk to a server. */
async function client(options: GlobalOptions): Promise<Client> {
  const { connect, settingsFor } = await import('./kit/temporal/connect.js');
  return connect(settingsFor(options));
}

// A reader that has seen enough, as in `onward audit contoso | head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});

void runCli(process.argv.slice(2), context).then((code) => {
  process.exitCode = code;
  setTimeout(() => process.exit(), LINGER_MS).unref();
});
