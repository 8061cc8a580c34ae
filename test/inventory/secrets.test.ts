import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { redact, resolveSecret } from '../../src/inventory/secrets';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'onward-secrets-'));
});
afterEach(async () => {
  delete process.env['ONWARD_TEST_SECRET'];
  await rm(folder, { recursive: true });
});

test('a reference to a variable or a file gives its value, without the last newline of the file', async () => {
  process.env['ONWARD_TEST_SECRET'] = 'from the environment';
  expect(await resolveSecret('env:ONWARD_TEST_SECRET')).toBe('from the environment');
  const file = path.join(folder, 'secret');
  await writeFile(file, 'two\nlines\r\n');
  expect(await resolveSecret(`file:${file}`)).toBe('two\nlines');
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
    'The secret env:ONWARD_TEST_SECRET is not there: set ONWARD_TEST_SECRET in the environment of this worker.',
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

test('every resolved secret disappears from texts, in each form in which protocols write it', async () => {
  process.env['ONWARD_TEST_SECRET'] = 'p<a"ss & word';
  const secret = await resolveSecret('env:ONWARD_TEST_SECRET');
  const texts = [
    secret,
    `https://x/?p=${encodeURIComponent(secret)}`,
    JSON.stringify({ secret }),
    'p&lt;a"ss &amp; word',
  ];
  for (const text of texts) {
    expect(redact(text)).toContain('[secret]');
    expect(redact(text)).not.toMatch(/ss.*word/);
  }
  expect(redact('nothing secret here')).toBe('nothing secret here');
});
