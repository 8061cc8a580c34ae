/** What a clone needs before anything of it can run: the npm packages of package-lock.json, and a build of its sources. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { isBuilt } from './build-manifest.cjs';
import { missingPackages } from './installed-packages.cjs';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/**
 * Installs and builds what is missing; says nothing where nothing is.
 *
 * @param options `dev`: the packages of tests as well.
 * @returns whether anything was done.
 * @throws Error with what went wrong and what to do.
 */
export function prepare({ dev }) {
  const stale = !isBuilt(ROOT);
  // The compiler is one of those that only development needs.
  const installed = install({ dev: dev || stale });
  if (!stale) return installed;
  console.error('Building Onward from its sources. This takes about half a minute.');
  try {
    build(ROOT);
  } catch (error) {
    const next = 'The messages above say why. Mend that, then run the same command again.';
    throw new Error(`${error.message} ${next}`, { cause: error });
  }
  return true;
}

function install({ dev }) {
  const missing = missingPackages(readJson('package-lock.json'), readJson('node_modules/.package-lock.json'), { dev });
  if (missing.length === 0) return false;
  console.error(`Installing ${missing.length} npm packages that Onward needs (npm ci). This takes about a minute.`);
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund'];
  // Under `npm run`, npm says where it is; otherwise the shell knows.
  const npm = process.env.npm_execpath;
  const { status, error } = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...args], { cwd: ROOT, stdio: ['ignore', 2, 2] })
    : spawnSync('npm', args, { cwd: ROOT, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
  if (status === 0) return true;
  throw new Error(
    `npm ci in ${ROOT} ${error === undefined ? `failed with exit code ${status}` : `could not be started: ${error.message}`}.\n` +
      'Its messages above say why. Where the npm registry cannot be reached, name one that can: npm config set registry <url>.',
  );
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(path.join(ROOT, file), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}
