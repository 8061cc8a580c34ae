/**
 * Builds `dist/`, which is all that runs: JavaScript with its source maps, the files that are no TypeScript, and the workflow
 * bundles. Types are checked on the way.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { COMPILED, COPIED, manifestOf, readManifest } from './build-manifest.cjs';

const UNFINISHED = 'dist-unfinished-';

/**
 * @param root of the project.
 * @throws Error that says which part of the build failed; what that part has to say is on standard error.
 */
export function build(root) {
  const run = (what, ...args) => {
    const { status, signal, error } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
    if (status !== 0) throw new Error(`${what} failed (${error?.message ?? signal ?? `exit code ${status}`}).`);
  };
  // Beside `dist/`, so that source maps, which name their sources by relative paths, stay right when it takes its place.
  removeUnfinished(root);
  const unfinished = path.join(root, `${UNFINISHED}${process.pid}`);
  try {
    const manifest = manifestOf(root);
    run('Compiling', 'node_modules/typescript/bin/tsc', '--project', 'tsconfig.build.json', '--outDir', unfinished);
    for (const folder of COMPILED)
      cpSync(path.join(root, folder), path.join(unfinished, folder), {
        recursive: true,
        filter: (file) => COPIED.includes(path.extname(file)) || statSync(file).isDirectory(),
      });
    run('Bundling the workflows', path.join(unfinished, 'src', 'worker', 'write-bundles.js'), unfinished);
    writeFileSync(path.join(unfinished, 'build.json'), `${JSON.stringify(manifest)}\n`);
    takePlace(root, unfinished, manifest);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** Of builds that were killed. */
function removeUnfinished(root) {
  for (const name of readdirSync(root)) {
    const pid = Number(name.startsWith(UNFINISHED) ? name.slice(UNFINISHED.length) : NaN);
    if (pid > 0 && !isAlive(pid)) rmSync(path.join(root, name), { recursive: true, force: true });
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Two processes may build the same at once: where the other one's build came between, it stays. */
function takePlace(root, unfinished, { sources }) {
  const dist = path.join(root, 'dist');
  const replaced = `${unfinished}-replaced`;
  try {
    if (existsSync(dist)) renameSync(dist, replaced);
    renameSync(unfinished, dist);
  } catch (error) {
    if (readManifest(root)?.sources !== sources) throw error;
  } finally {
    rmSync(replaced, { recursive: true, force: true });
  }
}
