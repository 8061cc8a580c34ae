/**
 * A worker in a process of its own, to be killed. It is the product's worker as it was built, in the sandbox's world; only the
 * looks of waiting activities are quick, as in all rehearsals. Configured by TEMPORAL_ADDRESS and one argument, its role as JSON. It
 * works once its parent says so, and ends with its parent. With ONWARD_TEST_SILENT it logs nothing, for failures that are wanted.
 */
const { once } = require('node:events');
const { DefaultLogger, Runtime } = require('@temporalio/worker');
const { SANDBOX_ADAPTERS, simulatedPowershell } = require('../../../dist/src/sandbox/adapters');
const { runControlPlaneWorker } = require('../../../dist/src/worker/control-plane.js');
const { runEndpointWorker } = require('../../../dist/src/worker/endpoint.js');

const silent = process.env['ONWARD_TEST_SILENT'] !== undefined;
Runtime.install({ logger: new DefaultLogger('ERROR', silent ? () => undefined : undefined) });
process.once('disconnect', () => process.exit(1));

async function work() {
  const { simulatedHost, ...options } = JSON.parse(process.argv[2]);
  await once(process, 'message');
  await (simulatedHost === undefined
    ? runControlPlaneWorker({ ...options, adapters: SANDBOX_ADAPTERS })
    : runEndpointWorker({ ...options, powershell: simulatedPowershell(simulatedHost, process.env) }));
}

work().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
