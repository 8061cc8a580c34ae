/**
 * The workflow code as a worker loads it, bundled once per state of the sources. The digest of the sources is also the
 * build id of worker versioning: the same sources are the same build, wherever they are bundled.
 */
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { DataConverter } from '@temporalio/common';
import { bundleWorkflowCode, type BundleOptions } from '@temporalio/worker';

const ROOT = path.resolve(__dirname, '..', '..');
/** Everything that can end up in the bundle, and what decides how it is built. */
const SOURCES = [
  'workflows',
  'src/contract',
  'src/temporal/search-attributes.ts',
  'src/temporal/encoded-failures.ts',
  'src/worker/workflow-bundle.ts',
  'package-lock.json',
];
const CACHE = path.join(ROOT, 'node_modules', '.cache', 'onward');

export interface WorkflowBuild {
  /** First 12 digits of the SHA-256 over the sources. */
  buildId: string;
  /** The bundle, for a worker's `workflowBundle`. */
  codePath: string;
}

/**
 * @param converter that of the worker: how failures are written is part of the bundle, and decides nothing in it.
 * @param entry what the worker loads: `versioned` where it has a version (./deployment). The code is the same.
 */
export async function buildWorkflows(
  converter: DataConverter = {},
  entry: 'index' | 'versioned' = 'index',
): Promise<WorkflowBuild> {
  const { failureConverterPath } = converter;
  const buildId = await digestOf(SOURCES);
  const variant = failureConverterPath === undefined ? entry : `${entry}-${path.basename(failureConverterPath, '.ts')}`;
  const codePath = path.join(CACHE, `workflows-${buildId}-${variant}.js`);
  if (!(await exists(codePath))) {
    const workflowsPath = path.join(ROOT, 'workflows', `${entry}.ts`);
    const code = await bundle({ workflowsPath, failureConverterPath });
    await mkdir(CACHE, { recursive: true });
    const unfinished = `${codePath}.${process.pid}`;
    await writeFile(unfinished, code);
    await rename(unfinished, codePath);
  }
  return { buildId, codePath };
}

/** How workflows are bundled: for the product's own, and for tests and benches that bring more of them. */
export async function bundle(options: BundleOptions): Promise<string> {
  const { code } = await bundleWorkflowCode({
    ...options,
    // Loaded once, not once for each workflow, most of whose memory it took.
    preloadModules: ['zod'],
    workflowInterceptorModules: [path.join(ROOT, 'workflows', 'whole-tasks.ts')],
  });
  return code;
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

async function digestOf(sources: string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const source of sources) {
    for (const file of await filesOf(path.join(ROOT, source))) {
      hash.update(`${path.relative(ROOT, file).split(path.sep).join('/')}\0`);
      hash.update(await readFile(file));
    }
  }
  return hash.digest('hex').slice(0, 12);
}

/** The file itself, or every TypeScript file below the folder, in a fixed order. */
async function filesOf(source: string): Promise<string[]> {
  if (path.extname(source) !== '') return [source];
  const entries = await readdir(source, { recursive: true });
  return entries
    .filter((entry) => entry.endsWith('.ts'))
    .sort()
    .map((entry) => path.join(source, entry));
}
