/** What lies in a checkout beside the product, such as providers' entries and their secrets, gets neither into an image nor into a commit. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { PACKAGE_ROOT } from '../../src/package-root';
import { COMPILED } from '../../tools/build-manifest.cjs';

const run = promisify(execFile);

const SECRET = [
  'inventory/secrets/contoso-operations',
  'inventory/contoso.yaml',
  'inventory/contoso.yml',
  '.env',
  '.env.production',
  'src/.env',
  'docker/.env',
  'docker/tls/client.pem',
  'docker/secrets/database',
  'tools/codec.key',
  'client.p12',
  'src/client.pfx',
  'temporal.dump',
];

/** Whether Docker sends the file, by its rules: the last pattern that matches the file or a folder above it decides. */
function isSent(file: string, patterns: string[]): boolean {
  const folders = file.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'));
  return patterns.reduce((sent, line) => {
    const pattern = line.replace(/^!/, '');
    return folders.some((each) => regularExpression(pattern).test(each)) ? line.startsWith('!') : sent;
  }, true);
}

/** `*` within one name, `**` over any number of folders; from the root of the context. */
function regularExpression(pattern: string): RegExp {
  const source = pattern
    .split(/(\*\*\/|\*)/)
    .map((part) => (part === '**/' ? '(?:.*/)?' : part === '*' ? '[^/]*' : part.replace(/[.+^${}()|[\]\\?]/g, '\\$&')))
    .join('');
  return new RegExp(`^${source}$`);
}

let tracked: string[];
let patterns: string[];
beforeAll(async () => {
  tracked = (await run('git', ['ls-files'], { cwd: PACKAGE_ROOT })).stdout.trim().split('\n');
  const lines = (await readFile(path.join(PACKAGE_ROOT, '.dockerignore'), 'utf8')).split('\n');
  patterns = lines.filter((line) => line.trim() !== '' && !line.startsWith('#'));
});

test('the image is built from the sources of the product, and of nothing else', () => {
  const sent = tracked.filter((file) => isSent(file, patterns));
  const alone = ['LICENSE', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
  const folders = [...COMPILED, 'docker', 'tools'];
  expect(sent).toEqual(tracked.filter((file) => alone.includes(file) || folders.includes(file.split('/')[0] ?? '')));
  expect(sent).toEqual(expect.arrayContaining([...alone, 'docker/Dockerfile', 'tools/onward.mjs']));
});

// Security: image-without-secrets
test.each([...SECRET, '.git/config', 'node_modules/left-pad/index.js'])(
  '%s is not sent to a builder of images',
  (file) => {
    expect(isSent(file, patterns)).toBe(false);
  },
);

test.each(SECRET)('%s is not committed', async (file) => {
  await expect(run('git', ['check-ignore', '--no-index', file], { cwd: PACKAGE_ROOT })).resolves.toBeDefined();
});

test('nothing that is ignored is part of the product', async () => {
  const { stdout } = await run('git', ['ls-files', '--cached', '--ignored', '--exclude-standard'], {
    cwd: PACKAGE_ROOT,
  });
  expect(stdout).toBe('');
});
