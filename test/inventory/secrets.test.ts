import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { ApplicationFailure } from '@temporalio/common';
import { conceal, redact, redactDeep, resolveSecret } from '../../src/inventory/secrets';
import { SystemError } from '../../src/systems/system-error';
import { activityEnvironment } from '../kit/activity-environment';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'onward-secrets-'));
});
afterEach(async () => {
  delete process.env['ONWARD_TEST_SECRET'];
  await rm(folder, { recursive: true });
});

test('a reference to a variable or a file gives its value, without the newlines at the end of the file', async () => {
  process.env['ONWARD_TEST_SECRET'] = 'from the environment';
  expect(await resolveSecret('env:ONWARD_TEST_SECRET')).toBe('from the environment');
  const file = path.join(folder, 'secret');
  await writeFile(file, 'two\nlines\r\n');
  expect(await resolveSecret(`file:${file}`)).toBe('two\nlines');
});

describe('a secret that Windows PowerShell has written', () => {
  const written = async (bytes: Buffer): Promise<string> => {
    const file = path.join(folder, 'secret');
    await writeFile(file, bytes);
    return `file:${file}`;
  };
  const secret = 'pässwort-€';

  test.each([
    ['with a byte order mark', Buffer.from(`\ufeff${secret}\r\n`)],
    ['with two newlines at its end', Buffer.from(`${secret}\r\n\r\n`)],
    ['in UTF-16', Buffer.from(`\ufeff${secret}\r\n`, 'utf16le')],
    ['in UTF-16 of the other order', Buffer.from(`\ufeff${secret}\r\n`, 'utf16le').swap16()],
  ])('is the secret alone: %s', async (_, bytes) => {
    expect(await resolveSecret(await written(bytes))).toBe(secret);
  });

  test.each([
    ['UTF-16 without a mark', Buffer.from('plain\r\n', 'utf16le'), 'looks like UTF-16 without a byte order mark'],
    ['a Windows code page', Buffer.from('pässwort', 'latin1'), 'is no valid UTF-8'],
    ['half a character', Buffer.from([0xff, 0xfe, 0x41]), 'is no valid UTF-16'],
  ])('is refused by name where nobody can tell what it is: %s', async (_, bytes, problem) => {
    await expect(resolveSecret(await written(bytes))).rejects.toThrow(
      new RegExp(`^The secret file:.*secret ${problem}.*Save it as UTF-8`),
    );
  });
});

test('a rotated secret is seen without a restart', async () => {
  const file = path.join(folder, 'secret');
  await writeFile(file, 'first value');
  expect(await resolveSecret(`file:${file}`)).toBe('first value');
  await writeFile(file, 'second value');
  expect(await resolveSecret(`file:${file}`)).toBe('second value');
});

test('what cannot be resolved is named by its reference, with what to do', async () => {
  await expect(resolveSecret('env:ONWARD_TEST_SECRET')).rejects.toThrow(
    'The secret env:ONWARD_TEST_SECRET is not there: set ONWARD_TEST_SECRET in the environment of this process.',
  );
  await expect(resolveSecret(`file:${folder}/nothing`)).rejects.toThrow(
    /^The secret file:.*nothing cannot be read \(ENOENT\)/,
  );
  process.env['ONWARD_TEST_SECRET'] = '';
  await expect(resolveSecret('env:ONWARD_TEST_SECRET')).rejects.toThrow('is empty');
});

test('what is no reference is not repeated: it may be the secret', async () => {
  await expect(resolveSecret('hunter2')).rejects.toThrow(/^(?!.*hunter2).*neither env:NAME nor file:\/path/);
});

