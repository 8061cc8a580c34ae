import { createSecretKey, randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { Doubtful } from '../../src/contract/doubtful';
import { payloadConverter } from '../../src/temporal/doubtful-payloads';
import { EncryptionCodec, Undecryptable, type CodecKey, type CodecOptions } from '../../src/temporal/codec';

const key = (id: string): CodecKey => ({ id, key: createSecretKey(randomBytes(32)) });
const spring = key('spring');
const summer = key('summer');
const codecOf = (keys: CodecKey[], options: Partial<CodecOptions> = {}): EncryptionCodec =>
  new EncryptionCodec(keys, { namespace: 'upgrades', ...options });
const payload = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const valueOf = (decoded: Payload | undefined): unknown => decoded && defaultPayloadConverter.fromPayload(decoded);
const idIn = ({ metadata }: Payload): string => Buffer.from(metadata?.['encryption-key-id'] ?? []).toString();

async function encrypted(value: unknown, ...keys: [CodecKey, ...CodecKey[]]): Promise<Payload> {
  const [result] = await codecOf(keys).encode([payload(value)]);
  if (!result) throw new Error('one payload went in and none came out');
  return result;
}

test('what is encrypted comes back as it was, and shows neither its contents nor its type in between', async () => {
  const codec = codecOf([spring]);
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
  expect(await codecOf([spring]).decode(plain)).toEqual(plain);
});

test('after a rotation the new key encrypts, and what the old one has encrypted stays readable', async () => {
  const before = await encrypted('before', spring);
  const rotated = codecOf([summer, spring]);
  const [after] = await rotated.encode([payload('after')]);
  expect(after && idIn(after)).toBe('summer');
  expect((await rotated.decode([before, after ?? {}])).map(valueOf)).toEqual(['before', 'after']);
});

test('a payload of a key that is not here is refused by the name of the key, with what to do', async () => {
  const foreign = await encrypted('before', spring);
  const decoding = codecOf([summer]).decode([foreign]);
  await expect(decoding).rejects.toThrow(Undecryptable);
  await expect(decoding).rejects.toThrow(
    'A payload is encrypted with the key "spring", which this process does not have (it has summer). Add that key to ONWARD_CODEC_KEYS',
  );
});

describe('a payload that was changed is refused by the name of its key:', () => {
  const codec = codecOf([spring, summer]);
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
    const twin = codecOf([{ id: 'spring', key: summer.key }, summer]);
    const { metadata, data } = await encrypted('yes', summer);
    const relabelled = { metadata: { ...metadata, 'encryption-key-id': Buffer.from('spring') }, data };
    await expect(twin.decode([relabelled])).rejects.toThrow(refusal);
  });
});

test('an id that somebody else has made up is told shortly, and without control characters', async () => {
  const id = `\u001b[31m${'x'.repeat(1_000_000)}`;
  const metadata = { encoding: Buffer.from('binary/encrypted'), 'encryption-key-id': Buffer.from(id) };
  const message = await codecOf([spring])
    .decode([{ metadata, data: Buffer.alloc(40) }])
    .then(
      () => 'decoded',
      (error: Error) => error.message,
    );
  expect(message).toContain('"\\u001b[31mxxx');
  expect(message.length).toBeLessThan(300);
});

