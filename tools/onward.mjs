#!/usr/bin/env node
/**
 * What `npx onward`, `npm run onward`, `npm run demo` and `npm test` begin with. Plain Node, because nothing may be
 * installed yet: it installs the dependencies where they are not those of package-lock.json, then runs src/cli/main.ts
 * in this same process, so that signals arrive there once.
 *
 *     node tools/onward.mjs <arguments of onward>
 *     node tools/onward.mjs --install-only          the dependencies only, those of the tests included
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { missingPackages } from './installed-packages.cjs';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const OLDEST_NODE = [20, 19];

requireNode();
const installOnly = process.argv[2] === '--install-only';
install({ dev: installOnly });
if (!installOnly) {
  await import(pathToFileURL(path.join(ROOT, 'node_modules/tsx/dist/loader.mjs')).href);
  await import('../src/cli/main.ts');
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  fail(
    `Onward needs Node ${OLDEST_NODE.join('.')} or later, and this is ${process.versions.node} (${process.execPath}).`,
    'Install a current one from https://nodejs.org/ and run the same command again.',
  );
}

function install({ dev }) {
  const lock = readJson('package-lock.json');
  const missing = missingPackages(lock, readJson('node_modules/.package-lock.json'), { dev });
  if (missing.length === 0) return;
  console.error(`Installing ${missing.length} npm packages that Onward needs (npm ci). This takes about a minute.`);
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund'];
  // Under `npm run`, npm says where it is; otherwise the shell knows.
  const npm = process.env.npm_execpath;
  const { status, error } = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...args], { cwd: ROOT, stdio: ['ignore', 2, 2] })
    : spawnSync('npm', args, { cwd: ROOT, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
  if (status === 0) return;
  fail(
    `npm ci in ${ROOT} ${error === undefined ? `failed with exit code ${status}` : `could not be started: ${error.message}`}.`,
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

function fail(...lines) {
  console.error(lines.join('\n'));
  process.exit(1);
}
