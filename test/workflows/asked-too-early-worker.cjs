/**
 * A worker to be killed. Its arguments name the server, the bundle, and for how long the server keeps workflow tasks and questions for it when
 * it is gone. It ends with its parent.
 */
const { DefaultLogger, NativeConnection, Runtime, Worker, makeTelemetryFilterString } = require('@temporalio/worker');

Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } },
});
process.once('disconnect', () => process.exit(1));

async function work([address, codePath, stickyMs]) {
  const worker = await Worker.create({
    connection: await NativeConnection.connect({ address }),
    taskQueue: 'workflows',
    workflowBundle: { codePath },
    stickyQueueScheduleToStartTimeout: Number(stickyMs),
  });
  await worker.run();
}

work(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
