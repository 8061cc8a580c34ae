import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { endpointSettingsFile, readEndpointSettings } from '../../src/systems/endpoint/settings';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'onward-settings-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(text: string) {
  const file = path.join(folder, 'endpoint.yaml');
  await writeFile(file, text);
  return await readEndpointSettings(file);
}
const SHA256 = 'a'.repeat(64);
const PACKAGE = `packages:\n  '18.4.1':\n    url: https://files.example/o365.zip?sig=hunter2\n    sha256: ${SHA256}\n`;

test('the configuration of an endpoint host names its work directory, in one spelling, and its packages by version', async () => {
  await expect(read(`workDirectory: /srv/./Onward/../Onward/\n${PACKAGE}`)).resolves.toEqual({
    workDirectory: '/srv/Onward',
    packages: { '18.4.1': { url: 'https://files.example/o365.zip?sig=hunter2', sha256: SHA256 } },
  });
  await expect(read('workDirectory: /srv/Onward\n')).resolves.toMatchObject({ packages: {} });
});

test.each([
  ["'C:\\Onward'", 'C:\\Onward'],
  ["'C:\\\\Onward'", 'C:\\Onward'],
  ['"C:\\\\Onward"', 'C:\\Onward'],
  ['D:/Onward/', 'D:\\Onward'],
  ['C:\\Onward\\..\\Onward', 'C:\\Onward'],
  ['C:\\Program Files\\.\\Onward\\', 'C:\\Program Files\\Onward'],
])('the work directory %s is %s, on whatever system it is read', async (written, workDirectory) => {
  await expect(read(`workDirectory: ${written}\n`)).resolves.toMatchObject({ workDirectory });
});

test.each([
  [
    'a path in double quotes, of which YAML makes a tab and a line feed',
    'workDirectory: "C:\\temp\\new"\n',
    /line 1: workDirectory holds a tab, a line feed .* single ones/,
  ],
  ['a drive', 'workDirectory: C:\\\n', /must be a folder on a drive/],
  ['a folder of whatever folder the worker is in', 'workDirectory: C:Onward\n', /must be a folder on a drive/],
  ['a name that Windows would shorten', "workDirectory: 'C:\\Onward.'\n", /ends with a dot/],
  ['a share', "workDirectory: '\\\\server\\share'\n", /line 1: workDirectory must be a folder on a drive/],
  [
    'a name that a batch file would misread',
    'workDirectory: /srv/On&ward\n',
    /line 1: workDirectory must not hold any of/,
  ],
  ['another field', `${PACKAGE}\npackage: x\n`, /package there is no such field; did you mean packages\?/],
  [
    'a version that YAML reads as a number',
    `packages:\n  18.10:\n    url: https://a.example\n    sha256: ${SHA256}\n`,
    /put it in quotes/,
  ],
  ['no hash', "packages:\n  '18.4.1':\n    url: https://a.example\n", /packages\.18\.4\.1\.sha256 is missing/],
])('%s is refused with its line', async (_, text, message) => {
  await expect(read(text)).rejects.toThrow(message);
});

test('a configuration that cannot be used quotes no URL, and one that is missing is named', async () => {
  const broken = await read(`${PACKAGE}    : :\n\tx`).catch((error: unknown) => String(error));
  expect(broken).toMatch(/cannot be used/);
  expect(broken).not.toContain('hunter2');
  const file = endpointSettingsFile({ ONWARD_ENDPOINT: path.join(folder, 'elsewhere.yaml') });
  await expect(readEndpointSettings(file)).rejects.toThrow(
    /elsewhere\.yaml, cannot be used:\n- it cannot be read \(ENOENT\)/,
  );
});
