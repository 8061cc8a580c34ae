/** What fails in a worker is told by the lines that somebody has written. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { BUILD_FOLDER } from '../../src/package-root';

test('with the source maps of the build, a stack trace names the source and its line', async () => {
  const secrets = path.join(BUILD_FOLDER, 'src', 'inventory', 'secrets.js');
  const script = `process.setSourceMapsEnabled(true);
    require(${JSON.stringify(secrets)}).resolveSecret('env:ONWARD_IS_NOT_SET').catch((error) => console.log(error.stack));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script]);
  expect(stdout).toMatch(/at .*[\\/]src[\\/]inventory[\\/]secrets\.ts:\d+:\d+/);
  expect(stdout).not.toContain('secrets.js:');
});
