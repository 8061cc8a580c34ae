/**
 * Temporal's test server, which skips time: Java's, from Maven Central, kept in the user's cache (temporal.md 2.4), or on a
 * machine without Java the one that the SDK downloads. Where neither is to be had, the tests of the clock are skipped.
 */
import { execFile } from 'node:child_process';
import { access, chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../../src/temporal/cli-binary';
import { withLockFile } from '../../src/temporal/lock-file';
import { terminalProgress, type Progress } from '../../src/temporal/progress';
import { patience } from './deadlines';

const VERSION = '1.38.0';
const run = promisify(execFile);

/** What the global setup found; test files run in processes of their own, and read it from there. */
const FOUND = 'ONWARD_TEST_SERVER';

/**
 * For Jest's global setup. The first time this takes a minute.
 *
 * @returns why there is none; undefined where there is one.
 */
export async function prepareTestServer(progress = terminalProgress()): Promise<string | undefined> {
  if (process.env[FOUND] !== undefined) return undefined;
  try {
    process.env[FOUND] = await javaServer(progress);
  } catch (withJava) {
    try {
      await tryDownload();
      process.env[FOUND] = '';
    } catch (download) {
      return `${message(withJava)} ${message(download)}`;
    }
  }
  return undefined;
}

/** The server's executable; undefined for the one that the SDK has downloaded. */
export function foundExecutable(): string | undefined {
  return process.env[FOUND] === '' ? undefined : process.env[FOUND];
}

/** @returns a script that starts the server; its process becomes the server's, so that whoever kills it kills the server. */
async function javaServer(progress: Progress): Promise<string> {
  if (process.platform === 'win32') throw new Error('There is no script on Windows that becomes another process.');
  const folder = path.join(cacheDirectory(), 'temporal-test-server', VERSION);
  const script = path.join(folder, 'temporal-test-server');
  await run('java', ['-version'], { timeout: patience(30_000) }).catch((error: unknown) => {
    throw new Error(`Java does not run: ${message(error)}`);
  });
  if (await exists(script)) return script;
  await mkdir(path.dirname(folder), { recursive: true });
  const wait = (holder: string): void => progress.tick(`Process ${holder} is getting Temporal's test server.`);
  return withLockFile(`${folder}.lock`, wait, async () => {
    if (await exists(script)) return script;
    progress.say(`Getting Temporal's test server ${VERSION} from Maven Central, once for this machine.`);
    // Renamed only when complete: whoever sees the script may run it.
    const unfinished = await mkdtemp(`${folder}-`);
    try {
      await fetchJars(unfinished);
      const file = path.join(unfinished, path.basename(script));
      await writeFile(file, SCRIPT);
      await chmod(file, 0o755);
      await rm(folder, { recursive: true, force: true });
      await rename(unfinished, folder);
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
    return script;
  });
}

const SCRIPT = `#!/bin/sh
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto -cp "$(dirname "$0")/lib/*" io.temporal.testserver.TestServer "$@"
`;

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>onward</groupId><artifactId>test-server</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>io.temporal</groupId><artifactId>temporal-test-server</artifactId><version>${VERSION}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>2.0.16</version></dependency>
  </dependencies>
</project>
`;

async function fetchJars(folder: string): Promise<void> {
  const pom = path.join(folder, 'pom.xml');
  await writeFile(pom, POM);
  const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${path.join(folder, 'lib')}`];
  await run('mvn', ['--quiet', '--batch-mode', '--file', pom, ...goal], { timeout: patience(300_000) }).catch(
    (error: unknown) => {
      throw new Error(`Maven did not get the test server: ${message(error)}`);
    },
  );
}

/** The SDK keeps what it downloads for a day. Its native part stays out of the process that runs Jest. */
async function tryDownload(): Promise<void> {
  const script = `
    const { TestWorkflowEnvironment } = require('@temporalio/testing');
    TestWorkflowEnvironment.createTimeSkipping().then((server) => server.teardown()).then(
      () => process.exit(0),
      (error) => { console.error(error.message); process.exit(1); },
    );`;
  await run(process.execPath, ['-e', script], {
    cwd: path.resolve(__dirname, '..', '..'),
    timeout: patience(120_000),
  }).catch((error: unknown) => {
    throw new Error(`Nor could the SDK download one: ${message(error)}`);
  });
}

/** The last line that says something: a command's own, where it said anything. */
function message(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error && typeof error.stderr === 'string' ? error.stderr : '';
  const lines = (said.trim() || String(error)).split('\n').filter((line) => line.trim() !== '');
  return `${(lines.find((line) => /error/i.test(line)) ?? lines.at(-1) ?? '').trim().replace(/\.$/, '')}.`;
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
