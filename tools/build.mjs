/**
 * Builds `dist/`, which is all that runs: JavaScript with its source maps, the files that are no TypeScript, and the workflow
 * bundles. Types are checked on the way. A build is known by the digest of its sources, since times of files say nothing after a checkout.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const DIST = path.join(ROOT, 'dist');
const MANIFEST = 'build.json';

const COMPILED = ['src', 'workflows', 'activities'];
const SOURCES = [...COMPILED, 'tsconfig.json', 'tsconfig.build.json', 'tools/build.mjs', 'package-lock.json'];
/** Everything that can end up in a workflow bundle, and what decides how it is made. */
const WORKFLOW_SOURCES = [
  'workflows',
  'src/contract',
  'src/temporal/search-attributes.ts',
  'src/temporal/encoded-failures.ts',
  'src/worker/workflow-bundle.ts',
  'tsconfig.json',
  'tsconfig.build.json',
  'package-lock.json',
];

/** Whether `dist/` is what its sources make. */
export function isBuilt() {
  try {
    return readManifest().sources === digestOf(SOURCES);
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return false;
    throw error;
  }
}

/** @throws Error that says which part of the build failed; what that part has to say is on standard error. */
export function build() {
  // Beside `dist/`, so that source maps, which name their sources by relative paths, stay right when it takes its place.
  const unfinished = path.join(ROOT, `dist-unfinished-${process.pid}`);
  try {
    const manifest = {
      sources: digestOf(SOURCES),
      // Also the build id of worker versioning: the same sources are the same build, wherever they are built.
      workflows: digestOf(WORKFLOW_SOURCES),
    };
    run('Compiling', 'node_modules/typescript/bin/tsc', '--project', 'tsconfig.build.json', '--outDir', unfinished);
    for (const folder of COMPILED)
      cpSync(path.join(ROOT, folder), path.join(unfinished, folder), {
        recursive: true,
        filter: (file) => !file.endsWith('.ts'),
      });
    run('Bundling the workflows', path.join(unfinished, 'src', 'worker', 'write-bundles.js'), unfinished);
    writeFileSync(path.join(unfinished, MANIFEST), `${JSON.stringify(manifest)}\n`);
    takePlace(unfinished, manifest);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

function run(what, ...args) {
  const { status, signal, error } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`${what} failed (${error?.message ?? signal ?? `exit code ${status}`}).`);
}

/** Two processes may build at once: who comes second finds the same build, and leaves it. */
function takePlace(unfinished, { sources }) {
  const replaced = `${unfinished}-replaced`;
  try {
    if (existsSync(DIST)) renameSync(DIST, replaced);
    renameSync(unfinished, DIST);
  } catch (error) {
    if (!existsSync(DIST) || readManifest().sources !== sources) throw error;
  } finally {
    rmSync(replaced, { recursive: true, force: true });
  }
}

const readManifest = () => JSON.parse(readFileSync(path.join(DIST, MANIFEST), 'utf8'));

function digestOf(sources) {
  const hash = createHash('sha256');
  for (const file of sources.flatMap(filesOf)) hash.update(`${file}\0`).update(readFileSync(path.join(ROOT, file)));
  return hash.digest('hex').slice(0, 12);
}

/** The file itself, or every file below the folder: from the root of the project, in one order and with slashes on every system. */
function filesOf(source) {
  if (path.extname(source) !== '') return [source];
  return readdirSync(path.join(ROOT, source), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(ROOT, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort();
}
