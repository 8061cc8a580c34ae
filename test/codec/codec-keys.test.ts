import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { defaultPayloadConverter, type DataConverter } from '@temporalio/common';
import { readCodecKeys, readEncryption } from '../../src/temporal/codec-keys';
import { workerConverter } from '../../src/temporal/data-converter';

const dataConverter = (codecKeys: string | undefined, plaintextUntil?: string): Promise<DataConverter> =>
  workerConverter({ namespace: 'upgrades', codecKeys, plaintextUntil });
const base64 = (): string => randomBytes(32).toString('base64');
const before = { ...process.env };
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'onward-keys-'));
});
afterEach(async () => {
  process.env = { ...before };
  await rm(folder, { recursive: true });
});

test('keys come from variables and files, in the order in which they are named', async () => {
  process.env['ONWARD_TEST_KEY'] = base64();
  const file = path.join(folder, 'key');
  const second = base64();
  await writeFile(file, `${second}\n`);
  const keys = await readCodecKeys(`2026-11=env:ONWARD_TEST_KEY, 2026-05=file:${file}`);
  expect(keys.map(({ id }) => id)).toEqual(['2026-11', '2026-05']);
  expect(keys[1]?.key.export().toString('base64')).toBe(second);
});

test('every problem is told at once, and no text that may be a key', async () => {
  const [long, key] = [randomBytes(48).toString('base64'), base64()];
  process.env['ONWARD_TEST_LONG'] = long;
  process.env['ONWARD_TEST_KEY'] = key;
  const plain = base64();
  const entries = [
    'gone=env:ONWARD_TEST_NOT_SET',
    `missing=file:${folder}/nothing`,
    'long=env:ONWARD_TEST_LONG',
    `clear=${plain}`,
    plain,
    'good=env:ONWARD_TEST_KEY',
    'good=env:ONWARD_TEST_KEY',
    'copy=env:ONWARD_TEST_KEY',
  ];
  const message = await readCodecKeys(entries.join(',')).then(
    () => 'read',
    (error: Error) => error.message,
  );
  expect(message.split('\n')).toEqual([
    'The encryption of payloads cannot be used as it is set up:',
    expect.stringContaining('the key gone: The secret env:ONWARD_TEST_NOT_SET is not there'),
    expect.stringMatching(/the key missing: The secret file:.*nothing cannot be read \(ENOENT\)/),
    '  the key long is not 32 bytes in base64, as openssl rand -base64 32 makes them',
    expect.stringContaining('the key clear: The secret reference is neither env:NAME nor file:/path'),
    '  entry 5 of ONWARD_CODEC_KEYS is not id=env:NAME or id=file:/path',
    '  the key good is named twice',
    '  the keys good and copy are the same',
  ]);
  for (const secret of [long, key, plain]) expect(message).not.toContain(secret);
});

test.each([' , ', ','])(
  'a setting that names no key is a mistake, not a wish to write in clear: %j',
  async (setting) => {
    await expect(dataConverter(setting)).rejects.toThrow('ONWARD_CODEC_KEYS names no key');
  },
);

test.each([undefined, ''])('without the setting values are written as Temporal writes them: %j', async (setting) => {
  const { payloadCodecs, ...others } = await dataConverter(setting);
  expect(others).not.toHaveProperty('failureConverterPath');
  const payloads = [defaultPayloadConverter.toPayload({ provider: 'contoso' })];
  expect(await payloadCodecs?.[0]?.encode(payloads)).toEqual(payloads);
  expect(await payloadCodecs?.[0]?.decode(payloads)).toEqual(payloads);
});

test('without the setting, whoever meets an encrypted value says that it is one', async () => {
  process.env['ONWARD_TEST_KEY'] = base64();
  const [sealing] = (await dataConverter('k1=env:ONWARD_TEST_KEY')).payloadCodecs ?? [];
  const sealed = await sealing?.encode([defaultPayloadConverter.toPayload('yes')]);
  const [keyless] = (await dataConverter(undefined)).payloadCodecs ?? [];
  await expect(keyless?.decode(sealed ?? [])).rejects.toThrow(
    'with the key "k1", which this process does not have (it has none)',
  );
});

test('a converter that ends up in a log does not show its keys', async () => {
  const key = base64();
  process.env['ONWARD_TEST_KEY'] = key;
  const shown = inspect(await dataConverter('k1=env:ONWARD_TEST_KEY'), { depth: 10, showHidden: true });
  expect(shown).toContain('k1');
  expect(shown).not.toContain(key);
  expect(shown).not.toContain(Buffer.from(key, 'base64').toString('hex').slice(0, 8));
});

describe('the cut-over', () => {
  beforeEach(() => {
    process.env['ONWARD_TEST_KEY'] = base64();
  });

  test('is an instant, whatever zone it is written in', async () => {
    const settings = { codecKeys: 'k1=env:ONWARD_TEST_KEY' };
    const read = async (plaintextUntil: string) =>
      (await readEncryption({ ...settings, plaintextUntil })).plaintextUntil;
    expect(await read('2026-12-01T07:00:00+01:00')).toBe(Date.UTC(2026, 11, 1, 6));
    expect(await read('2026-12-01T06:00:00Z')).toBe(Date.UTC(2026, 11, 1, 6));
    expect(await read('')).toBeUndefined();
  });

  test.each(['2026-12-01', '2026-12-01T06:00:00', 'tomorrow'])('that is none is a mistake: %s', async (setting) => {
    await expect(dataConverter('k1=env:ONWARD_TEST_KEY,twice', setting)).rejects.toMatchObject({
      problems: [
        expect.stringMatching(/^ONWARD_PLAINTEXT_UNTIL is no instant such as/),
        expect.stringContaining('entry 2 of ONWARD_CODEC_KEYS'),
      ],
    });
  });

  test('without keys is a mistake: everything would be refused', async () => {
    await expect(dataConverter(undefined, '2026-12-01T06:00:00Z')).rejects.toThrow(
      'ONWARD_PLAINTEXT_UNTIL is set and ONWARD_CODEC_KEYS is not',
    );
  });
});
