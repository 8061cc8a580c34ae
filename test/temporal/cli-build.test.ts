import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { buildCli } from '../../src/temporal/cli-build';

describe('building the Temporal CLI with Go', () => {
  let folder: string;
  const said: string[] = [];
  const progress = { say: (line: string) => void said.push(line), tick: (line: string) => void said.push(line) };

  beforeEach(async () => {
    said.length = 0;
    folder = await mkdtemp(path.join(os.tmpdir(), 'onward-build-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** A `go` that answers as told: commands of a shell script for `go env`, `go list` and `go build`. */
  async function go(commands: { env?: string; list?: string; build?: string }): Promise<void> {
    const { env = 'echo go1.26.8', list = '', build = '' } = commands;
    const cases = `env) ${env};;\nlist) ${list || ':'};;\nbuild) ${build || ':'};;`;
    await writeFile(path.join(folder, 'go'), `#!/bin/sh\nPATH=/usr/bin:/bin\ncase $1 in\n${cases}\nesac\n`);
    await chmod(path.join(folder, 'go'), 0o755);
  }
  const build = () => buildCli(path.join(folder, 'temporal'), { version: '1.5.1', env: { PATH: folder }, progress });

  test('says that it is alive and how far it is', async () => {
    await go({
      list: 'echo "go: downloading x v1" >&2; echo a; echo b; echo c; sleep 1.2',
      build: 'echo a >&2; echo b >&2; sleep 1.2; echo github.com/temporalio/cli/cmd/temporal >&2; sleep 1.2',
    });
    await build();
    expect(said[0]).toMatch(/^Building the Temporal CLI 1\.5\.1 from source with go1\.26\.8.*4 minutes/);
    expect(said).toContainEqual(expect.stringMatching(/fetching sources, 1 modules so far, \d+ s$/));
    expect(said).toContainEqual(expect.stringMatching(/2 of at most 3 packages compiled, \d+ s$/));
    expect(said).toContainEqual(expect.stringMatching(/linking, \d+ s$/));
  });

  test('says what to install when there is no Go, or one too old to fetch another', async () => {
    await expect(build()).rejects.toThrow(/no `go` on the PATH.*https:\/\/go\.dev\/dl\//);
    await go({ env: 'echo go1.19.8' });
    await expect(build()).rejects.toThrow(/go1\.19\.8 is too old.*1\.25/);
  });

  test('repeats what Go said when it fails, and names the setting for another registry', async () => {
    await go({ list: 'echo "dial tcp: lookup proxy: no such host" >&2; exit 1' });
    await expect(build()).rejects.toThrow(/`go list` failed with exit code 1: dial tcp.*no such host.*GOPROXY/);
  });
});