describe('a secret disappears from texts', () => {
  const secret = 'p<a"ss & w\'o+r/d=\\ é%';
  beforeEach(async () => {
    process.env['ONWARD_TEST_SECRET'] = secret;
    await resolveSecret('env:ONWARD_TEST_SECRET');
  });
  const percent = encodeURIComponent(secret);
  const basic = (user: string): string => Buffer.from(`${user}:${secret}`).toString('base64');
  const url64 = (text: string): string => Buffer.from(text).toString('base64url');

  test.each([
    ['as it is', secret],
    ['in a URL', `https://x/?p=${percent}`],
    ['in a URL in small letters', percent.replace(/%../g, (escape) => escape.toLowerCase())],
    ['in a form', new URLSearchParams({ p: secret }).toString()],
    ['in JSON', JSON.stringify({ secret })],
    ['in JSON with escaped slashes', JSON.stringify({ secret }).replaceAll('/', '\\/')],
    ['in JSON of nothing but ASCII', JSON.stringify({ secret }).replace('é', '\\u00e9')],
    ['in XML', 'p&lt;a"ss &amp; w\'o+r/d=\\ é%'],
    ['in XML with every character escaped that can be', 'p&lt;a&quot;ss &amp; w&apos;o+r/d=\\ é%'],
    ['in HTML', 'p&lt;a&#34;ss &amp; w&#39;o+r/d=\\ é%'],
    ['in hex', Buffer.from(secret).toString('hex')],
  ])('%s', (_, text) => {
    expect(redact(`before ${text} after`)).toMatch(/^before .*\[secret\].* after$/);
    expect(redact(text)).not.toMatch(/ss.*w|73732026/);
  });

  test.each(['a', 'bo', 'ann', 'onward@contoso.example'])('in the Basic authorization of %s', (user) => {
    const shown = redact(`Authorization: Basic ${basic(user)}`);
    const left = Buffer.from(shown.split(' ').at(-1)?.replace('[secret]', '') ?? '', 'base64').toString();
    expect(shown).toContain('[secret]');
    expect(left).not.toMatch(/ss|o\+r/);
  });

  test('in the base64 of tokens', () => {
    expect(redact(url64(`{"key":"${secret}"}`))).toContain('[secret]');
  });

  test('also one line of several', async () => {
    process.env['ONWARD_TEST_SECRET'] = 'first line of it\r\nsecond line of it';
    await resolveSecret('env:ONWARD_TEST_SECRET');
    expect(redact('not accepted: second line of it')).toBe('not accepted: [secret]');
  });

  test('one that a system has handed out as well', () => {
    conceal('handed-out-4711');
    expect(redact('expired: handed-out-4711')).toBe('expired: [secret]');
  });

  test('in every corner of a value, and nothing else changes', () => {
    const value = { messages: ['is open', `by ${secret}`], count: 3, none: null };
    expect(redactDeep(value)).toEqual({ messages: ['is open', 'by [secret]'], count: 3, none: null });
    expect(redact('nothing secret here')).toBe('nothing secret here');
  });

  test('however many secrets a worker has met since', () => {
    for (let number = 0; number < 4_000; number++) conceal(`token-${number}-of-some-system`);
    expect(redact(secret)).toBe('[secret]');
  });
});

describe('a failure that a workflow sees', () => {
  const fail = async (error: unknown): Promise<unknown> => {
    return activityEnvironment()
      .run(() => Promise.reject(error as Error))
      .catch((failure: unknown) => failure);
  };
  beforeEach(async () => {
    process.env['ONWARD_TEST_SECRET'] = 'hunter2-the-second';
    await resolveSecret('env:ONWARD_TEST_SECRET');
  });

  test('does not quote half a secret where a long text is cut', async () => {
    for (let length = 975; length < 1_000; length++) {
      const problem = `said ${'x'.repeat(length)} hunter2-the-second`;
      const error = new SystemError({ type: 'Rejected', system: 'Billing', call: 'Execute', problem, next: 'Look.' });
      expect(String(error)).not.toContain('hunter');
    }
  });

  test('has no secret in its causes and details, whatever has thrown it', async () => {
    const inner = new Error('inner hunter2-the-second');
    const details = [{ echo: ['hunter2-the-second'] }];
    const failure = ApplicationFailure.create({ message: 'outer hunter2-the-second', details, cause: inner });
    const seen = inspect(await fail(failure), { depth: 10, showHidden: true });
    expect(seen).toContain('[secret]');
    expect(seen).not.toContain('hunter2');
  });

  test('stays what it is, also where its message cannot be assigned to', async () => {
    const failure = await fail(new DOMException('timed out at hunter2-the-second', 'TimeoutError'));
    expect(failure).toMatchObject({ name: 'TimeoutError', message: 'timed out at [secret]' });
  });
});
