/** Part of the build (tools/build.mjs): writes the workflow bundles into the folder that it is given. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { DefaultLogger } from '@temporalio/worker';
import { PACKAGE_ROOT } from '../package-root';
import { ENCODED_FAILURES } from '../temporal/data-converter';
import { bundle, bundleName, ENTRIES } from './workflow-bundle';

async function writeBundles(folder: string): Promise<void> {
  for (const entry of ENTRIES) {
    for (const encodesFailures of [false, true]) {
      const code = await bundle({
        workflowsPath: path.join(__dirname, '..', '..', 'workflows', `${entry}.js`),
        failureConverterPath: encodesFailures ? ENCODED_FAILURES : undefined,
        logger: new DefaultLogger('WARN'),
      });
      writeFileSync(path.join(folder, bundleName(entry, encodesFailures)), withOurSourcesOnly(code));
    }
  }
}

const SOURCE_MAP = /(?<=sourceMappingURL=data:application\/json;charset=utf-8;base64,)[\w+/=]+/;

const OURS = /^(src|workflows)[\\/]/;

/**
 * The source map would name the files of the machine that has built it: from the root of the project they are the same everywhere. It brings
 * our own sources only, for stack traces in the Temporal UI; those of the packages would double what each start of a worker reads.
 */
const withOurSourcesOnly = (code: string): string =>
  code.replace(SOURCE_MAP, (encoded) => {
    const map = JSON.parse(Buffer.from(encoded, 'base64').toString()) as {
      sources: string[];
      sourcesContent: string[];
    };
    const sources = map.sources.map((source) => source.replaceAll(`${PACKAGE_ROOT}${path.sep}`, ''));
    const sourcesContent = map.sourcesContent.map((content, index) =>
      OURS.test(sources[index] ?? '') ? content : null,
    );
    return Buffer.from(JSON.stringify({ ...map, sources, sourcesContent })).toString('base64');
  });

const [folder = '.'] = process.argv.slice(2);
writeBundles(folder).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
