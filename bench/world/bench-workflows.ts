import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DefaultLogger } from '@temporalio/worker';
import { bundle } from '../../src/worker/workflow-bundle';

const BARE = path.join(__dirname, '..', 'bare', 'index.ts');

/** Upgrades and what they are compared with, in one bundle for one worker. */
export async function bundleBenchWorkflows(folder: string): Promise<string> {
  const codePath = path.join(folder, 'workflows.js');
  await writeFile(codePath, await bundle({ workflowsPath: BARE, logger: new DefaultLogger('ERROR') }));
  return codePath;
}
