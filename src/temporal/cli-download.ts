/** The Temporal CLI as the SDK downloads it, from Temporal's own service. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { PACKAGE_ROOT } from '../package-root';
import type { CliOrder } from './cli-order';

const DEADLINE_MS = 5 * 60_000;
const SCRIPT = path.join(PACKAGE_ROOT, 'tools', 'download-temporal-cli.cjs');

/**
 * Has the SDK download the CLI. It runs in a process of its own, because the SDK's runtime can be set up only once per
 * process, and because only a process can be given a deadline.
 */
export async function downloadCli(file: string, { version, env, progress }: CliOrder): Promise<void> {
  progress.say(`Downloading the Temporal CLI ${version} with Temporal's SDK.`);
  const folder = await mkdtemp(`${file}-`);
  try {
    const failure: unknown = await promisify(execFile)(process.execPath, [SCRIPT, folder, `v${version}`], {
      env,
      timeout: DEADLINE_MS,
      killSignal: 'SIGKILL',
    }).then(
      () => undefined,
      (error: unknown) => error,
    );
    // The SDK also starts what it downloads and is impatient: when only that failed, the file is there and good.
    const [downloaded] = (await readdir(folder)).filter(
      (name) => name.startsWith('temporal-') && !name.endsWith('.downloading'),
    );
    if (downloaded === undefined) throw new Error(explain(failure));
    await rename(path.join(folder, downloaded), file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function explain(failure: unknown): string {
  const { killed, stderr } = failure as { killed?: boolean; stderr?: string };
  if (killed === true) return `Temporal's download service did not deliver within ${DEADLINE_MS / 60_000} minutes.`;
  const said = stderr?.trim().split('\n').at(-1);
  return `${said ?? String(failure)}. The machine needs access to temporal.download for this.`;
}
