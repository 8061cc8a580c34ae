/** When a clone builds by itself: a build that is older than its sources must not run, and one that is not must not be made again. */
import { cp, mkdir, mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { isBuilt, manifestOf } from '../../tools/build-manifest.cjs';

const FILES = {
  'src/contract/facts.ts': 'export {};',
  'src/temporal/search-attributes.ts': 'export {};',
  'src/temporal/encoded-failures.ts': 'export {};',
  'src/temporal/doubtful-payloads.ts': 'export {};',
  'src/worker/workflow-bundle.ts': 'export {};',
  'src/systems/endpoint/scripts/setup.ps1': 'exit 0',
  'workflows/index.ts': 'export {};',
  'activities/notify.ts': 'export {};',
  'tsconfig.json': '{}',
  'tsconfig.build.json': '{}',
  'package-lock.json': '{}',
  'tools/build.mjs': '',
};

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'onward-build-'));
  for (const [file, text] of Object.entries(FILES)) await write(file, text);
  await write('dist/build.json', JSON.stringify(manifestOf(root)));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function write(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(path.join(root, file)), { recursive: true });
  await writeFile(path.join(root, file), text);
}

test('a build of these sources is used, in another clone and after a checkout too', async () => {
  expect(isBuilt(root)).toBe(true);
  const later = new Date(Date.now() + 60_000);
  for (const file of Object.keys(FILES)) await utimes(path.join(root, file), later, later);
  expect(isBuilt(root)).toBe(true);
  const other = `${root}-other`;
  await cp(root, other, { recursive: true });
  expect(isBuilt(other)).toBe(true);
  await rm(other, { recursive: true });
});

test.each(Object.keys(FILES))('a change of %s asks for a new build', async (file) => {
  await write(file, `${FILES[file as keyof typeof FILES]} `);
  expect(isBuilt(root)).toBe(false);
});

test('a source that is new, gone or renamed asks for a new build', async () => {
  const [added, moved] = ['workflows/added.ts', 'workflows/moved.ts'];
  await write(added, '');
  expect(isBuilt(root)).toBe(false);
  await write('dist/build.json', JSON.stringify(manifestOf(root)));
  await rename(path.join(root, added), path.join(root, moved));
  expect(isBuilt(root)).toBe(false);
  await rm(path.join(root, moved));
  expect(isBuilt(root)).toBe(false);
});

test('what an editor or somebody leaves beside the sources is no part of the product', async () => {
  for (const stray of ['workflows/.DS_Store', 'src/.env', 'activities/notify.ts.swp', 'src/notes.md'])
    await write(stray, 'x');
  expect(isBuilt(root)).toBe(true);
});

test('without a build, or with one that was cut off, one is made', async () => {
  await write('dist/build.json', '{"sour');
  expect(isBuilt(root)).toBe(false);
  await rm(path.join(root, 'dist'), { recursive: true });
  expect(isBuilt(root)).toBe(false);
});

test('the build id of the workflows changes with what may be in their bundle, and with nothing else', async () => {
  const { workflows } = manifestOf(root);
  await write('activities/notify.ts', 'export const changed = true;');
  await write('src/systems/endpoint/scripts/setup.ps1', 'exit 1');
  expect(manifestOf(root).workflows).toBe(workflows);
  await write('src/contract/facts.ts', 'export const changed = true;');
  expect(manifestOf(root).workflows).not.toBe(workflows);
});