// Security: bound-to-workflow, codec-server-namespace
describe('a payload is bound to its workflow:', () => {
  const contoso = { workflowId: 'upgrade/contoso' };
  const fabrikam = { workflowId: 'upgrade/fabrikam' };
  const codec = codecOf([spring]);
  const sealed = async (): Promise<Payload> => (await codec.encode([payload('yes')], contoso))[0] ?? {};

  test('whoever reads it for that workflow, or only shows it, reads it', async () => {
    const one = await sealed();
    expect((await codec.decode([one], contoso)).map(valueOf)).toEqual(['yes']);
    expect((await codec.decode([one])).map(valueOf)).toEqual(['yes']);
  });

  test('whoever meets it in another workflow, or in another namespace, refuses it', async () => {
    const one = await sealed();
    await expect(codec.decode([one], fabrikam)).rejects.toThrow('encrypted for the workflow "upgrade/contoso"');
    await expect(codecOf([spring], { namespace: 'payroll' }).decode([one], contoso)).rejects.toThrow(
      'in the namespace "upgrades", and was found elsewhere',
    );
  });

  test('nobody without the key can make it out to another workflow, or to none', async () => {
    const { metadata, data } = await sealed();
    const toNone = Object.fromEntries(
      Object.entries(metadata ?? {}).filter(([name]) => !name.startsWith('encrypted-')),
    );
    const toFabrikam = { ...metadata, 'encrypted-for-workflow': Buffer.from('upgrade/fabrikam') };
    for (const changed of [toNone, toFabrikam]) {
      await expect(codec.decode([{ metadata: changed, data }])).rejects.toThrow(/cannot be decrypted/);
    }
  });

  test('and what was encrypted for none cannot be made out to one', async () => {
    const { metadata, data } = await encrypted('yes', spring);
    const owned = {
      ...metadata,
      'encrypted-for-workflow': Buffer.from('upgrade/contoso'),
      'encrypted-in-namespace': Buffer.from('upgrades'),
    };
    await expect(codec.decode([{ metadata: owned, data }], contoso)).rejects.toThrow(/cannot be decrypted/);
  });
});

describe('a worker is handed over, instead of an error,', () => {
  let now = 0;
  const contoso = { workflowId: 'upgrade/contoso' };
  const worker = codecOf([spring], { marks: true, plaintextUntil: 1000, now: () => now });
  const handedOver = async (one: Payload): Promise<Doubtful> => {
    const [decoded = {}] = await worker.decode([one], contoso);
    const value = payloadConverter.fromPayload(decoded);
    if (value instanceof Doubtful) return value;
    throw new Error(`${JSON.stringify(value)} was not doubted`);
  };

  test('plaintext, and what was encrypted for no workflow, until the cut-over and after it', async () => {
    for (const [doubt, one] of [
      ['plaintext', payload({ by: 'bob' })],
      ['unbound', await encrypted({ by: 'bob' }, spring)],
    ] as const) {
      now = 999;
      expect(await handedOver(one)).toEqual(new Doubtful(doubt, false, { by: 'bob' }));
      now = 1000;
      expect(await handedOver(one)).toEqual(new Doubtful(doubt, true, { by: 'bob' }));
    }
  });

  test('nothing of what was encrypted for another workflow, or was changed', async () => {
    const [copied = {}] = await worker.encode([payload('yes')], { workflowId: 'upgrade/fabrikam' });
    const whole = await encrypted('yes', spring);
    const changed = { ...whole, data: Buffer.concat([whole.data ?? Buffer.alloc(0), Buffer.from('!')]) };
    expect(await handedOver(copied)).toEqual(new Doubtful('foreign', false));
    expect(await handedOver(changed)).toEqual(new Doubtful('changed', false));
  });

  test('what a sender marks as vouched for, as what it is', async () => {
    const mark = Buffer.from(JSON.stringify({ doubt: 'plaintext', late: false }));
    const { metadata, data } = payload({ by: 'mallory' });
    expect(await handedOver({ metadata: { ...metadata, 'onward-doubt': mark }, data })).toMatchObject({ late: true });
  });

  test('what nobody can read, whatever it was encrypted with', async () => {
    const broken = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{') };
    const [sealed = {}] = await worker.encode([broken], contoso);
    for (const one of [broken, sealed, { metadata: { encoding: Buffer.from('text/klingon') }, data: Buffer.from('?') }])
      expect(await handedOver(one)).toEqual(new Doubtful('unreadable', false));
  });

  test('but not a payload of a key that it lacks: it waits for the key', async () => {
    await expect(worker.decode([await encrypted('yes', summer)], contoso)).rejects.toThrow('with the key "summer"');
  });
});

// Security: plaintext-refused
test('a client refuses an answer in clear after the cut-over, and still reads what was written in clear before', async () => {
  let asks = true;
  const client = codecOf([spring], { plaintextUntil: 0, readsNews: () => asks });
  const forged = [payload({ state: 'completed' })];
  const contoso = { workflowId: 'upgrade/contoso' };
  await expect(client.decode(forged, contoso)).rejects.toThrow('What upgrade/contoso answered was sent in clear.');
  asks = false;
  expect(await client.decode(forged, contoso)).toEqual(forged);
});
