/**
 * What `npm pack` gives is all that a machine needs: it is installed in an empty folder, from the registry and without the repository, and shows
 * the demo.
 *
 * @needs temporal
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { PACKAGE_ROOT } from '../../src/package-root';
import { onwardVersion } from '../../src/cli/kit/version';
import { findTemporalCli } from '../../src/temporal/cli-binary';

const run = promisify(execFile);

let folder: string;
let app: string;
/** Without what npm tells the scripts that it runs, such as this test: to the package that would be its own folder. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'onward-package-'));
  app = path.join(folder, 'app');
  await mkdir(app);
  await run('npm', ['pack', '--pack-destination', folder], { cwd: PACKAGE_ROOT, env: environment });
  await writeFile(path.join(app, 'package.json'), '{"private":true}');
  const file = path.join(folder, `onward-${onwardVersion()}.tgz`);
  await run('npm', ['install', '--no-audit', '--no-fund', file], { cwd: app, env: environment });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const onward = (...args: string[]) =>
  run(process.execPath, [path.join(app, 'node_modules', 'onward', 'tools', 'onward.mjs'), ...args], {
    cwd: app,
    env: environment,
  });

test('it brings its build, and neither sources nor anything that translates them', async () => {
  const inPackage = await readdir(path.join(app, 'node_modules', 'onward'));
  expect(inPackage.sort()).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'dist',
    'docs',
    'inventory',
    'monitoring',
    'package.json',
    'tools',
  ]);
  const installed = await readdir(path.join(app, 'node_modules'));
  expect(installed).toContain('zod');
  expect(installed.filter((name) => ['typescript', 'tsx', 'esbuild', 'jest'].includes(name))).toEqual([]);
});

test('it names no folder of the machine that has built it', async () => {
  const dist = path.join(app, 'node_modules', 'onward', 'dist');
  const files = (await readdir(dist, { recursive: true })).filter((file) => /\.(js|map|json)$/.test(file));
  expect(files.length).toBeGreaterThan(100);
  for (const file of files) {
    const text = await readFile(path.join(dist, file), 'utf8');
    const [, map = ''] = /sourceMappingURL=data:[^,]*;base64,([\w+/=]+)/.exec(text) ?? [];
    expect([file, `${text}${Buffer.from(map, 'base64').toString()}`.includes(PACKAGE_ROOT)]).toEqual([file, false]);
  }
});

test('it shows the demo, and keeps what that leaves beside the package', async () => {
  expect((await onward('--version')).stdout.trim()).toBe(onwardVersion());
  const { path: temporal } = await findTemporalCli();
  environment['TEMPORAL_CLI'] = temporal;
  await onward('demo', '--auto', '--free-ports', '--pace', 'quick');
  expect(await readFile(path.join(app, '.onward', 'report-contoso.md'), 'utf8')).toMatch(
    /Result\*\*: completed\n.*Path\*\*: 18\.3 to 18\.4\.1/,
  );
  expect(existsSync(path.join(app, 'node_modules', 'onward', '.onward'))).toBe(false);
});
