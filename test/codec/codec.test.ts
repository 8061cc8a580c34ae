import { createSecretKey, randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { EncryptionCodec, Undecryptable, type CodecKey } from '../../src/temporal/codec';

const key = (id: string): CodecKey => ({ id, key: createSecretKey(randomBytes(32)) });
const spring = key('spring');
const summer = key('summer');
const payload = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const valueOf = (decoded: Payload | undefined): unknown => decoded && defaultPayloadConverter.fromPayload(decoded);
const idIn = ({ metadata }: Payload): string => Buffer.from(metadata?.['encryption-key-id'] ?? []).toString();

async function encrypted(value: unknown, ...keys: [CodecKey, ...CodecKey[]]): Promise<Payload> {
  const [result] = await new EncryptionCodec(keys).encode([payload(value)]);
  if (!result) throw new Error('one payload went in and none came out');
  return result;
}

test('what is encrypted comes back as it was, and shows neither its contents nor its type in between', async () => {
  const codec = new EncryptionCodec([spring]);
  const values = [
    { provider: 'contoso', evidence: 'ticket 4711' },
    'ticket 4711',
    undefined,
    null,
    Buffer.from('4711'),
  ];
  const plain = values.map(payload);
  const encoded = await codec.encode(plain);
  const raw = JSON.stringify(
    encoded.map(({ metadata, data }) => [metadata, Buffer.from(data ?? []).toString('latin1')]),
  );
  expect(raw).not.toMatch(/contoso|4711|json|plain/);
  expect((await codec.decode(encoded)).map(valueOf)).toEqual(plain.map(valueOf));
});

test('the same value is never encrypted to the same bytes', async () => {
  const seen = await Promise.all(Array.from({ length: 50 }, () => encrypted('yes', spring)));
  expect(new Set(seen.map(({ data }) => Buffer.from(data ?? []).toString('hex'))).size).toBe(50);
});

test('what is not encrypted passes through untouched', async () => {
  const plain = [payload({ by: 'ana@csp.example' }), { metadata: {}, data: Buffer.from('?') }, {}];
  expect(await new EncryptionCodec([spring]).decode(plain)).toEqual(plain);
});

test('after a rotation the new key encrypts, and what the old one has encrypted stays readable', async () => {
  const before = await encrypted('before', spring);
  const rotated = new EncryptionCodec([summer, spring]);
  const [after] = await rotated.encode([payload('after')]);
  expect(after && idIn(after)).toBe('summer');
  expect((await rotated.decode([before, after ?? {}])).map(valueOf)).toEqual(['before', 'after']);
});

test('a payload of a key that is not here is refused by the name of the key, with what to do', async () => {
  const foreign = await encrypted('before', spring);
  const decoding = new EncryptionCodec([summer]).decode([foreign]);
  await expect(decoding).rejects.toThrow(Undecryptable);
  await expect(decoding).rejects.toThrow(
    'A payload is encrypted with the key "spring", which this process does not have (it has summer). Add that key to ONWARD_CODEC_KEYS',
  );
});

describe('a payload that was changed is refused by the name of its key:', () => {
  const codec = new EncryptionCodec([spring, summer]);
  const refusal = /^A payload that is encrypted with the key "spring" cannot be decrypted: either it was changed/;

  test('any bit of nonce, ciphertext or tag', async () => {
    const whole = await encrypted('yes', spring);
    const data = Buffer.from(whole.data ?? []);
    for (let position = 0; position < data.length; position++) {
      const changed = Buffer.from(data);
      changed.writeUInt8(changed.readUInt8(position) ^ (1 << (position % 8)), position);
      await expect(codec.decode([{ ...whole, data: changed }])).rejects.toThrow(refusal);
    }
  });

  test('cut off, down to nothing', async () => {
    const whole = await encrypted('yes', spring);
    for (const length of [0, 11, 12, 27, 28, (whole.data?.length ?? 0) - 1]) {
      await expect(codec.decode([{ ...whole, data: whole.data?.slice(0, length) }])).rejects.toThrow(refusal);
    }
  });

  test('with the id of another key on it', async () => {
    const { metadata, data } = await encrypted('yes', summer);
    const relabelled = { metadata: { ...metadata, 'encryption-key-id': Buffer.from('spring') }, data };
    await expect(codec.decode([relabelled])).rejects.toThrow(refusal);
  });

  test('even where both ids stand for one and the same key', async () => {
    const twin = new EncryptionCodec([{ id: 'spring', key: summer.key }, summer]);
    const { metadata, data } = await encrypted('yes', summer);
    const relabelled = { metadata: { ...metadata, 'encryption-key-id': Buffer.from('spring') }, data };
    await expect(twin.decode([relabelled])).rejects.toThrow(refusal);
  });
});

test('an id that somebody else has made up is told shortly, and without control characters', async () => {
  const id = `\u001b[31m${'x'.repeat(1_000_000)}`;
  const metadata = { encoding: Buffer.from('binary/encrypted'), 'encryption-key-id': Buffer.from(id) };
  const message = await new EncryptionCodec([spring]).decode([{ metadata, data: Buffer.alloc(40) }]).then(
    () => 'decoded',
    (error: Error) => error.message,
  );
  expect(message).toContain('"\\u001b[31mxxx');
  expect(message.length).toBeLessThan(300);
});
