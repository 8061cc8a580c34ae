/** A build of workflows of a test's own, as another release would be. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import type { WorkflowBuild } from '../../src/worker/workflow-bundle';

/**
 * @param name of the workflows' file here: `swapped` is `swapped.workflows.ts`. It is the build's id as well.
 * @param folder for the bundle.
 */
export async function buildOf(name: string, folder: string): Promise<WorkflowBuild> {
  const codePath = path.join(folder, `${name}.js`);
  const { code } = await bundleWorkflowCode({
    workflowsPath: require.resolve(`./${name}.workflows.ts`),
    logger: new DefaultLogger('ERROR'),
  });
  await writeFile(codePath, code);
  return { buildId: name, codePath };
}
