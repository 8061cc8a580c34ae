/**
 * Workflows and replays fail in tests on purpose, and Temporal's test server is not a full server: nobody has to read of it.
 * Import this before anything connects.
 */
import { DefaultLogger, Runtime, makeTelemetryFilterString } from '@temporalio/worker';

Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } },
});
