/** What a build was made of: `dist/build.json`. A build is known by the digest of its sources, since times of files say nothing after a checkout. */
const { createHash } = require('node:crypto');
const { readdirSync, readFileSync } = require('node:fs');
const path = require('node:path');

const MANIFEST = path.join('dist', 'build.json');

/** Folders whose TypeScript is compiled. */
const COMPILED = ['src', 'workflows', 'activities'];
/** Files of theirs that are copied. Whatever else lies there is no part of the product, be it an editor's or a secret. */
const COPIED = ['.mjs', '.ps1', '.psm1'];
const HOW = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
const SOURCES = [...COMPILED, ...HOW, 'tools/build.mjs'];
/** Everything that can end up in a workflow bundle, and what decides how it is made. */
const WORKFLOW_SOURCES = [
  'workflows',
  'src/contract',
  'src/temporal/search-attributes.ts',
  'src/temporal/encoded-failures.ts',
  'src/temporal/doubtful-payloads.ts',
  'src/worker/workflow-bundle.ts',
  ...HOW,
];

/**
 * @param root of the project.
 * @returns `sources` of the whole build; `workflows` is also the build id of worker versioning: the same sources are the same
 * build, wherever they are built. Both are the first 12 digits of a SHA-256.
 */
function manifestOf(root) {
  return { sources: digestOf(root, SOURCES), workflows: digestOf(root, WORKFLOW_SOURCES) };
}

/** Whether `dist/` is what the sources below `root` make. */
function isBuilt(root) {
  return readManifest(root)?.sources === digestOf(root, SOURCES);
}

/** That of the build that is there; undefined where none is, or where it was cut off. */
function readManifest(root) {
  try {
    return JSON.parse(readFileSync(path.join(root, MANIFEST), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function digestOf(root, sources) {
  const hash = createHash('sha256');
  for (const file of sources.flatMap((source) => filesOf(root, source)))
    hash.update(`${file}\0`).update(readFileSync(path.join(root, file)));
  return hash.digest('hex').slice(0, 12);
}

/** The file itself, or every file of the product below the folder: from the root of the project, in one order and with slashes on every system. */
function filesOf(root, source) {
  if (path.extname(source) !== '') return [source];
  return readdirSync(path.join(root, source), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && ['.ts', ...COPIED].includes(path.extname(entry.name)))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort();
}

module.exports = { COMPILED, COPIED, isBuilt, manifestOf, readManifest };
