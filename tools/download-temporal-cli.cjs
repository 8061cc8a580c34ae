// Usage: node download-temporal-cli.cjs <folder> <version>
// Has Temporal's SDK download its dev server into the folder. The SDK offers this only together with a first start.
const { TestWorkflowEnvironment } = require('@temporalio/testing');

const [downloadDir, version] = process.argv.slice(2);
TestWorkflowEnvironment.createLocal({
  server: { executable: { type: 'cached-download', version, downloadDir }, log: { format: 'pretty', level: 'never' } },
})
  .then((environment) => environment.teardown())
  .catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
