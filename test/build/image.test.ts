/** What docker/Dockerfile puts into the image. It is built by `npm run compose-check`; these are the faults that only show elsewhere. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { PACKAGE_ROOT } from '../../src/package-root';

interface Instruction {
  name: string;
  text: string;
}

/** The instructions of each stage, the first being its FROM. */
let stages: Instruction[][];
beforeAll(async () => {
  const text = await readFile(path.join(PACKAGE_ROOT, 'docker/Dockerfile'), 'utf8');
  const lines = text
    .replace(/^#.*\n/gm, '')
    .replace(/\s*\\\n\s*/g, ' ')
    .split('\n');
  const instructions = lines
    .filter((line) => line.trim() !== '')
    .map((line) => /^(?<name>\w+) +(?<text>.*)$/.exec(line));
  stages = [];
  for (const found of instructions) {
    const { name = '', text: given = '' } = found?.groups ?? {};
    if (name === 'FROM') stages.push([]);
    stages.at(-1)?.push({ name, text: given });
  }
});

const texts = (stage: Instruction[] | undefined, name: string): string[] =>
  (stage ?? []).filter((each) => each.name === name).map(({ text }) => text);
const ofImage = (name: string): string[] => texts(stages.at(-1), name);

test('it trusts the authorities of the system, without which TLS to Temporal Cloud fails', () => {
  expect(ofImage('RUN').filter((text) => /apt-get install .*\bca-certificates\b/.test(text))).toHaveLength(1);
});

test('it has nothing of what only the build needs: no sources, no cache of npm', () => {
  expect(ofImage('RUN').filter((text) => /\bnpm\b/.test(text))).toEqual([]);
  const taken = ofImage('COPY').map((text) => text.split(' '));
  expect(taken.flatMap(([from]) => from)).toEqual(taken.map(() => '--from=build'));
  const files = taken.flatMap((words) => words.slice(1, -1));
  expect(files.sort()).toEqual(
    ['LICENSE', 'dist', 'docker', 'node_modules', 'package.json', 'tools/onward.mjs'].map((file) => `/app/${file}`),
  );
});

test('whoever runs it can read it, whatever the umask of the checkout', () => {
  const opened = /chmod -R a\+rX (?<paths>.*)$/
    .exec(texts(stages[0], 'RUN').at(-1) ?? '')
    ?.groups?.['paths']?.split(' ');
  const copied = ofImage('COPY').flatMap((text) => text.split(' ').slice(1, -1));
  // What npm installs has npm's own permissions.
  const ofCheckout = copied.map((file) => file.replace('/app/', '')).filter((file) => file !== 'node_modules');
  expect(ofCheckout.filter((file) => !opened?.includes(file.split('/')[0] ?? ''))).toEqual([]);
});

test('of Temporal’s native core it keeps that of its own system', async () => {
  const command = /cd node_modules\/@temporalio\/core-bridge && (?<command>native=.*?) && cd \/app/.exec(
    texts(stages[0], 'RUN').join('\n'),
  )?.groups?.['command'];
  const folder = await mkdtemp(path.join(os.tmpdir(), 'onward-image-'));
  const bridge = path.join(PACKAGE_ROOT, 'node_modules/@temporalio/core-bridge');
  await cp(path.join(bridge, 'common.js'), path.join(folder, 'common.js'));
  const releases = await readdir(path.join(bridge, 'releases'));
  for (const release of releases) {
    await mkdir(path.join(folder, 'releases', release), { recursive: true });
    await writeFile(path.join(folder, 'releases', release, 'index.node'), '');
  }
  await promisify(execFile)('sh', ['-ec', command ?? 'false'], { cwd: folder });
  const [kept, ...others] = await readdir(path.join(folder, 'releases'));
  expect(releases.length).toBeGreaterThan(1);
  expect(others).toEqual([]);
  expect(kept).toMatch(/linux|darwin/);
  await rm(folder, { recursive: true });
});
