/**
 * A worker in a process of its own, to be killed. It is the product's worker; only the looks of waiting activities are
 * quick, as in all rehearsals. Configured by TEMPORAL_ADDRESS and one argument, a JSON object. It works once its parent
 * says so, and ends with its parent.
 */
import { once } from 'node:events';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { z } from 'zod';
import { runControlPlaneWorker } from '../../../src/worker/control-plane';
import { runEndpointWorker } from '../../../src/worker/endpoint';
import { QUICK_LOOKS } from './quick-looks';

Runtime.install({ logger: new DefaultLogger('ERROR') });
process.once('disconnect', () => process.exit(1));

const notesDirectory = z.string();
const role = z
  .union([
    z.strictObject({ inventoryDirectory: z.string(), notesDirectory }),
    z.strictObject({ host: z.string(), notesDirectory }),
  ])
  .parse(JSON.parse(process.argv[2] ?? ''));

async function work(): Promise<void> {
  await once(process, 'message');
  await ('host' in role ? runEndpointWorker(role) : runControlPlaneWorker({ ...role, polling: QUICK_LOOKS }));
}

work().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
