import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const BARE = path.join(__dirname, '..', 'bare', 'index.ts');

/** Upgrades and what they are compared with, in one bundle for one worker. */
export async function bundleBenchWorkflows(folder: string): Promise<string> {
  const { code } = await bundleWorkflowCode({ workflowsPath: BARE, logger: new DefaultLogger('ERROR') });
  const codePath = path.join(folder, 'workflows.js');
  await writeFile(codePath, code);
  return codePath;
}
