import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CancelledFailure } from '@temporalio/common';
import { FAILURE } from '../../src/contract/activities';
import { PowerShell } from '../../src/systems/endpoint/powershell';
import { withOwnModules, withoutSecrets } from '../../src/systems/endpoint/powershell-of-machine';
import type { ScriptName } from '../../src/systems/endpoint/scripts';
import { SystemError } from '../../src/systems/system-error';
import { patience } from '../kit/deadlines';

const FAKE = path.join(__dirname, 'fake-powershell.mjs');
const ASK = {
  workDirectory: '/work',
  identity: { computerName: 'A', machineGuid: 'b', smbiosUuid: 'c' },
  address: '10.1.2.11',
  hostname: 'gateway.contoso.local',
  path: 'app',
  waitMilliseconds: 0,
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'onward-powershell-'));
});
afterAll(() => rm(folder, { recursive: true }));

function fake(
  behaviour: string,
  deadlineMs = patience(20_000),
  signal?: AbortSignal,
  script: 'answer' | 'setup' = 'answer',
) {
  const env = { ...process.env, FAKE: behaviour, FAKE_CHILD: path.join(folder, 'child') };
  // The fake reads nothing of what it is told.
  return new PowerShell({ executable: FAKE, env }).run<ScriptName>(script, ASK, deadlineMs, signal);
}

async function failureOf(outcome: Promise<unknown>): Promise<SystemError> {
  const error: unknown = await outcome.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SystemError)) throw new Error(`Expected a SystemError, got ${String(error)}`);
  return error;
}

/** A process that has ended stays in the list as a zombie until its parent takes notice. */
function isAlive(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z');
}

const childText = (): Promise<string> => readFile(path.join(folder, 'child'), 'utf8').catch(() => '');

