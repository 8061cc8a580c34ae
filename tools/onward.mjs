#!/usr/bin/env node
/**
 * What `onward`, `npm run onward`, `npm run demo` and `npm test` begin with. Plain Node, because nothing may be installed
 * yet. In a clone it first installs and builds what is missing; a package brings its build and its dependencies. Then it
 * runs the program in this same process, so that signals arrive there once.
 *
 *     node tools/onward.mjs <arguments of onward>
 *     node tools/onward.mjs --build-only            what `npm run build` does: install and build, for tests and benches
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

const OLDEST_NODE = [20, 19];

requireNode();
const buildOnly = process.argv[2] === '--build-only';
// npm packs no lock file, so this is a clone.
if (existsSync(new URL('../package-lock.json', import.meta.url))) await prepareClone();
if (!buildOnly) createRequire(import.meta.url)('../dist/src/cli/main.js');

async function prepareClone() {
  const { prepare } = await import('./clone.mjs');
  try {
    const done = prepare({ dev: buildOnly });
    if (buildOnly && !done && process.env.npm_lifecycle_event === 'build') console.error('The build is up to date.');
  } catch (error) {
    fail(error.message);
  }
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  fail(
    `Onward needs Node ${OLDEST_NODE.join('.')} or later, and this is ${process.versions.node} (${process.execPath}).`,
    'Install a current one from https://nodejs.org/ and run the same command again.',
  );
}

function fail(...lines) {
  console.error(lines.join('\n'));
  process.exit(1);
}
