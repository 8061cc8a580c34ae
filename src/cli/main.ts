/** The program `onward`. */
import type { CliContext } from './kit/context';
import { EXIT } from './kit/exit-codes';
import { runCli } from './program';

/** After the command is done, whatever still keeps the process alive gets this long. */
const LINGER_MS = 3000;

let interruption: AbortController | undefined;

const context: CliContext = {
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
  async connect(options) {
    const { connectUpgrades, settingsFor } = await import('./kit/temporal/connect.js');
    return connectUpgrades(settingsFor(options));
  },
  async connectFleets(options) {
    const { connectFleets, settingsFor } = await import('./kit/temporal/connect.js');
    return connectFleets(settingsFor(options));
  },
  async connectConsents(options) {
    const { connectConsents, settingsFor } = await import('./kit/temporal/connect.js');
    return connectConsents(settingsFor(options));
  },
};

// A reader that has seen enough, as in `onward audit contoso | head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});

void runCli(process.argv.slice(2), context).then((code) => {
  process.exitCode = code;
  setTimeout(() => process.exit(), LINGER_MS).unref();
});
