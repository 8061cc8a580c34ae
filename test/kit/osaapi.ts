/** `osaapi`, a client of Odin Automation that its vendor publishes for Python, unchanged from PyPI; kept in the user's cache. */
import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../../src/temporal/cli-binary';
import { withLockFile } from '../../src/temporal/lock-file';
import { terminalProgress, type Progress } from '../../src/temporal/progress';
import { patience } from './deadlines';

const PACKAGE = 'osaapi';
const VERSION = '0.4.4';
/** Where the global setup put it, for the processes that run the tests. */
const FOUND = 'ONWARD_OSAAPI';

/** The folder that Python finds it in. */
export const osaapiFolder = (): string => process.env[FOUND] ?? '';

/**
 * For Jest's global setup.
 *
 * @returns why it cannot be had; undefined where it can.
 */
export async function prepareOsaapi(progress: Progress = terminalProgress()): Promise<string | undefined> {
  const folder = path.join(cacheDirectory(), PACKAGE, VERSION);
  process.env[FOUND] = folder;
  if (await exists(folder)) return undefined;
  await mkdir(path.dirname(folder), { recursive: true });
  const wait = (holder: string): void => progress.tick(`Process ${holder} is getting ${PACKAGE}.`);
  return withLockFile(`${folder}.lock`, wait, async () => {
    if (await exists(folder)) return undefined;
    progress.say(`Getting ${PACKAGE} ${VERSION} from PyPI, once for this machine.`);
    const unfinished = await mkdtemp(`${folder}-`);
    try {
      await install(unfinished);
      await rename(unfinished, folder);
      return undefined;
    } catch (error) {
      const { stderr = '' } = error as { stderr?: string };
      const said = (stderr.match(/^ERROR: .*$/m)?.[0] ?? String(error)).trim();
      return `pip does not get ${PACKAGE} ${VERSION}: ${said}`;
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
  });
}

function install(target: string): Promise<unknown> {
  const pip = ['-m', 'pip', 'install', '--quiet', '--retries=1', '--timeout=15', '--disable-pip-version-check'];
  return promisify(execFile)('python3', [...pip, '--no-deps', `--target=${target}`, `${PACKAGE}==${VERSION}`], {
    timeout: patience(120_000),
    killSignal: 'SIGKILL',
  });
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