/** The child that the hanging fake has started, once it has. */
async function childPid(): Promise<number> {
  for (;;) {
    const text = await childText();
    if (text !== '') return Number(text);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('PowerShell', () => {
  test.each([
    ['ends with 0 and says nothing', /ended with exit code 0 without saying what it has done/],
    ['ends with 1603 and says why on standard error', /ended with exit code 67 .*the installer is unhappy/],
    ['goes on to the next command as if nothing was', /ended with exit code 0 without saying/],
    ['is ended by SIGTERM', /was ended by SIGTERM without saying/],
    ['answers in UTF-16', /without saying/],
    ['answers with the nonce of another run', /without saying/],
    ['answers half an envelope', /without saying/],
  ])('that %s has an unknown outcome', async (behaviour, message) => {
    const failure = await failureOf(fake(behaviour));
    expect(failure).toMatchObject({ type: FAILURE.outcomeUnknown, retryable: true });
    expect(failure.message).toMatch(message);
  });

  test.each(['answers after a prompt without a line feed, and ends with 3', 'answers, and never ends'])(
    'that %s has answered',
    async (behaviour) => {
      await expect(fake(behaviour)).resolves.toMatchObject({ result: { status: 401 } });
    },
  );

  test('that answers what is not the result of the script is malformed, and the failure names the member', async () => {
    const failure = await failureOf(fake('answers something else'));
    expect(failure.type).toBe(FAILURE.malformedAnswer);
    expect(failure.message).toMatch(/status/);
  });

  test('that hangs is ended at the deadline with everything it has started', async () => {
    await rm(path.join(folder, 'child'), { force: true });
    let child = '';
    // A deadline that comes before it has started anything shows nothing.
    for (let seconds = 1; child === ''; seconds *= 2) {
      const failure = await failureOf(fake('hangs', seconds * 1000));
      expect(failure.type).toBe(FAILURE.outcomeUnknown);
      expect(failure.message).toContain(`did not answer within ${seconds} s and was ended`);
      child = await childText();
    }
    expect(isAlive(Number(child))).toBe(false);
  });

  test('that hangs is ended on cancellation with everything it has started', async () => {
    await rm(path.join(folder, 'child'), { force: true });
    const cancel = new AbortController();
    const outcome = fake('hangs', patience(20_000), cancel.signal);
    const child = await childPid();
    cancel.abort(new Error('the upgrade was aborted'));
    await expect(outcome).rejects.toThrow('the upgrade was aborted');
    expect(isAlive(child)).toBe(false);
  });

  test.each([
    ['goes on when the worker ends', 'WORKER_SHUTDOWN', true],
    ['is ended when the upgrade is cancelled', 'CANCELLED', false],
  ])('that waits for a setup.cmd is ended, and setup.cmd %s', async (_what, reason, goesOn) => {
    await rm(path.join(folder, 'child'), { force: true });
    const ends = new AbortController();
    const outcome = fake('hangs', patience(20_000), ends.signal, 'setup');
    const child = await childPid();
    ends.abort(new CancelledFailure(reason));
    await expect(outcome).rejects.toThrow(reason);
    expect(isAlive(child)).toBe(goesOn);
    if (goesOn) process.kill(child);
  });

  test('that ends while what it has started lives on is not waited for', async () => {
    await rm(path.join(folder, 'child'), { force: true });
    const failure = await failureOf(fake('ends while a program that it has started lives on'));
    expect(failure.message).toMatch(/ended with exit code 0 without saying/);
    process.kill(await childPid());
  });

  test('is not started for what was cancelled before', async () => {
    await expect(fake('hangs', patience(20_000), AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
  });

  test('that is not installed is said to be missing, and nothing crashes', async () => {
    const powershell = new PowerShell({ executable: 'no-such-powershell' });
    const failure = await failureOf(powershell.run('answer', ASK, patience(20_000)));
    expect(failure).toMatchObject({ type: FAILURE.unreachable, retryable: true });
    expect(failure.message).toMatch(/no-such-powershell is not there.*ONWARD_PWSH/);
  });

  test('that cannot be started is unreachable, and nothing crashes', async () => {
    const executable = path.join(folder, 'broken');
    await writeFile(executable, '#!/no/such/interpreter\n');
    await chmod(executable, 0o755);
    const failure = await failureOf(new PowerShell({ executable }).run('answer', ASK, patience(20_000)));
    expect(failure.type).toBe(FAILURE.unreachable);
    expect(failure.message).toMatch(/could not be started/);
  });

  test('is the executable that was named, whatever node-powershell reads from the environment', async () => {
    process.env['NODE_POWERSHELL'] = 'no-such-powershell';
    try {
      await expect(fake('answers after a prompt without a line feed, and ends with 3')).resolves.toMatchObject({
        result: { status: 401 },
      });
    } finally {
      delete process.env['NODE_POWERSHELL'];
    }
  });
});

test('no script, and no setup.cmd after it, inherits what the worker shows to servers: credentials of Temporal, keys, headers for a collector', () => {
  const shared = { PATH: '/bin', ONWARD_PWSH: 'pwsh', OTEL_SERVICE_NAME: 'onward' };
  const own = {
    TEMPORAL_API_KEY: 'k',
    ONWARD_CODEC_KEYS: 'a=env:KEY_A',
    KEY_A: 'k',
    OTEL_EXPORTER_OTLP_HEADERS: 'a=k',
  };
  expect(withoutSecrets({ ...shared, ...own })).toEqual(shared);
});

test('Windows PowerShell does not inherit where PowerShell 7 has its modules, and PowerShell 7 does', () => {
  const env = { PSMODULEPATH: 'C:\\Program Files\\PowerShell\\7\\Modules', Path: 'C:\\Windows' };
  for (const executable of [
    'powershell.exe',
    'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\PowerShell.exe',
    'powershell',
  ])
    expect(withOwnModules(executable, env)).toEqual({ Path: 'C:\\Windows' });
  expect(withOwnModules('/opt/pwsh', env)).toEqual(env);
});

describe('the scripts', () => {
  test('are plain ASCII, for Windows PowerShell reads a file without a mark as it likes', async () => {
    const scripts = path.join(__dirname, '../../src/systems/endpoint/scripts');
    for (const name of await readdir(scripts)) {
      expect(`${name}: ${/[^\t\r\n -~]/.exec(await readFile(path.join(scripts, name), 'utf8'))?.[0] ?? 'ASCII'}`).toBe(
        `${name}: ASCII`,
      );
    }
  });
});
