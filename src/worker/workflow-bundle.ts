/** The workflow code as a worker loads it: bundled when Onward is built (tools/build.mjs), for each way in which a worker may run it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { DataConverter } from '@temporalio/common';
import { bundleWorkflowCode, type BundleOptions } from '@temporalio/worker';
import { BUILD_FOLDER } from '../package-root';
import { DOUBTFUL_PAYLOADS } from '../temporal/data-converter';

/** What a worker loads: `versioned` where it has a version (./deployment). The code is the same. */
export const ENTRIES = ['index', 'versioned'] as const;
export type Entry = (typeof ENTRIES)[number];

export interface WorkflowBuild {
  /** First 12 digits of the SHA-256 over the sources of the workflows. */
  buildId: string;
  /** The bundle, for a worker's `workflowBundle`. */
  codePath: string;
}

/** @param converter that of the worker: how failures are written is part of the bundle, and decides nothing in it. */
export function builtWorkflows(converter: DataConverter = {}, entry: Entry = 'index'): WorkflowBuild {
  const manifest = readFileSync(path.join(BUILD_FOLDER, 'build.json'), 'utf8');
  const { workflows: buildId } = JSON.parse(manifest) as { workflows: string };
  const encodesFailures = converter.failureConverterPath !== undefined;
  return { buildId, codePath: path.join(BUILD_FOLDER, bundleName(entry, encodesFailures)) };
}

export const bundleName = (entry: Entry, encodesFailures: boolean): string =>
  `workflows-${entry}${encodesFailures ? '-encoded' : ''}.js`;

/** How workflows are bundled: the product's own, and those that tests and benches bring. */
export async function bundle(options: BundleOptions): Promise<string> {
  const { code } = await bundleWorkflowCode({
    ...options,
    // Loaded once, not once for each workflow, most of whose memory it took.
    preloadModules: ['zod'],
    payloadConverterPath: DOUBTFUL_PAYLOADS,
    workflowInterceptorModules: ['refuse-early-queries', 'refuse-doubtful', 'details-of-activation'].map((module) =>
      path.join(__dirname, '..', '..', 'workflows', 'kit', module),
    ),
  });
  return code;
}
