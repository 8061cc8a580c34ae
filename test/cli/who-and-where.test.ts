/** Who says so, and to which server: what the command line says, and what follows where it says nothing. */
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { whoAsks, whoIs } from '../../src/cli/kit/context';
import { settingsFor } from '../../src/cli/kit/temporal/connect';
import { PACKAGE_ROOT } from '../../src/package-root';

describe('who', () => {
  test('is who the option names, else the variable, else the login', () => {
    expect(whoIs('ana', { ONWARD_USER: 'bob' })).toBe('ana');
    expect(whoIs(undefined, { ONWARD_USER: 'bob' })).toBe('bob');
    expect(whoIs(undefined, { ONWARD_USER: '' })).toBe(`${os.userInfo().username}@${os.hostname()}`);
  });

  // Every `docker compose run` is another host: whoever has started could approve as somebody else.
  test('has to be said in a container, and the image says that it is one', async () => {
    const env = { ONWARD_SHARED_LOGIN: 'true' };
    expect(() => whoIs(undefined, env)).toThrow(
      expect.objectContaining({ kind: 'usage', hint: expect.stringContaining('--by') as string }) as Error,
    );
    expect(whoIs('ana', env)).toBe('ana');
    expect(whoAsks(undefined, env)).toBe(`somebody@${os.hostname()}`);
    const dockerfile = await readFile(path.join(PACKAGE_ROOT, 'docker/Dockerfile'), 'utf8');
    expect(dockerfile).toMatch(/^ENV .*\bONWARD_SHARED_LOGIN=true\b/m);
  });

  test('has to be said by a user without a login, as ONWARD_RUN_AS of the Compose file makes one', () => {
    const none = jest.spyOn(os, 'userInfo').mockImplementation(() => {
      throw new Error('uv_os_get_passwd returned ENOENT');
    });
    try {
      expect(() => whoIs(undefined, {})).toThrow(/^Nobody knows who you are/);
    } finally {
      none.mockRestore();
    }
  });
});

describe('the server that the command line names', () => {
  const before = { ...process.env };
  const given = (env: NodeJS.ProcessEnv): void => {
    process.env = { ...before, TEMPORAL_CONFIG_FILE: '/nowhere/temporal.toml', ...env };
  };
  afterEach(() => {
    process.env = { ...before };
  });

  test('is looked at as that of the environment is: no key in clear, no protocol', () => {
    given({ TEMPORAL_API_KEY: 'hunter2-the-key', TEMPORAL_TLS: 'false' });
    const read = (address: string) => () => settingsFor({ address });
    expect(read('temporal.example:7233')).toThrow(
      expect.objectContaining({ kind: 'usage', problems: [expect.stringContaining('would travel in clear')] }) as Error,
    );
    expect(read('127.0.0.1:7233')).not.toThrow();
    given({});
    expect(read('http://temporal.example:7233')).toThrow(
      expect.objectContaining({ problems: [expect.stringContaining('is not host:port')] }) as Error,
    );
  });

  test('is reached through the proxy that is for it', () => {
    given({ https_proxy: 'http://proxy.example:3128', no_proxy: 'localhost,127.0.0.1' });
    const { proxy } = settingsFor({ address: 'temporal.example:7233' });
    expect(proxy).toEqual({ type: 'http-connect', targetHost: 'proxy.example:3128' });
    expect(settingsFor({}).proxy).toBeUndefined();
  });

  test('has the namespace of the command line, also in Temporal Cloud', () => {
    given({ TEMPORAL_ADDRESS: 'upgrades.acct.tmprl.cloud:7233', TEMPORAL_API_KEY: 'hunter2-the-key' });
    expect(settingsFor({ namespace: 'upgrades.acct' })).toMatchObject({ namespace: 'upgrades.acct' });
  });
});
