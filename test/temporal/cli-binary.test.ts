import { chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  cacheDirectory,
  CLI_VERSION,
  type CliMaker,
  type CliSources,
  findTemporalCli,
} from '../../src/temporal/cli-binary';
import { STALE_AFTER_MS } from '../../src/temporal/lock-file';

const silent = { say: () => undefined, tick: () => undefined };

describe('finding the Temporal CLI', () => {
  let folder: string;
  let cache: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'onward-cli-'));
    cache = path.join(folder, 'cache');
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** An executable that says of itself what it is told to say. */
  async function executable(file: string, says = 'temporal version 1.7.0 (Server 1.31.0, UI 2.50.0)'): Promise<string> {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, `#!/bin/sh\necho '${says}'\n`);
    await chmod(file, 0o755);
    return file;
  }
  const cached = (): string => path.join(cache, `temporal-${CLI_VERSION}-${process.platform}-${process.arch}`);
  const delivers = (name: string): CliMaker & { made: number } => {
    const maker = {
      name,
      made: 0,
      make: async (file: string) => {
        maker.made += 1;
        await executable(file, `temporal version ${CLI_VERSION} (Server 1.29.1, UI 2.42.1)`);
      },
    };
    return maker;
  };
  const fails = (name: string, why: string): CliMaker => ({ name, make: () => Promise.reject(new Error(why)) });
  const find = (given: Partial<CliSources> = {}) =>
    findTemporalCli({ env: { PATH: path.join(folder, 'bin') }, cache, makers: [], progress: silent, ...given });

  test('takes what TEMPORAL_CLI names before everything else', async () => {
    const chosen = await executable(path.join(folder, 'mine'));
    await executable(path.join(folder, 'bin', 'temporal'));
    const env = { PATH: path.join(folder, 'bin'), TEMPORAL_CLI: chosen };
    expect(await find({ env })).toEqual({ path: chosen, version: '1.7.0', source: 'TEMPORAL_CLI' });
  });

  test('refuses a TEMPORAL_CLI that is not there, or is another program, instead of looking further', async () => {
    await executable(path.join(folder, 'bin', 'temporal'));
    const other = await executable(path.join(folder, 'other'), 'tctl version 1.18');
    const env = (file: string) => ({ PATH: path.join(folder, 'bin'), TEMPORAL_CLI: file });
    await expect(find({ env: env('/nowhere/temporal') })).rejects.toThrow(
      /TEMPORAL_CLI cannot be used.*\/nowhere\/temporal does not run/,
    );
    await expect(find({ env: env(other) })).rejects.toThrow("is not Temporal's CLI");
  });

  test('takes `temporal` from the PATH before the cache', async () => {
    const installed = await executable(path.join(folder, 'bin', 'temporal'));
    await executable(cached());
    expect(await find()).toMatchObject({ path: installed, source: 'PATH' });
  });

  test('passes over a `temporal` on the PATH that does not run here, and takes the cache', async () => {
    await executable(path.join(folder, 'bin', 'temporal'), 'something else');
    await executable(cached());
    expect(await find()).toMatchObject({ path: cached(), source: 'cache' });
  });

  test('downloads into the cache, and the next time finds it there', async () => {
    const download = delivers('download');
    expect(await find({ makers: [download, fails('build', 'not asked')] })).toMatchObject({
      path: cached(),
      source: 'download',
    });
    expect(await find({ makers: [download] })).toMatchObject({ path: cached(), source: 'cache' });
    expect(download.made).toBe(1);
    expect(await readdir(cache)).toEqual([path.basename(cached())]);
  });

  test('builds when the download fails', async () => {
    const makers = [fails('download', 'offline'), delivers('build')];
    expect(await find({ makers })).toMatchObject({ path: cached(), source: 'build' });
  });

  test('lists everything it tried and what would help when nothing worked', async () => {
    const makers = [fails('download', 'temporal.download is out of reach'), fails('build', 'there is no `go`')];
    const failure = await find({ makers }).then(String, String);
    for (const line of [
      'NoTemporalCli',
      'TEMPORAL_CLI is not set',
      'PATH: there is no `temporal`',
      'download: temporal.download is out of reach',
      'build: there is no `go`',
      'https://go.dev/dl/',
    ]) {
      expect(failure).toContain(line);
    }
  });

  test('makes it anew when what the cache holds does not run', async () => {
    await executable(cached(), 'something else');
    expect(await find({ makers: [delivers('build')] })).toMatchObject({ path: cached(), source: 'build' });
  });

  test('never caches what was made only in part, or does not run', async () => {
    const broken = { name: 'build', make: (file: string) => writeFile(file, 'half a binary') };
    await expect(find({ makers: [broken] })).rejects.toThrow('does not run');
    await expect(readFile(cached())).rejects.toThrow('ENOENT');
  });

  test('makes it once when two ask at the same time, and tells the second one that it waits', async () => {
    const build = delivers('build');
    let heard: (line: string) => void = () => undefined;
    const secondWaits = new Promise<string>((tick) => (heard = tick));
    const first: CliMaker = {
      name: 'build',
      make: async (...args) => {
        expect(await secondWaits).toContain(`Another Onward (process ${process.pid}) is getting the Temporal CLI`);
        await build.make(...args);
      },
    };
    const both = { makers: [first], progress: { ...silent, tick: (line: string) => heard(line) } };
    const found = await Promise.all([find(both), find(both)]);
    expect(found.map(({ source }) => source).sort()).toEqual(['build', 'cache']);
    expect(build.made).toBe(1);
  });

  test('takes over from a process that was killed while it built', async () => {
    await mkdir(cache);
    const lock = `${cached()}.lock`;
    await writeFile(lock, '4194304');
    const longAgo = new Date(Date.now() - STALE_AFTER_MS - 1000);
    await utimes(lock, longAgo, longAgo);
    expect(await find({ makers: [delivers('build')] })).toMatchObject({ source: 'build' });
    await expect(readFile(lock)).rejects.toThrow('ENOENT');
  });
});

test('the cache lies in the folder that each system has for caches', () => {
  const home = os.homedir();
  expect(cacheDirectory({}, 'linux')).toBe(path.join(home, '.cache/onward'));
  expect(cacheDirectory({ XDG_CACHE_HOME: '/var/caches' }, 'linux')).toBe('/var/caches/onward');
  expect(cacheDirectory({}, 'darwin')).toBe(path.join(home, 'Library/Caches/onward'));
  expect(cacheDirectory({ LOCALAPPDATA: '/local' }, 'win32')).toBe('/local/onward/cache');
});

test('the module that Go builds is of the version that the cache is named for', async () => {
  const module = await readFile(path.join(__dirname, '../../tools/temporal-cli/go.mod'), 'utf8');
  expect(module).toMatch(new RegExp(`^\\s*github.com/temporalio/cli v${CLI_VERSION.replaceAll('.', '\\.')} `, 'm'));
});
